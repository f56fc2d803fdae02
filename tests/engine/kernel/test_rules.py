"""An instrument's rules change while a session trades it: reliability.md row 41."""

from engine.model.events import Operator
from engine.model.market import RulesChanged
from tests.engine.kernel.rig import BUY, D, Rig, Scripted, limit, market


def rules(rig: Rig, detail: str, symbol: str = "BTC") -> None:
    rig.turn.input(RulesChanged(rig.now, symbol, detail, bool(detail), D("0.1"), D("0.001")))


def told(rig: Rig) -> list[str]:
    """What people were told of rules that are others."""
    return [line["message"] for line in rig.lines("alert") if line["kind"] == "other_rules"]


def test_rules_that_change_stop_new_risk_until_they_are_back() -> None:
    """Orders gone, none placed, an exit passes; said once however often it is told."""
    rig = Rig(Scripted("a"), limits={"resume_backoff_s": 1})
    rules(rig, "")
    untouched = rig.state
    rig.ask("a", market(BUY, "0.2"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rules(rig, "tick 0.1 -> 1")
    degraded, live = rig.lines("fsm_transition")[-1], rig.live
    rules(rig, "tick 0.1 -> 1")
    rig.ask("a", limit(BUY, "0.1", "998", "late"))
    refused = rig.lines("gate_verdict")[-1]
    rig.ask("a", market(BUY.opposite, "0.2", reduce_only=True))
    held = rig.net()
    rig.wait(3)
    still = rig.state
    rules(rig, "")
    rules(rig, "")
    rig.wait(3)

    assert "ACTIVE" == untouched
    assert ("DEGRADED", "RULES_CHANGED", "BTC") == (
        degraded["to_state"], degraded["event"], degraded["scope"],
    )  # fmt: skip
    assert ([], D(0)) == (live, held)
    assert (False, "state") == (refused["is_approved"], refused["rule"])
    assert ("DEGRADED", "ACTIVE") == (still, rig.state)
    (said,) = told(rig)
    assert said.startswith("BTC: the venue has other rules than this session works with: tick 0.1")
    assert said.endswith("a new session reads the new rules")


def test_rules_of_one_symbol_of_two_suspend_it_alone() -> None:
    """The other trades on, and the one as well once its rules are back."""
    rig = Rig(Scripted("a"), symbols=("BTC", "ETH"), limits={"resume_backoff_s": 1})
    rig.ask("a", limit(BUY, "0.1", "999"), "ETH")
    rules(rig, "lot 0.001 -> 0.01", "ETH")
    live = rig.live
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.ask("a", limit(BUY, "0.1", "999"), "ETH")
    suspended = (rig.state, rig.live, rig.lines("gate_verdict")[-1]["rule"])
    rules(rig, "", "ETH")
    rig.wait(3)
    rig.ask("a", limit(BUY, "0.1", "998"), "ETH")

    assert [] == live
    assert ("ACTIVE", ["a-2"], "state") == suspended
    assert ["a-2", "a-4"] == rig.live


def test_agents_do_not_ask_for_what_is_not_traded_and_people_may() -> None:
    """An exit that is refused would be wished again with the next quote; also after a restart."""
    rig = Rig(Scripted("a"), limits={"resume_backoff_s": 1})
    rig.ask("a", market(BUY, "0.2"))
    rig.turn.input(RulesChanged(rig.now, "BTC", "it is not listed any more", True))
    rig.restart()
    rig.ask("a", market(BUY.opposite, "0.1", reduce_only=True))
    refused, held = rig.lines("gate_verdict")[-1], rig.net()
    rig.tell(Operator.FLATTEN)
    rig.wait(1)
    flat = rig.net()
    rules(rig, "")
    rig.tell(Operator.RESUME)
    rig.wait(3)
    rig.ask("a", market(BUY, "0.1"))

    assert (False, "venue_rules", "traded at the venue") == (
        refused["is_approved"], refused["rule"], refused["limit"],
    )  # fmt: skip
    assert (D("0.2"), D(0), D("0.1")) == (held, flat, rig.net())


def test_rules_that_have_changed_outlive_a_restart() -> None:
    """What takes over from a checkpoint knows the doubt, and says no word twice."""
    rig = Rig(Scripted("a"))
    rules(rig, "it is not listed any more")
    rig.restart()
    rules(rig, "it is not listed any more")
    rig.ask("a", limit(BUY, "0.1", "999"))

    assert ("DEGRADED", [], 1) == (rig.state, rig.live, len(told(rig)))


def test_what_reduces_leaves_on_the_steps_the_venue_has_now() -> None:
    """A coarser tick and lot: also after a restart, and by the session's own hand; then as before."""
    rig = Rig(Scripted("a"), limits={"resume_backoff_s": 1})
    rig.ask("a", market(BUY, "0.256"))
    rig.turn.input(RulesChanged(rig.now, "BTC", "both", True, D("0.5"), D("0.01")))
    rig.ask("a", limit(BUY.opposite, "0.105", "1001.2"))
    rig.restart()
    rig.ask("a", limit(BUY.opposite, "0.105", "1001.7", "t"))
    rig.ask("a", market(BUY.opposite, "0.009", "dust"))
    dust = rig.lines("gate_verdict")[-1]
    rig.ask("a", market(BUY.opposite, "0.0205", "odd"))
    odd = rig.lines("gate_verdict")[-1]
    rig.tell(Operator.FLATTEN)
    rig.wait(1)
    left = rig.net()
    rules(rig, "")
    rig.wait(1)

    sent = [(x["qty"], x["price"]) for x in rig.lines("order_submitted")]
    assert [("0.10", "1001.5"), ("0.10", "1002.0"), ("0.25", None)] == sent[1:4]
    assert (False, "venue_rules", "0.009") == (
        dust["is_approved"], dust["rule"], dust["reading"],
    )  # fmt: skip
    assert ("a-5", False) == (odd["intent_id"], odd["is_approved"])
    assert (D("0.006"), D(0)) == (left, rig.net())
    assert ("0.006", None) == sent[-1]
