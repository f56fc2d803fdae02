"""Nobody's new risk at a real venue unless a person has armed the session, for as long as they said."""

import pytest

from engine.model.events import Operator
from tests.engine.kernel.rig import Rig, Scripted
from tests.engine.risk.judged import at, context, gate

NEEDED = {"needs_arming": True}


@pytest.mark.parametrize(
    ("limits", "until_ns", "position", "qty", "refused"),
    [
        ({}, 0, "0", "1", None),
        ({"needs_arming": False}, 0, "0", "1", None),
        (NEEDED, 0, "0", "1", ("arming", "not armed")),
        (NEEDED, 10, "0", "1", ("arming", "expired")),
        (NEEDED, 11, "0", "1", None),
        (NEEDED, 0, "-2", "1", None),
    ],
    ids=["paper", "not asked for", "never", "over", "armed", "reducing"],
)
def test_rule(limits: dict, until_ns: int, position: str, qty: str, refused: object) -> None:
    """A table; the house and what only reduces are never kept in."""
    reading = context(at(qty), now_ns=10, position=position)
    reading.armed_until_ns = until_ns
    judged = gate(**limits).check(reading)

    assert refused == ((judged.rule, judged.reading) if hasattr(judged, "rule") else None)


def test_a_person_arms_and_disarms() -> None:
    """By a command; what makes no sense changes nothing, and is not told."""
    rig = Rig(Scripted("a"))
    state = rig.kernel.conduct.state
    until = {}
    for argument in ("binance 60", "binance soon", "binance 0"):
        rig.tell(Operator.ARM, argument=argument)
        until[argument] = state.armed_until_ns and state.armed_until_ns - rig.kernel.now_ns

    assert {"binance 60": 60 * 10**9, "binance soon": 60 * 10**9, "binance 0": 0} == until
    assert 2 == sum(b'"kind":"armed"' in line for line in rig.journal.lines)
