"""What people type to go somewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.session.playback.words import Seek
from tui.replay.seek import parse

SECOND = 1_000_000_000
BEGAN = 1_795_175_558 * SECOND + 123
"""2026-11-20T11:52:38Z."""
MIDNIGHT = BEGAN // (86_400 * SECOND) * 86_400 * SECOND
ENDED = BEGAN + 600 * SECOND
LATE = MIDNIGHT + 86_390 * SECOND
"""Ten seconds before midnight."""


def at(hours: int, minutes: int, seconds: float = 0) -> Seek:
    return Seek(
        ts_ns=MIDNIGHT + round((hours * 3_600 + minutes * 60 + seconds) * 1_000) * 1_000_000
    )


CASES = [
    ("12:02:19", at(12, 2, 19)),
    (" 12:02:19Z ", at(12, 2, 19)),
    ("12:02:19.5", at(12, 2, 19.5)),
    ("9:05", at(9, 5)),
    ("+2:30", Seek(ts_ns=BEGAN + 150 * SECOND)),
    ("+1:02:03.25", Seek(ts_ns=BEGAN + 3_723 * SECOND + SECOND // 4)),
    ("+120:00", Seek(ts_ns=BEGAN + 7_200 * SECOND)),
    ("48211", Seek(seq=48_211)),
    ("48,211", Seek(seq=48_211)),
    ("48_211", Seek(seq=48_211)),
    ("0", Seek(seq=0)),
    ("9f3c", Seek(digits="9f3c")),
    ("9F3C1A", Seek(digits="9f3c1a")),
    ("#4821", Seek(digits="4821")),
    ("ab" * 32, Seek(digits="ab" * 32)),
]


@pytest.mark.parametrize(("typed", "goal"), CASES)
def test_goals(typed: str, goal: Seek) -> None:
    """Times of day, distances, event numbers, hashes."""
    assert goal == parse(typed, BEGAN, ENDED)


NOWHERE = ["", "x", "abc", "#12", "12:60:00", "24:00:00", "12:00:60", "-5", "+5", "١٢٣", "ab" * 33,
           "12:02:19.1234567890", "1e5", "9" * 60]  # fmt: skip


@pytest.mark.parametrize("typed", NOWHERE)
def test_nowhere(typed: str) -> None:
    """Said in one sentence that names what can be typed."""
    goal = parse(typed, BEGAN, ENDED)

    assert isinstance(goal, str) or typed == "9" * 60
    if isinstance(goal, str):
        assert goal.startswith("nowhere: type hh:mm:ss")


def test_a_session_past_midnight_has_two_days() -> None:
    """A time of day is on the first day, unless only the second is in the session."""
    ended = LATE + 60 * SECOND

    assert Seek(ts_ns=LATE + 5 * SECOND) == parse("23:59:55", LATE, ended)
    assert Seek(ts_ns=LATE + 20 * SECOND) == parse("0:00:10", LATE, ended)
    assert Seek(ts_ns=MIDNIGHT + 43_200 * SECOND) == parse("12:00", LATE, ended)


@given(st.text(alphabet="0123456789:.,+#abcdefZx_ ", max_size=80))
def test_anything_typed_is_answered(typed: str) -> None:
    """Never an exception, and numbers stay within what the playback can be told."""
    goal = parse(typed, BEGAN, ENDED)

    if isinstance(goal, Seek):
        assert (goal.seq or 0) < 10**25
        assert (goal.ts_ns or 0) < 2**63
