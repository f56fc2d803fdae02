"""The table of triggers, row by row; the oracle is reliability.md section 0.2 and D1-D3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.session.sentinel.page import Phase
from engine.session.sentinel.triggers import TABLE, Cause, Limits, Sight, decide

OPENING, TRADING, OBEYING, DONE = Phase
LIMITS = Limits(grace_s=0.25, deaf_after_s=5.0)

CASES = [
    # phase,  gone,  silent, killed, what
    (OPENING, False, 999.0,  None,   None),
    (TRADING, False, 4.99,   None,   None),
    (TRADING, False, 5.0,    None,   Cause.DEAF),
    (TRADING, False, 0.0,    0.24,   None),
    (TRADING, False, 0.0,    0.25,   Cause.KILL_FILE),
    (OPENING, False, 0.0,    0.25,   Cause.KILL_FILE),
    (OBEYING, False, 0.0,    60.0,   None),
    (OBEYING, False, 0.99,   60.0,   None),
    (OBEYING, False, 1.0,    60.0,   Cause.DEAF),
    (TRADING, True,  0.0,    None,   Cause.GONE),
    (OPENING, True,  0.0,    None,   Cause.GONE),
    (TRADING, True,  0.0,    0.0,    Cause.KILL_FILE),
    (OBEYING, True,  0.0,    0.5,    Cause.KILL_FILE),
    (DONE,    False, 999.0,  999.0,  Cause.GOODBYE),
    (DONE,    True,  0.0,    None,   Cause.GOODBYE),
]  # fmt: skip


@pytest.mark.parametrize(("phase", "gone", "silent", "killed", "cause"), CASES)
def test_row(
    phase: Phase, gone: bool, silent: float, killed: float | None, cause: Cause | None
) -> None:
    """Each sight leads to its cause, and to none other."""
    rule = decide(Sight(phase, gone, silent, killed), LIMITS)

    assert cause == (rule.cause if rule else None)


RESPONSES = {
    # cause: kills the engine, flattens, for good, cancels
    Cause.GOODBYE: (False, False, False, True),
    Cause.KILL_FILE: (True, True, True, True),
    Cause.GONE: (False, False, False, True),
    Cause.DEAF: (True, True, True, True),
}


def test_every_cause_has_its_response() -> None:
    """A new cause fails here until someone decides what follows."""
    assert {rule.cause: tuple(rule.response) for rule in TABLE} == RESPONSES
    assert set(Cause) == set(RESPONSES)


@given(
    st.sampled_from([OPENING, TRADING, OBEYING]),
    st.booleans(),
    st.floats(0, 100),
    st.floats(0.25, 100),
)
def test_a_kill_is_never_answered_with_less(
    phase: Phase, gone: bool, silent: float, killed: float
) -> None:
    """Once a kill file was seen, whoever does not close by itself is stopped for good."""
    rule = decide(Sight(phase, gone, silent, killed), LIMITS)

    is_closing = phase is OBEYING and not gone and silent < 1.0
    assert (rule is None) is is_closing
    assert rule is None or rule.response.is_sticky
