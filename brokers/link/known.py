"""The orders a live session has asked a venue for: by our id and by the venue's name for them."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from brokers.link.account import NewOrder, OrderRef
from engine.model.instrument import Instrument
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
    amended: tuple[Decimal | None, Decimal] | None = None
    """Price and quantity of the amendment last told."""
    request: "asyncio.Task[None] | None" = None
    """The last one about it: requests about one order leave one after the other."""

    @property
    def ref(self) -> OrderRef:
        """Name it for the venue."""
        placed = self.placed
        return OrderRef(placed.client_id, self.venue_order_id, placed, placed.instrument.symbol)


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


_decode: Final = msgspec.json.Decoder(list[Saved]).decode


class KnownOrders:
    """Every order of the session that may still be spoken of."""

    def __init__(
        self, instruments: Iterable[Instrument], client_id: Callable[[str], str], prefix: str
    ) -> None:
        """Begin with none.

        Args:
            instruments: Of the session.
            client_id: Derives what the venue is told from our order id.
            prefix: What every derived id begins with where ours can be read off it.

        """
        self._instruments: Mapping[str, Instrument] = {item.symbol: item for item in instruments}
        self._client_id = client_id
        self._prefix = prefix
        self._by_id: OrderedDict[str, KnownOrder] = OrderedDict()
        self._by_client: dict[str, str] = {}

    def add(self, order_id: str, intent: OrderIntent) -> KnownOrder:
        """Learn of an order that is to be placed."""
        placed = NewOrder(
            self._client_id(order_id),
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
        while len(self._by_id) > ENDED_MAX:
            oldest = next((o for o in self._by_id.values() if o.is_ended), None)
            if oldest is None:
                break
            del self._by_id[oldest.order_id], self._by_client[oldest.placed.client_id]

    def get(self, order_id: str) -> KnownOrder | None:
        """Return one by our id."""
        return self._by_id.get(order_id)

    def by_client(self, client_id: str) -> KnownOrder | None:
        """Return one by the venue's name for it; None for a foreign one."""
        return self._by_id.get(self._by_client.get(client_id, ""))

    def order_id(self, client_id: str) -> str | None:
        """Return our id of an order of this run, also of one we have forgotten; None if foreign."""
        known = self._by_client.get(client_id)
        if known is not None:
            return known
        return client_id.removeprefix(self._prefix) if client_id.startswith(self._prefix) else None

    def ref(self, order_id: str, symbol: str) -> OrderRef:
        """Name an order for the venue, whoever placed it."""
        known = self._by_id.get(order_id)
        if known is not None:
            return known.ref
        return OrderRef(self._client_id(order_id), "", None, symbol)

    def held(self, symbol: str) -> list[KnownOrder]:
        """Return the orders of an instrument that wait here for their trigger."""
        return [known for known in self._held() if known.placed.instrument.symbol == symbol]

    def _held(self) -> Iterator[KnownOrder]:
        return (o for o in self._by_id.values() if o.is_held and not o.is_ended)

    def all_held(self) -> list[KnownOrder]:
        """Return every order that waits here."""
        return list(self._held())

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
            is_held=saved.is_held, best=saved.best,
        )  # fmt: skip


def _saved(known: KnownOrder) -> Saved:
    placed = known.placed
    return Saved(
        known.order_id, placed.client_id, placed.instrument.symbol, placed.side, placed.type,
        placed.qty, placed.price, placed.trigger_price, placed.tif, placed.is_post_only,
        placed.is_reduce_only, known.trail_bps, known.venue_order_id, known.is_accepted,
        known.is_held, known.best,
    )  # fmt: skip
