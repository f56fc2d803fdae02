"""A fill's way through the books: what follows from it at once, and what does not."""

import pytest

from engine.model.account import Liquidity, OtherFee
from engine.model.venue_events import VenueFill, VenueFunding
from tests.engine.kernel.rig import BUY, SELL, D, Rig, Scripted, limit


def holding(*agents: str, **config: object) -> Rig:
    """A session played by hand in which each of `agents` bought 0.1 at 1000."""
    rig = Rig(*map(Scripted, agents), by_hand=True, **config)  # type: ignore[arg-type]
    for agent in agents:
        rig.ask(agent, limit(BUY, "0.1", "1000.0"))
        rig.accept(f"{agent}-1")
        rig.fill(f"{agent}-1", "0.1")
    return rig


def test_a_liquidation_is_told_and_believed() -> None:
    """The venue's own doing is an alarm, and no disagreement with the venue."""
    rig = holding("a")
    rig.fill("liquidation-1", "0.1", SELL)

    assert [("liquidation", "critical")] == [(x["kind"], x["severity"]) for x in rig.lines("alert")]
    assert "ACTIVE" == rig.state


def test_a_partial_liquidation_leaves_each_agent_its_share() -> None:
    """Only once the net is closed is anybody's share closed with it."""
    rig = holding("a")
    rig.fill("liquidation-1", "0.04", SELL)

    assert (D("0.1"), D("-0.04"), D("0.06")) == (rig.own("a"), rig.own("house"), rig.net())
    assert [] == rig.lines("round_trip")


def test_a_closed_net_closes_every_share_of_it() -> None:
    """Also where another agent has none; the position is told anew, and every trip."""
    rig = holding("a", "b")
    rig.ask("b", limit(SELL, "0.1", "1001.0", "exit"))
    rig.accept("b-2")
    rig.fill("b-2", "0.1", SELL)
    told = len(rig.lines("position"))
    rig.fill("liquidation-1", "0.1", SELL)

    assert [D(0)] * 3 == [rig.own(agent) for agent in ("a", "b", "house")]
    assert ["b", "a", "house"] == [trip["agent"] for trip in rig.lines("round_trip")]
    assert told + 2 == len(rig.lines("position"))


def test_without_a_share_nothing_is_settled() -> None:
    """Another hand opens and closes: each fill is told once, and its position once."""
    rig = Rig(Scripted("a"), by_hand=True)
    rig.fill("manual-1", "0.2")
    rig.fill("manual-2", "0.2", SELL)

    assert 2 == len(rig.lines("fill")) == len(rig.lines("position"))


def test_a_loss_by_a_fill_halts_before_any_quote() -> None:
    """Bought ten above mid: what the account is worth is known at once."""
    rig = Rig(Scripted("a"), by_hand=True, limits={"max_loss_pct": D("0.005")})
    rig.ask("a", limit(BUY, "0.1", "1000.0"))
    rig.accept("a-1")
    rig.fill("a-1", "0.1", price="1010")

    assert "EMERGENCY" == rig.state


def test_a_loss_by_funding_halts_before_any_quote() -> None:
    """A payment is a loss like any other."""
    rig = holding("a", limits={"max_loss_pct": D("0.05")})
    before = rig.state
    rig.answer(VenueFunding(rig.now, "BTC", D("0.05"), D(1_000), D("0.1"), D(-5)))

    assert ("ACTIVE", "EMERGENCY") == (before, rig.state)


def test_a_fill_that_makes_no_sense_counts_as_an_error_at_once() -> None:
    """One is enough here: the breaker does not wait for the next answer."""
    rig = Rig(Scripted("a"), by_hand=True, limits={"max_errors_per_minute": 1})
    rig.fill("a-1", "0")

    assert ["max_errors_per_minute"] == [x["breaker"] for x in rig.lines("breaker")]


@pytest.mark.parametrize(("worth", "errors"), [("0.13", []), ("0", []), (None, ["0.0002 BNB"])])
def test_a_fee_that_nobody_can_price_is_told(worth: str | None, errors: list[str]) -> None:
    """It is no disagreement with the venue: the wallet that we hold our books against is another."""
    rig = Rig(Scripted("a"), by_hand=True)
    rig.ask("a", limit(BUY, "0.1", "1000.0"))
    rig.accept("a-1")
    paid = OtherFee("BNB", D("0.0002"), None if worth is None else D(worth))
    amounts = D(1000), D("0.1"), paid.worth or D(0)
    rig.answer(VenueFill(rig.now, "BTC", "a-1", "t1", BUY, *amounts, Liquidity.MAKER, paid))

    found = [(x["kind"], x["detail"]) for x in rig.lines("error")]
    assert [("fee_unpriced", one) for one in errors] == found
    told = {"asset": "BNB", "amount": "0.0002", "worth": worth}
    assert [told] == [x["other_fee"] for x in rig.lines("fill")]
    assert D(10_000) - 100 == rig.kernel.portfolio.quote_wallet
    assert "ACTIVE" == rig.state


def test_a_partial_fill_keeps_the_slot() -> None:
    """The order still works, so its agent still has it on its desk; filled, it has not."""
    rig = Rig(Scripted("a"), by_hand=True)
    rig.ask("a", limit(BUY, "0.2", "999.0"))
    rig.accept("a-1")
    desk = rig.kernel.roster.desk("a", "BTC")
    rig.fill("a-1", "0.1")
    partly = list(desk.working)
    rig.fill("a-1", "0.1")

    assert (["s"], []) == (partly, list(desk.working))
    assert D("0.2") == desk.position
