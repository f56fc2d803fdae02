"""Frames: what bars of other lengths say together."""

from hypothesis import given
from hypothesis import strategies as st

from engine.session.control.views import BarFace, BarTail
from tui.bars import AUTOMATIC_MIN, FRAMES, Chart, automatic, emas, framed, stepped, vwaps

SECONDS = [length for length, _ in FRAMES]


def bar(open_: int, high: int, low: int, close: int, lots: int = 1) -> BarFace:
    return BarFace(open_, high, low, close, lots, lots, 1)


def flat(ticks: int, count: int, interval_s: int = 1, first_s: int = 0) -> BarTail:
    return BarTail(interval_s, first_s, (bar(ticks, ticks, ticks, ticks),) * count)


def test_a_frame_merges_its_bars() -> None:
    """First open, highest high, lowest low, last close, all of the size."""
    tail = BarTail(
        5, 30, (bar(5, 6, 4, 5), bar(5, 9, 5, 8, 2), bar(8, 8, 1, 2, 3), bar(2, 3, 2, 3))
    )

    assert Chart(15, 30, (BarFace(5, 9, 1, 2, 6, 6, 3), bar(2, 3, 2, 3))) == framed([tail], 15)


def test_the_part_of_a_frame_that_was_not_seen_is_left_out() -> None:
    """From the first whole frame on; a session younger than a frame shows what it has."""
    assert (15, 2) == (
        framed([flat(7, 8, 5, 10)], 15).first_s,
        len(framed([flat(7, 8, 5, 10)], 15).bars) - 1,
    )
    assert (0, 1) == (
        framed([flat(7, 1, 5, 10)], 15).first_s,
        len(framed([flat(7, 1, 5, 10)], 15).bars),
    )


def test_the_longest_bars_that_fit_are_taken() -> None:
    """A quarter of an hour reaches back further in bars of a quarter of an hour."""
    tails = [flat(1, 9, 1), flat(5, 9, 5), flat(60, 9, 60), flat(900, 9, 900)]

    assert [1, 5, 5, 60, 60, 900, 900] == [framed(tails, s).bars[0].open_ticks for s in SECONDS]
    assert () == framed([], 60).bars == framed([flat(1, 9, 900)], 60).bars


@given(
    st.lists(st.integers(1, 99), min_size=1, max_size=300),
    st.integers(0, 100),
    st.sampled_from(SECONDS),
)
def test_nothing_is_counted_twice(lots: list[int], first_s: int, frame_s: int) -> None:
    """Frames are aligned, without a gap, and end where the bars end."""
    chart = framed([BarTail(1, first_s, tuple(bar(5, 6, 4, 5, n) for n in lots))], frame_s)

    assert 0 == chart.first_s % frame_s
    assert chart.end_s - frame_s < first_s + len(lots) <= chart.end_s
    unseen = max(0, chart.first_s - first_s)
    assert sum(lots[unseen:]) == sum(b.lots for b in chart.bars)


def test_automatic_is_the_longest_that_can_be_read() -> None:
    """Seconds in the first minute of a session, minutes after twenty of them."""
    young = [flat(1, 9, 1)]
    old = [flat(1, 80, 1), flat(5, AUTOMATIC_MIN, 5), flat(60, AUTOMATIC_MIN - 1, 60)]

    assert (1, 5) == (automatic(young).frame_s, automatic(old).frame_s)
    assert 60 == automatic([flat(60, AUTOMATIC_MIN, 60)]).frame_s
    assert () == automatic([]).bars


def test_longer_and_shorter_stop_at_the_ends() -> None:
    """One step each."""
    assert (5, 1, 1, 3_600) == (stepped(1, 1), stepped(5, -1), stepped(1, -1), stepped(3_600, 1))


def test_the_past() -> None:
    """Before a time, two bars at least; the newest of them."""
    chart = framed([flat(7, 10, 60, 600)], 60)

    assert [10, 10, 4, 2, 2] == [len(chart.until(s).bars) for s in (None, 9_999, 840, 601, 0)]
    assert (1_020, 3) == (chart.last(3).first_s, len(chart.last(3).bars))


def test_indicators() -> None:
    """By hand: weight 2/3 for a window of two; the volume of a silent bar moves nothing."""
    assert [3.0, 5.0, 3.0] == [round(value, 9) for value in emas([3, 6, 2], 2)]
    assert [4.0, 4.0, 7.0] == vwaps([bar(4, 5, 3, 4, 2), bar(9, 9, 9, 9, 0), bar(9, 9, 9, 9, 3)])
    assert [9.0] == vwaps([bar(9, 9, 9, 9, 0)])
