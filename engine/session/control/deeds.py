"""What every agent last wished and what became of it, and why each order works as it does.

Fed with every record, so nothing here formats: a wish costs two dictionary writes, its verdict and
its route one look-up each. Words are made when somebody watches.

Rule 1: one wish a slot is remembered, the newest; a verdict on an older one is not told of.
Rule 2: a wish the gate refused stands as blocked until its slot is wished for again, or for
        `BLOCKED_KEPT_NS`: long enough to be read, short enough not to haunt.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from engine.execution.blotter import SlotKey
from engine.execution.router import Decision
from engine.model.events import Input
from engine.model.orders import CancelIntent, Intent, OrderIntent, OrderState
from engine.model.records import (
    GateVerdict,
    MetaDecision,
    OrderChanged,
    Record,
    RouterDecision,
)
from engine.session.control.faces import DeedFace

SLOTS_MAX: Final = 512
"""Slots remembered: an agent names its slots as it likes, and a bad one may never repeat itself."""
BLOCKED_KEPT_NS: Final = 60_000_000_000
ENDED: Final = frozenset(
    {OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.EXPIRED}
)
KEPT_BACK: Final = {"WAIT", "BLOCK"}


class Wish:
    """An intent, the verdict on it and the route it took, as far as they are known."""

    __slots__ = ("intent", "outcome", "told")

    def __init__(self, intent: Intent) -> None:
        self.intent = intent
        self.outcome = ""
        self.told: GateVerdict | RouterDecision | None = None
        """What gave the outcome its reason."""


class Deeds:
    """Follows decisions; answers with faces."""

    def __init__(self) -> None:
        self._slots: dict[SlotKey, Wish] = {}
        """Newest last."""
        self._wishes: dict[str, Wish] = {}
        """The same by intent."""
        self._last: dict[str, Wish] = {}
        """The newest of each agent."""
        self._overridden: dict[str, MetaDecision] = {}
        """The newest consensus in which an agent lost."""
        self._routes: dict[str, RouterDecision] = {}
        """The newest route of each live order."""
        self.rows: Mapping[type, Callable[[Any], None]] = {
            OrderIntent: self._wished,
            CancelIntent: self._wished,
            GateVerdict: self._judged,
            RouterDecision: self._routed,
            MetaDecision: self._settled,
            OrderChanged: self._changed,
        }
        """Who takes which kind of event."""

    def follow(self, events: Sequence[Record | Input]) -> None:
        """Take what one turn decided, in order."""
        rows = self.rows
        for event in events:
            row = rows.get(type(event))
            if row is not None:
                row(event)

    def _wished(self, intent: Intent) -> None:
        key = (intent.agent, intent.symbol, intent.slot)
        before = self._slots.pop(key, None)
        if before is not None:
            self._wishes.pop(before.intent.intent_id, None)
        wish = Wish(intent)
        self._slots[key] = self._wishes[intent.intent_id] = self._last[intent.agent] = wish
        if len(self._slots) > SLOTS_MAX:
            oldest = self._slots.pop(next(iter(self._slots)))
            self._wishes.pop(oldest.intent.intent_id, None)

    def _judged(self, verdict: GateVerdict) -> None:
        wish = self._wishes.get(verdict.intent_id)
        if wish is not None:
            wish.told = verdict
            wish.outcome = "" if verdict.is_approved else "WAIT" if verdict.is_waiting else "BLOCK"

    def _routed(self, decided: RouterDecision) -> None:
        wish = self._wishes.get(decided.intent_id)
        if wish is not None:
            wish.outcome = decided.decision
            if decided.decision != Decision.BLOCK:  # the gate said it better
                wish.told = decided
        if decided.decision == Decision.PLACE:
            self._routes[decided.intent_id] = decided
        elif decided.working_order_id:
            self._routes[decided.working_order_id] = decided

    def _settled(self, meta: MetaDecision) -> None:
        for intent_id in meta.overridden:
            self._overridden[_agent_of(intent_id)] = meta

    def _changed(self, change: OrderChanged) -> None:
        if change.state in ENDED:
            self._routes.pop(change.order_id, None)

    # --- what is told ----------------------------------------------------------------------------

    def intent(self, intent_id: str) -> Intent | None:
        """Return a wish by its id, while its slot was not wished for again."""
        wish = self._wishes.get(intent_id)
        return None if wish is None else wish.intent

    def of_agent(self, agent: str) -> DeedFace | None:
        """Return the newest wish of an agent; None before its first."""
        wish, meta = self._last.get(agent), self._overridden.get(agent)
        if meta is not None and (wish is None or meta.ts_ns > wish.intent.ts_ns):
            return _lost(agent, meta)
        return None if wish is None else _face(wish)

    def route_of(self, order_id: str) -> str:
        """Return what the router last decided about a live order, and why."""
        decided = self._routes.get(order_id)
        return "" if decided is None else f"{decided.decision} {decided.reason}"

    def blocked(self, now_ns: int) -> tuple[DeedFace, ...]:
        """Return the wishes that are kept back now, newest last."""
        return tuple(
            _face(wish)
            for wish in self._slots.values()
            if wish.outcome in KEPT_BACK and now_ns - wish.intent.ts_ns <= BLOCKED_KEPT_NS
        )


def _agent_of(intent_id: str) -> str:
    return intent_id.rpartition("-")[0]


def _face(wish: Wish) -> DeedFace:
    intent = wish.intent
    face = DeedFace(
        ts_ns=intent.ts_ns,
        intent_id=intent.intent_id,
        agent=intent.agent,
        symbol=intent.symbol,
        slot=intent.slot,
        side=None,
        qty=None,
        price=None,
        why=intent.reason,
        outcome=wish.outcome,
    )
    told: dict[str, Any] = {}
    if isinstance(intent, OrderIntent):
        price = intent.trigger_price if intent.price is None else intent.price
        told = {"side": intent.side, "qty": intent.qty, "price": price}
    match wish.told:
        case RouterDecision(reason=reason):
            told["reason"] = reason
        case GateVerdict(rule=rule, limit=limit, reading=reading):
            told |= {"reason": rule, "limit": limit, "reading": reading}
    return msgspec.structs.replace(face, **told)


def _lost(agent: str, meta: MetaDecision) -> DeedFace:
    lost = next(intent_id for intent_id in meta.overridden if _agent_of(intent_id) == agent)
    return DeedFace(
        ts_ns=meta.ts_ns,
        intent_id=lost,
        agent=agent,
        symbol=meta.symbol,
        slot="",
        side=None,
        qty=None,
        price=None,
        why="",
        outcome="OVERRIDDEN",
        reason=meta.rationale,
    )
