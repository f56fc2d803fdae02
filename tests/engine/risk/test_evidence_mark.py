"""Which incident a transition belongs to; the oracle is the module's two rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.risk.evidence_mark import DOUBTS_MAX, FOLDERS_MAX, WINDOW_NS, EvidenceMark, marked
from engine.risk.lifecycle import (
    SESSION,
    FsmEvent,
    FsmState,
    Lifecycle,
    LifecyclePolicy,
    transition,
)

STALE, MISMATCH, KILL = FsmEvent.FEED_STALE, FsmEvent.POSITION_MISMATCH, FsmEvent.KILL_FILE
DOUBT, HALT = FsmState.DEGRADED, FsmState.EMERGENCY
OPEN = EvidenceMark("evidence/degraded-5", 5, 1)
FULL = EvidenceMark("evidence/degraded-5", 5, DOUBTS_MAX)
LATE = 6 + WINDOW_NS

CASES = [
    # last,           target, event,    at,       ref
    (EvidenceMark(),  DOUBT,  STALE,    7,        "evidence/degraded-7"),
    (EvidenceMark(),  DOUBT,  MISMATCH, 7,        "evidence/position_mismatch-7"),
    (EvidenceMark(),  HALT,   KILL,     7,        "evidence/emergency-7"),
    (OPEN,            DOUBT,  STALE,    LATE - 1, "evidence/degraded-5"),
    (OPEN,            DOUBT,  STALE,    LATE,     f"evidence/degraded-{LATE}"),
    (OPEN,            HALT,   KILL,     6,        "evidence/emergency-6"),
    (FULL,            DOUBT,  STALE,    LATE - 1, "evidence/degraded-5"),
    (FULL,            DOUBT,  STALE,    LATE,     ""),
    (FULL,            HALT,   KILL,     6,        "evidence/emergency-6"),
    (EvidenceMark("", 0, FOLDERS_MAX), HALT, KILL, 6, ""),
]  # fmt: skip


@pytest.mark.parametrize(("last", "target", "event", "at_ns", "ref"), CASES)
def test_row(last, target, event, at_ns: int, ref: str) -> None:
    """A burst shares, an emergency never does, and the caps hold."""
    assert ref == marked(last, target, event, at_ns).ref


@given(st.lists(st.tuples(st.sampled_from([DOUBT, HALT]), st.integers(0, 2 * WINDOW_NS))))
def test_caps(steps: list[tuple[FsmState, int]]) -> None:
    """Never more folders than promised, and no name twice for two incidents."""
    mark, refs, now = EvidenceMark(), [], 0
    for target, later in steps:
        now += later + 1
        mark = marked(mark, target, STALE, now)
        refs.append(mark.ref)

    assert len(set(refs) - {""}) == mark.count <= FOLDERS_MAX


def test_a_transition_says_where() -> None:
    """Only those into DEGRADED and EMERGENCY do (reliability.md B8)."""
    policy, now = LifecyclePolicy(symbols=("A",), resume_backoff_ns=0), Lifecycle()
    told = {}
    for at, event in enumerate((FsmEvent.HEALTH_OK, FsmEvent.START, MISMATCH, KILL), start=1):
        now, effects = transition(now, event, SESSION, at, policy)
        told[effects[0].to_state] = effects[0].evidence_ref

    assert {"READY": "", "ACTIVE": "", "DEGRADED": "evidence/position_mismatch-3",
            "EMERGENCY": "evidence/emergency-4"} == told  # fmt: skip
