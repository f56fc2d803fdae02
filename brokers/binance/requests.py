"""Every private request to Binance: what it says, what it weighs, how it becomes bytes. Pure.

Numbers leave as plain decimals. What changes something leaves in the body, the rest in the URL.

Source: the Binance sheet, sections 4, 5 and 8. It gives no weight for cancel and amend: they count
one each here, and an amend counts as an order; both are on the safe side.
"""

import string
from decimal import Decimal
from typing import Final, NamedTuple

from brokers.binance.sign import Params, encoded, signed
from brokers.link.account import NewOrder
from brokers.link.budget import Lane
from brokers.link.secret import Credentials
from engine.model.orders import OrderType, Side, TimeInForce
from engine.model.words import Word
from engine.venue import Capabilities

ORDER: Final = "/fapi/v1/order"
POST_ONLY: Final = "GTX"
TYPES: Final = frozenset({OrderType.LIMIT, OrderType.MARKET})
"""Triggers have an endpoint of their own that is not used: -4120."""
CAPABILITIES: Final = Capabilities(
    can_amend_price=True,
    can_amend_qty=True,
    amend_down_keeps_queue=False,
    has_triggers=False,
    places_per_request=5,
    cancels_per_request=10,
    client_id_max=36,
    client_id_alphabet=string.ascii_letters + string.digits + ".:/_-",
)
TRADES_MAX: Final = 1_000
"""On one page of fills or payments."""
IN_BODY: Final = frozenset({"POST", "PUT"})
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class Access(Word):
    """What a request has to show."""

    OPEN = "open"
    KEY = "key"
    SIGNED = "signed"


class Call(NamedTuple):
    """One request, before it is signed."""

    method: str
    path: str
    params: Params = ()
    access: Access = Access.SIGNED
    lane: Lane = Lane.READ
    weight: int = 0
    """Of the address."""
    orders: int = 0
    """Of the account's order limits."""
    is_repeatable: bool = True
    """Twice does the same as once."""


class Bytes(NamedTuple):
    """One request as it leaves."""

    method: str
    target: str
    """Path and query."""
    headers: dict[str, str]
    body: bytes


def written(call: Call, credentials: Credentials, at_ms: int, recv_window_ms: int) -> Bytes:
    """Return the bytes of a request made at a venue time."""
    params, headers = call.params, {}
    if call.access is not Access.OPEN:
        headers["X-MBX-APIKEY"] = credentials.key
    if call.access is Access.SIGNED:
        window = (("recvWindow", str(recv_window_ms)), ("timestamp", str(at_ms)))
        text = signed(encoded((*params, *window)), credentials.secret)
    else:
        text = encoded(params)
    if call.method in IN_BODY and text:
        return Bytes(call.method, call.path, headers | FORM, text.encode())
    return Bytes(call.method, f"{call.path}?{text}" if text else call.path, headers, b"")


def lacks(order: NewOrder) -> str:
    """Return why an order can't be said here; empty where it can."""
    if order.type not in TYPES:
        return f"no {order.type} orders here"
    is_resting = order.type is OrderType.LIMIT and order.tif is TimeInForce.GTC
    return "what is post-only has to rest" if order.is_post_only and not is_resting else ""


def place(order: NewOrder) -> Call:
    """Place an order that lacks nothing."""
    params = [
        ("symbol", order.instrument.symbol),
        ("side", order.side),
        ("type", order.type),
        *_terms(order),
        ("quantity", f"{order.qty:f}"),
    ]
    if order.price is not None and order.type is OrderType.LIMIT:
        params.append(("price", f"{order.price:f}"))
    if order.is_reduce_only:
        params.append(("reduceOnly", "true"))
    params += [("newClientOrderId", order.client_id), ("newOrderRespType", "RESULT")]
    lane = Lane.of_order(is_reducing=order.is_reduce_only)
    return Call("POST", ORDER, tuple(params), lane=lane, orders=1, is_repeatable=False)


def _terms(order: NewOrder) -> tuple[tuple[str, str], ...]:
    if order.type is not OrderType.LIMIT:
        return ()
    return (("timeInForce", POST_ONLY if order.is_post_only else order.tif),)


def close(symbol: str, side: Side, qty: Decimal, client_id: str) -> Call:
    """Make a position smaller at any price; it can't turn, so twice is no worse than once."""
    params = (
        ("symbol", symbol),
        ("side", side),
        ("type", OrderType.MARKET),
        ("quantity", f"{qty:f}"),
        ("reduceOnly", "true"),
        ("newClientOrderId", client_id),
        ("newOrderRespType", "RESULT"),
    )
    return Call("POST", ORDER, params, lane=Lane.CANCEL, orders=1)


def amend(symbol: str, client_id: str, side: Side, price: Decimal, qty: Decimal) -> Call:
    """Change price and total quantity of a limit order; both have to be told."""
    params = (
        ("symbol", symbol),
        ("origClientOrderId", client_id),
        ("side", side),
        ("quantity", f"{qty:f}"),
        ("price", f"{price:f}"),
    )
    return Call("PUT", ORDER, params, lane=Lane.PLACE, weight=1, orders=1)


