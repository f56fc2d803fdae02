"""A desk at the paper venue: events and orders in ticks and lots, answers as short words."""

from decimal import Decimal

from brokers.paper.config import PaperConfig
from brokers.paper.ledger import Ledger
from brokers.paper.venue import PaperVenue
from engine.model.commands import AmendOrder, CancelOrder, PlaceOrder
from engine.model.instrument import Instrument
from engine.model.market import Bar, Depth, Funding, Levels, Quote, Trade
from engine.model.orders import Approved, OrderIntent, OrderType, Side, TimeInForce
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
    VenueRejected,
    VenueTriggered,
)

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000
TICK = Decimal("0.1")
LOT = Decimal("0.001")
BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT
STOP, TAKE_PROFIT, TRAILING = OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK

NO_LATENCY = {
    "submit_latency_ms": 0.0,
    "amend_latency_ms": 0.0,
    "cancel_latency_ms": 0.0,
    "ack_latency_ms": 0.0,
    "fill_latency_ms": 0.0,
}


def instrument(symbol: str = "BTC", **fields: object) -> Instrument:
    defaults: dict[str, object] = {
        "base": symbol,
        "quote": "USDT",
        "settlement": "USDT",
        "tick_size": TICK,
        "lot_size": LOT,
        "min_qty": LOT,
    }
    return Instrument(symbol=symbol, **{**defaults, **fields})  # type: ignore[arg-type]


class Desk:
    """One venue, its sink, and a clock that only moves when told."""

    def __init__(
        self,
        *,
        balance: str = "1000000",
        seed: int = 7,
        instruments: tuple[Instrument, ...] = (),
        ledger: Ledger | None = None,
        **settings: object,
    ) -> None:
        self.events: list[VenueEvent] = []
        self.now_ns = START_NS
        self.count = 0
        self.venue = PaperVenue(
            instruments or (instrument(),),
            PaperConfig(**{**NO_LATENCY, **settings}),  # type: ignore[arg-type]
            seed,
            Decimal(balance),
            self.events.append,
            ledger=ledger,
        )

    def quote(
        self, bid: int = 1000, ask: int = 1001, bid_lots: int = 10, ask_lots: int = 10, **fields
    ) -> list[str]:
        return self.observe(
            Quote(self.now_ns, fields.pop("symbol", "BTC"), bid, bid_lots, ask, ask_lots, **fields)
        )

    def trade(self, side: Side, ticks: int, lots: int, **fields) -> list[str]:
        return self.observe(Trade(self.now_ns, "BTC", ticks, lots, side, **fields))

    def depth(self, bids: Levels = (), asks: Levels = (), **fields) -> list[str]:
        return self.observe(Depth(self.now_ns, "BTC", bids, asks, **fields))

    def bar(self, opened: int, high: int, low: int, close: int, **fields) -> list[str]:
        volume = fields.pop("volume", 1_000_000)
        seconds = fields.pop("interval_s", 60)
        return self.observe(
            Bar(self.now_ns, "BTC", seconds, self.now_ns, opened, high, low, close, volume)
        )

    def funding(self, mark: str, rate: str, next_ns: int, **fields) -> list[str]:
        return self.observe(
            Funding(self.now_ns, "BTC", Decimal(mark), Decimal(rate), next_ns, **fields)
        )

    def observe(self, event) -> list[str]:
        start = len(self.events)
        self.venue.advance(event.ts_ns)
        self.venue.observe(event)
        return self.words(start)

    def wait(self, ms: float) -> list[str]:
        start = len(self.events)
        self.now_ns += round(ms * MS)
        self.venue.advance(self.now_ns)
        return self.words(start)

    def place(
        self,
        side: Side,
        lots: int,
        ticks: int = 0,
        *,
        order_id: str = "",
        type: OrderType | None = None,  # noqa: A002 - as in the intent
        trigger: int = 0,
        **fields,
    ) -> list[str]:
        self.count += 1
        intent = OrderIntent(
            self.now_ns,
            f"i-{self.count}",
            "agent",
            fields.pop("symbol", "BTC"),
            "slot",
            side,
            fields.pop("qty", lots * LOT),
            type=type or (LIMIT if ticks else MARKET),
            price=fields.pop("price", ticks * TICK if ticks else None),
            trigger_price=trigger * TICK if trigger else None,
            **fields,
        )
        return self.submit(PlaceOrder(self.now_ns, order_id or f"o{self.count}", Approved(intent)))

    def amend(self, order_id: str, ticks: int, lots: int, **fields) -> list[str]:
        price, qty = fields.pop("price", ticks * TICK), fields.pop("qty", lots * LOT)
        intent = OrderIntent(self.now_ns, "i", "agent", "BTC", "slot", BUY, qty)
        return self.submit(AmendOrder(self.now_ns, order_id, price, qty, Approved(intent)))

    def cancel(self, order_id: str) -> list[str]:
        return self.submit(CancelOrder(self.now_ns, order_id, "BTC"))

    def submit(self, command) -> list[str]:
        start = len(self.events)
        self.venue.submit([command])
        return self.words(start)

    def words(self, start: int = 0) -> list[str]:
        return [word(event) for event in self.events[start:]]

    def position(self, symbol: str = "BTC") -> int:
        return int(self.venue.positions().get(symbol, Decimal(0)) / LOT)


def word(event: VenueEvent) -> str:
    """Name an answer as a table wants it: `o1 fill 3@1001 taker`."""
    match event:
        case VenueAccepted():
            return f"{event.order_id} accepted"
        case VenueRejected():
            return f"{event.order_id} rejected {event.reason}"
        case VenueAmended():
            lots, ticks = int(event.qty / LOT), int(event.price / TICK)
            return f"{event.order_id} amended {lots}@{ticks}"
        case VenueAmendRejected():
            return f"{event.order_id} amend rejected {event.reason}"
        case VenueCanceled():
            return f"{event.order_id} canceled"
        case VenueCancelRejected():
            return f"{event.order_id} cancel rejected {event.reason}"
        case VenueExpired():
            return f"{event.order_id} expired {event.reason}"
        case VenueTriggered():
            return f"{event.order_id} triggered"
        case VenueFill():
            lots, ticks = int(event.qty / LOT), int(event.price / TICK)
            return f"{event.order_id} fill {lots}@{ticks} {event.liquidity.lower()}"
        case VenueFunding():
            return f"funding {event.amount}"
        case _:
            raise AssertionError(event)
