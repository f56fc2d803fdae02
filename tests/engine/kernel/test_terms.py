"""Leverage and margin mode that another hand changed at the venue: told to a person, nothing else."""

import pytest

from engine.model.account import MarginMode
from engine.model.venue_events import VenueMargin
from tests.engine.kernel.rig import BUY, D, Rig, Scripted, limit, market

CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ((5, CROSS, 3, ISOLATED), "made with 5x, cross, at the venue now; it was 3x, isolated;"),
        ((20, None, 20, CROSS), "with 20x, of an unknown margin mode, at the venue now; it was 20x, cross;"),
    ],
)  # fmt: skip
def test_a_person_is_told_from_what_to_what(terms: tuple, said: str) -> None:
    rig = Rig()
    rig.answer(VenueMargin(rig.now, "BTC", *terms))

    (alert,) = rig.lines("alert")
    assert ("venue_margin", "warning") == (alert["kind"], alert["severity"])
    assert alert["message"].startswith("BTC: positions are made ")
    assert said in alert["message"]
    assert alert["message"].endswith("; another hand changed it")


def test_nothing_is_decided_by_it() -> None:
    """What rests stays and what may be placed is the same: our leverage is of our own equity."""
    rig = Rig(Scripted("a"), limits={"max_leverage": D(2)})
    rig.ask("a", limit(BUY, "1", "999"))
    resting, state = rig.live, rig.state
    before = len(rig.journal.lines)
    rig.answer(VenueMargin(rig.now, "BTC", 1, ISOLATED, 20, CROSS))
    assert ["venue_margin", "alert"] == [line["line"] for line in rig.lines()[before:]]
    assert (resting, state) == (rig.live, rig.state)
    rig.ask("a", market(BUY, "15"))
    assert D(15) == rig.net(), "half as much again as 1x would pay for"
    rig.ask("a", market(BUY, "10"))
    assert ["max_leverage"] == [x["setting"] for x in rig.lines("gate_verdict") if x["rule"]]
