"""Several agents on one account: shares, exits and the common end."""

import pytest

from engine.model.events import Operator
from engine.model.market import Funding
from tests.engine.kernel.rig import BUY, SELL, D, Rig, Scripted, limit, market


def opposite() -> Rig:
    """`a` is long 0.5, `b` short 0.2."""
    rig = Rig(Scripted("a"), Scripted("b"))
    rig.ask("a", market(BUY, "0.5"))
    rig.quote(bid=10_020, ask=10_021)
    rig.ask("b", market(SELL, "0.2"))
    return rig


@pytest.mark.parametrize("end", [Operator.DURATION_ELAPSED, Operator.KILL, Operator.END_OF_DATA])
def test_the_end_leaves_every_ledger_flat(end: Operator) -> None:
    """Only the net is traded, and the shares cancel out without changing any total."""
    rig = opposite()
    rig.quote(bid=10_050, ask=10_051)
    held = rig.net()
    rig.tell(end)
    rig.wait(1)

    flatten = rig.lines("order_submitted")[-1]
    books = rig.kernel.portfolio.books
    assert (D("0.3"), D("0.3"), "SELL") == (held, D(flatten["qty"]), flatten["side"])
    assert {D(0)} == {rig.own(name) for name in ("a", "b", "house")}
    assert (D(0), D(0)) == (rig.net(), books.unrealised)
    fees = sum(D(fill["fee"]) for fill in rig.lines("fill"))
    cash = sum(
        D(f["qty"]) * D(f["price"]) * (-1 if f["side"] == "BUY" else 1) for f in rig.lines("fill")
    )
    assert 3 == len(rig.lines("fill"))
    assert fees == books.fees
    assert D(10_000) + cash - fees == rig.kernel.portfolio.equity
    assert {"a", "b"} <= {trip["agent"] for trip in rig.lines("round_trip")}
    assert rig.kernel.is_settled


def test_exactly_opposite_positions_settle_without_an_order() -> None:
    """A flat net needs no trade; both ledgers are closed against each other."""
    rig = Rig(Scripted("a"), Scripted("b"))
    rig.ask("a", market(BUY, "0.2"))
    rig.ask("b", market(SELL, "0.2"))
    before = rig.kernel.portfolio.equity
    rig.tell(Operator.DURATION_ELAPSED)
    rig.wait(1)

    assert 2 == len(rig.lines("order_submitted"))
    assert {D(0)} == {rig.own(name) for name in ("a", "b", "house")}
    assert before == rig.kernel.portfolio.equity
    assert rig.kernel.is_settled


def test_funding_is_shared_exactly() -> None:
    """What the venue pays is in the ledgers to the last digit, and in equity."""
    rig = opposite()
    at = rig.now + 1_000_000_000
    rig.turn.market(Funding(rig.now, "BTC", D("1002.0537"), D("0.00013579"), at))
    rig.wait(2)
    later = at + 3_600_000_000_000
    rig.turn.market(Funding(rig.now, "BTC", D("1002.0537"), D("0.00013579"), later))
    rig.wait(2)

    holding = rig.kernel.portfolio.holdings["BTC"]
    assert D(0) != holding.funding
    assert holding.funding == sum(ledger.funding for ledger in holding.ledgers.values())


def test_an_exit_is_cut_to_its_own_position() -> None:
    """`a` can't close what is not its own, nor flip; `b` keeps its share."""
    rig = opposite()
    rig.ask("a", market(SELL, "9", reduce_only=True))

    assert (D(0), D("-0.2"), D("-0.2")) == (rig.own("a"), rig.own("b"), rig.net())
    order = rig.lines("order_submitted")[-1]
    assert (D("0.5"), False) == (D(order["qty"]), order["reduce_only"])


def test_an_exit_of_nothing_is_refused() -> None:
    """Nor does an exit open a position."""
    rig = opposite()
    rig.ask("b", market(SELL, "0.2", reduce_only=True))
    rig.ask("b", market(BUY, "0.2", "x", reduce_only=True))
    rig.ask("b", market(BUY, "0.2", "x", reduce_only=True))

    assert (D(0), D("0.5")) == (rig.own("b"), rig.net())
    assert [False, True, False] == [v["is_approved"] for v in rig.lines("gate_verdict")][-3:]


def test_a_small_rest_can_be_closed() -> None:
    """An exit below the venue's smallest order reduces, so it must not be refused as an entry."""
    rig = Rig(Scripted("a"), Scripted("b"), min_notional="100")
    rig.ask("a", market(BUY, "0.2"))
    rig.ask("a", market(SELL, "0.15", reduce_only=True))
    rig.ask("a", market(SELL, "0.05", reduce_only=True))

    assert [] == rig.lines("venue_rejected")
    assert D(0) == rig.own("a")


def test_resting_exits_go_when_the_position_is_gone() -> None:
    """A stop of `a` does not outlive its position."""
    rig = opposite()
    rig.ask("a", limit(SELL, "0.5", "1010", "target", reduce_only=True))
    rig.ask("a", market(SELL, "0.5", reduce_only=True))

    assert [] == rig.live
    assert D(0) == rig.own("a")


def test_a_resting_exit_shrinks_with_the_position() -> None:
    """What is partly closed elsewhere can't be closed again by the exit that still rests."""
    rig = opposite()
    rig.ask("a", limit(SELL, "0.5", "1010", "target", reduce_only=True))
    rig.ask("a", market(SELL, "0.3", reduce_only=True))
    rig.quote(bid=10_110, ask=10_111)

    assert D(0) == rig.own("a")


def test_of_two_resting_exits_the_second_goes_when_the_first_has_closed() -> None:
    """A position guarded twice is closed once."""
    rig = opposite()
    rig.ask("a", limit(SELL, "0.5", "1010", "one", reduce_only=True))
    rig.ask("a", limit(SELL, "0.5", "1011", "two", reduce_only=True))
    rig.quote(bid=10_105, ask=10_106)
    rig.quote(bid=10_130, ask=10_131)

    assert (D(0), []) == (rig.own("a"), rig.live)


def test_the_desk_shows_an_agent_its_own() -> None:
    """Neither the net nor the other's orders."""
    rig = opposite()
    seen = {}

    def look(desk):
        seen[desk.agent] = (desk.position, list(desk.working))
        return []

    rig.ask("a", limit(BUY, "0.1", "1000", "mine"))
    rig.ask("a", look)
    rig.ask("b", look)

    assert {"a": (D("0.5"), ["mine"]), "b": (D("-0.2"), [])} == seen


def test_an_exit_clears_its_way() -> None:
    """Another agent's quote at the touch is canceled, then the exit leaves; an entry is refused."""
    rig = Rig(Scripted("a"), Scripted("b"))
    rig.ask("a", market(BUY, "0.2"))
    rig.ask("b", limit(BUY, "0.1", "1000.0", "bid"))
    rig.ask("a", market(SELL, "0.2", reduce_only=True))

    assert (D(0), []) == (rig.own("a"), rig.live)
    assert ["self_trade"] == [x["rule"] for x in rig.lines("gate_verdict") if x["rule"]]

    rig.ask("b", limit(BUY, "0.1", "1000.0", "bid"))
    rig.ask("a", market(SELL, "0.2"))

    assert D(0) == rig.own("a")
    assert 1 == len(rig.live)
