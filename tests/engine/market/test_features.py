"""Features against the formula in their docstring, computed from the whole history each time."""

import math
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market.book import BookSync
from engine.market.features.price import RETURN_BUCKETS
from engine.market.features.registry import OF_BARS, OF_TICKS, WINDOW_MAX, make_feature
from engine.market.features.spec import FeatureSpec
from engine.market.features.window import MomentWindow
from engine.market.view import MarketView
from engine.model.market import Bar, Quote, Trade
from engine.model.orders import Side

from .build import START_NS, bar, instrument, quote, trade

TICK, LOT = 0.1, 0.001
Value = float | None

QUOTES = st.lists(
    st.builds(
        lambda bid, spread, bq, aq: quote(bid, bid + spread, bid_lots=bq, ask_lots=aq),
        st.integers(900, 1_100),
        st.integers(1, 9),
        st.integers(1, 50),
        st.integers(1, 50),
    ),
    max_size=50,
)
TRADES = st.lists(
    st.builds(
        lambda price, lots, side: trade(price, lots=lots, side=side),
        st.integers(900, 1_100),
        st.integers(1, 50),
        st.sampled_from(Side),
    ),
    max_size=50,
)
BARS = st.lists(
    st.builds(
        lambda o, c, up, down: bar(ohlc=(o, max(o, c) + up, min(o, c) - down, c)),
        st.integers(900, 1_100),
        st.integers(900, 1_100),
        st.integers(0, 20),
        st.integers(0, 20),
    ),
    max_size=50,
)


def mids(quotes: list[Quote]) -> list[float]:
    return [(q.bid_ticks + q.ask_ticks) * TICK / 2 for q in quotes]


def closes(bars: list[Bar]) -> list[float]:
    return [b.close_ticks * TICK for b in bars]


def ema(inputs: list[float], n: int) -> Value:
    if len(inputs) < n:
        return None
    average = inputs[0]
    for x in inputs[1:]:
        average = 2 / (n + 1) * x + (1 - 2 / (n + 1)) * average
    return average


def volatility(prices: list[float], n: int) -> Value:
    if len(prices) <= n:
        return None
    newest = prices[-n - 1 :]
    return stdev(math.log(b / a) for a, b in pairwise(newest))


def atr(bars: list[Bar], n: int) -> Value:
    if len(bars) < n:
        return None
    ranges = [bars[0].high_ticks - bars[0].low_ticks]
    for before, b in pairwise(bars):
        gaps = (abs(b.high_ticks - before.close_ticks), abs(b.low_ticks - before.close_ticks))
        ranges.append(max(b.high_ticks - b.low_ticks, *gaps))
    average = sum(ranges[:n]) / n
    for true_range in ranges[n:]:
        average = (average * (n - 1) + true_range) / n
    return average * TICK


def newest(trades: list[Trade], n: int) -> list[Trade]:
    return trades[-n:] if trades and len(trades) >= n else []


def vwap(trades: list[Trade], n: int) -> Value:
    window = newest(trades, n)
    lots = sum(t.qty_lots for t in window)
    return sum(t.price_ticks * t.qty_lots for t in window) * TICK / lots if window else None


def cvd(trades: list[Trade], n: int) -> Value:
    window = newest(trades, n)
    return sum(t.qty_lots * t.aggressor.sign for t in window) * LOT if window else None


def last_quote(formula: Callable[[Quote], float]) -> Callable[[list[Quote], int], Value]:
    return lambda quotes, _: formula(quotes[-1]) if quotes else None


