"""Which rules a recorded instrument trades by."""

from decimal import Decimal

import pytest

from brokers.file.config import TradingRules
from brokers.file.rules import KNOWN, Sample, agreed, instrument_of, split_symbol
from engine.model.errors import UsageError

BTC_PRICES = {"61800.20", "61800.30", "61799.90"}


def test_known_symbol_takes_known_rules() -> None:
    """Bitcoin's rules don't depend on which decimals were seen."""
    item = instrument_of("BTCUSDT", Sample(BTC_PRICES, {"1.000"}), {})

    assert (Decimal("0.1"), Decimal("0.001"), Decimal(100)) == (
        item.tick_size,
        item.lot_size,
        item.min_notional,
    )
    assert (item.base, item.quote, item.settlement) == ("BTC", "USDT", "USDT")


def test_a_flaw_in_the_sample_does_not_change_known_rules() -> None:
    """The minority is the flaw."""
    item = instrument_of("BTCUSDT", Sample(BTC_PRICES | {"61800.25", "NaN"}, {"1"}), {})

    assert KNOWN["BTCUSDT"].tick_size == item.tick_size


def test_a_recording_that_does_not_fit_is_believed() -> None:
    """Spot bitcoin moves in hundredths, whatever the table says of the perpetual."""
    item = instrument_of("BTCUSDT", Sample({"61837.63000000", "61837.64000000"}, {"1.54698"}), {})

    assert (Decimal("0.01"), Decimal("0.00001")) == (item.tick_size, item.lot_size)


def test_unknown_symbol_is_inferred_from_its_decimals() -> None:
    """The last decimal anybody used is the step, padding aside."""
    item = instrument_of("SUSHIUSDT", Sample({"8.1230", "8.1200", "8"}, {"10", "250"}), {})

    assert (Decimal("0.001"), Decimal(1)) == (item.tick_size, item.lot_size)
    assert item.min_qty == item.lot_size


def test_stated_rules_win() -> None:
    """The user knows best."""
    stated = TradingRules(tick_size=Decimal("0.5"), lot_size=Decimal("0.1"))
    item = instrument_of("BTCUSDT", Sample(BTC_PRICES, {"1"}), {"BTCUSDT": stated})

    assert (Decimal("0.5"), Decimal("0.1")) == (item.tick_size, item.lot_size)


def test_two_inferred_files_agree_on_the_finer_grid() -> None:
    """A file that happened to trade at round prices does not coarsen the other."""
    coarse = instrument_of("SUSHIUSDT", Sample({"8.1"}, {"0.5"}), {})
    fine = instrument_of("SUSHIUSDT", Sample({"8.12"}, {"3"}), {})

    for item in (agreed(coarse, fine), agreed(fine, coarse)):
        assert (Decimal("0.01"), Decimal("0.1")) == (item.tick_size, item.lot_size)


def test_two_markets_of_one_name_are_refused() -> None:
    """Spot and perpetual can't be merged into one book."""
    spot = instrument_of("BTCUSDT", Sample({"61837.63", "61837.64"}, {"1"}), {})
    perpetual = instrument_of("BTCUSDT", Sample(BTC_PRICES, {"1"}), {})

    with pytest.raises(UsageError, match="two different markets named BTCUSDT"):
        agreed(spot, perpetual)


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("BTCUSDT", ("BTC", "USDT")),
        ("ETHBTC", ("ETH", "BTC")),
        ("1000PEPEUSDC", ("1000PEPE", "USDC")),
        ("USDT", ("USDT", "USDT")),
        ("WHAT", ("WHAT", "USDT")),
    ],
)
def test_split_symbol(symbol: str, expected: tuple[str, str]) -> None:
    """Base and quote by the known endings."""
    assert expected == split_symbol(symbol)
