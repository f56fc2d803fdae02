"""Meta-agent: settle what several agents want of one instrument in one round (domain.md 11).

Rule 1: the same intents in any order of arrival give the same decision. The order that counts is
    priority, then the agent's name, then the agent's own sequence, which keeps what one agent says
    in the order it said it.
Rule 2: in one agent's slot the last wish wins. Cancels always pass.
Rule 3: only aggressive orders that add risk can conflict, and only when different agents are on
    opposite sides. A resting order commits nobody until the market comes to it.
Rule 4: reduce-only orders stand outside the contest: they are neither cut nor do they cut others.
    Then the account trades exactly the sum of what was wished, and nobody is kept in a position
    because somebody else wants to enter one.

A round of one agent skips all this and costs a comparison for each intent.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from msgspec.structs import replace

from engine.agents.answers import sequence_of
from engine.model.money import ZERO
from engine.model.orders import Intent, OrderIntent, OrderType, Side, TimeInForce
from engine.model.records import MetaDecision


class _Verdict(NamedTuple):
    """Quantity granted to each contestant by intent id (zero is overridden), and why."""

    granted: Mapping[str, Decimal]
    rationale: str


def resolve(
    intents: Sequence[Intent],
    policy: str,
    priorities: Mapping[str, int],
    ts_ns: int,
    symbol: str,
) -> tuple[Sequence[Intent], MetaDecision | None]:
    """Return what passes, in the order it is to be judged, and the decision worth recording.

    There is none when a single agent spoke and did not contradict itself. An agent without a
    priority has 0; the higher one counts more.
    """
    if _is_single_voice(intents):
        return intents, None
    ordered = sorted(intents, key=lambda intent: _rank(intent, priorities))
    passing, superseded = _last_in_slot(ordered)
    contestants = [i for i in passing if isinstance(i, OrderIntent) and _contests(i)]
    rationale = "no conflict"
    if _is_conflict(contestants):
        verdict = POLICIES[policy](contestants)
        passing = [_granted(intent, verdict.granted) for intent in passing]
        rationale = verdict.rationale
    if superseded:
        rationale = f"{rationale}; superseded in their slots: {', '.join(superseded)}"
    chosen = [intent for intent in passing if not isinstance(intent, OrderIntent) or intent.qty]
    passed = {intent.intent_id for intent in chosen}
    decision = MetaDecision(
        ts_ns=ts_ns,
        symbol=symbol,
        policy=policy,
        inputs=tuple(intent.intent_id for intent in ordered),
        chosen=tuple(intent.intent_id for intent in chosen),
        overridden=tuple(i.intent_id for i in ordered if i.intent_id not in passed),
        rationale=rationale,
    )
    return chosen, decision


def _is_single_voice(intents: Sequence[Intent]) -> bool:
    """Whether one agent spoke, once for each slot."""
    if len(intents) < 2:
        return True
    agent = intents[0].agent
    slots = {intent.slot for intent in intents if intent.agent == agent}
    return len(slots) == len(intents)


def _rank(intent: Intent, priorities: Mapping[str, int]) -> tuple[int, str, int]:
    return -priorities.get(intent.agent, 0), intent.agent, sequence_of(intent.intent_id)


def _last_in_slot(ordered: Sequence[Intent]) -> tuple[list[Intent], list[str]]:
    """Drop orders after which their agent said something else about the slot."""
    last = {(intent.agent, intent.slot): intent.intent_id for intent in ordered}
    passing: list[Intent] = []
    superseded: list[str] = []
    for intent in ordered:
        is_last = last[intent.agent, intent.slot] == intent.intent_id
        if isinstance(intent, OrderIntent) and not is_last:
            superseded.append(intent.intent_id)
        else:
            passing.append(intent)
    return passing, superseded


def _contests(order: OrderIntent) -> bool:
    is_immediate = order.type is OrderType.MARKET or (
        order.type is OrderType.LIMIT and order.tif is not TimeInForce.GTC
    )
    return is_immediate and not order.reduce_only


def _is_conflict(contestants: Sequence[OrderIntent]) -> bool:
    """Whether some agent's order opposes another agent's."""
    buyers = {order.agent for order in contestants if order.side is Side.BUY}
    sellers = {order.agent for order in contestants if order.side is Side.SELL}
    return bool(buyers and sellers) and len(buyers | sellers) > 1


def _net(contestants: Sequence[OrderIntent]) -> _Verdict:
    """Drop the smaller side, cut the larger by as much, the least of the rank first."""
    totals = {
        side: sum((order.qty for order in contestants if order.side is side), ZERO) for side in Side
    }
    smaller = Side.BUY if totals[Side.BUY] <= totals[Side.SELL] else Side.SELL
    granted = {order.intent_id: order.qty for order in contestants}
    excess = totals[smaller]
    for order in reversed(contestants):
        cut = order.qty if order.side is smaller else min(order.qty, excess)
        granted[order.intent_id] -= cut
        excess -= ZERO if order.side is smaller else cut
    words = f"net: buy {totals[Side.BUY]} against sell {totals[Side.SELL]}"
    return _Verdict(granted, words)


def _priority(contestants: Sequence[OrderIntent]) -> _Verdict:
    """Let the first of the rank have its way; drop what others want against it."""
    leader = contestants[0]
    granted = {
        order.intent_id: order.qty
        if order.side is leader.side or order.agent == leader.agent
        else ZERO
        for order in contestants
    }
    return _Verdict(granted, f"priority: {leader.agent} wants to {leader.side.lower()}")


def _granted(intent: Intent, granted: Mapping[str, Decimal]) -> Intent:
    """Return the intent at the quantity granted to it, itself when nothing was cut."""
    if not isinstance(intent, OrderIntent):
        return intent
    qty = granted.get(intent.intent_id, intent.qty)
    return intent if qty == intent.qty else replace(intent, qty=qty)


POLICIES: Final[Mapping[str, Callable[[Sequence[OrderIntent]], _Verdict]]] = {
    "net": _net,
    "priority": _priority,
}
"""How a conflict is settled, by `session.policy`; contestants come in the order of rule 1."""
