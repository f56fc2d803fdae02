"""Everything that enters the kernel, and the names of all of it on disk.

Three families, all msgspec structs whose first field is `ts_ns`:

- inputs: market data, `engine.model.venue_events`, timers, health and operator commands. Replaying
  them is enough to make every decision again;
- `engine.model.records`: decisions, written to the journal and never read back by the kernel;
- `engine.model.commands`: what the shell must send to a broker, after the records of the same step.

`JOURNAL_TYPES` names each class on disk. `SCHEMA_VERSION` is the journal line's `v`: a field that
changes meaning raises it and leaves an upcaster behind.
"""

from typing import Final

import msgspec

from engine.model.account import Fill, Position, RoundTrip
from engine.model.market import (
    Bar,
    BarHistory,
    Depth,
    FeedStatus,
    Funding,
    Malformed,
    Quote,
    ReferenceQuote,
    ReferenceStatus,
    RulesChanged,
    Trade,
)
from engine.model.orders import (
    CancelIntent,
    OrderIntent,
    OrderState,
)
from engine.model.records import (
    Alert,
    BreakerTripped,
    ErrorRecord,
    FsmTransition,
    GateVerdict,
    MetaDecision,
    OrderChanged,
    OrderSubmitted,
    RouterDecision,
    SyncReport,
)
from engine.model.sightings import AccountSeen, AccountUnseen, SimulatedBooks
from engine.model.venue_events import (
    VenueAccepted,
    VenueAmended,
    VenueAmendRejected,
    VenueCanceled,
    VenueCancelRejected,
    VenueEvent,
    VenueExpired,
    VenueFill,
    VenueFunding,
    VenueMargin,
    VenueOrderStatus,
    VenueRejected,
    VenueSnapshot,
    VenueStatus,
    VenueTriggered,
    VenueUnknown,
)
from engine.model.words import Word

SCHEMA_VERSION: Final = 1


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
    """Cancel one order; the argument is its id."""
    CANCEL_SYMBOL = "cancel_symbol"
    """Cancel every order of one symbol, those that protect too."""
    CANCEL_ALL = "cancel_all"
    """Cancel every order, those that protect too, and take no new risk until a resume."""
    PLACE_ORDER = "place_order"
    """An order by hand; the argument is an `engine.model.operators.OrderTicket`."""
    AMEND_ORDER = "amend_order"
    """Change an order by hand; the argument is an `AmendTicket`."""
    FLATTEN_SYMBOL = "flatten_symbol"
    """Cancel the orders of one symbol and close its net position."""
    TAKE_CONTROLS = "take_controls"
    """A screen takes over what raises risk from whichever had it."""
    ARM = "arm"
    """Let new risk be taken at a real venue; the argument is its name and for how many seconds."""
    RECONCILE = "reconcile"
    """Ask the venue for the account now: the session was interrupted."""


class OperatorCommand(msgspec.Struct, frozen=True, gc=False):
    """A command from outside, with who sent it."""

    ts_ns: int
    command: Operator
    by: str
    """`kill_file`, `SIGTERM`, `session`, or who sat at the control socket."""
    argument: str = ""


JOURNAL_RESERVE: Final = "journal_reserve"
"""Kind of a limit that stops new risk: what is free, MB, against `journal.reserve_mb`."""

JOURNAL_SYNC: Final = "journal_sync_ms"
"""Kind of the limit on how long orders wait for their lines: `journal.commit_wait_ms`. Where it is
passed, what waited is refused, and no new risk is taken until the disk keeps up again."""


class HealthChanged(msgspec.Struct, frozen=True, gc=False):
    """A limit of the process itself was passed, or a reading came back within it.

    A measurement of this machine, hence an input: a replay takes it from the journal.
    """

    ts_ns: int
    kind: str
    """The reading: `cpu_pct`, `rss_mb`, `disk_free_mb`, `loop_lag_ms`, `journal_reserve`,
    `journal_sync_ms` or `sentinel_count`."""
    limit: float
    reading: float
    is_over: bool


Input = (
    Quote
    | Trade
    | Bar
    | BarHistory
    | Depth
    | Funding
    | FeedStatus
    | RulesChanged
    | Malformed
    | ReferenceQuote
    | ReferenceStatus
    | VenueEvent
    | Timer
    | OperatorCommand
    | HealthChanged
    | AccountSeen
    | AccountUnseen
)

INPUT_TYPES: Final[dict[str, type]] = {
    "quote": Quote,
    "trade": Trade,
    "bar": Bar,
    "bar_history": BarHistory,
    "depth": Depth,
    "funding": Funding,
    "feed_status": FeedStatus,
    "rules_changed": RulesChanged,
    "malformed": Malformed,
    "reference_quote": ReferenceQuote,
    "reference_status": ReferenceStatus,
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
    "venue_margin": VenueMargin,
    "venue_unknown": VenueUnknown,
    "venue_status": VenueStatus,
    "venue_order_status": VenueOrderStatus,
    "venue_snapshot": VenueSnapshot,
    "timer": Timer,
    "operator_command": OperatorCommand,
    "health": HealthChanged,
    "account_seen": AccountSeen,
    "account_unseen": AccountUnseen,
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
    "sync_report": SyncReport,
    "alert": Alert,
    "error": ErrorRecord,
    "simulated_books": SimulatedBooks,
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
