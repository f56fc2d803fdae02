"""Where the evidence of an incident lies: a name derived from what happened and when.

The lifecycle decides it, so that a transition can refer to its evidence in the journal; whether a
file system could keep it changes no decision. The session writes the folder of that name.

Rule 1: a doubt within `WINDOW_NS` of the last incident belongs to that one's evidence: a flapping
        feed is one incident. An EMERGENCY always has its own.
Rule 2: past its cap a session refers to no more evidence; doubts leave room for emergencies.

Source: domain.md section 1; reliability.md B8.
"""

from typing import Final

import msgspec

from engine.risk.states import FsmEvent, FsmState

WINDOW_NS: Final = 30_000_000_000
"""Event time kept on either side of an incident."""
FOLDERS_MAX: Final = 32
"""Incidents of one session that have evidence; the journal has all of them."""
DOUBTS_MAX: Final = 24
"""Of these, doubts about data or venue."""
_OF_ITS_OWN: Final = {FsmEvent.POSITION_MISMATCH: "position_mismatch"}
"""Doubts that are looked for by name."""


class EvidenceMark(msgspec.Struct, frozen=True, gc=False):
    """The last incident of a session."""

    ref: str = ""
    """Relative to the run folder; empty before the first and past the cap."""
    opened_ns: int = 0
    count: int = 0
    """Incidents so far."""


def marked(last: EvidenceMark, target: FsmState, event: FsmEvent, at_ns: int) -> EvidenceMark:
    """Return the incident that entering `target` belongs to."""
    is_doubt = target is FsmState.DEGRADED
    if is_doubt and last.ref and at_ns - last.opened_ns <= WINDOW_NS:
        return last
    if last.count >= (DOUBTS_MAX if is_doubt else FOLDERS_MAX):
        return EvidenceMark("", at_ns, last.count)
    kind = _OF_ITS_OWN.get(event, target.lower()) if is_doubt else target.lower()
    return EvidenceMark(f"evidence/{kind}-{at_ns}", at_ns, last.count + 1)
