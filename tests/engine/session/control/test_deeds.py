"""What an agent wished and what became of it, as the records of real kernels tell it."""

from decimal import Decimal

import pytest

from engine.model.orders import CancelIntent, OrderIntent, OrderState, OrderType, Side
from engine.model.records import GateVerdict, MetaDecision, OrderChanged, RouterDecision
from engine.session.control.deeds import BLOCKED_KEPT_NS, SLOTS_MAX, Deeds
from tests.engine.kernel.rig import Rig, Scripted, limit

BTC = "BTCUSDT"


def wish(number: int = 1, agent: str = "a-b", slot: str = "bid", ts_ns: int = 1) -> OrderIntent:
    return OrderIntent(
        ts_ns, f"{agent}-{number}", agent, BTC, slot, Side.BUY, Decimal("0.02"),
        OrderType.LIMIT, Decimal("100.5"), reason="cheap",
    )  # fmt: skip


def approved(number: int = 1) -> GateVerdict:
    return GateVerdict(1, f"a-b-{number}", BTC, True)


def refused(number: int = 1, *, is_waiting: bool = False) -> GateVerdict:
    return GateVerdict(1, f"a-b-{number}", BTC, False, "max_spread_bps", "max_spread_bps", "2", "3",
                       is_waiting)  # fmt: skip


def routed(decision: str, reason: str, number: int = 1, working: str = "") -> RouterDecision:
    return RouterDecision(1, f"a-b-{number}", BTC, decision, reason, working)


def changed(state: OrderState, order_id: str = "a-b-1") -> OrderChanged:
    return OrderChanged(1, order_id, BTC, state, Decimal(0), Decimal(1), None)


def followed(*events: object) -> Deeds:
    deeds = Deeds()
    deeds.follow(events)  # type: ignore[arg-type]
    return deeds


OUTCOMES = [
    # what the kernel said after the wish,                       outcome,  reason,             limit, reading
    ([],                                                         "",       "",                 "",    ""),
    ([approved()],                                               "",       "",                 "",    ""),
    ([refused()],                                                "BLOCK",  "max_spread_bps",   "2",   "3"),
    ([refused(is_waiting=True)],                                 "WAIT",   "max_spread_bps",   "2",   "3"),
    ([refused(), routed("BLOCK", "RISK_GATE")],                  "BLOCK",  "max_spread_bps",   "2",   "3"),
    ([approved(), routed("PLACE", "NO_EXISTING_ORDER")],         "PLACE",  "NO_EXISTING_ORDER", "",   ""),
    ([approved(), routed("NOOP", "WITHIN_TOLERANCE", 1, "a-b-0")], "NOOP", "WITHIN_TOLERANCE", "",    ""),
    ([refused(is_waiting=True), approved(), routed("PLACE", "NO_EXISTING_ORDER")], "PLACE", "NO_EXISTING_ORDER", "", ""),
    ([refused(7)],                                               "",       "",                 "",    ""),
]  # fmt: skip


@pytest.mark.parametrize(("said", "outcome", "reason", "limit", "reading"), OUTCOMES)
def test_outcome(said: list, outcome: str, reason: str, limit: str, reading: str) -> None:
    """The newest wish with the last word on it; a verdict on another wish says nothing of it."""
    deed = followed(wish(), *said).of_agent("a-b")

    assert deed is not None
    assert (outcome, reason, limit, reading) == (
        deed.outcome, deed.reason, deed.limit, deed.reading,
    )  # fmt: skip
    assert ("cheap", Side.BUY, Decimal("100.5")) == (deed.why, deed.side, deed.price)


def test_an_older_wish_is_not_told_of() -> None:
    """A retry of what the slot no longer wishes changes nothing."""
    deeds = followed(wish(1), wish(2), refused(1))

    deed = deeds.of_agent("a-b")
    assert deed is not None
    assert ("a-b-2", "") == (deed.intent_id, deed.outcome)
    assert () == deeds.blocked(2)


