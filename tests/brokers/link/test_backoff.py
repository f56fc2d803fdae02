"""Full jitter, its cap, the hour's ceiling, and what a good connection forgives."""

import random

from hypothesis import given
from hypothesis import strategies as st

from brokers.link.backoff import HOUR_S, Backoff, BackoffConfig

CONFIG = BackoffConfig(base_s=0.5, cap_s=30.0, per_hour=10)


def test_each_wait_is_drawn_under_a_ceiling_that_doubles_to_the_cap() -> None:
    """Means of many draws lie at half the ceiling: the jitter is full."""
    waits = [[] for _ in range(8)]
    for seed in range(400):
        backoff = Backoff(CONFIG, random.Random(seed))  # noqa: S311
        for place in range(8):
            waits[place].append(backoff.wait_s(0.0))

    for place, drawn in enumerate(waits):
        ceiling = min(30.0, 0.5 * 2**place)
        assert max(drawn) <= ceiling
        assert min(drawn) < 0.05 * ceiling
        assert abs(sum(drawn) / len(drawn) / ceiling - 0.5) < 0.05


def test_a_connection_that_held_starts_over() -> None:
    """One that broke soon does not."""
    backoff = Backoff(CONFIG, random.Random(1))  # noqa: S311
    for _ in range(6):
        backoff.wait_s(0.0)
    backoff.held(CONFIG.stable_s - 0.1)
    assert 0.5 < max(Backoff.wait_s(backoff, 0.0) for _ in range(2))
    backoff.held(CONFIG.stable_s)
    assert backoff.wait_s(HOUR_S * 3) <= 0.5


@given(st.lists(st.floats(0.0, 400.0), min_size=11, max_size=60), st.integers(0, 99))
def test_no_hour_has_more_attempts_than_allowed(lives: list[float], seed: int) -> None:
    """However the line flaps."""
    backoff = Backoff(CONFIG, random.Random(seed))  # noqa: S311
    now_s, attempts = 0.0, []
    for life_s in lives:
        now_s += backoff.wait_s(now_s)
        attempts.append(now_s)
        now_s += life_s
        backoff.held(life_s)

    for place in range(len(attempts) - 10):
        assert attempts[place + 10] - attempts[place] >= HOUR_S - 1e-6


def test_an_exhausted_hour_says_so() -> None:
    """Until its oldest attempt is an hour old."""
    backoff = Backoff(CONFIG, random.Random(1))  # noqa: S311
    for _ in range(10):
        assert not backoff.is_exhausted(0.0)
        backoff.wait_s(0.0)

    assert backoff.is_exhausted(0.0)
    assert not backoff.is_exhausted(HOUR_S + 30.0)
