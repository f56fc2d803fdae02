"""The orders a live session has asked a venue for: by our id and by the venue's name for them."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from brokers.link.account import NewOrder, OrderRef
from engine.model.client_ids import ClientIds
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.orders import OrderIntent, OrderType, Side, TimeInForce

ENDED_MAX: Final = 10_000
"""Ended orders still known by name: late fills and answers may speak of them."""
TRIGGERED: Final = frozenset({OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING})


@dataclass(slots=True)
class KnownOrder:
    """One order and what has been told of it."""

    order_id: str
    placed: NewOrder
    trail_bps: Decimal | None = None
    venue_order_id: str = ""
    is_accepted: bool = False
    is_ended: bool = False
    is_held: bool = False
    """It waits here for its trigger; the venue knows nothing of it."""
    best: Decimal | None = None
    """Best price a trailing one has seen."""
    is_in_doubt: bool = False
    """It waited here when a process died, which may have sent it."""
    trades: set[str] = field(default_factory=set)
    filled: Decimal = ZERO
    asked: tuple[Decimal, Decimal] | None = None
    """Price and quantity of the amendment under way, until it is told."""
    amended: tuple[Decimal, Decimal] | None = None
    """Price and quantity of the amendment last told."""
    request: "asyncio.Future[None] | None" = None
    """The last one about it: requests about one order leave one after the other."""
    is_gathered: bool = False
    """Something is asked about it that has not left: see `Together`."""

    @property
    def ref(self) -> OrderRef:
        """Name it for the venue."""
        placed = self.placed
        return OrderRef(placed.client_id, self.venue_order_id, placed, placed.instrument.symbol)

    @property
    def is_busy(self) -> bool:
        """Whether a request about it is under way."""
        return self.request is not None and not self.request.done()

    def release(self) -> None:
        """Wait no more: it is a market order now."""
        self.is_held = False
        self.placed = self.placed._replace(
            type=OrderType.MARKET, price=None, trigger_price=None, tif=TimeInForce.IOC
        )

    def note_fill(self, trade_id: str, qty: Decimal) -> None:
        """Count an execution once; the one that completes the order ends it."""
        self.is_held = False
        if trade_id not in self.trades:
            self.trades.add(trade_id)
            self.filled += qty
        if self.filled >= self.placed.qty and self.asked is None:
            self.is_ended = True


class Saved(msgspec.Struct):
    """An order in a checkpoint."""

    order_id: str
    client_id: str
    symbol: str
    side: Side
    type: OrderType
    qty: Decimal
    price: Decimal | None
    trigger_price: Decimal | None
    tif: TimeInForce
    is_post_only: bool
    is_reduce_only: bool
    trail_bps: Decimal | None
    venue_order_id: str
    is_accepted: bool
    is_held: bool
    best: Decimal | None
    trades: list[str] = []
    filled: Decimal = ZERO


_decode: Final = msgspec.json.Decoder(list[Saved]).decode


class KnownOrders:
    """Every order of the session that may still be spoken of."""

    def __init__(self, instruments: Iterable[Instrument], ids: ClientIds) -> None:
        """Begin with none.

        Args:
            instruments: Of the session.
            ids: What the venue is told instead of our order ids.

        """
        self._instruments: Mapping[str, Instrument] = {item.symbol: item for item in instruments}
        self._ids = ids
        self._by_id: OrderedDict[str, KnownOrder] = OrderedDict()
        self._by_client: dict[str, str] = {}
        self._by_venue: dict[str, str] = {}
        self._waiting: dict[str, KnownOrder] = {}
        """Held when last looked at: few among thousands, and asked for with every quote."""

    def add(self, order_id: str, intent: OrderIntent) -> KnownOrder:
        """Learn of an order that is to be placed."""
        placed = NewOrder(
            self._ids.of(order_id),
            self._instruments[intent.symbol],
            intent.side,
            intent.type,
            intent.qty,
            intent.price,
            intent.trigger_price,
            intent.tif,
            intent.post_only,
            intent.reduce_only,
        )
        known = KnownOrder(order_id, placed, intent.trail_bps, is_held=intent.type in TRIGGERED)
        self._enter(known)
        return known

    def _enter(self, known: KnownOrder) -> None:
        self._by_id[known.order_id] = known
        self._by_client[known.placed.client_id] = known.order_id
        if known.venue_order_id:
            self._by_venue[known.venue_order_id] = known.order_id
        if known.is_held:
            self._waiting[known.order_id] = known
        while len(self._by_id) > ENDED_MAX:
            oldest = next((o for o in self._by_id.values() if o.is_ended), None)
            if oldest is None:
                break
            del self._by_id[oldest.order_id], self._by_client[oldest.placed.client_id]
            self._by_venue.pop(oldest.venue_order_id, None)

    def get(self, order_id: str) -> KnownOrder | None:
        """Return one by our id."""
        return self._by_id.get(order_id)

    def named(self, client_id: str, venue_order_id: str) -> KnownOrder | None:
        """Return one by our name for it or, told none, the venue's number; None if foreign."""
        names, name = (
            (self._by_client, client_id) if client_id else (self._by_venue, venue_order_id)
        )
        return self._by_id.get(names.get(name, ""))

    def number(self, known: KnownOrder, venue_order_id: str) -> None:
        """Learn the venue's number of an order."""
        known.venue_order_id = venue_order_id
        if venue_order_id:
            self._by_venue[venue_order_id] = known.order_id

    def order_id(self, client_id: str) -> str | None:
        """Return our id of an order of this run, also of one we have forgotten; None if foreign."""
        return self._by_client.get(client_id) or self._ids.order_id(client_id)

    def ref(self, order_id: str, symbol: str) -> OrderRef:
        """Name an order for the venue, whoever placed it."""
        known = self._by_id.get(order_id)
        if known is not None:
            return known.ref
        return OrderRef(self._ids.of(order_id), "", None, symbol)

    def held(self, symbol: str) -> list[KnownOrder]:
        """Return the orders of an instrument that wait here for their trigger."""
        if not self._waiting:
            return []
        return [known for known in self.all_held() if known.placed.instrument.symbol == symbol]

    def all_held(self) -> list[KnownOrder]:
        """Return every order that waits here, in order of arrival."""
        for known in list(self._waiting.values()):
            if known.is_ended or not known.is_held:
                del self._waiting[known.order_id]
        return list(self._waiting.values())

    def is_any_working(self) -> bool:
        """Say whether an order of ours may still be at the venue."""
        return any(not (known.is_ended or known.is_held) for known in self._by_id.values())

    def snapshot(self) -> bytes:
        """Encode the orders that have not ended."""
        live = [_saved(known) for known in self._by_id.values() if not known.is_ended]
        return msgspec.json.encode(live)

    def restore(self, snapshot: bytes) -> None:
        """Learn of the orders in a snapshot."""
        for saved in _decode(snapshot):
            self._enter(self._loaded(saved))

    def _loaded(self, saved: Saved) -> KnownOrder:
        placed = NewOrder(
            saved.client_id,
            self._instruments[saved.symbol],
            saved.side,
            saved.type,
            saved.qty,
            saved.price,
            saved.trigger_price,
            saved.tif,
            saved.is_post_only,
            saved.is_reduce_only,
        )
        return KnownOrder(
            saved.order_id, placed, saved.trail_bps, saved.venue_order_id, saved.is_accepted,
            is_held=saved.is_held, best=saved.best, trades=set(saved.trades), filled=saved.filled,
        )  # fmt: skip


def _saved(known: KnownOrder) -> Saved:
    placed = known.placed
    return Saved(
        known.order_id, placed.client_id, placed.instrument.symbol, placed.side, placed.type,
        placed.qty, placed.price, placed.trigger_price, placed.tif, placed.is_post_only,
        placed.is_reduce_only, known.trail_bps, known.venue_order_id, known.is_accepted,
        known.is_held, known.best, sorted(known.trades), known.filled,
    )  # fmt: skip