def test_overridden_by_others() -> None:
    """Who lost the consensus hears by whose word, until it wishes again."""
    meta = MetaDecision(
        5, BTC, "net", ("a-b-1", "c-1"), ("c-1",), ("a-b-1",), "net: buy 1 against sell 2"
    )
    deed = followed(wish(ts_ns=4), meta).of_agent("a-b")
    later = followed(meta, wish(2, ts_ns=6)).of_agent("a-b")

    assert deed is not None
    assert ("OVERRIDDEN", "a-b-1", "net: buy 1 against sell 2") == (
        deed.outcome, deed.intent_id, deed.reason,
    )  # fmt: skip
    assert later is not None
    assert "a-b-2" == later.intent_id
    assert followed().of_agent("a-b") is None


def test_a_cancel_has_no_size() -> None:
    """None is not zero."""
    intent = CancelIntent(1, "a-b-1", "a-b", BTC, "bid", "too far")
    deed = followed(intent, routed("CANCEL", "EXPLICIT_CANCEL", 1, "a-b-0")).of_agent("a-b")

    assert deed is not None
    assert (None, None, None, "CANCEL") == (deed.side, deed.qty, deed.price, deed.outcome)


def test_blocked_until_the_slot_is_wished_for_again() -> None:
    """It stands for a while, goes with the next wish for its slot, and never for another's."""
    deeds = followed(wish(), refused(), wish(2, slot="ask"))

    assert ["a-b-1"] == [deed.intent_id for deed in deeds.blocked(1 + BLOCKED_KEPT_NS)]
    assert () == deeds.blocked(2 + BLOCKED_KEPT_NS)
    deeds.follow([wish(3)])
    assert () == deeds.blocked(2)


def test_why_an_order_works() -> None:
    """The newest route of a live order; nothing is kept of one that ended or never was."""
    deeds = followed(
        wish(), routed("PLACE", "NO_EXISTING_ORDER"),
        wish(2), routed("NOOP", "NO_CHANGE", 2, "a-b-1"), routed("NOOP", "NO_CHANGE", 9),
    )  # fmt: skip

    assert "NOOP NO_CHANGE" == deeds.route_of("a-b-1")
    assert "" == deeds.route_of("a-b-9")
    deeds.follow([changed(OrderState.PENDING_CANCEL)])
    assert "NOOP NO_CHANGE" == deeds.route_of("a-b-1")
    deeds.follow([changed(OrderState.CANCELED)])
    assert "" == deeds.route_of("a-b-1")


def test_an_agent_that_never_repeats_a_slot_fills_no_memory() -> None:
    """The oldest slots are forgotten."""
    deeds = Deeds()
    for number in range(3 * SLOTS_MAX):
        deeds.follow([wish(number, slot=f"s{number}"), refused(number)])

    assert SLOTS_MAX == len(deeds.blocked(1)) == len(deeds._wishes)
    repeating = followed(*(wish(number) for number in range(100)))
    assert 1 == len(repeating._wishes)


def test_a_kernel_tells_it_so() -> None:
    """The records of real steps come in the order this is made for."""
    rig = Rig(Scripted("a-b"), limits={"max_order_notional": Decimal(50)})
    deeds = Deeds()
    rig.turn._observe = deeds.follow
    rig.ask("a-b", limit(Side.BUY, "0.01", "999.0"))
    placed = deeds.of_agent("a-b")
    rig.ask("a-b", limit(Side.BUY, "1", "999.0", "other"))
    blocked = deeds.of_agent("a-b")

    assert placed is not None
    assert blocked is not None
    assert ("PLACE", "NO_EXISTING_ORDER") == (placed.outcome, placed.reason)
    assert ("BLOCK", "order_size", "50") == (blocked.outcome, blocked.reason, blocked.limit)
    assert (blocked,) == deeds.blocked(rig.now)
    assert "PLACE NO_EXISTING_ORDER" == deeds.route_of(rig.live[0])