QUOTE_FORMULAS: dict[str, Callable[[list[Quote], int], Value]] = {
    "mid": last_quote(lambda q: (q.bid_ticks + q.ask_ticks) / 2 * TICK),
    "spread_bps": last_quote(
        lambda q: (q.ask_ticks - q.bid_ticks) / ((q.ask_ticks + q.bid_ticks) / 2) * 10_000
    ),
    "microprice": last_quote(
        lambda q: (
            (q.ask_ticks * q.bid_lots + q.bid_ticks * q.ask_lots) / (q.bid_lots + q.ask_lots) * TICK
        )
    ),
    "queue_imbalance": last_quote(lambda q: (q.bid_lots - q.ask_lots) / (q.bid_lots + q.ask_lots)),
    "ema": lambda quotes, n: ema(mids(quotes), n),
    "realised_vol": lambda quotes, n: volatility(mids(quotes), n),
}
TRADE_FORMULAS = {"vwap": vwap, "cvd": cvd}
BAR_FORMULAS: dict[str, Callable[[list[Bar], int], Value]] = {
    "ema": lambda bars, n: ema(closes(bars), n),
    "realised_vol": lambda bars, n: volatility(closes(bars), n),
    "atr": atr,
}


def make_view() -> MarketView:
    return MarketView(instrument(), BookSync(10))


def show(view: MarketView, q: Quote) -> None:
    view.bid_ticks, view.bid_lots = q.bid_ticks, q.bid_lots
    view.ask_ticks, view.ask_lots = q.ask_ticks, q.ask_lots
    view.mid2_ticks, view.priced_ns = q.bid_ticks + q.ask_ticks, q.ts_ns


def approx(value: Value) -> object:
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)


def test_every_feature_has_its_formula() -> None:
    """A new row of the registry fails here until its formula is written down."""
    ticks = {*QUOTE_FORMULAS, *TRADE_FORMULAS, "returns"}

    assert ticks == set(OF_TICKS)
    assert set(BAR_FORMULAS) == set(OF_BARS)


@pytest.mark.parametrize("name", QUOTE_FORMULAS)
@given(quotes=QUOTES, window=st.integers(2, 8))
def test_quote_feature(name: str, quotes: list[Quote], window: int) -> None:
    """After each quote the value is the formula's, None until warm."""
    feature = make_feature(FeatureSpec(name, window), instrument())
    view = make_view()

    assert feature.value is None
    for count, q in enumerate(quotes, 1):
        show(view, q)
        feature.on_quote(view)

        assert approx(QUOTE_FORMULAS[name](quotes[:count], window)) == feature.value


@pytest.mark.parametrize("name", TRADE_FORMULAS)
@given(trades=TRADES, window=st.integers(0, 8))
def test_trade_feature(name: str, trades: list[Trade], window: int) -> None:
    """After each trade the value is the formula's, over the window or since the start."""
    feature = make_feature(FeatureSpec(name, window), instrument())

    assert feature.value is None
    for count, t in enumerate(trades, 1):
        feature.on_trade(t)

        assert approx(TRADE_FORMULAS[name](trades[:count], window)) == feature.value


@pytest.mark.parametrize("name", BAR_FORMULAS)
@given(bars=BARS, window=st.integers(2, 8))
def test_bar_feature(name: str, bars: list[Bar], window: int) -> None:
    """After each bar the value is the formula's, None until warm."""
    feature = make_feature(FeatureSpec(name, window, 60), instrument())

    assert feature.value is None
    for count, b in enumerate(bars, 1):
        feature.on_bar(b)

        assert approx(BAR_FORMULAS[name](bars[:count], window)) == feature.value


@given(
    st.lists(
        st.tuples(st.one_of(st.integers(0, 400), st.integers(0, 9_000)), st.integers(900, 1_100)),
        max_size=60,
    ),
    st.integers(1, 5),
)
def test_returns(steps: list[tuple[int, int]], window_s: int) -> None:
    """The reference is the last mid known when the bucket 60 before the present one ended."""
    feature = make_feature(FeatureSpec("returns", window_s), instrument())
    view = make_view()
    bucket_ns = window_s * 1_000_000_000 // RETURN_BUCKETS
    history: list[tuple[int, int]] = []
    at_ms = 0
    for wait_ms, bid in steps:
        at_ms += wait_ms
        show(view, quote(bid, bid + 1, at_ms=at_ms))
        feature.on_quote(view)
        bucket = (START_NS + at_ms * 1_000_000) // bucket_ns
        history.append((bucket, 2 * bid + 1))
        past = [mid2 for b, mid2 in history if b <= bucket - RETURN_BUCKETS]

        assert approx((2 * bid + 1) / past[-1] - 1 if past else None) == feature.value


