"""What a person orders by hand goes the way of an agent's wishes, and nowhere else."""

from typing import Any

import pytest

from engine.model.events import Operator
from tests.engine.kernel.replaying import replayed
from tests.engine.kernel.rig import BUY, SELL, D, Rig, Scripted, limit, market

PLACE, AMEND = Operator.PLACE_ORDER, Operator.AMEND_ORDER
RESTING = "BUY 0.1 BTC LIMIT 999 GTC post_only"


def verdicts(rig: Rig) -> list[tuple[str, str, str]]:
    return [(v["rule"], v["limit"], v["reading"]) for v in rig.lines("gate_verdict") if v["rule"]]


def test_an_order_by_hand_is_an_agents() -> None:
    """Intent, verdict, route, order, fill: every step is written, in the operator's name."""
    rig = Rig(Scripted("a"))
    rig.tell(PLACE, by="screen pid=7", argument="BUY 0.2 BTC MARKET IOC")

    names = [line["line"] for line in rig.lines()]
    told = names.index("operator_command")
    assert ["intent", "gate_verdict", "router_decision", "order_submitted"] == names[
        told + 1 : told + 5
    ]
    (intent,) = rig.lines("intent")
    assert ("operator-1", "operator", "ordered by screen pid=7") == (
        intent["intent_id"], intent["agent"], intent["reason"],
    )  # fmt: skip
    assert (D("0.2"), D("0.2"), D(0)) == (rig.net(), rig.own("operator"), rig.own("a"))


REFUSED = [
    # limits,                              order,                               rule,           limit,    reading
    ({"max_order_notional": D(50)},        "BUY 0.1 BTC MARKET IOC",            "order_size",   "50",     "100.01"),
    ({"max_position_size": D("0.05")},     "BUY 0.1 BTC MARKET IOC",            "position",     "0.05",   "0.1"),
    ({"max_price_deviation_bps": D(10)},   "BUY 0.1 BTC LIMIT 990 GTC",         "price_collar", "10",     "100.494975"),
    ({},                                   "BUY 0.0001 BTC MARKET IOC",         "venue_rules",  "qty in steps of 0.001", "0.0001"),
    ({},                                   "SELL 0.1 BTC MARKET IOC reduce_only", "venue_rules", "reduce_only", "nothing of its own to close"),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "order", "rule", "limit_", "reading"), REFUSED)
def test_the_gate_judges_people_too(
    limits: dict[str, Any], order: str, rule: str, limit_: str, reading: str
) -> None:
    """The same rules with the same limits; nothing is sent."""
    rig = Rig(Scripted("a"), by_hand=True, limits=limits)
    rig.tell(PLACE, argument=order)

    assert [(rule, limit_, reading)] == verdicts(rig)
    assert [] == rig.venue.sent


@pytest.mark.parametrize(
    ("before", "passes"),
    [(Operator.PAUSE, False), (Operator.REDUCE_ONLY, False), (Operator.RESUME, True)],
)
def test_no_new_risk_by_hand_either(before: Operator, passes: bool) -> None:
    """What pauses agents pauses people; out is always open."""
    rig = Rig(Scripted("a"))
    rig.tell(PLACE, argument="BUY 0.2 BTC MARKET IOC")
    rig.tell(before)
    rig.tell(PLACE, argument="BUY 0.2 BTC MARKET IOC")
    more = rig.net()
    rig.tell(PLACE, argument="SELL 0.1 BTC MARKET IOC reduce_only")

    assert (D("0.4") if passes else D("0.2")) == more
    assert more - D("0.1") == rig.net()


def test_an_order_is_amended_by_its_owner() -> None:
    """By the router's own decision: same order, new price and size."""
    rig = Rig(Scripted("a"), by_hand=True)
    rig.tell(PLACE, argument=RESTING)
    rig.accept("operator-1")
    rig.tell(AMEND, argument="operator-1 0.05 998.9")

    route = rig.lines("router_decision")[-1]
    assert ("operator-2", "AMEND", "operator-1") == (
        route["intent_id"], route["decision"], route["working_order_id"],
    )  # fmt: skip
    assert "AmendOrder" == type(rig.venue.sent[-1]).__name__


