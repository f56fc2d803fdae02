"""Bars of before a session: known at once, closed never, and never beside bars of our own."""

import pytest
from msgspec.structs import replace

from engine.market.config import MarketConfig
from engine.market.features.spec import FeatureSpec
from engine.market.market import Market
from engine.model.market import Bar, BarHistory, Quote
from tests.engine.factories import BTC, instrument

MINUTE_NS = 60 * 10**9
EMA = FeatureSpec("ema", 5, 60)
START_NS = 28_000_000 * MINUTE_NS
"""On the grid."""


def bar(minutes_ago: int, ticks: int = 10_000, **changes: object) -> Bar:
    open_ns = START_NS - minutes_ago * MINUTE_NS
    plain = Bar(open_ns + MINUTE_NS, BTC, 60, open_ns, ticks, ticks + 2, ticks - 2, ticks, 7)
    return replace(plain, **changes)


def history(*bars: Bar, **changes: object) -> BarHistory:
    return replace(BarHistory(START_NS + 10**9, BTC, 60, bars), **changes)


def whole(count: int = 8) -> BarHistory:
    return history(*(bar(ago, 10_000 + ago) for ago in range(count, 0, -1)))


@pytest.fixture
def market() -> Market:
    return Market([instrument()], MarketConfig(), (60,), (EMA,))


def live(market: Market, after_s: float) -> list[Bar]:
    """Take a quote; return the bars it closed."""
    at_ns = START_NS + round(after_s * 10**9)
    assert market.quote(Quote(at_ns, BTC, 9_999, 5, 10_001, 5))
    closed = market.closed.copy()
    market.closed.clear()
    return closed


def test_what_is_known_is_warm_and_closes_nothing(market: Market) -> None:
    """Features see each bar once; nobody is called; the touch stays unknown."""
    assert market.views[BTC].feature(EMA) is None
    assert market.history(whole())
    view = market.views[BTC]
    assert view.feature(EMA) == pytest.approx(10_000 * float(instrument().tick_size), rel=1e-2)
    assert ([], 8, False) == (market.closed, len(view.bars[60]), view.is_priced)


def test_the_first_bar_of_our_own_follows_the_last_of_theirs(market: Market) -> None:
    """No overlap, and no bar twice."""
    market.history(whole())
    assert [] == live(market, 2.0)
    assert [START_NS] == [one.open_ns for one in live(market, 61.0)]
    opens = [one.open_ns for one in market.views[BTC].bars[60].last(10)]
    assert opens == sorted(set(opens))
    assert 9 == len(opens)


def test_a_bar_that_history_has_is_not_closed_again(market: Market) -> None:
    """The venue's clock is ahead of ours: what we build of its last minute is left out."""
    told = history(bar(2), bar(1), bar(0), ts_ns=START_NS + MINUTE_NS)
    assert market.history(told)
    live(market, 59.5)
    assert [] == live(market, 61.0), "the minute from the start on, which it has"
    assert [START_NS + MINUTE_NS] == [one.open_ns for one in live(market, 121.0)]


def test_history_that_comes_late_is_not_taken(market: Market) -> None:
    live(market, 1.0)
    live(market, 61.0)
    assert not market.history(replace(whole(), ts_ns=START_NS + 2 * MINUTE_NS))
    assert 1 == len(market.views[BTC].bars[60])


@pytest.mark.parametrize(
    ("told", "flaw"),
    [
        (history(bar(1), bar(2)), "out_of_order"),
        (history(bar(2), bar(2)), "out_of_order"),
        (history(bar(0)), "out_of_order"),
        (history(bar(1, low_ticks=0)), "non_positive"),
        (history(bar(1, volume_lots=-1)), "non_positive"),
        (history(bar(1, high_ticks=9_999)), "malformed"),
        (history(bar(1, symbol="ETHUSDT")), "malformed"),
        (history(bar(1, interval_s=300)), "malformed"),
    ],
)
def test_one_bad_bar_spoils_it(market: Market, told: BarHistory, flaw: str) -> None:
    """Out of order, still growing, of nothing, impossible, of something else."""
    assert not market.history(told)
    assert {flaw: 1} == market.refused[BTC]
    assert 0 == len(market.views[BTC].bars[60])


def test_it_is_kept_over_a_restart(market: Market) -> None:
    market.history(whole())
    again = Market([instrument()], MarketConfig(), (60,), (EMA,))
    again.restore(market.snapshot())
    assert again.views[BTC].feature(EMA) == market.views[BTC].feature(EMA)
    assert again.snapshot() == market.snapshot()
