"""Never more than N in any sixty seconds, to the nanosecond, against a list of everything sent."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.risk.throttle import Throttle

MINUTE = 60_000_000_000
GAPS = st.one_of(
    st.integers(0, 3),
    st.integers(0, 2 * MINUTE),
    st.sampled_from([MINUTE - 1, MINUTE, MINUTE + 1, MINUTE // 2, MINUTE // 3]),
)


def in_window(sent: list[int], now_ns: int) -> list[int]:
    """What left less than sixty seconds ago."""
    return [ts for ts in sent if ts > now_ns - MINUTE]


@given(st.integers(1, 6), st.lists(GAPS, max_size=40), st.integers(0, 40))
@settings(derandomize=True, max_examples=300)
def test_never_more_than_n_in_any_minute(per_minute: int, gaps: list[int], restart: int) -> None:
    """Whenever somebody asks: free exactly when the naive list has room, and not one too many."""
    throttle, sent, now_ns = Throttle(per_minute), [], 0
    for step, gap in enumerate(gaps):
        now_ns += gap
        if step == restart:
            throttle = msgspec.json.decode(msgspec.json.encode(throttle), type=Throttle)
        has_room = len(in_window(sent, now_ns)) < per_minute

        assert has_room is (throttle.free_at(now_ns) <= now_ns)
        assert len(in_window(sent, now_ns)) == throttle.used(now_ns)
        if has_room:
            throttle.take(now_ns)
            sent.append(now_ns)
        else:
            assert sent[-per_minute] + MINUTE == throttle.free_at(now_ns)
    for first in sent:
        assert len([ts for ts in sent if first <= ts < first + MINUTE]) <= per_minute


CASES = [
    # sent at,             now,          free at
    ([],                   5,            5),
    ([0],                  5,            5),
    ([0, 10],              10,           MINUTE),
    ([0, 10],              MINUTE - 1,   MINUTE),
    ([0, 10, MINUTE],      MINUTE,       MINUTE + 10),
    ([0, 10, MINUTE],      2 * MINUTE,   MINUTE + 10),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "now_ns", "free_ns"), CASES)
def test_row(sent: list[int], now_ns: int, free_ns: int) -> None:
    """Two a minute: the third leaves sixty seconds after the first, exactly."""
    throttle = Throttle(2)
    for ts in sent:
        throttle.take(ts)

    assert free_ns == throttle.free_at(now_ns)


def test_none_never_refuses() -> None:
    """A limit switched off keeps no list that could grow."""
    throttle = Throttle(None)
    for ts in range(1_000):
        throttle.take(ts)

    assert 7 == throttle.free_at(7)
    assert 0 == throttle.used(1_000)
    assert [] == throttle.sent
