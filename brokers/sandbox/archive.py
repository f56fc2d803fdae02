"""Every order and fill of a sandbox's account, by all the names they can be asked for."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from brokers.sandbox.orders import FillRecord, OrderRecord, Ticket

ORDERS_KEPT: Final = 100_000
"""Ended orders beyond so many are forgotten, the oldest first; open ones never."""
FILLS_KEPT: Final = 100_000
FIRST_ORDER_ID: Final = 8_000_000_001
"""Wider than 32 bits, as venues' ids are: a client that cuts them shows it at once."""


class Archive:
    """Numbers and keeps; ids rise by one."""

    def __init__(self) -> None:
        self._orders: dict[int, OrderRecord] = {}
        self._newest: dict[str, int] = {}
        """Order id by client id; a later order may take the id of an ended one."""
        self._open: dict[int, OrderRecord] = {}
        self._fills: list[FillRecord] = []
        self._next_id = FIRST_ORDER_ID

    def enter(self, ticket: Ticket, at_ns: int) -> OrderRecord:
        """Begin the record of an order."""
        order_id, self._next_id = self._next_id, self._next_id + 1
        named = ticket if ticket.client_id else ticket._replace(client_id=f"auto-{order_id}")
        record = OrderRecord(order_id, named, ticket.qty, ticket.price, at_ns, at_ns)
        self._orders[order_id] = self._open[order_id] = record
        self._newest[named.client_id] = order_id
        return record

    def drop(self, record: OrderRecord, before: int | None) -> None:
        """Forget an order that was refused; its client id again names the order of before."""
        del self._orders[record.order_id]
        self._open.pop(record.order_id, None)
        if before is None:
            del self._newest[record.client_id]
        else:
            self._newest[record.client_id] = before

    def end(self, record: OrderRecord) -> None:
        """Note that an order can't fill any more."""
        self._open.pop(record.order_id, None)
        if len(self._orders) > ORDERS_KEPT + len(self._open):
            oldest = next(o for o in self._orders.values() if not o.is_open)
            del self._orders[oldest.order_id]
            if self._newest.get(oldest.client_id) == oldest.order_id:
                del self._newest[oldest.client_id]

    def add(self, fill: FillRecord) -> None:
        """Keep an execution."""
        self._fills.append(fill)
        if len(self._fills) > FILLS_KEPT:
            del self._fills[: FILLS_KEPT // 10]

    def named(self, client_id: str) -> int | None:
        """Return the id of the newest order of a client id."""
        return self._newest.get(client_id)

    def order(self, *, order_id: int | None = None, client_id: str = "") -> OrderRecord | None:
        """Find an order by the venue's id if given, else by the client's."""
        found = order_id if order_id is not None else self._newest.get(client_id)
        return None if found is None else self._orders.get(found)

    def open(self, symbol: str | None = None) -> list[OrderRecord]:
        """Return the orders that can still fill, oldest first."""
        return [o for o in self._open.values() if symbol is None or o.symbol == symbol]

    def orders(self, symbol: str | None = None) -> Iterator[OrderRecord]:
        """Yield every order that is remembered, oldest first."""
        return (o for o in self._orders.values() if symbol is None or o.symbol == symbol)

    def fills(self, since_ns: int = 0, symbol: str | None = None) -> list[FillRecord]:
        """Return the executions from a time on, oldest first."""
        newest = 0
        for fill in reversed(self._fills):
            if fill.at_ns < since_ns:
                break
            newest += 1
        found = islice(self._fills, len(self._fills) - newest, None)
        return [fill for fill in found if symbol is None or fill.symbol == symbol]
