"""Order endpoints of a Binance sandbox: parameters in, rows out; no sockets.

Source: the Binance sheet, sections 5, 6 and 9.
"""

from collections.abc import Callable
from typing import Any, Final

from brokers.sandbox.binance_codes import UNKNOWN_ORDER, WORDS, ApiError, missing, refused
from brokers.sandbox.binance_params import Params, params_of
from brokers.sandbox.binance_words import MS_NS, order_row, trade_row
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.orders import OrderRecord, Refusal, Ticket, Why
from engine.model.orders import OrderType, Side, TimeInForce

BATCH_MAX: Final = 5
CANCELS_MAX: Final = 10
ID_LISTS: Final = ("orderIdList", "orderidlist")
"""The second is how ccxt writes it, and is served."""
ROWS_MAX: Final = 1_000
WINDOW_MS: Final = 7 * 86_400_000
CONDITIONAL: Final = frozenset(
    {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"}
)
TIFS: Final = ("GTC", "IOC", "FOK", "GTX")
NO_ALGO: Final = (
    -4120,
    "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
)
NOT_FOUND: Final = WORDS[Why.NOT_FOUND]


class OrderDesk:
    """Takes requests about orders to an exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.lets_post_only_expire: Callable[[], bool] = bool
        """Asked when a post-only order crosses: the venue's other, silent way (sheet section 6)."""

    def place(self, params: Params) -> dict[str, Any]:
        """POST /fapi/v1/order."""
        ticket = self._ticket(params)
        placed = self._exchange.place(ticket)
        if placed == Refusal(Why.POST_ONLY_WOULD_CROSS) and self.lets_post_only_expire():
            placed = self._exchange.expire_at_once(ticket)
        if isinstance(placed, Refusal):
            raise refused(placed, ticket, self._exchange.listed.now.get(ticket.symbol))
        row = order_row(placed)
        if params.text("newOrderRespType", "ACK") == "ACK":
            none = {"executedQty": "0", "cumQty": "0", "cumQuote": "0", "avgPrice": "0.00"}
            row |= {"status": "NEW", **none}
        return row

    def amend(self, params: Params) -> dict[str, Any]:
        """PUT /fapi/v1/order: kills the order where the sheet says so."""
        order = self._find(params, NOT_FOUND)
        price, qty = params.number("price"), params.number("quantity")
        if price is None or qty is None:
            raise missing("price" if price is None else "quantity")
        if params.one_of("side", ("BUY", "SELL"), (-1117, "Invalid side.")) != order.ticket.side:
            raise ApiError(-1117, "Invalid side.")
        if params.text("reduceOnly") and params.flag("reduceOnly") != order.ticket.is_reduce_only:
            raise ApiError(-5047, "Reduce only does not match the order's.")
        refusal = self._exchange.amend(order, price, qty)
        if refusal is not None and refusal.why is Why.POST_ONLY_WOULD_CROSS:
            self._exchange.cancel(order)
        elif refusal is not None:
            ticket = order.ticket._replace(price=price, qty=qty)
            raise refused(refusal, ticket, self._exchange.listed.now[order.symbol])
        return order_row(order)

    def cancel(self, params: Params) -> dict[str, Any]:
        """DELETE /fapi/v1/order."""
        order = self._find(params, UNKNOWN_ORDER)
        if self._exchange.cancel(order) is not None:
            raise ApiError(*UNKNOWN_ORDER)
        return order_row(order)

    def query(self, params: Params) -> dict[str, Any]:
        """GET /fapi/v1/order."""
        return order_row(self._find(params, NOT_FOUND))

    def query_open(self, params: Params) -> dict[str, Any]:
        """GET /fapi/v1/openOrder."""
        order = self._find(params, NOT_FOUND)
        if not order.is_open:
            raise ApiError(*NOT_FOUND)
        return order_row(order)

    def place_batch(self, params: Params) -> list[dict[str, Any]]:
        """POST /fapi/v1/batchOrders: a row or a complaint for each."""
        rows = params.rows("batchOrders", BATCH_MAX)
        return [_told(self.place, params_of(row)) for row in rows]

    def amend_batch(self, params: Params) -> list[dict[str, Any]]:
        """PUT /fapi/v1/batchOrders."""
        rows = params.rows("batchOrders", BATCH_MAX)
        return [_told(self.amend, params_of(row)) for row in rows]

    def cancel_batch(self, params: Params) -> list[dict[str, Any]]:
        """DELETE /fapi/v1/batchOrders."""
        listed = next(filter(params.text, ID_LISTS), "origClientOrderIdList")
        ids = params.rows(listed, CANCELS_MAX)
        name = "orderId" if listed in ID_LISTS else "origClientOrderId"
        symbol = params.need("symbol")
        return [_told(self.cancel, params_of({"symbol": symbol, name: one})) for one in ids]

    def cancel_all(self, params: Params) -> dict[str, Any]:
        """DELETE /fapi/v1/allOpenOrders: code 200 is success."""
        self._exchange.cancel_all(self._symbol(params))
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def open_orders(self, params: Params) -> list[dict[str, Any]]:
        """GET /fapi/v1/openOrders, of one symbol or of all."""
        symbol = self._symbol(params) if params.text("symbol") else None
        return [order_row(order) for order in self._exchange.open_orders(symbol)]

    def all_orders(self, params: Params) -> list[dict[str, Any]]:
        """GET /fapi/v1/allOrders: from an id or a time on, oldest first."""
        first_id = params.integer("orderId", 0) or 0
        since_ms, until_ms = _window(params)
        found = [
            order_row(order)
            for order in self._exchange.archive.orders(self._symbol(params))
            if order.order_id >= first_id
            and (first_id or since_ms <= order.created_ns // MS_NS <= until_ms)
        ]
        limit = params.limit(ROWS_MAX)
        return found[:limit] if first_id or params.text("startTime") else found[-limit:]

    def trades(self, params: Params) -> list[dict[str, Any]]:
        """GET /fapi/v1/userTrades: of an order, from an id, or in a window of at most 7 days."""
        first_id, order_id = params.integer("fromId"), params.integer("orderId")
        since_ms, until_ms = _window(params)
        if first_id is not None and (params.text("startTime") or params.text("endTime")):
            raise ApiError(-1128, "Combination of optional parameters invalid.")
        found = [
            trade_row(fill)
            for fill in self._exchange.fills(symbol=self._symbol(params))
            if (first_id is not None or since_ms <= fill.at_ns // MS_NS <= until_ms)
            and fill.trade_id >= (first_id or 0)
            and order_id in {None, fill.order_id}
        ]
        limit = params.limit(ROWS_MAX)
        is_from = first_id is not None or params.text("startTime")
        return found[:limit] if is_from else found[-limit:]

    def _ticket(self, params: Params) -> Ticket:
        """Read an order.

        Raises:
            ApiError: It is none.
        """
        symbol, kind = params.need("symbol"), params.need("type")
        side = params.one_of("side", ("BUY", "SELL"), (-1117, "Invalid side."))
        if kind in CONDITIONAL:
            raise ApiError(*NO_ALGO)
        if kind not in {"LIMIT", "MARKET"}:
            raise ApiError(-1116, "Invalid orderType.")
        if params.text("positionSide", "BOTH") != "BOTH":
            raise ApiError(-4061, "Order's position side does not match user's setting.")
        qty, price, tif = params.number("quantity"), params.number("price"), "GTC"
        if qty is None:
            raise missing("quantity")
        if kind == "LIMIT":
            if price is None:
                raise missing("price")
            tif = params.one_of("timeInForce", TIFS, (-1115, "Invalid timeInForce."))
        elif price is not None or params.text("timeInForce"):
            name = "price" if price is not None else "timeInForce"
            raise ApiError(-1106, f"Parameter '{name}' sent when not required.")
        return Ticket(
            symbol,
            Side(side),
            OrderType(kind),
            qty,
            price,
            params.client_id("newClientOrderId"),
            TimeInForce("GTC" if tif == "GTX" else tif),
            is_post_only=tif == "GTX",
            is_reduce_only=params.flag("reduceOnly"),
        )

    def _symbol(self, params: Params) -> str:
        symbol = params.need("symbol")
        if symbol not in self._exchange.instruments:
            raise ApiError(*WORDS[Why.UNKNOWN_SYMBOL])
        return symbol

    def _find(self, params: Params, complaint: tuple[int, str]) -> OrderRecord:
        """Return the order that is meant; the venue's id counts before the client's."""
        symbol, order_id = self._symbol(params), params.integer("orderId")
        client_id = params.text("origClientOrderId")
        if order_id is None and not client_id:
            raise ApiError(
                -1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty."
            )
        order = self._exchange.order(order_id=order_id, client_id=client_id)
        if order is None or order.symbol != symbol:
            raise ApiError(*complaint)
        return order


def _window(params: Params) -> tuple[int, int]:
    """Return the times asked for, in milliseconds.

    Raises:
        ApiError: They span more than 7 days.
    """
    since_ms, until_ms = params.integer("startTime"), params.integer("endTime")
    if since_ms is not None and until_ms is not None and until_ms - since_ms > WINDOW_MS:
        raise ApiError(-4166, "Search window is restricted to recent 7 days only.")
    if since_ms is not None and until_ms is None:
        until_ms = since_ms + WINDOW_MS
    return since_ms or 0, until_ms if until_ms is not None else 1 << 62


def _told(act: Callable[[Params], dict[str, Any]], params: Params) -> dict[str, Any]:
    try:
        return act(params)
    except ApiError as error:
        return error.told()
