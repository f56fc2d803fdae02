"""Everything that enters the kernel, everything it decides, everything it asks of a venue.

Three families, all msgspec structs whose first field is `ts_ns`:

- inputs: market data, `venue_*` answers, timers and operator commands. Replaying them is enough
  to make every decision again;
- records: decisions, written to the journal and never read back by the kernel;
- commands: what the shell must send to a broker, after the records of the same step are durable.

`JOURNAL_TYPES` names each class on disk. `SCHEMA_VERSION` is the journal line's `v`: a field that
changes meaning raises it and leaves an upcaster behind.
"""

from decimal import Decimal
from typing import Final

import msgspec

from engine.model.account import Fill, Liquidity, Position, RoundTrip
from engine.model.market import Bar, Depth, FeedStatus, Funding, Malformed, Quote, Trade
from engine.model.orders import (
    Approved,
    CancelIntent,
    OrderIntent,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
)
from engine.model.words import Word

SCHEMA_VERSION: Final = 1

# --- Inputs: what venues answer ------------------------------------------------------------------


class RejectReason(Word):
    """Why a venue refused; the shared taxonomy of venues/README.md section 4."""

    INVALID_ORDER = "invalid_order"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    ORDER_NOT_FOUND = "order_not_found"
    POST_ONLY_WOULD_CROSS = "post_only_would_cross"
    REDUCE_ONLY_REJECTED = "reduce_only_rejected"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    MARKET_CLOSED = "market_closed"
    RATE_LIMIT = "rate_limit"
    NO_LIQUIDITY = "no_liquidity"
    AUTH = "auth"
    VENUE_UNAVAILABLE = "venue_unavailable"
    CLOCK_SKEW = "clock_skew"


class VenueAccepted(msgspec.Struct, frozen=True, gc=False):
    """The venue holds the order."""

    ts_ns: int
    symbol: str
    order_id: str
    venue_order_id: str


class VenueRejected(msgspec.Struct, frozen=True, gc=False):
    """The venue refused the order; it never was in the book."""

    ts_ns: int
    symbol: str
    order_id: str
    reason: RejectReason
    detail: str = ""


class VenueAmended(msgspec.Struct, frozen=True, gc=False):
    """The working order now has this price and total quantity."""

    ts_ns: int
    symbol: str
    order_id: str
    price: Decimal
    qty: Decimal


class VenueAmendRejected(msgspec.Struct, frozen=True, gc=False):
    """The amend was refused; the order works on as it was."""

    ts_ns: int
    symbol: str
    order_id: str
    reason: RejectReason
    detail: str = ""


class VenueCanceled(msgspec.Struct, frozen=True, gc=False):
    """The order left the book because somebody asked for it."""

    ts_ns: int
    symbol: str
    order_id: str


class VenueCancelRejected(msgspec.Struct, frozen=True, gc=False):
    """The cancel was refused: filled, gone, or never known."""

    ts_ns: int
    symbol: str
    order_id: str
    reason: RejectReason


class VenueExpired(msgspec.Struct, frozen=True, gc=False):
    """The order, or what was left of it, ended by its own terms (IOC, FOK, reduce-only)."""

    ts_ns: int
    symbol: str
    order_id: str
    reason: str


class VenueTriggered(msgspec.Struct, frozen=True, gc=False):
    """A stop, take-profit or trailing order was released."""

    ts_ns: int
    symbol: str
    order_id: str


class VenueFill(msgspec.Struct, frozen=True, gc=False):
    """The venue executed some of an order. `order_id` of a liquidation starts `liquidation-`."""

    ts_ns: int
    symbol: str
    order_id: str
    trade_id: str
    side: Side
    price: Decimal
    qty: Decimal
    fee: Decimal
    liquidity: Liquidity


class VenueFunding(msgspec.Struct, frozen=True, gc=False):
    """Funding settled: `amount` in quote currency, received is positive."""

    ts_ns: int
    symbol: str
    rate: Decimal
    mark_price: Decimal
    qty: Decimal
    amount: Decimal


class VenueUnknown(msgspec.Struct, frozen=True, gc=False):
    """A request was sent and no answer came: the order may or may not exist."""

    ts_ns: int
    symbol: str
    order_id: str
    detail: str = ""


class VenueStatus(msgspec.Struct, frozen=True, gc=False):
    """The trading side of a venue became reachable, or stopped being so."""

    ts_ns: int
    venue: str
    is_up: bool
    reason: str = ""


VenueEvent = (
    VenueAccepted
    | VenueRejected
    | VenueAmended
    | VenueAmendRejected
    | VenueCanceled
    | VenueCancelRejected
    | VenueExpired
    | VenueTriggered
    | VenueFill
    | VenueFunding
    | VenueUnknown
    | VenueStatus
)

# --- Inputs: time and people ---------------------------------------------------------------------


class Timer(msgspec.Struct, frozen=True, gc=False):
    """Time passed; emitted on a fixed grid by the session."""

    ts_ns: int


