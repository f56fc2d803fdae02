"""A gate that remembers why: for a replay that is asked about one intent. Pure."""

from collections.abc import Callable
from typing import NamedTuple

from engine.model.orders import Approved, OrderIntent
from engine.risk.context import GateContext
from engine.risk.explain import RuleReading, explain
from engine.risk.gate import Gate, Refused
from engine.risk.limits import RiskLimits
from engine.risk.remedy import remedies


class Judgement(NamedTuple):
    """One time the gate was asked about the intent."""

    at_ns: int
    intent: OrderIntent
    """As it was judged: an exit may be smaller than it was wished."""
    readings: tuple[RuleReading, ...]
    """In the order of judgement: `duplicate`, every rule, `throttle`."""
    changes: tuple[str, ...]
    """What would have let it pass, each alone, smallest first; empty where nothing would, or
    where it did pass."""
    doubts: tuple[str, ...] = ()
    """Why the session, or an instrument of it, was not simply trading then."""


class AttentiveGate(Gate):
    """Judges like any gate, and keeps every reading of one intent."""

    def __init__(
        self,
        limits: RiskLimits,
        intent_id: str,
        doubts: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        super().__init__(limits)
        self._intent_id = intent_id
        self._doubts = doubts
        self.judgements: list[Judgement] = []

    def check(self, context: GateContext) -> Approved[OrderIntent] | Refused:
        """Judge one intent; the intent looked for is written down first."""
        if context.intent.intent_id == self._intent_id:
            self.judgements.append(self._judgement(context))
        return super().check(context)

    def _judgement(self, context: GateContext) -> Judgement:
        readings = self.readings(context)
        changes = remedies(context, self.limits, self.readings, self._wait_ns(context))
        return Judgement(context.now_ns, context.intent, tuple(readings), changes, self._doubts())

    def readings(self, context: GateContext) -> list[RuleReading]:
        """Return what each rule says of the context's intent, those of the gate itself included."""
        intent_id = context.intent.intent_id
        is_new = intent_id not in self._seen
        duplicate = RuleReading("duplicate", "", "once", intent_id, is_new)
        return [duplicate, *explain(context, self.limits), self._throttle(context)]

    def _throttle(self, context: GateContext) -> RuleReading:
        setting = "max_amends_per_minute" if context.is_amend else "max_orders_per_minute"
        window = self._state.amends if context.is_amend else self._state.orders
        limit, reading = str(window.per_minute), str(window.used(context.now_ns) + 1)
        if window.per_minute is None:
            return RuleReading("throttle", setting, "off", "", None)
        if context.is_house:
            return RuleReading("throttle", setting, limit, "not judged: ours", None)
        return RuleReading("throttle", setting, limit, reading, not self._wait_ns(context))

    def _wait_ns(self, context: GateContext) -> int:
        """Return how long until the intent's window has room; 0 for now."""
        window = self._state.amends if context.is_amend else self._state.orders
        return 0 if context.is_house else max(0, window.free_at(context.now_ns) - context.now_ns)
