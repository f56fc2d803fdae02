"""Axes: every label says exactly where it stands."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.axis import price_marks, scale, time_marks
from tui.bars import FRAMES


@given(st.integers(0, 10**9), st.integers(0, 10**7), st.integers(1, 60))
def test_named_prices_are_round_and_in_their_row(low: int, span: int, rows: int) -> None:
    """A 1, 2 or 5 and zeros; no two in a row, so none hides another."""
    shown = scale(low, low + span, rows)
    named = price_marks(shown)
    steps = {b - a for a, b in pairwise(sorted(named.values()))}

    assert all(row == shown.row(ticks) and shown.holds(ticks) for row, ticks in named.items())
    assert all(str(step).rstrip("0") in ("1", "2", "5", "") for step in steps)
    assert len(steps) <= 1
    assert len(named) <= max(2, rows // 3 + 1)


@given(
    st.integers(0, 2 * 10**9),
    st.sampled_from([length for length, _ in FRAMES]),
    st.integers(1, 200),
)
def test_named_times_are_round_and_apart(first: int, frame_s: int, columns: int) -> None:
    """Each at the start of its bar, with a gap to the next."""
    first_s = first // frame_s * frame_s
    named = time_marks(first_s, frame_s, columns)
    places = sorted(named)

    for column, words in named.items():
        hours, minutes, *seconds = map(int, words.split(":"))
        of_day = (first_s + column * frame_s) % 86_400
        assert of_day == hours * 3_600 + minutes * 60 + (seconds[0] if seconds else 0)
    assert all(a + len(named[a]) < b for a, b in pairwise(places))


@pytest.mark.parametrize(("frame_s", "label"), [(1, "12:02:10"), (60, "12:10"), (3_600, "12:00")])
def test_labels(frame_s: int, label: str) -> None:
    """Seconds only where they matter."""
    assert label in time_marks(1_795_176_120 // frame_s * frame_s, frame_s, 100).values()


def test_a_market_that_stands_still_is_in_the_middle() -> None:
    """Four ticks around it; edges hold what is beyond."""
    shown = scale(100, 100, 9)

    assert (98, 102, 4) == (shown.low, shown.high, shown.row(100))
    assert (0, 8) == (shown.row(10_000), shown.row(-5))
