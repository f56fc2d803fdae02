"""What a person steps to in a recorded session: decisions, fills, changes of state, evidence."""

from collections.abc import Sequence
from typing import Final

from engine.model.account import Fill
from engine.model.records import Alert, BreakerTripped, FsmTransition, Record
from engine.model.words import Word
from engine.session.evidence import MISMATCH


class Landmark(Word):
    """Kinds of instants."""

    DECISION = "decision"
    FILL = "fill"
    STATE = "state change"
    EVIDENCE = "evidence"


def landmarks(records: Sequence[Record]) -> list[Landmark]:
    """Return what one turn is, by what was decided in it."""
    if not records:
        return []
    kinds = set(map(type, records))
    found = [Landmark.DECISION]
    found += [landmark for kind, landmark in _BY_KIND.items() if kind in kinds]
    if not kinds.isdisjoint(_INCIDENTS) and any(map(is_incident, records)):
        found.append(Landmark.EVIDENCE)
    return found


def is_incident(record: Record) -> bool:
    """Say whether evidence was kept about a record, as the session kept it."""
    match record:
        case FsmTransition():
            return bool(record.evidence_ref)
        case BreakerTripped():
            return record.is_tripped
        case Alert():
            return record.kind == MISMATCH
        case _:
            return False


_BY_KIND: Final[dict[type, Landmark]] = {Fill: Landmark.FILL, FsmTransition: Landmark.STATE}
_INCIDENTS: Final = frozenset({FsmTransition, BreakerTripped, Alert})
