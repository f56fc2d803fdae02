"""What a screen shows: one immutable picture of the whole session, ten times a second at most.

Rule 1: a view is whole. Whoever misses one misses nothing: the next has all of it again, the tails
        of fills, round trips, transitions, log and equity included.
Rule 2: panes compute no money: every figure they show is here, exact, as the books have it.
"""

from decimal import Decimal

import msgspec

from engine.model.account import Fill, RoundTrip
from engine.model.orders import OrderState, OrderType, Side, TimeInForce
from engine.model.records import FsmTransition
from engine.reports.latency import Quantiles
from engine.reports.view import SessionView
from engine.session.control.faces import (
    AccountFace,
    DeedFace,
    FillTrack,
    OpenTripFace,
    StreamFace,
    SyncFace,
)
from engine.session.health import HealthReading

Level = tuple[Decimal, Decimal]
"""Price and quantity."""

Worth = tuple[int, Decimal, Decimal | None]
"""Event time, equity, signed value of all positions (None where not known); quote currency."""


class BarFace(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One bar in ticks and lots; a silent one is flat at the close before it."""

    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    lots: int
    buy_lots: int
    """Of `lots`, those of buying takers."""
    prints: int
    """0 also in bars of mids, where no trade was ever seen."""


class BarTail(msgspec.Struct, frozen=True, array_like=True):
    """The newest bars of one length without a gap, the open one last."""

    interval_s: int
    first_s: int
    """Unix seconds at which the first bar starts."""
    bars: tuple[BarFace, ...]


class Print(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One public trade."""

    ts_ns: int
    ticks: int
    lots: int
    is_buy: bool
    """Whether the taker bought."""


class MarketFace(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's market; None before it is first seen."""

    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    bid: Decimal | None
    ask: Decimal | None
    bid_qty: Decimal
    ask_qty: Decimal
    mark_price: Decimal | None
    funding_rate: Decimal | None
    next_funding_ns: int
    priced_ns: int
    """Event time of the last good price, for its age."""
    is_suspended: bool
    """This instrument alone is barred from new risk."""
    is_book_synced: bool
    """False where only the touch is known."""
    bids: tuple[Level, ...]
    """Best first."""
    asks: tuple[Level, ...]
    features: dict[str, float | None]
    """By name, window and interval; None until warm."""
    multiplier: Decimal = Decimal(1)
    """Base currency per unit of quantity."""
    bars: tuple[BarTail, ...]
    """Shortest first; empty before the first price."""
    prints: tuple[Print, ...]
    """The newest trades, newest last."""
    prints_seen: int
    """How many there were."""
    change_pct: Decimal | None = None
    """Of the mid since `change_since_ns`, percent."""
    change_since_ns: int = 0
    """An hour ago, or the first price this process saw; 0 before it."""
    volume: Decimal | None = None
    """Public trades since then, base currency or contracts."""


class OrderFace(msgspec.Struct, frozen=True, kw_only=True):
    """One live order."""

    order_id: str
    venue_order_id: str
    agent: str
    symbol: str
    slot: str
    side: Side
    type: OrderType
    state: OrderState
    price: Decimal | None
    trigger_price: Decimal | None
    trail_bps: Decimal | None
    qty: Decimal
    filled_qty: Decimal
    tif: TimeInForce
    post_only: bool
    reduce_only: bool
    created_ns: int
    changed_ns: int
    queue_ahead: Decimal | None = None
    """Quantity estimated to trade before it at its price; None where nobody knows."""
    route: str = ""
    """What the router last decided about it, and why."""


class PositionFace(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's net position; flat ones too."""

    symbol: str
    qty: Decimal
    entry_price: Decimal | None
    mark: Decimal | None
    unrealised: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    shares: dict[str, Decimal]
    """Signed quantity by agent, where not flat."""
    notional: Decimal | None = None
    """Signed, at the mark; None where there is none."""
    realised_today: Decimal | None = None
    """Since UTC midnight; None where a resumed session does not know what it was then."""
    margin: Decimal | None = None
    """Initial margin; this and the next as the venue says, None where it does not."""
    liquidation_price: Decimal | None = None
    liquidation_pct: Decimal | None = None
    """How far the mark is from it, percent of the mark."""
    funding_next: Decimal | None = None
    """What the next funding would bring at the announced rate; paid is negative."""
    trips: tuple[OpenTripFace, ...] = ()
    """Its open round trips, one an agent."""


class ExposureFace(msgspec.Struct, frozen=True, kw_only=True):
    """All positions together, quote currency at the marks."""

    gross: Decimal
    net: Decimal
    leverage: Decimal | None
    """Gross over equity; None without any."""


class AgentFace(msgspec.Struct, frozen=True, kw_only=True):
    """One agent: how it stands and what it has made."""

    name: str
    is_paused: bool
    quarantine: str
    """What it did; empty in good standing."""
    weight: Decimal
    intents: int
    open_orders: int
    fills: int
    realised: Decimal
    fees: Decimal
    funding: Decimal
    unrealised: Decimal | None = None
    """Of its own shares at the mid; None where one is held that has no price."""
    warmth: tuple[int, int] | None = None
    """Seen and needed of its coldest feature; None once all are warm."""
    deed: DeedFace | None = None
    """Its newest wish and what became of it."""
    cost_p99_us: float | None = None
    """Time one of its answers takes, sampled; None where nobody measures."""


class BreakerFace(msgspec.Struct, frozen=True, kw_only=True):
    """How far one circuit breaker is from its limit."""

    name: str
    limit: Decimal
    reading: Decimal
    headroom: Decimal
    """1 untouched, 0 at the limit."""
    action: str
    is_tripped: bool
    rearm: str = ""
    """`cooldown`, `day`, `operator`, `never`, `agreed` or `heard`; empty where nothing trips."""
    rearms_ns: int = 0
    """When it re-arms by itself; 0 unless it tripped and will."""
    breach_s: float | None = None
    """Time to the limit at the pace of the last minute; None where it does not approach."""


class LifecycleFace(msgspec.Struct, frozen=True, kw_only=True):
    """The session's state machine; each reason reads `EVENT` or `EVENT:scope`."""

    state: str
    since_ns: int
    beneath: str | None
    """The state to return to while DEGRADED."""
    reasons: tuple[str, ...]
    """Everything that keeps the session or a symbol from trading."""
    reasons_ns: tuple[int, ...] = ()
    """Since when, one a reason; 0 where this process did not see it begin."""
    suspended: tuple[str, ...]
    """Symbols barred by themselves."""
    is_flattening: bool
    needs_reset: bool
    """EMERGENCY, flat, and waiting for a person."""


class HealthFace(msgspec.Struct, frozen=True, kw_only=True):
    """The process, the journal and the counters of the session."""

    process: HealthReading
    journal_events: int
    journal_bytes: int
    journal_head: str
    journal_failure: str
    tick_to_order_us: Quantiles
    orders: dict[str, int]
    blocked: dict[str, int]
    """Intents the gate refused, by rule."""
    errors: dict[str, int]
    viewers: int
    streams: tuple[StreamFace, ...] = ()
    reconnects: int = 0
    """Times a feed came back."""
    journal_unsynced: int | None = None
    """Lines that are not known to be on the disk yet."""
    checkpoint_age_s: float | None = None
    """Wall time since the state that the newest whole checkpoint holds; None before one."""
    sync: SyncFace | None = None
    """None where the session does not tell."""
    quote_age_max_s: float = 2.0
    """The session's own `risk.max_quote_age_ms`: a price that is older is stale."""


class RouteCount(msgspec.Struct, frozen=True, array_like=True):
    """How often the router decided so, and why, in the words of `engine.execution.router`."""

    decision: str
    reason: str
    count: int


class RouterFace(msgspec.Struct, frozen=True, kw_only=True):
    """What became of wishes, and how long the way of an order is."""

    decisions: tuple[RouteCount, ...]
    """Most frequent first."""
    hops: tuple[tuple[str, Quantiles], ...]
    """In the order of the flow: feed, request, ack, fill."""


class CausesFace(msgspec.Struct, frozen=True, kw_only=True):
    """What made the profit and loss of the session: the five sum to it, exactly.

    Spread and slippage are the distance of each fill from the mid its order was decided at, of
    fills that made and of fills that took; inventory is what prices did to what we held.
    """

    spread: Decimal
    inventory: Decimal
    slippage: Decimal
    fees: Decimal
    """Signed like the others: paid is negative."""
    funding: Decimal


class LogLine(msgspec.Struct, frozen=True):
    """One thing a person may want to read; the text is not sanitised."""

    ts_ns: int
    kind: str
    severity: str
    """`debug`, `info`, `warning` or `critical`."""
    text: str
    number: int = 0
    """Rises by one with each line of the session; 0 where the session does not number them."""


class View(msgspec.Struct, frozen=True, kw_only=True, tag="view"):
    """The whole session at one instant, between two steps."""

    number: int
    """Rises by one with each view of the session; a gap was dropped."""
    session: SessionView
    drawdown_worst_pct: Decimal | None = None
    """Deepest fall of the equity from its peak so far, percent of the peak; a reading a second."""
    lifecycle: LifecycleFace
    markets: tuple[MarketFace, ...]
    orders: tuple[OrderFace, ...]
    """Oldest first."""
    positions: tuple[PositionFace, ...]
    agents: tuple[AgentFace, ...]
    exposure: ExposureFace | None = None
    blocked: tuple[DeedFace, ...] = ()
    """Wishes the gate keeps back now, newest last."""
    breakers: tuple[BreakerFace, ...]
    appetite: tuple[BreakerFace, ...] = ()
    """Limits of the gate that refuse rather than trip."""
    health: HealthFace
    router: RouterFace
    causes: CausesFace
    fills: tuple[Fill, ...]
    """Newest last, as in every tail."""
    fill_tracks: tuple[FillTrack, ...] = ()
    """What came after fills, by symbol and trade id."""
    round_trips: tuple[RoundTrip, ...]
    transitions: tuple[FsmTransition, ...]
    log: tuple[LogLine, ...]
    equity: tuple[Worth, ...]
    """One a second in the last minutes, one a minute before."""
    account: AccountFace | None = None
    """Of a shadow session, once it was seen."""
    controls: str = ""
    """Which screen has the controls, as in `Welcome`; empty for none."""
