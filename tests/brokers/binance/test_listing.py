"""Trading rules out of `exchangeInfo`, and listings that are none."""

import json
from decimal import Decimal

import pytest

from brokers.binance.listing import listed
from engine.model.errors import DataUnavailable, UnknownInstrument

D = Decimal


def rules(**changes: object) -> list[dict]:
    given = {
        "PRICE_FILTER": {"minPrice": "556.80", "maxPrice": "4529764", "tickSize": "0.10"},
        "LOT_SIZE": {"stepSize": "0.001", "maxQty": "1000", "minQty": "0.001"},
        "MARKET_LOT_SIZE": {"stepSize": "0.01", "maxQty": "120", "minQty": "0.01"},
        "MIN_NOTIONAL": {"notional": "100"},
        "PERCENT_PRICE": {"multiplierDecimal": "4", "multiplierUp": "1.05"},
    }  # fmt: skip
    return [{"filterType": name} | rule | changes.get(name, {}) for name, rule in given.items()]


def answer(**changes: object) -> bytes:
    symbol = {
        "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING",
        "baseAsset": "BTC", "quoteAsset": "USDT", "marginAsset": "USDT", "pricePrecision": 2,
        "quantityPrecision": 3, "filters": rules(),
    }  # fmt: skip
    other = symbol | {"symbol": "ETHUSDT", "baseAsset": "ETH"}
    return json.dumps({"rateLimits": [], "symbols": [other, symbol | changes]}).encode()


def test_rules_come_from_the_filters() -> None:
    """Tick and lot, not the precisions; in the order asked for."""
    btc, eth = listed(answer(), ["BTCUSDT", "ETHUSDT"])

    assert ("BTCUSDT", "BTC", "USDT", "USDT") == (btc.symbol, btc.base, btc.quote, btc.settlement)
    assert (D("0.1"), D("0.001"), D("0.001"), D(100)) == (
        btc.tick_size, btc.lot_size, btc.min_qty, btc.min_notional,
    )  # fmt: skip
    assert "0.1" == str(btc.tick_size)
    assert "ETHUSDT" == eth.symbol


def test_whole_steps_have_no_exponent() -> None:
    """`1E+1` is no price anybody types."""
    wide = rules(PRICE_FILTER={"tickSize": "10"}, LOT_SIZE={"stepSize": "100", "minQty": "5"})
    (btc,) = listed(answer(filters=wide), ["BTCUSDT"])

    assert ("10", "100") == (str(btc.tick_size), str(btc.lot_size))
    assert D(100) == btc.min_qty


@pytest.mark.parametrize(
    "change",
    [{"contractType": "CURRENT_QUARTER"}, {"marginAsset": "BTC"}, {"symbol": "BTCUSD_PERP"}],
)
def test_what_is_no_linear_perpetual_is_not_offered(change: dict[str, object]) -> None:
    """Nor what is not listed."""
    with pytest.raises(UnknownInstrument, match="BTCUSDT"):
        listed(answer(**change), ["BTCUSDT"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "SETTLING"}, "can't be traded now: SETTLING"),
        ({"filters": []}, "no usable step"),
        ({"filters": rules(PRICE_FILTER={"tickSize": "0"})}, "no usable step"),
        ({"filters": rules(PRICE_FILTER={"tickSize": "NaN"})}, "no usable step"),
        ({"filters": rules(LOT_SIZE={"stepSize": "-1"})}, "no usable step"),
        ({"filters": rules(LOT_SIZE={"stepSize": "1e99"})}, "no usable step"),
    ],
)
def test_rules_nobody_can_trade_by_are_refused(change: dict[str, object], words: str) -> None:
    """In words, before a session begins."""
    with pytest.raises(DataUnavailable, match=words):
        listed(answer(**change), ["BTCUSDT"])


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"symbols":[{}]}', b"\xff", b"[" * 10_000]
)
def test_what_is_no_listing_is_refused(body: bytes) -> None:
    """Whatever answered."""
    with pytest.raises(DataUnavailable, match="listing can't be read"):
        listed(body, ["BTCUSDT"])
