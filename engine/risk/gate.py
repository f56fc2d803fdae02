"""The pre-trade gate: the only place that turns an intent into an approved one.

Every intent from every path passes `Gate.check`: agents, people, the API, recovery, the session's
own flattening. There is no bypass; a rule says in its scope whom it judges. The gate fails closed:
what it can't read it refuses.

Source: domain.md section 2; reliability.md B1-B6.
"""

from dataclasses import dataclass, field
from typing import Any, Final, final

import msgspec

from engine.model.orders import Approved, OrderIntent, OrderType
from engine.model.recent import Recent
from engine.risk.context import GateContext
from engine.risk.limits import RiskLimits
from engine.risk.rules import RULES, Rule, RuleRow, Scope, ill_formed, state
from engine.risk.throttle import Throttle

SEEN_MAX: Final = 4_096
"""Idempotency keys remembered; an agent's keys rise, so older ones can't come back in order."""


@final
class Refused(msgspec.Struct, frozen=True, gc=False):
    """The first rule that said no, with its limit and reading as text."""

    rule: str
    setting: str
    """The limit under `risk.*` behind the rule; empty where none is set by a person."""
    limit: str
    reading: str
    retry_ns: int = 0
    """When a token is free again, for throttled intents; 0 where waiting does not help."""


@dataclass(slots=True)
class _State:
    orders: Throttle
    amends: Throttle
    cancels: Throttle
    seen: list[str] = field(default_factory=list)


Compiled = tuple[tuple[Rule, Any, RuleRow], ...]


def _compiled(limits: RiskLimits, scope: Scope, kind: OrderType) -> Compiled:
    """Return the rules that judge intents of `scope` and `kind`, each with its limit."""
    return tuple(
        (row.check, getattr(limits, row.setting) if row.setting else None, row)
        for row in RULES
        if row.scope <= scope
        and kind in row.types
        and (not row.setting or getattr(limits, row.setting) is not None)
    )


class Gate:
    """The compiled rules and the request windows."""

    def __init__(self, limits: RiskLimits) -> None:
        self.limits = limits
        self._adding, self._normal, self._house = (
            {kind: _compiled(limits, scope, kind) for kind in OrderType}
            for scope in (Scope.ADDING, Scope.NORMAL, Scope.ALL)
        )
        self._state = _State(
            orders=Throttle(limits.max_orders_per_minute),
            amends=Throttle(limits.max_amends_per_minute),
            cancels=Throttle(limits.max_cancels_per_minute),
        )
        self._seen = Recent(SEEN_MAX)

    def check(self, context: GateContext) -> Approved[OrderIntent] | Refused:
        """Judge one intent; the first failing rule wins and names itself."""
        intent = context.intent
        if intent.intent_id in self._seen:
            return Refused("duplicate", "", "once", intent.intent_id)
        flaw = ill_formed(intent, context.view.instrument)
        if flaw is not None:
            # Nothing can be computed from it, so it counts as adding risk.
            context.adds_risk = True
            forbidden = state(context, None)
            name = "venue_rules" if forbidden is None else "state"
            return Refused(name, "", *(forbidden or flaw))
        context.judge()
        if context.adds_risk:
            rules = self._adding
        else:
            rules = self._house if context.is_house else self._normal
        for rule, limit, row in rules[intent.type]:
            refusal = rule(context, limit)
            if refusal is not None:
                return Refused(row.name, row.setting, *refusal)
        if not context.is_house:
            refused = self._throttled(context)
            if refused is not None:
                return refused
        return Approved(intent)

    def refuse_unknown(self, symbol: str) -> Refused:
        """The verdict on an instrument the session does not trade."""
        return Refused("instrument", "symbols", "the session's symbols", symbol)

    def _throttled(self, context: GateContext) -> Refused | None:
        window, now_ns = self._state.orders, context.now_ns
        if context.is_amend:
            window = self._state.amends
        free_ns = window.free_at(now_ns)
        if free_ns <= now_ns:
            return None
        setting = "max_amends_per_minute" if context.is_amend else "max_orders_per_minute"
        used = window.used(now_ns)
        limit = str(window.per_minute)
        return Refused("throttle", setting, limit, str(used + 1), retry_ns=free_ns)

    def commit(self, intent_id: str, now_ns: int, *, is_amend: bool, is_house: bool) -> None:
        """Count a request that is about to leave, and never let its key pass again."""
        self._seen.add(intent_id)
        if not is_house:
            (self._state.amends if is_amend else self._state.orders).take(now_ns)

    def may_cancel(self, now_ns: int) -> bool:
        """Count an agent's cancel if its own window has room; never blocked by placements."""
        window = self._state.cancels
        if window.free_at(now_ns) > now_ns:
            return False
        window.take(now_ns)
        return True

    def refuse_cancel(self, now_ns: int) -> Refused:
        """The verdict on a cancel `may_cancel` had no room for."""
        window = self._state.cancels
        limit, reading = str(window.per_minute), str(window.used(now_ns) + 1)
        return Refused("throttle", "max_cancels_per_minute", limit, reading)

    def snapshot(self) -> bytes:
        """Encode request windows and seen keys for a checkpoint."""
        self._state.seen = self._seen.keys()
        return msgspec.json.encode(self._state)

    def restore(self, state: bytes) -> None:
        """Continue from a snapshot: a restart does not refill a throttle."""
        self._state = msgspec.json.decode(state, type=_State)
        self._seen = Recent(SEEN_MAX, self._state.seen)
        now, limits = self._state, self.limits
        now.orders = _carried(now.orders, limits.max_orders_per_minute)
        now.amends = _carried(now.amends, limits.max_amends_per_minute)
        now.cancels = _carried(now.cancels, limits.max_cancels_per_minute)


def _carried(old: Throttle, per_minute: int | None) -> Throttle:
    """Keep what was sent under the limit of now: a restart may tighten a window."""
    fresh = Throttle(per_minute)
    for ts_ns in sorted(old.sent):
        fresh.take(ts_ns)
    return fresh
