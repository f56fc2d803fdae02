"""The trading side of the Bitunix sandbox: what each private request does. No sockets here.

Rule 1: code 0 to a placement says that it was taken in, no more. A post-only order that would cross
        is taken in like any other and ends canceled, without a word of why.
Rule 2: a cancel of what is no longer there is a success with a list of failures.

Source: the Bitunix sheet, sections 5, 6 and 8.
"""

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import count
from typing import Any, Final

from brokers.sandbox import bitunix_rows as rows
from brokers.sandbox.bitunix_frames import MS_NS
from brokers.sandbox.bitunix_gate import CodeError
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.orders import OrderRecord, Refusal, State, Ticket, Why
from engine.model.money import ZERO
from engine.model.orders import OrderType, Side, TimeInForce

CODES: Final[Mapping[Why, tuple[int, str]]] = {
    Why.UNKNOWN_SYMBOL: (20001, "Market not exists"),
    Why.OFF_TICK: (10008, "price does not comply with rules"),
    Why.OFF_LOT: (10008, "qty does not comply with rules"),
    Why.TOO_SMALL: (30016, "qty is less than the minimum"),
    Why.TOO_LARGE: (30013, "qty is more than the maximum"),
    Why.MIN_NOTIONAL: (30017, "amount is less than the minimum"),
    Why.PRICE_BAND: (30014, "price is beyond the limit"),
    Why.TOO_MANY_ORDERS: (10002, "too many orders"),
    Why.REDUCE_ONLY: (30018, "no position to reduce"),
    Why.MARGIN: (20003, "Insufficient balance"),
    Why.DUPLICATE_ID: (30042, "Client ID duplicate"),
    Why.NOT_FOUND: (20007, "Order not found"),
    Why.HALTED: (20012, "symbol is not tradable"),
    Why.LEVERAGE: (20005, "leverage error"),
}
PARAMETER: Final = (10002, "Parameter error")
EFFECTS: Final[Mapping[str, tuple[TimeInForce, bool]]] = {
    "GTC": (TimeInForce.GTC, False),
    "IOC": (TimeInForce.IOC, False),
    "FOK": (TimeInForce.FOK, False),
    "POST_ONLY": (TimeInForce.GTC, True),
}
TYPES: Final = {"LIMIT": OrderType.LIMIT, "MARKET": OrderType.MARKET}
SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
GHOST_ID: Final = 9_000_000_000_001
GHOSTS_MAX: Final = 10_000
BATCH_MAX: Final = 20
LIMIT_MAX: Final = 100

Body = Mapping[str, Any]
Query = Mapping[str, str]