class Operator(Word):
    """What a person, a signal or a stop condition may ask of the kernel."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    KILL = "kill"
    RESET = "reset"
    DURATION_ELAPSED = "duration_elapsed"
    END_OF_DATA = "end_of_data"
    SIGNAL = "signal"
    JOURNAL_FAILURE = "journal_failure"
    REDUCE_ONLY = "reduce_only"
    """No new risk until a resume; what rests and could add risk is canceled."""
    FLATTEN = "flatten"
    """Cancel all, close every position, then no new risk until a resume."""
    PAUSE_AGENT = "pause_agent"
    RESUME_AGENT = "resume_agent"
    WEIGH_AGENT = "weigh_agent"
    """Scale the sizes of one agent; the argument is `NAME=WEIGHT`."""
    CANCEL_ORDER = "cancel_order"


class OperatorCommand(msgspec.Struct, frozen=True, gc=False):
    """A command from outside, with who sent it."""

    ts_ns: int
    command: Operator
    by: str
    """`kill_file`, `SIGTERM`, `session`, or who sat at the control socket."""
    argument: str = ""


JOURNAL_RESERVE: Final = "journal_reserve"
"""Kind of the one limit that stops new risk: what is free, MB, against `journal.reserve_mb`."""


class HealthChanged(msgspec.Struct, frozen=True, gc=False):
    """A limit of the process itself was passed, or a reading came back within it.

    A measurement of this machine, hence an input: a replay takes it from the journal.
    """

    ts_ns: int
    kind: str
    """The reading: `cpu_pct`, `rss_mb`, `disk_free_mb`, `loop_lag_ms`, `journal_reserve` or
    `sentinel_count`."""
    limit: float
    reading: float
    is_over: bool


Input = (
    Quote
    | Trade
    | Bar
    | Depth
    | Funding
    | FeedStatus
    | Malformed
    | VenueEvent
    | Timer
    | OperatorCommand
    | HealthChanged
)

# --- Records: decisions --------------------------------------------------------------------------


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


# --- Commands ------------------------------------------------------------------------------------


class PlaceOrder(msgspec.Struct, frozen=True, gc=False):
    """Send a new order, at most once for each `order_id`."""

    ts_ns: int
    order_id: str
    approved: Approved[OrderIntent]
    """Quantity and price are the intent's: what was approved is what is sent."""


class AmendOrder(msgspec.Struct, frozen=True, gc=False):
    """Change price and total quantity of a working order to the approved intent's."""

    ts_ns: int
    order_id: str
    price: Decimal
    qty: Decimal
    """Total quantity including what has filled."""
    approved: Approved[OrderIntent]


class CancelOrder(msgspec.Struct, frozen=True, gc=False):
    """Take a working order out of the book."""

    ts_ns: int
    order_id: str
    symbol: str


Command = PlaceOrder | AmendOrder | CancelOrder

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
    | Alert
    | ErrorRecord
)

INPUT_TYPES: Final[dict[str, type]] = {
    "quote": Quote,
    "trade": Trade,
    "bar": Bar,
    "depth": Depth,
    "funding": Funding,
    "feed_status": FeedStatus,
    "malformed": Malformed,
    "venue_accepted": VenueAccepted,
    "venue_rejected": VenueRejected,
    "venue_amended": VenueAmended,
    "venue_amend_rejected": VenueAmendRejected,
    "venue_canceled": VenueCanceled,
    "venue_cancel_rejected": VenueCancelRejected,
    "venue_expired": VenueExpired,
    "venue_triggered": VenueTriggered,
    "venue_fill": VenueFill,
    "venue_funding": VenueFunding,
    "venue_unknown": VenueUnknown,
    "venue_status": VenueStatus,
    "timer": Timer,
    "operator_command": OperatorCommand,
    "health": HealthChanged,
}
"""Journal type of each input; feeding them back in order is a replay."""

RECORD_TYPES: Final[dict[str, type]] = {
    "intent": OrderIntent,
    "intent_cancel": CancelIntent,
    "gate_verdict": GateVerdict,
    "meta_decision": MetaDecision,
    "router_decision": RouterDecision,
    "order_submitted": OrderSubmitted,
    **{f"order_{state.lower()}": OrderChanged for state in OrderState if state != "SUBMITTED"},
    "fill": Fill,
    "position": Position,
    "round_trip": RoundTrip,
    "fsm_transition": FsmTransition,
    "breaker": BreakerTripped,
    "alert": Alert,
    "error": ErrorRecord,
}
"""Journal type of each decision."""

JOURNAL_TYPES: Final[dict[type, str]] = {
    cls: name for name, cls in (INPUT_TYPES | RECORD_TYPES).items() if cls is not OrderChanged
}
"""Class to journal type; `OrderChanged` is named by its state, see `journal_type`."""

DELIBERATIONS: Final[frozenset[type]] = frozenset(
    {OrderIntent, CancelIntent, GateVerdict, MetaDecision, RouterDecision}
)
"""Records of why, as opposed to what; a journal of detail `orders` leaves them out."""

OUTCOMES: Final[frozenset[type]] = frozenset(RECORD_TYPES.values()) - DELIBERATIONS
"""Records of what."""

_ORDER_CHANGED: Final[dict[OrderState, str]] = {
    state: f"order_{state.lower()}" for state in OrderState
}


def journal_type(event: msgspec.Struct) -> str:
    """Return the journal's name for an input or a record."""
    if type(event) is OrderChanged:
        return _ORDER_CHANGED[event.state]
    return JOURNAL_TYPES[type(event)]