UNHEARD = [
    # command, argument
    (PLACE, "BUY 0.1 XRP MARKET IOC"),
    (PLACE, "BUY much BTC MARKET IOC"),
    (AMEND, "a-1 0.1 998"),
    (AMEND, "operator-1 0.1 998"),
    (AMEND, "operator-9 0.1 998"),
    (Operator.CANCEL_SYMBOL, "XRP"),
    (Operator.FLATTEN_SYMBOL, "ETH"),
    (Operator.FLATTEN_SYMBOL, "XRP"),
]


@pytest.mark.parametrize(("command", "argument"), UNHEARD)
def test_words_that_mean_nothing_change_nothing(command: Operator, argument: str) -> None:
    """Another's order, one being canceled, no such symbol: one input line and no decision."""
    rig = Rig(Scripted("a"), symbols=("BTC", "ETH"), by_hand=True)
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.tell(PLACE, argument=RESTING)
    rig.accept("operator-1")
    rig.tell(Operator.CANCEL_ORDER, argument="operator-1")
    before = len(rig.journal.lines)
    rig.tell(command, argument=argument)

    assert before + 1 == len(rig.journal.lines)


def three_orders(**how: Any) -> Rig:
    """An entry and a target of an agent's on BTC, an order by hand on ETH; 0.2 BTC held."""
    rig = Rig(Scripted("a"), symbols=("BTC", "ETH"), **how)
    rig.ask("a", market(BUY, "0.2"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.ask("a", limit(SELL, "0.2", "1005", "target", reduce_only=True))
    rig.tell(PLACE, argument="BUY 0.1 ETH LIMIT 999 GTC")
    return rig


def test_cancel_all_of_a_symbol() -> None:
    """What protects goes too; the other symbol stays, and so does the session."""
    rig = three_orders()
    rig.tell(Operator.CANCEL_SYMBOL, argument="BTC")

    assert ["operator-1"] == rig.live
    assert "ACTIVE" == rig.state


def test_cancel_all_cancels_all() -> None:
    """Every order of everybody, protective ones too; and nobody opens again by themselves."""
    rig = three_orders()
    rig.tell(Operator.CANCEL_ALL)
    gone = rig.live
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.ask("a", limit(SELL, "0.2", "1005", "target", reduce_only=True))

    assert [] == gone
    assert "PAUSED" == rig.state
    assert ["target"] == [o.slot for o in rig.kernel.blotter.live.values()]


def test_one_symbol_is_closed_and_stays_closed_meanwhile() -> None:
    """Orders go, the net goes, agents' shares are settled, wishes meanwhile are dropped."""
    rig = three_orders(by_hand=False)
    rig.ask("a", market(BUY, "0.3"), "ETH")
    rig.tell(Operator.FLATTEN_SYMBOL, argument="BTC")
    rig.wait(1)

    assert (D(0), D(0), D("0.3")) == (rig.net("BTC"), rig.own("a"), rig.net("ETH"))
    assert ["operator-1"] == rig.live
    assert "ACTIVE" == rig.state
    assert "symbol_flat" in [line["kind"] for line in rig.lines("alert")]
    rig.ask("a", market(BUY, "0.2"))
    assert D("0.2") == rig.net()


def test_closing_a_symbol_is_pressed_on_with() -> None:
    """A part fill is no end: the rest goes at the next beat, over a restart too."""
    agent = Scripted("a")
    rig = Rig(agent, by_hand=True)
    rig.ask("a", market(BUY, "0.2"))
    rig.accept("a-1")
    rig.fill("a-1", "0.2")
    rig.tell(Operator.FLATTEN_SYMBOL, argument="BTC")
    rig.accept("house-1")
    rig.fill("house-1", "0.1", SELL)
    rig.ask("a", market(BUY, "0.5"))
    rig.confirm_cancel("house-1")
    rig.restart()
    rig.wait(0.5)

    assert ["a-1", "house-1", "house-2"] == rig.venue.placed()
    assert D("0.1") == rig.net()


def test_an_exit_by_hand_closes_the_operators_own() -> None:
    """ADR 3: with agents on the account, reduce-only means the own position, to the lot."""
    rig = Rig(Scripted("a"))
    rig.ask("a", market(SELL, "0.5"))
    rig.tell(PLACE, argument="BUY 0.2 BTC MARKET IOC")
    rig.tell(PLACE, argument="SELL 0.3 BTC MARKET IOC reduce_only")

    assert (D("-0.5"), D(0)) == (rig.own("a"), rig.own("operator"))


def test_a_person_makes_an_account_shared() -> None:
    """An agent alone no longer is: its exit closes its own position, not what the net left of it."""
    rig = Rig(Scripted("a"))
    rig.ask("a", market(BUY, "0.5"))
    rig.tell(PLACE, argument="SELL 0.3 BTC MARKET IOC")
    rig.ask("a", market(SELL, "0.5", reduce_only=True))

    assert (D(0), D("-0.3")) == (rig.own("a"), rig.own("operator"))


def test_a_resting_exit_by_hand_follows_its_position() -> None:
    """What has nothing left to close is canceled, as an agent's would be."""
    rig = Rig(Scripted("a"))
    rig.tell(PLACE, argument="BUY 0.2 BTC MARKET IOC")
    rig.tell(PLACE, argument="SELL 0.2 BTC LIMIT 1005 GTC reduce_only")
    rig.tell(PLACE, argument="SELL 0.2 BTC MARKET IOC reduce_only")

    assert D(0) == rig.net()
    assert [] == rig.live


def test_a_restart_does_not_use_an_id_twice() -> None:
    """The checkpoint knows how many orders a person gave, and whose desk they are on."""
    rig = Rig(Scripted("a"))
    rig.tell(PLACE, argument="BUY 0.2 BTC MARKET IOC")
    rig.tell(PLACE, argument=RESTING)
    rig.restart()
    rig.tell(PLACE, argument="BUY 0.1 BTC LIMIT 998 GTC")

    assert ["operator-2", "operator-3"] == rig.live
    desk = rig.kernel.roster.desk("operator", "BTC")
    assert desk is not None
    assert (D("0.2"), {"ticket-2", "ticket-3"}) == (desk.position, set(desk.working))


def test_replaying_makes_the_same_decisions() -> None:
    """Byte for byte: commands are inputs, everything else follows."""
    rig = Rig(Scripted("a"), symbols=("BTC", "ETH"))
    for command, argument in (
        (PLACE, "BUY 0.2 BTC MARKET IOC"),
        (PLACE, "BUY 0.1 ETH LIMIT 999 GTC"),
        (AMEND, "operator-2 0.2 998.5"),
        (PLACE, "SELL 0.1 BTC LIMIT 1001 GTC post_only"),
        (PLACE, "BUY 7 NONE LIMIT 1 GTC"),
        (Operator.CANCEL_SYMBOL, "ETH"),
        (Operator.FLATTEN_SYMBOL, "BTC"),
        (Operator.TAKE_CONTROLS, ""),
        (Operator.CANCEL_ALL, ""),
    ):
        rig.tell(command, argument=argument)
        rig.wait(0.5)
    fresh = Rig(Scripted("a"), symbols=rig.symbols, priced=False).kernel
    pairs = list(replayed(rig.journal.lines, fresh))

    assert 20 < len(pairs)
    assert [on_disk for on_disk, _ in pairs] == [again for _, again in pairs]