def cancel(symbol: str, client_id: str) -> Call:
    """Take an order out."""
    return Call("DELETE", ORDER, _named(symbol, client_id), lane=Lane.CANCEL, weight=1)


def order(symbol: str, client_id: str) -> Call:
    """Ask how an order stands."""
    return Call("GET", ORDER, _named(symbol, client_id), weight=1)


def order_numbered(symbol: str, venue_order_id: str) -> Call:
    """Ask how an order stands that only the venue's number is known of."""
    return Call("GET", ORDER, (("symbol", symbol), ("orderId", venue_order_id)), weight=1)


def _named(symbol: str, client_id: str) -> Params:
    return (("symbol", symbol), ("origClientOrderId", client_id))


def open_orders(symbol: str = "") -> Call:
    """Ask for the working orders of one instrument, or of all."""
    params = (("symbol", symbol),) if symbol else ()
    return Call("GET", "/fapi/v1/openOrders", params, weight=1 if symbol else 40)


def positions() -> Call:
    """Ask for every position."""
    return Call("GET", "/fapi/v3/positionRisk", weight=5)


def balances() -> Call:
    """Ask for what each asset's wallet holds."""
    return Call("GET", "/fapi/v3/balance", weight=5)


def trades_since(symbol: str, since_ms: int, until_ms: int | None) -> Call:
    """Ask for our fills of at most seven days, oldest first."""
    times = [("startTime", str(since_ms))]
    if until_ms is not None:
        times.append(("endTime", str(until_ms)))
    return _trades(symbol, tuple(times))


def trades_from(symbol: str, first_id: int) -> Call:
    """Ask for our fills from a number on."""
    return _trades(symbol, (("fromId", str(first_id)),))


def latest_trades(symbol: str) -> Call:
    """Ask for our newest fills."""
    return _trades(symbol, ())


def _trades(symbol: str, where: Params) -> Call:
    params = (("symbol", symbol), *where, ("limit", str(TRADES_MAX)))
    return Call("GET", "/fapi/v1/userTrades", params, weight=5)


def funding(since_ms: int) -> Call:
    """Ask for the funding paid and received since a time, oldest first."""
    where = (("incomeType", "FUNDING_FEE"), ("startTime", str(since_ms)))
    params = (*where, ("limit", str(TRADES_MAX)))
    return Call("GET", "/fapi/v1/income", params, weight=30)


def payments(since_ms: int) -> Call:
    """Ask for everything that moved the wallet since a time, oldest first."""
    params = (("startTime", str(since_ms)), ("limit", str(TRADES_MAX)))
    return Call("GET", "/fapi/v1/income", params, weight=30)


def count_down(symbol: str, ttl_ms: int) -> Call:
    """Have every order of an instrument canceled after so long; 0 stops that."""
    params = (("symbol", symbol), ("countdownTime", str(ttl_ms)))
    path = "/fapi/v1/countdownCancelAll"
    return Call("POST", path, params, lane=Lane.CANCEL, weight=10)


def commission(symbol: str) -> Call:
    """Ask what trading an instrument costs."""
    return Call("GET", "/fapi/v1/commissionRate", (("symbol", symbol),), weight=20)


def symbol_settings() -> Call:
    """Ask for leverage and margin mode of every instrument."""
    return Call("GET", "/fapi/v1/symbolConfig", weight=5)


def set_leverage(symbol: str, leverage: int) -> Call:
    """Set an instrument's leverage."""
    params = (("symbol", symbol), ("leverage", str(leverage)))
    return Call("POST", "/fapi/v1/leverage", params, lane=Lane.PLACE, weight=1)


def set_margin_mode(symbol: str, word: str) -> Call:
    """Set an instrument's margin mode, in the venue's word for it."""
    params = (("symbol", symbol), ("marginType", word))
    return Call("POST", "/fapi/v1/marginType", params, lane=Lane.PLACE, weight=1)


def position_mode() -> Call:
    """Ask whether long and short are held apart."""
    return Call("GET", "/fapi/v1/positionSide/dual", weight=30)


def permissions() -> Call:
    """Ask what the key may do; of the spot host."""
    return Call("GET", "/sapi/v1/account/apiRestrictions")


def listen_key(method: str) -> Call:
    """Make (POST) or keep alive (PUT) the key of the account's stream.

    It has the room of orders: questions, which take its place while it is down, must not keep it
    from coming back.
    """
    return Call(method, "/fapi/v1/listenKey", access=Access.KEY, lane=Lane.PLACE, weight=1)


def clock() -> Call:
    """Ask for the venue's time."""
    return Call("GET", "/fapi/v1/time", access=Access.OPEN, weight=1)


def mark_price(symbol: str) -> Call:
    """Ask what an instrument is worth."""
    params = (("symbol", symbol),)
    return Call("GET", "/fapi/v1/premiumIndex", params, access=Access.OPEN, weight=1)


def listing() -> Call:
    """Ask for the venue's limits."""
    return Call("GET", "/fapi/v1/exchangeInfo", access=Access.OPEN, weight=1)
