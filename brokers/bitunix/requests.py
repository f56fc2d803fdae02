"""Every request of an account, byte for byte: path, query, headers, body. Pure.

A body is written once, without spaces, and those bytes are both signed and sent.

Source: sheet sections 2, 5 and 6. The account is run in one-way mode: no `tradeSide`.
"""

from collections.abc import Callable, Mapping, Sequence
from string import ascii_letters, digits
from typing import Any, Final
from urllib.parse import quote

import msgspec

from brokers.bitunix.rows import MODE_WORDS
from brokers.bitunix.sign import query_text, sign
from brokers.bitunix.wire import PREFIX
from brokers.link.account import NewOrder, OrderRef
from brokers.link.exchanged import Request
from brokers.link.secret import Credentials
from engine.model.orders import OrderType, TimeInForce
from engine.venue import Capabilities, MarginTerms

COIN: Final = "USDT"
PAGE: Final = 100
"""Rows of an answer, the most there are."""

ACCOUNT: Final = "/account"
LEVERAGE: Final = "/account/get_leverage_margin_mode"
SET_LEVERAGE: Final = "/account/change_leverage"
SET_MODE: Final = "/account/change_margin_mode"
PLACE: Final = "/trade/place_order"
BATCH: Final = "/trade/batch_order"
CANCEL: Final = "/trade/cancel_orders"
PENDING: Final = "/trade/get_pending_orders"
DETAIL: Final = "/trade/get_order_detail"
TRADES: Final = "/trade/get_history_trades"
POSITIONS: Final = "/position/get_pending_positions"

EFFECTS: Final[Mapping[TimeInForce, str]] = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
}
POST_ONLY: Final = "POST_ONLY"
NONCE_BYTES: Final = 16
"""32 hexadecimal characters."""
CAPABILITIES: Final = Capabilities(
    can_amend_price=False,
    can_amend_qty=False,
    amend_down_keeps_queue=False,
    has_triggers=False,
    places_per_request=20,
    cancels_per_request=20,
    client_id_max=32,
    client_id_alphabet=ascii_letters + digits + "-_",
)
"""Orders can be changed in place there, but what becomes of their id and post-only is not known."""


class Asking:
    """Writes questions in one account's name, and nothing else."""

    def __init__(
        self, credentials: Credentials, now_ms: Callable[[], int], nonce: Callable[[], str]
    ) -> None:
        """Take the pen.

        Args:
            credentials: Whose.
            now_ms: The venue's time.
            nonce: Something new each time, 32 characters.

        """
        self._credentials = credentials
        self.now_ms = now_ms
        self._nonce = nonce

    def get(self, path: str, params: Mapping[str, str]) -> Request:
        """Ask for something."""
        told = {name: params[name] for name in sorted(params) if params[name]}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in told.items())
        target = f"{PREFIX}{path}?{query}" if query else f"{PREFIX}{path}"
        return Request("GET", target, self._headers(query_text(told), b""))

    def _headers(self, query: str, body: bytes) -> dict[str, str]:
        nonce, timestamp = self._nonce(), str(self.now_ms())
        return {
            "api-key": self._credentials.key,
            "sign": sign(self._credentials, nonce, timestamp, query, body),
            "nonce": nonce,
            "timestamp": timestamp,
            "language": "en-US",
            "Content-Type": "application/json",
        }


class Scribe(Asking):
    """Writes any request in one account's name."""

    def post(self, path: str, body: Mapping[str, Any]) -> Request:
        """Ask for something to be done."""
        content = msgspec.json.encode(body)
        return Request("POST", f"{PREFIX}{path}", self._headers("", content), content)

    def login(self, *, in_seconds: bool) -> str:
        """Return the message that opens a private line; the literal that is sent is signed."""
        now_ms = self.now_ms()
        told = now_ms // 1_000 if in_seconds else now_ms
        nonce = self._nonce()
        args = {
            "apiKey": self._credentials.key,
            "timestamp": told,
            "nonce": nonce,
            "sign": sign(self._credentials, nonce, str(told)),
        }
        return msgspec.json.encode({"op": "login", "args": [args]}).decode()


def placement(order: NewOrder) -> dict[str, Any]:
    """Return the body that places an order."""
    body: dict[str, Any] = {
        "symbol": order.instrument.symbol,
        "side": order.side.value,
        "orderType": order.type.value,
        "qty": f"{order.qty:f}",
    }
    if order.type is OrderType.LIMIT:
        assert order.price is not None, "a limit has one"
        body["price"] = f"{order.price:f}"
        body["effect"] = POST_ONLY if order.is_post_only else EFFECTS[order.tif]
    if order.is_reduce_only:
        body["reduceOnly"] = True
    body["clientId"] = order.client_id
    return body


def placements(orders: Sequence[NewOrder]) -> dict[str, Any]:
    """Return the body that places several orders of one instrument."""
    bodies = [placement(order) for order in orders]
    symbol = bodies[0]["symbol"]
    items = [{name: body[name] for name in body if name != "symbol"} for body in bodies]
    return {"symbol": symbol, "orderList": items}


def cancellation(*refs: OrderRef) -> dict[str, Any]:
    """Return the body that takes orders of one instrument out."""
    return {"symbol": refs[0].symbol, "orderList": [named(ref) for ref in refs]}


def named(ref: OrderRef) -> dict[str, str]:
    """Name an order by the venue's id where it is known, else by ours."""
    if ref.venue_order_id:
        return {"orderId": ref.venue_order_id}
    return {"clientId": ref.client_id}


def leverage(wanted: MarginTerms) -> dict[str, Any]:
    """Return the body that sets an instrument's leverage."""
    return {"symbol": wanted.symbol, "leverage": wanted.leverage, "marginCoin": COIN}


def margin_mode(wanted: MarginTerms) -> dict[str, Any]:
    """Return the body that sets an instrument's margin mode."""
    assert wanted.mode is not None, "one that is wished for"
    mode = MODE_WORDS[wanted.mode]
    return {"marginMode": mode, "symbol": wanted.symbol, "marginCoin": COIN}
