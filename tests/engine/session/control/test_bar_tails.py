"""Bars for screens: every print in exactly one bar of each length, whatever the order of silence."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.model.market import Trade
from engine.model.orders import Side
from engine.session.control.bar_tails import INTERVALS_S, TAIL_MAX, BarTails
from engine.session.control.views import BarFace

BEAT = 250_000_000
SECOND = 4
"""Beats."""
T0 = 1_795_176_000


def trade(ticks: int, lots: int = 1, side: Side = Side.BUY) -> Trade:
    return Trade(0, "BTCUSDT", ticks, lots, side)


def fed(*beats: tuple[int, list[Trade], int]) -> BarTails:
    """Feed (beat since T0, prints, mid)."""
    tails = BarTails()
    for beat, prints, mid in beats:
        tails.beat(T0 * 1_000_000_000 + beat * BEAT + 1, prints, mid)
    return tails


def test_a_bar_sums_its_prints() -> None:
    """Open, high, low, close, size, bought size and count; the next second is the next bar."""
    first = [trade(100, 2), trade(105, 1, Side.SELL)]
    tails = fed((0, first, 90), (3, [trade(95, 4)], 90), (4, [trade(96)], 90))
    seconds, *_, quarter = tails.faces(10)

    assert (BarFace(100, 105, 95, 95, 7, 6, 3), BarFace(96, 96, 96, 96, 1, 1, 1)) == seconds.bars
    assert (1, T0) == (seconds.interval_s, seconds.first_s)
    assert (BarFace(100, 105, 95, 96, 8, 7, 4),) == quarter.bars


def test_silence_is_flat_at_the_close_before_it() -> None:
    """Also in the open bar; the first print of an interval opens its bar."""
    tails = fed((0, [trade(100)], 0), (3 * SECOND, [], 0), (3 * SECOND + 1, [trade(110)], 0))
    seconds = tails.faces(10)[0]

    assert [100, 100, 100, 110] == [bar.open_ticks for bar in seconds.bars]
    assert [1, 0, 0, 1] == [bar.lots for bar in seconds.bars]


def test_mids_until_the_first_print_and_never_mixed() -> None:
    """The bar that mids had open is dropped when prints begin."""
    before = fed((0, [], 100), (1, [], 104), (SECOND, [], 102))
    tails = fed(
        (0, [], 100), (SECOND, [], 102), (SECOND + 1, [trade(200)], 102), (SECOND + 2, [], 103)
    )

    assert [(100, 104), (102, 102)] == [
        (b.open_ticks, b.high_ticks) for b in before.faces(9)[0].bars
    ]
    assert (
        BarFace(100, 100, 100, 100, 0, 0, 0),
        BarFace(200, 200, 200, 200, 1, 1, 1),
    ) == tails.faces(9)[0].bars


def test_before_a_price_there_is_nothing() -> None:
    """No bar of nothing."""
    assert () == fed((0, [], 0), (9, [], 0)).faces(10)


def test_tails_are_bounded_after_any_silence() -> None:
    """A night without a print makes no million bars."""
    tails = fed((0, [trade(100)], 0), (40_000_000, [trade(101)], 0))

    assert [TAIL_MAX + 1] * len(INTERVALS_S) == [len(tail.bars) for tail in tails.faces(10**6)]
    assert [5] * len(INTERVALS_S) == [len(tail.bars) for tail in tails.faces(5)]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.lists(st.tuples(st.integers(90, 110), st.integers(1, 9), st.sampled_from(Side)), max_size=4),
        ),
        min_size=1,
        max_size=40,
    )
)  # fmt: skip
def test_every_length_has_every_print_once(steps: list) -> None:
    """Sizes and extremes agree with the prints; bars of a length follow each other without a gap."""
    at, beats, everything = 0, [], []
    for gap, prints in steps:
        at += gap + 1
        trades = [trade(*fields) for fields in prints]
        beats.append((at, trades, 0))
        everything += trades
    for tail in fed(*beats).faces(10**6):
        if len(tail.bars) > TAIL_MAX:
            continue
        assert sum(t.qty_lots for t in everything) == sum(bar.lots for bar in tail.bars)
        assert len(everything) == sum(bar.prints for bar in tail.bars)
        assert max(t.price_ticks for t in everything) == max(bar.high_ticks for bar in tail.bars)
        last_s = tail.first_s + (len(tail.bars) - 1) * tail.interval_s
        assert last_s <= T0 + at / SECOND < last_s + tail.interval_s
        assert all(b.open_ticks == a.close_ticks for a, b in pairwise(tail.bars) if not b.prints)
