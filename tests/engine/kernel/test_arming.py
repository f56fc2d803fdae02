"""The time for which a person has armed a session ends while it trades."""

from engine.model.events import Operator
from engine.risk.limits import RiskLimits
from tests.engine.kernel.rig import BUY, SELL, D, Rig, Scripted, limit, market


def armed(seconds: str) -> Rig:
    rig = Rig(Scripted("a"), limits={"needs_arming": True})
    rig.tell(Operator.ARM, argument=f"binance {seconds}")
    return rig


def alerts(rig: Rig) -> list[str]:
    return [line["kind"] for line in rig.lines("alert")]


def test_what_could_add_risk_goes_when_the_time_is_over_and_what_protects_stays() -> None:
    """Rule of reliability.md D4: an order that rests is risk taken later."""
    rig = armed("10")
    rig.ask("a", market(BUY, "0.2"))
    rig.ask("a", limit(BUY, "0.1", "999", "entry"))
    rig.ask("a", limit(SELL, "0.2", "1001", "exit", reduce_only=True))
    rig.wait(9)
    before = len(rig.live)
    rig.wait(2)
    assert 2 == before
    assert ["a-3"] == rig.live
    assert [1, 1] == [alerts(rig).count(kind) for kind in ("armed", "disarmed")]
    rig.ask("a", limit(BUY, "0.1", "999", "entry"))
    rig.wait(1)
    assert ["a-3"] == rig.live
    assert ["arming"] == [line["reason"] for line in rig.lines("order_denied")][-1:]


def test_a_position_can_be_closed_when_the_time_is_over() -> None:
    rig = armed("2")
    rig.ask("a", market(BUY, "0.2"))
    rig.wait(3)
    held = rig.net()
    rig.tell(Operator.FLATTEN)
    rig.wait(1)
    assert (D("0.2"), D(0)) == (held, rig.net())


def test_arming_again_lasts_anew_also_through_a_restart() -> None:
    rig = Rig(Keeping("a"), limits={"needs_arming": True})
    rig.tell(Operator.ARM, argument="binance 2")
    rig.tell(Operator.ARM, argument="binance 5")
    rig.wait(3)
    rig.restart()
    rig.ask("a", market(BUY, "0.2"))
    assert D("0.2") == rig.net()
    rig.wait(3)
    assert 1 == alerts(rig).count("disarmed")
    rig.restart()
    rig.wait(1)
    assert 1 == alerts(rig).count("disarmed")


def test_a_session_that_needs_no_arming_is_never_disarmed() -> None:
    rig = Rig(Scripted("a"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.wait(5)
    assert RiskLimits().needs_arming is None
    assert 1 == len(rig.live)
    assert "disarmed" not in alerts(rig)


class Keeping(Scripted):
    """Goes on after a restart."""

    def again(self) -> "Keeping":
        return Keeping(self.name)