class Desk:
    """Does what private requests ask for."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._ghosts: dict[int, OrderRecord] = {}
        """Orders that were taken in and never got into the book."""
        self._numbers = count(GHOST_ID)
        self.new_ghosts: list[OrderRecord] = []
        """Those nobody has been told of."""

    # --- orders --------------------------------------------------------------------------------

    def place(self, body: Body) -> dict[str, Any]:
        """`place_order`."""
        ticket = _ticket(body)
        told = self._exchange.place(ticket)
        if isinstance(told, Refusal):
            if told.why is not Why.POST_ONLY_WOULD_CROSS:
                raise _code(told)
            told = self._ghost(ticket)
        return {"orderId": str(told.order_id), "clientId": told.client_id}

    def _ghost(self, ticket: Ticket) -> OrderRecord:
        number, now_ns = next(self._numbers), time.time_ns()
        named = ticket if ticket.client_id else ticket._replace(client_id=f"auto-{number}")
        record = OrderRecord(number, named, ticket.qty, ticket.price, now_ns, now_ns)
        record.state = State.CANCELED
        self._ghosts[number] = record
        self.new_ghosts.append(record)
        if len(self._ghosts) > GHOSTS_MAX:
            self._ghosts.pop(next(iter(self._ghosts)))
        return record

    def batch(self, body: Body) -> dict[str, Any]:
        """`batch_order`."""
        done, failed = [], []
        for item in _list(body):
            try:
                placed = self.place({**item, "symbol": body.get("symbol")})
                done.append({"id": placed["orderId"], "clientId": placed["clientId"]})
            except CodeError as error:
                failed.append(_failure(error, client_id=str(item.get("clientId", ""))))
        return {"successList": done, "failureList": failed}

    def amend(self, body: Body) -> dict[str, Any]:
        """`modify_order`."""
        record = self._find(body)
        price = _number(body, "price")
        if record is None:
            raise CodeError(*CODES[Why.NOT_FOUND])
        if price is None:
            raise CodeError(*PARAMETER)
        refusal = self._exchange.amend(record, price, _needed(body, "qty"))
        if refusal is not None:
            raise _code(refusal)
        return {"orderId": str(record.order_id), "clientId": record.client_id}

    def cancel(self, body: Body) -> dict[str, Any]:
        """`cancel_orders`."""
        done, failed = [], []
        for item in _list(body):
            try:
                record = self._canceled(item)
                done.append({"orderId": str(record.order_id), "clientId": record.client_id})
            except CodeError as error:
                named = str(item.get("orderId", "")), str(item.get("clientId", ""))
                failed.append(_failure(error, *named))
        return {"successList": done, "failureList": failed}

    def _canceled(self, item: Body) -> OrderRecord:
        record = self._find(item)
        if record is None:
            raise CodeError(*CODES[Why.NOT_FOUND])
        if not record.is_open or self._exchange.cancel(record) is not None:
            raise CodeError(10013, "Order status error")
        return record

    def cancel_all(self, body: Body) -> dict[str, Any]:
        """`cancel_all_orders`."""
        symbol = body.get("symbol")
        taken = self._exchange.cancel_all(str(symbol) if symbol else None)
        done = [{"orderId": str(o.order_id), "clientId": o.client_id} for o in taken]
        return {"successList": done, "failureList": []}

    def close_all(self, body: Body) -> dict[str, Any]:
        """`close_all_position`: market orders that only reduce."""
        symbol = body.get("symbol")
        for held in self._exchange.positions():
            if held.qty and symbol in (None, "", held.symbol):
                side = Side.SELL if held.qty > 0 else Side.BUY
                ticket = Ticket(
                    held.symbol, side, OrderType.MARKET, abs(held.qty), is_reduce_only=True
                )
                told = self._exchange.place(ticket)
                if isinstance(told, Refusal):
                    raise _code(told)
        return {}

    # --- questions -----------------------------------------------------------------------------

    def pending(self, query: Query) -> dict[str, Any]:
        """`get_pending_orders`."""
        found = [o for o in self._exchange.open_orders(query.get("symbol")) if _is(o, query)]
        return self._page(found, query)

    def history(self, query: Query) -> dict[str, Any]:
        """`get_history_orders`: ended ones; canceled ones only if asked for."""
        wants_canceled = query.get("queryCanceled", "").lower() == "true"
        ended = [o for o in self._exchange.archive.orders(query.get("symbol")) if not o.is_open]
        found = [
            record
            for record in (*ended, *self._ghosts.values())
            if _is(record, query) and (wants_canceled or record.state is State.FILLED)
        ]
        return self._page(found, query)

    def detail(self, query: Query) -> dict[str, Any]:
        """`get_order_detail`."""
        record = self._find(query)
        if record is None:
            raise CodeError(*CODES[Why.NOT_FOUND])
        return self._row(record)

    def trades(self, query: Query) -> dict[str, Any]:
        """`get_history_trades`, newest first."""
        since_ms, until_ms = whole(query, "startTime", 0), whole(query, "endTime", 2**62)
        order_id = query.get("orderId")
        found = [
            fill
            for fill in self._exchange.fills(since_ms * MS_NS, query.get("symbol"))
            if fill.at_ns // MS_NS <= until_ms and order_id in (None, str(fill.order_id))
        ]
        page = _cut(found[::-1], query)
        archive = self._exchange.archive
        told = [
            rows.trade_row(f, archive.order(order_id=f.order_id), self._leverage(f.symbol))
            for f in page
        ]
        return {"tradeList": told, "total": str(len(found))}

    def _page(self, found: Sequence[OrderRecord], query: Query) -> dict[str, Any]:
        page = _cut(found[::-1], query)
        return {"orderList": [self._row(o) for o in page], "total": str(len(found))}

    def _row(self, record: OrderRecord) -> dict[str, Any]:
        return rows.order_row(record, self.fee(record), self._leverage(record.symbol))

    def fee(self, record: OrderRecord) -> Decimal:
        """Return the fees of an order's executions."""
        if not record.filled_qty:
            return ZERO
        fills = self._exchange.fills(record.created_ns, record.symbol)
        return sum((f.fee for f in fills if f.order_id == record.order_id), ZERO)

    def _leverage(self, symbol: str) -> int:
        return self._exchange.position(symbol).leverage

    def _find(self, named: Mapping[str, Any]) -> OrderRecord | None:
        """Find an order by the venue's id, which wins, or the client's."""
        order_id, client_id = str(named.get("orderId") or ""), str(named.get("clientId") or "")
        if order_id:
            number = int(order_id) if order_id.isascii() and order_id.isdigit() else -1
            return self._ghosts.get(number) or self._exchange.order(order_id=number)
        ghosts = [o for o in self._ghosts.values() if o.client_id == client_id]
        return self._exchange.order(client_id=client_id) or (ghosts[-1] if ghosts else None)


