"""The log of a session in words: one line an event, as a person would say it. Pure.

Rule 1: names of states, reasons, rules and decisions are those of the journal, so that screen, log
        and docs can be searched by the same word; money and sizes are exact.
Rule 2: the path of an evidence ends its line, as in session.log.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from engine.model.account import Fill, RoundTrip
from engine.model.events import Input, OperatorCommand, journal_type
from engine.model.orders import CancelIntent, Intent, OrderIntent, OrderState, Side
from engine.model.records import (
    Alert,
    BreakerTripped,
    ErrorRecord,
    FsmTransition,
    GateVerdict,
    MetaDecision,
    OrderChanged,
    Record,
    RouterDecision,
)


class Said(NamedTuple):
    """A line without its time."""

    kind: str
    severity: str
    """`debug`, `info`, `warning` or `critical`."""
    text: str


class Pulse(NamedTuple):
    """How the account stands, once a minute."""

    ts_ns: int
    equity: Decimal
    pnl: Decimal
    open_orders: int
    fills: int


Tellable = Record | Input | Pulse
"""Whatever may become a line."""

GRAVE_STATES: Final = {"EMERGENCY": "critical", "ACTIVE": "info", "READY": "info"}
"""How grave it is to come there; anywhere else is worth a warning."""
SMALL: Final = Decimal("0.0001")
DOUBTFUL: Final = {OrderState.UNKNOWN: "critical", OrderState.REJECTED: "warning"}
"""States of an order that are told, and how grave they are."""


def say(event: Tellable, intent: Intent | None = None) -> Said:
    """Put an event into words.

    Args:
        intent: The wish a verdict or a route is about, where it is still known.
    """
    words = _WORDS.get(type(event))
    if words is not None:
        return words(event, intent)
    assert not isinstance(event, Pulse), "a pulse has words"
    return Said(journal_type(event), "info", _fields(event))


def _fill(fill: Fill, _: Intent | None) -> Said:
    late = ", LATE" if fill.is_late else ""
    text = (
        f"{_side(fill.side)} {fill.symbol} {fill.qty:f} @{fill.price:f} {fill.liquidity.lower()}"
        f"  fee {_money(-fill.fee)}{_paid_in(fill)}  {fill.order_id}{late}"
    )
    return Said("fill", "warning" if fill.is_late else "info", text)


def _paid_in(fill: Fill) -> str:
    return f" in {fill.other_fee.asset}" if fill.other_fee else ""


def _round_trip(trip: RoundTrip, _: Intent | None) -> Said:
    name = trip.order_ids[0] if trip.order_ids else trip.agent
    text = (
        f"{_side(trip.side)} {trip.symbol} {trip.qty:f} net {_money(trip.net_pnl)}"
        f"  gross {_money(trip.gross_pnl)}  in {trip.duration_s:.0f} s  {name}"
    )
    return Said("round_trip", "info", text)


def _fsm(move: FsmTransition, _: Intent | None) -> Said:
    scope = "" if move.scope == "session" else f" {move.scope}"
    still = f"  open: {', '.join(move.reasons)}" if move.reasons else ""
    proof = f"  EVIDENCE_REF={move.evidence_ref}" if move.evidence_ref else ""
    text = f"{move.from_state} -> {move.to_state}  {move.event}{scope}{still}{proof}"
    return Said("fsm_transition", GRAVE_STATES.get(move.to_state, "warning"), text)


def _alert(alert: Alert, _: Intent | None) -> Said:
    return Said(alert.kind, alert.severity, alert.message)


def _error(error: ErrorRecord, _: Intent | None) -> Said:
    return Said("error", "critical", f"{error.kind} {error.scope}: {error.detail}")


def _breaker(breaker: BreakerTripped, _: Intent | None) -> Said:
    of = f"{_plain(breaker.reading)} / {_plain(breaker.limit)}"
    if breaker.is_tripped:
        return Said("breaker", "critical", f"{breaker.breaker} TRIPPED {of}: {breaker.action}")
    return Said("breaker", "info", f"{breaker.breaker} re-armed, {of}")


def _operator(command: OperatorCommand, _: Intent | None) -> Said:
    argument = f" {command.argument}" if command.argument else ""
    said = f"{command.command.upper()}{argument}  by {command.by}"
    return Said("operator_command", "info", said)


def _gate(verdict: GateVerdict, intent: Intent | None) -> Said:
    outcome = "WAIT" if verdict.is_waiting else "BLOCK"
    text = (
        f"{outcome} {verdict.rule}  {_wish(intent, verdict.intent_id, verdict.symbol)}"
        f"  limit {verdict.limit} reading {verdict.reading}"
    )
    return Said("gate_verdict", "info", text)


def _router(decided: RouterDecision, intent: Intent | None) -> Said:
    working = f"  working {decided.working_order_id}" if decided.working_order_id else ""
    wish = _wish(intent, decided.intent_id, decided.symbol)
    return Said("router_decision", "debug", f"{decided.decision} {decided.reason}  {wish}{working}")


def _meta(meta: MetaDecision, _: Intent | None) -> Said:
    lost = f"  overridden {' '.join(meta.overridden)}" if meta.overridden else ""
    return Said("meta_decision", "debug", f"{meta.symbol} {meta.rationale}{lost}")


def _order(change: OrderChanged, _: Intent | None) -> Said:
    why = f": {change.reason}" if change.reason else ""
    text = f"{change.state} {change.order_id} {change.symbol} {change.qty:f}{why}"
    return Said("order", DOUBTFUL.get(change.state, "info"), text)


def _pulse(pulse: Pulse, _: Intent | None) -> Said:
    text = (
        f"equity {pulse.equity:,.2f}  PnL {pulse.pnl:+,.2f}"
        f"  orders {pulse.open_orders}  fills {pulse.fills:,}"
    )
    return Said("heartbeat", "info", text)


def _wish(intent: Intent | None, intent_id: str, symbol: str) -> str:
    match intent:
        case OrderIntent(price=price, trigger_price=trigger):
            limit = trigger if price is None else price
            at = "market" if limit is None else f"@{limit:f}"
            return f"{intent_id} {_side(intent.side)} {symbol} {intent.qty:f} {at}"
        case CancelIntent():
            return f"{intent_id} cancel {symbol} {intent.slot}"
    return f"{intent_id} {symbol}"


def _money(amount: Decimal) -> str:
    """Return a signed amount to four decimals; what would be nothing then, exactly."""
    return f"{amount:+f}" if 0 < abs(amount) < SMALL else f"{amount:+z.4f}"


def _plain(figure: str) -> str:
    """Return a figure of the journal without the zeros behind its last digit."""
    return f"{Decimal(figure).normalize():f}"


def _side(side: Side) -> str:
    return "B" if side is Side.BUY else "S"


def _fields(event: Record | Input) -> str:
    """Say what nobody has words for: its fields, those that are not empty."""
    fields = msgspec.to_builtins(event)
    told = [(k, v) for k, v in fields.items() if k != "ts_ns" and v not in ("", None, ())]
    return "  ".join(f"{name} {value}" for name, value in told)


_WORDS: Final[Mapping[type, Callable[[Any, Intent | None], Said]]] = {
    Fill: _fill,
    RoundTrip: _round_trip,
    FsmTransition: _fsm,
    Alert: _alert,
    ErrorRecord: _error,
    BreakerTripped: _breaker,
    OperatorCommand: _operator,
    GateVerdict: _gate,
    RouterDecision: _router,
    MetaDecision: _meta,
    OrderChanged: _order,
    Pulse: _pulse,
}
