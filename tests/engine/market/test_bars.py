"""Bars: every interval once, whoever closes it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market.bars import FLAT_BARS_MAX, BarBuilder, BarMerger, BarSeries
from engine.model.market import Bar

from .build import START_NS, SYMBOL, S, bar, trade

INTERVAL_S = 5
Ohlcv = tuple[int, int, int, int, int]


def ohlcv(b: Bar) -> Ohlcv:
    return b.open_ticks, b.high_ticks, b.low_ticks, b.close_ticks, b.volume_lots


def starts(bars: Sequence[Bar]) -> list[int]:
    """Return the start of each bar in seconds."""
    return [(b.open_ns - START_NS) // S for b in bars]


# What happens: ("trade", price), ("mid", price) or ("time", 0), each after some milliseconds.
EVENTS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 900), st.integers(0, 40_000)),
        st.sampled_from(["trade", "mid", "time"]),
        st.integers(1, 50),
    ),
    max_size=60,
)


def naive_bars(events: list[tuple[int, str, int]]) -> list[tuple[int, Ohlcv]]:
    """Group all prints by interval first, then fill the holes."""
    now_ms, first_trade, end_ms = 0, None, 0
    prints: list[tuple[int, str, int]] = []
    for wait_ms, kind, price in events:
        now_ms += wait_ms
        if kind == "trade" and first_trade is None:
            first_trade = len(prints)
        prints.append((now_ms // 1_000 // INTERVAL_S, kind, price))
        is_used = kind != "mid" or first_trade is None
        end_ms = now_ms if is_used else end_ms
    switch = None if first_trade is None else prints[first_trade][0]
    groups: dict[int, list[tuple[str, int]]] = {}
    for position, (index, kind, price) in enumerate(prints):
        is_trade = kind == "trade"
        is_mid = kind == "mid" and (
            first_trade is None or (position < first_trade and index != switch)
        )
        if is_trade or is_mid:
            groups.setdefault(index, []).append((kind, price))
    # A mid-built bar that was open when the first trade came is dropped, but its interval counts.
    if not groups:
        return []
    bars = []
    close = 0
    for index in range(min(groups), end_ms // 1_000 // INTERVAL_S):
        group = groups.get(index, [])
        prices = [price for _, price in group] or [close]
        close = prices[-1]
        volume = sum(kind == "trade" for kind, _ in group)
        bars.append((index * INTERVAL_S, (prices[0], max(prices), min(prices), close, volume)))
    return bars


@given(EVENTS)
def test_every_interval_exactly_once(events: list[tuple[int, str, int]]) -> None:
    """Any mix of trades, mids and time gives the bars of a model that groups afterwards."""
    builder = BarBuilder(SYMBOL, INTERVAL_S)
    bars: list[Bar] = []
    now_ms = 0
    for wait_ms, kind, price in events:
        now_ms += wait_ms
        at_ns = START_NS + now_ms * 1_000_000
        match kind:
            case "trade":
                closed = builder.on_trade(trade(price, at_ms=now_ms, lots=1))
            case "mid":
                closed = builder.on_price(at_ns, 2 * price + 1)
            case _:
                closed = builder.on_time(at_ns)
        bars.extend(closed)

        assert all(b.ts_ns == at_ns >= b.open_ns + INTERVAL_S * S for b in closed)

    assert naive_bars(events) == list(zip(starts(bars), map(ohlcv, bars), strict=True))
    assert builder.late == 0


def test_a_late_trade_is_dropped_and_counted() -> None:
    """A trade of a closed interval changes no bar."""
    builder = BarBuilder(SYMBOL, INTERVAL_S)
    builder.on_trade(trade(100, at_ms=0, lots=1))
    builder.on_trade(trade(101, at_ms=6_000, lots=1))
    late = builder.on_trade(trade(500, at_ms=4_999, lots=1))
    (closed,) = builder.on_time(START_NS + 10 * S)

    assert not late
    assert builder.late == 1
    assert ohlcv(closed) == (101, 101, 101, 101, 1)


def test_intervals_start_at_multiples_of_their_length() -> None:
    """A first trade at 12.3 s opens the interval from 10 s."""
    builder = BarBuilder(SYMBOL, INTERVAL_S)
    builder.on_trade(trade(at_ms=12_300))

    assert starts(builder.on_time(START_NS + 15 * S)) == [10]


def test_silence_beyond_the_limit_starts_anew() -> None:
    """A hole longer than the limit closes one bar and none of the holes, instead of hanging."""
    builder = BarBuilder(SYMBOL, 1)
    builder.on_trade(trade(100))
    closed = builder.on_time(START_NS + (FLAT_BARS_MAX + 1) * S)
    again = builder.on_trade(trade(200, at_ms=(FLAT_BARS_MAX + 2) * 1_000))
    (newest,) = builder.on_time(START_NS + (FLAT_BARS_MAX + 3) * S)

    assert starts(closed) == [0]
    assert not again
    assert ohlcv(newest) == (200, 200, 200, 200, 3)


@given(st.integers(1, 6), st.integers(0, 40), st.integers(0, 8))
def test_series_is_a_window(window: int, appended: int, asked: int) -> None:
    """The series holds the newest `window` bars, oldest first."""
    series = BarSeries(window)
    bars = [bar(k) for k in range(appended)]
    for b in bars:
        series.append(b)
    expected = bars[-window:]

    assert len(expected) == len(series)
    assert expected == list(series.last(window + asked))
    assert (expected[-asked:] if asked else []) == list(series.last(asked))
    assert (bars[-1] if bars else None) is series.newest
    assert len(series.bars) < 2 * window


MINUTES = [bar(k, (100 + k, 110 + k, 90 - k, 105 + k), volume=k + 1) for k in range(12)]


def merged(merger: BarMerger, bars: list[Bar]) -> list[tuple[int, Ohlcv]]:
    closed = [b for source in bars for b in merger.on_bar(source)]
    return list(zip(starts(closed), map(ohlcv, closed), strict=True))


def test_merger_passes_its_own_length_through() -> None:
    """Bars of the same length come out as they are, each once, holes included."""
    bars = [MINUTES[0], MINUTES[1], MINUTES[1], MINUTES[5]]

    assert merged(BarMerger(SYMBOL, 60), bars) == [
        (0, (100, 110, 90, 105, 1)),
        (60, (101, 111, 89, 106, 2)),
        (300, (105, 115, 85, 110, 6)),
    ]


@pytest.mark.parametrize(
    ("indexes", "expected"),
    [
        ([0, 1, 2, 3, 4], [(0, (100, 112, 88, 107, 6))]),
        ([1, 2, 3, 4, 5], [(0, (101, 112, 88, 107, 5)), (180, (103, 115, 85, 110, 15))]),
        ([0, 1, 4, 5], [(0, (100, 111, 89, 106, 3)), (180, (104, 115, 85, 110, 11))]),
        ([0, 5], [(0, (100, 110, 90, 105, 1)), (180, (105, 115, 85, 110, 6))]),
    ],
    ids=["whole", "starts within", "hole at both ends", "one each"],
)
def test_merger_adds_up(indexes: list[int], expected: list[tuple[int, Ohlcv]]) -> None:
    """Three one-minute bars make one of three minutes; a hole leaves what there was."""
    assert expected == merged(BarMerger(SYMBOL, 180), [MINUTES[k] for k in indexes])


def test_merger_listens_to_one_length() -> None:
    """Of 60 s and 90 s bars the first length counts, until bars of exactly 180 s come."""
    merger = BarMerger(SYMBOL, 180)
    halves = [bar(k, interval_s=90) for k in range(2)]
    whole = [bar(k, interval_s=180) for k in range(1, 3)]
    bars = [
        MINUTES[0],
        halves[0],
        MINUTES[1],
        halves[1],
        MINUTES[2],
        whole[0],
        *MINUTES[6:9],
        whole[1],
    ]
    closed = [b for source in bars for b in merger.on_bar(source)]

    assert starts(closed) == [0, 180, 360]
    assert ohlcv(closed[0]) == (100, 112, 88, 107, 6)
    assert not merger.on_bar(bar(9, interval_s=70))
