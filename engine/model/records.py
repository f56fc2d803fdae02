"""What the kernel decides: written to the journal, never read back by it.

All are msgspec structs whose first field is `ts_ns`; `engine.model.events` names them on disk.
"""

from decimal import Decimal

import msgspec

from engine.model.account import Fill, Position, RoundTrip
from engine.model.orders import (
    CancelIntent,
    OrderIntent,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
)
from engine.model.sightings import SimulatedBooks


class GateVerdict(msgspec.Struct, frozen=True, gc=False):
    """What the pre-trade gate said of one intent, and by which rule."""

    ts_ns: int
    intent_id: str
    symbol: str
    is_approved: bool
    rule: str = ""
    """The first rule that refused; empty when approved."""
    setting: str = ""
    """The limit under `risk.*` behind the rule."""
    limit: str = ""
    reading: str = ""
    is_waiting: bool = False
    """Throttled and parked until a token is free, see `throttle_wait_ms`."""


class MetaDecision(msgspec.Struct, frozen=True, gc=False):
    """How the supervisor settled a round in which several intents met on one instrument."""

    ts_ns: int
    symbol: str
    policy: str
    inputs: tuple[str, ...]
    chosen: tuple[str, ...]
    overridden: tuple[str, ...]
    rationale: str


class RouterDecision(msgspec.Struct, frozen=True, gc=False):
    """Place, amend, replace, cancel or leave alone, and why."""

    ts_ns: int
    intent_id: str
    symbol: str
    decision: str
    reason: str
    working_order_id: str = ""


class OrderSubmitted(msgspec.Struct, frozen=True, gc=False):
    """The order as it is about to be sent."""

    ts_ns: int
    order_id: str
    agent: str
    symbol: str
    slot: str
    side: Side
    type: OrderType
    qty: Decimal
    price: Decimal | None
    trigger_price: Decimal | None
    trail_bps: Decimal | None
    tif: TimeInForce
    post_only: bool
    reduce_only: bool


class OrderChanged(msgspec.Struct, frozen=True, gc=False):
    """The order reached `state`; journalled as `order_<state>`."""

    ts_ns: int
    order_id: str
    symbol: str
    state: OrderState
    filled_qty: Decimal
    qty: Decimal
    price: Decimal | None
    reason: str = ""


class FsmTransition(msgspec.Struct, frozen=True, gc=False):
    """The session changed state; never silent (reliability.md B8)."""

    ts_ns: int
    from_state: str
    to_state: str
    event: str
    scope: str
    """Symbol, venue or `session`: what the reason concerns."""
    reasons: tuple[str, ...]
    """Every reason open after the transition."""
    evidence_ref: str = ""
    """Folder of evidence, relative to the run; only of DEGRADED and EMERGENCY."""


class BreakerTripped(msgspec.Struct, frozen=True, gc=False):
    """A circuit breaker passed its limit, or re-armed."""

    ts_ns: int
    breaker: str
    scope: str
    limit: str
    reading: str
    action: str
    is_tripped: bool


class Alert(msgspec.Struct, frozen=True, gc=False):
    """Something a person should see."""

    ts_ns: int
    kind: str
    severity: str
    """`info`, `warning` or `critical`."""
    message: str
    limit: str = ""
    reading: str = ""


class ErrorRecord(msgspec.Struct, frozen=True, gc=False):
    """Something failed and the session went on; `kind` is counted in the report."""

    ts_ns: int
    kind: str
    scope: str
    detail: str


class SyncReport(msgspec.Struct, frozen=True, gc=False):
    """What comparing our account with the venue's has changed; while they agree there is none."""

    ts_ns: int
    outcome: str
    """`agreed`, `mismatch` or `failed`."""
    taken_ns: int
    """Venue time of the picture compared; 0 where none came."""
    digest: str
    """SHA-256 of the picture in canonical form."""
    findings: tuple[str, ...]
    """Every difference held, in words; or why nothing could be compared."""
    repaired: tuple[str, ...] = ()
    """Fills booked and orders canceled to end a difference."""


Record = (
    OrderIntent
    | CancelIntent
    | GateVerdict
    | MetaDecision
    | RouterDecision
    | OrderSubmitted
    | OrderChanged
    | Fill
    | Position
    | RoundTrip
    | FsmTransition
    | BreakerTripped
    | SyncReport
    | Alert
    | ErrorRecord
    | SimulatedBooks
)