@pytest.mark.parametrize("name", ["microprice", "queue_imbalance"])
def test_without_sizes_there_is_no_value(name: str) -> None:
    """A source of bars shows no sizes: the value is None, not 0."""
    feature = make_feature(FeatureSpec(name), instrument())
    view = make_view()
    show(view, quote(bid_lots=0, ask_lots=0))
    feature.on_quote(view)

    assert feature.value is None


@given(st.lists(st.floats(-1e-6, 1e-6), min_size=30, max_size=60))
def test_an_outlier_leaves_no_trace(tail: list[float]) -> None:
    """Once a value a million times larger has left the window, the deviation is exact again."""
    window = MomentWindow(20)
    for number in [1.0, *tail]:
        window.push(number)
    size, mean, squares = window.moments()
    exact = [Decimal(number) for number in tail[-20:]]
    exact_mean = sum(exact) / 20
    exact_squares = sum((number - exact_mean) ** 2 for number in exact)

    assert size == len(exact)
    assert pytest.approx(float(exact_mean), rel=1e-9, abs=1e-20) == mean
    assert pytest.approx(float(exact_squares), rel=1e-9, abs=1e-27) == squares


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        (FeatureSpec("emma", 5), "no feature 'emma' of quotes and trades; the nearest: ema"),
        (FeatureSpec("atr", 5), "the nearest:"),
        (FeatureSpec("vwap", 5, 60), "no feature 'vwap' of 60 s bars; the nearest: "),
        (FeatureSpec("xyzzy", 5, 60), "the nearest: atr, ema, realised_vol"),
    ],
)
def test_unknown_name(spec: FeatureSpec, hint: str) -> None:
    """A name without a row is refused with the nearest that have one."""
    with pytest.raises(KeyError, match=hint):
        make_feature(spec, instrument())


@pytest.mark.parametrize(
    "spec",
    [
        FeatureSpec("ema"),
        FeatureSpec("returns", 0),
        FeatureSpec("realised_vol", 1, 60),
        FeatureSpec("cvd", -1),
        FeatureSpec("vwap", WINDOW_MAX + 1),
    ],
)
def test_impossible_window(spec: FeatureSpec) -> None:
    """A window the formula can't use, or memory can't bear, is refused."""
    with pytest.raises(ValueError, match="needs a window of"):
        make_feature(spec, instrument())


COLD = (
    FeatureSpec("mid"), FeatureSpec("ema", 5), FeatureSpec("ema", 5, 60), FeatureSpec("vwap", 4),
    FeatureSpec("cvd", 3), FeatureSpec("atr", 4, 60), FeatureSpec("realised_vol", 3),
    FeatureSpec("realised_vol", 3, 60), FeatureSpec("returns", 60),
)  # fmt: skip


@pytest.mark.parametrize("spec", COLD, ids=str)
def test_warmth_rises_to_the_window(spec: FeatureSpec) -> None:
    """It never falls, has a goal, and reaches it exactly when there is a value."""
    feature, view, before = make_feature(spec, instrument()), make_view(), 0
    for n in range(70):
        seen, needed = feature.warmth
        assert before <= seen <= needed
        assert (seen == needed) is (feature.value is not None)
        before = seen
        show(view, quote(10_000 + n, 10_001 + n, at_ms=n * 1_000))
        feature.on_quote(view)
        feature.on_trade(trade(10_000 + n))
        feature.on_bar(bar(ohlc=(10_000, 10_200, 9_990, 10_000 + n)))

    assert feature.value is not None
