"""Nonces, requests that trading earns, and when the dead-man switch is set again."""

from brokers.hyperliquid.allowance import SLOW_S, START_BUFFER, Allowance
from brokers.hyperliquid.caller import Nonces
from brokers.hyperliquid.dead_man import AGAIN_S, DeadMan

S = 10**9
NOW = 1_700_000_000 * S


def test_nonces_rise_whatever_the_clock_does() -> None:
    """In a burst, and when it is set back."""
    nonces = Nonces()
    used = [nonces.next(now_ms) for now_ms in [1_000] * 50 + [900] * 50 + [5_000]]

    assert used == sorted(set(used))
    assert (1_000, 5_000) == (used[0], used[-1])


def test_placements_end_before_cancels_do() -> None:
    """A part is left for what we can't count; then one in ten seconds."""
    allowance = Allowance()
    allowance.learn(START_BUFFER - 201, START_BUFFER)
    assert 1 == allowance.left
    assert allowance.has_room(100.0, is_cancel=False)
    allowance.spend(100.0)
    assert not allowance.has_room(100.0 + SLOW_S - 0.1, is_cancel=False)
    assert allowance.has_room(100.0 + SLOW_S, is_cancel=False)
    assert allowance.has_room(100.0, is_cancel=True)


def test_cancels_end_too() -> None:
    """At twice the cap of a small account."""
    allowance = Allowance()
    allowance.spend(100.0)
    allowance.learn(2 * START_BUFFER, START_BUFFER)
    assert not allowance.has_room(101.0, is_cancel=True)
    assert allowance.has_room(100.0 + SLOW_S, is_cancel=True)


def sent(dead_man: DeadMan, ttl_s: float, now_ns: int) -> object:
    return dead_man.due(ttl_s, now_ns)


def test_it_is_set_again_at_half_time() -> None:
    """Not at every beat: each costs one of the address's requests."""
    dead_man = DeadMan()
    assert {"type": "scheduleCancel", "time": 1_700_000_060_000} == sent(dead_man, 60, NOW)
    dead_man.done()
    assert dead_man.is_set(NOW)
    assert sent(dead_man, 60, NOW + 29 * S) is None
    assert sent(dead_man, 60, NOW + 30 * S) is not None
    assert not dead_man.is_set(NOW + 60 * S)


def test_less_than_the_venue_takes_is_as_little_as_it_takes() -> None:
    """Five seconds, and some for the way."""
    assert 1_700_000_006_000 == sent(DeadMan(), 1, NOW)["time"]


def test_a_venue_that_refuses_is_asked_again_later() -> None:
    """And until then there is none; what was only lost on the way is tried at once."""
    dead_man = DeadMan()
    sent(dead_man, 60, NOW)
    assert sent(dead_man, 60, NOW + S) is not None
    dead_man.refused(NOW + S)
    assert not dead_man.is_set(NOW + S)
    assert sent(dead_man, 60, NOW + 2 * S) is None
    assert sent(dead_man, 60, NOW + S + round(AGAIN_S * S)) is not None


def test_nothing_clears_it() -> None:
    """Only where it is set."""
    dead_man = DeadMan()
    assert sent(dead_man, 0, NOW) is None
    sent(dead_man, 60, NOW)
    dead_man.done()
    assert {"type": "scheduleCancel"} == sent(dead_man, 0, NOW + S)
    dead_man.done()
    assert not dead_man.is_set(NOW + S)
