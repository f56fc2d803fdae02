"""Another source's market on Hyperliquid's grid: coarser, never better, and agreeing with itself."""

from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext

import pytest

from brokers.hyperliquid.rules import is_price
from brokers.mock.config import MockConfig
from brokers.mock.feed import MockFeed
from brokers.mock.universe import UNIVERSE
from brokers.sandbox.coins import RULES, CoinFeed
from engine.model.errors import UnknownInstrument
from engine.model.market import Depth, Funding, Malformed, Quote, Trade
from engine.model.money import use_exact_arithmetic
from engine.model.orders import Side
from tests.brokers.sandbox.stage import instrument

T0 = 1_700_000_000 * 10**9


class Scripted:
    """A source of given events."""

    name, is_simulated = "scripted", True

    def __init__(self, *events: object) -> None:
        self.instruments = (instrument("ETHUSDT", tick_size=Decimal("0.01")),)
        self._events = events

    def batches(self) -> Iterator[Sequence[object]]:
        yield self._events


def eth(bid: int, ask: int) -> Quote:
    return Quote(T0, "ETHUSDT", bid, 7, ask, 9, T0, 3)


def told(*events: object) -> list:
    return [event for batch in CoinFeed(Scripted(*events)).batches() for event in batch]


def test_a_quote_is_rounded_away_from_mid() -> None:
    """2500.12 by 2500.17 in hundredths is 2500.1 by 2500.2 in tenths; sizes stay."""
    (quote,) = told(eth(250_012, 250_017))

    assert ("ETH", 25_001, 25_002) == (quote.symbol, quote.bid_ticks, quote.ask_ticks)
    assert (70, 90) == (quote.bid_lots, quote.ask_lots)  # of 0.0001 instead of 0.001


def test_what_is_on_both_grids_stays() -> None:
    """Exactly."""
    (quote,) = told(eth(250_010, 250_020))
    assert (25_001, 25_002) == (quote.bid_ticks, quote.ask_ticks)


def test_a_print_is_at_the_touch_it_met() -> None:
    """A buyer's up, a seller's down."""
    quote, *prints = told(
        eth(250_012, 250_017),
        Trade(T0, "ETHUSDT", 250_017, 5, Side.BUY, 1, T0),
        Trade(T0, "ETHUSDT", 250_012, 5, Side.SELL, 2, T0),
    )
    assert [quote.ask_ticks, quote.bid_ticks] == [one.price_ticks for one in prints]


def test_a_change_of_the_book_is_a_whole_book() -> None:
    """Diffs are applied before they are rounded; levels that meet add up."""
    _, first, second = told(
        eth(250_012, 250_017),
        Depth(T0, "ETHUSDT", ((250_012, 1), (250_011, 2)), ((250_017, 4),), is_snapshot=True),
        Depth(T0, "ETHUSDT", ((250_012, 0),), ((250_018, 8),), first_seq=1, last_seq=2),
    )
    assert (((25_001, 30),), ((25_002, 40),)) == (first.bids, first.asks)
    assert (((25_001, 20),), ((25_002, 120),)) == (second.bids, second.asks)
    assert second.is_snapshot


def test_funding_is_an_eighth_every_hour() -> None:
    """Paid on the hour."""
    _, funding = told(
        eth(250_012, 250_017), Funding(T0, "ETHUSDT", Decimal(2500), Decimal("0.0001"), T0 + 5)
    )
    assert Decimal("0.0000125") == funding.rate
    assert 0 == funding.next_ns % (3_600 * 10**9)
    assert T0 < funding.next_ns


def test_defects_of_the_source_stay_there() -> None:
    """A venue sends none."""
    assert 1 == len(told(eth(250_012, 250_017), Malformed(T0, "ETHUSDT", "nan")))


def test_a_coin_that_is_never_quoted() -> None:
    """Has no tick, and can't be traded."""
    with pytest.raises(UnknownInstrument, match="ETHUSDT"):
        CoinFeed(Scripted(Malformed(T0, "ETHUSDT", "nan")))


@pytest.mark.parametrize("symbol", UNIVERSE)
def test_every_price_of_every_market_is_one_of_the_venues(symbol: str) -> None:
    """Five figures; a book that never crosses."""
    feed = CoinFeed(MockFeed((symbol,), MockConfig(events_per_s=200.0), 1, T0))
    (coin,) = feed.instruments
    batches, seen = feed.batches(), 0
    while seen < 2_000:
        for event in next(batches):
            seen += 1
            if isinstance(event, Quote):
                assert 0 < event.bid_ticks < event.ask_ticks
                for ticks in (event.bid_ticks, event.ask_ticks):
                    assert is_price(coin.price(ticks), RULES[coin.symbol][0])


def test_a_rate_of_many_digits_is_told_whatever_the_arithmetic() -> None:
    """A session counts exactly, and may share its process with a sandbox."""
    with localcontext():
        use_exact_arithmetic()
        rate = Decimal("0.00012345")
        _, funding = told(eth(250_010, 250_020), Funding(T0, "ETHUSDT", Decimal(2500), rate, T0))
    assert Decimal("0.00001543") == funding.rate