def _ticket(body: Body) -> Ticket:
    kind, side = TYPES.get(str(body.get("orderType"))), SIDES.get(str(body.get("side")))
    terms = EFFECTS.get(str(body.get("effect", "GTC")))
    if kind is None or side is None or terms is None or body.get("tradeSide"):
        raise CodeError(*PARAMETER)
    if kind is OrderType.LIMIT and "effect" not in body:
        raise CodeError(*PARAMETER)
    return Ticket(
        symbol=str(body.get("symbol", "")),
        side=side,
        type=kind,
        qty=_needed(body, "qty"),
        price=_number(body, "price") if kind is OrderType.LIMIT else None,
        client_id=str(body.get("clientId", "")),
        tif=terms[0],
        is_post_only=terms[1],
        is_reduce_only=body.get("reduceOnly") is True,
    )


def _number(body: Body, name: str) -> Decimal | None:
    text = body.get(name)
    if text is None:
        return None
    try:
        number = Decimal(str(text)[:40])
    except InvalidOperation as error:
        raise CodeError(*PARAMETER) from error
    if not number.is_finite():
        raise CodeError(*PARAMETER)
    return number


def _needed(body: Body, name: str) -> Decimal:
    number = _number(body, name)
    if number is None:
        raise CodeError(*PARAMETER)
    return number


def _list(body: Body) -> list[Body]:
    items = body.get("orderList")
    if not isinstance(items, list) or not 0 < len(items) <= BATCH_MAX:
        raise CodeError(*PARAMETER)
    return [item for item in items if isinstance(item, dict)]


def _is(record: OrderRecord, query: Query) -> bool:
    return (
        query.get("orderId") in (None, str(record.order_id))
        and query.get("clientId") in (None, record.client_id)
        and query.get("symbol") in (None, record.symbol)
    )


def _cut(found: Sequence[Any], query: Query) -> Sequence[Any]:
    skip, limit = whole(query, "skip", 0), whole(query, "limit", 10)
    return found[skip : skip + min(limit, LIMIT_MAX)]


def whole(query: Query, name: str, default: int) -> int:
    """Return a whole number of a query; the default where there is none."""
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else default


def _code(refusal: Refusal) -> CodeError:
    return CodeError(*CODES.get(refusal.why, PARAMETER))


def _failure(error: CodeError, order_id: str = "", client_id: str = "") -> dict[str, Any]:
    return {
        "orderId": order_id, "clientId": client_id,
        "errorMsg": error.message, "errorCode": str(error.code),
    }  # fmt: skip
