"""The account's stream of a Binance sandbox: listen keys and what is told to who holds one.

Rule 1: nothing that happened before a connection is told on it; there is no snapshot.
Rule 2: a key lives an hour from its last extension; who listens on it is told of its end, once.
Source: the Binance sheet, sections 5 and 7.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from brokers.sandbox.binance_codes import ApiError
from brokers.sandbox.binance_params import Params
from brokers.sandbox.binance_words import (
    account_update,
    changed_money,
    changed_position,
    order_update,
    trade_lite,
)
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.faults import Faults
from brokers.sandbox.orders import FundingTold, LeverageTold, MoneyTold, OrderTold, Told
from brokers.sandbox.outbox import Outbox
from brokers.sandbox.streams import OpenStreams
from engine.model.money import ZERO

KEY_S: Final = 3_600.0
NO_KEY: Final = (-1125, "This listenKey does not exist.")


class UserStream:
    """Listen keys, the sockets opened with them, and the frames they get."""

    def __init__(
        self,
        exchange: Exchange,
        faults: Faults,
        streams: OpenStreams,
        clock_ms: Callable[[], int],
    ) -> None:
        self._exchange = exchange
        self._faults = faults
        self._clock_ms = clock_ms
        self._streams = streams
        self._key = ""
        self._made = 0
        self._timer: asyncio.TimerHandle | None = None
        self._outboxes: dict[Outbox, frozenset[str]] = {}
        self._realized: dict[str, Any] = {}
        faults.on("expire_listen_key", lambda _: self._expire())
        exchange.listen(self._heard)

    # --- listen keys ---------------------------------------------------------------------------

    def make(self, _: Params) -> dict[str, Any]:
        """POST /fapi/v1/listenKey: a new one, or the one that lives, extended."""
        if not self._key:
            self._made += 1
            self._key = hashlib.sha256(f"sandbox {self._made}".encode()).hexdigest()
        self._extend()
        return {"listenKey": self._key}

    def renew(self, _: Params) -> dict[str, Any]:
        """PUT /fapi/v1/listenKey."""
        if not self._key:
            raise ApiError(*NO_KEY)
        self._extend()
        return {"listenKey": self._key}

    def close(self, _: Params) -> dict[str, Any]:
        """DELETE /fapi/v1/listenKey."""
        if not self._key:
            raise ApiError(*NO_KEY)
        self._expire()
        return {}

    def stop(self) -> None:
        """Forget the timer of the key."""
        if self._timer is not None:
            self._timer.cancel()

    def _extend(self) -> None:
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(KEY_S, self._expire)

    def _expire(self) -> None:
        if self._key:
            key, self._key = self._key, ""
            self._send({"e": "listenKeyExpired", "E": self._clock_ms(), "listenKey": key})

    # --- sockets -------------------------------------------------------------------------------

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """Serve /private/ws?listenKey=KEY and /private/ws/KEY until the client leaves."""
        key = request.match_info.get("key") or request.query.get("listenKey", "")
        if not key or key != self._key:
            return web.Response(status=401, text="Invalid listenKey")
        wanted = frozenset(filter(None, request.query.get("events", "").split("/")))
        socket = web.WebSocketResponse(autoping=True, heartbeat=180.0, compress=False)
        await socket.prepare(request)
        outbox = Outbox(request.path, self._faults)
        self._outboxes[outbox] = wanted
        sending = asyncio.create_task(outbox.send(socket))
        try:
            with self._streams.opened(request):
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        told = {"result": None, "id": _id(message.data)}
                        outbox.offer(msgspec.json.encode(told))
        finally:
            del self._outboxes[outbox]
            sending.cancel()
        return socket

    # --- frames --------------------------------------------------------------------------------

    def _heard(self, told: Told) -> None:
        now_ms = self._clock_ms()
        match told:
            case OrderTold():
                self._order(told, now_ms)
            case MoneyTold():
                self._money(told, now_ms)
            case FundingTold():
                row = changed_money(self._exchange.balance(), told.amount)
                self._send(account_update("FUNDING_FEE", told.at_ns, now_ms, row, []))
            case LeverageTold():
                change = {"s": told.symbol, "l": told.leverage}
                self._send({"e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms, "ac": change})

    def _order(self, told: OrderTold, now_ms: int) -> None:
        frame = order_update(told, now_ms)
        if frame is None:
            return
        if told.fill is not None:
            realized = self._realized.get(told.fill.symbol, ZERO) + told.fill.realized_pnl
            self._realized[told.fill.symbol] = realized
            self._send(trade_lite(told.fill, told.order, now_ms))
        self._send(frame, is_fill=told.fill is not None)

    def _money(self, told: MoneyTold, now_ms: int) -> None:
        row = changed_money(self._exchange.balance(), ZERO)
        position = self._exchange.position(told.symbol)
        rows = [changed_position(position, self._realized.get(told.symbol, ZERO))]
        self._send(account_update("ORDER", told.at_ns, now_ms, row, rows))

    def _send(self, data: dict[str, Any], *, is_fill: bool = False) -> None:
        frame = msgspec.json.encode(data)
        for outbox, wanted in self._outboxes.items():
            if not wanted or data["e"] in wanted or data["e"] == "listenKeyExpired":
                outbox.offer(frame, is_fill=is_fill)


def _id(text: str) -> object:
    """Return the id of a request that nobody needs here, to acknowledge it."""
    try:
        asked = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return asked.get("id") if isinstance(asked, dict) else None
