"""The private half of the Bitunix sandbox over HTTP and websocket: keys, limits, routes.

Source: the Bitunix sheet, sections 2, 5, 7 and 8.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from brokers.link.budget import Budget, Lane, Limit
from brokers.sandbox import bitunix_rows as rows
from brokers.sandbox.bitunix_desk import PARAMETER, Desk
from brokers.sandbox.bitunix_frames import MS_NS
from brokers.sandbox.bitunix_gate import CodeError, Sent, admit
from brokers.sandbox.bitunix_lines import serve_line
from brokers.sandbox.bitunix_teller import PrivateLine, Teller
from brokers.sandbox.bitunix_words import PREFIX, TOO_MANY, good, refused
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.faults import Faults
from brokers.sandbox.orders import Why
from brokers.sandbox.outbox import Outbox
from brokers.sandbox.streams import OpenStreams

PER_S: Final = 10
SLOW_PER_S: Final = 5
SLOW: Final = frozenset(
    {"/trade/cancel_orders", "/trade/cancel_all_orders", "/trade/batch_order",
     "/trade/close_all_position"}
)  # fmt: skip
BOTH_UNITS: Final = frozenset({"s", "ms"})
NO_MODE: Final = {
    Why.UNKNOWN_SYMBOL: (20001, "Market not exists"),
    Why.HAS_ORDERS: (20006, "open orders exist"),
    Why.HAS_POSITION: (20009, "open positions exist"),
}
NOT_ALLOWED: Final = (20011, "The account is not allowed to trade")
Question = Callable[[Mapping[str, str]], object]
Deed = Callable[[Mapping[str, Any]], object]


class PrivateSide:
    """The account's doors."""

    def __init__(
        self,
        app: web.Application,
        exchange: Exchange,
        faults: Faults,
        streams: OpenStreams,
        units: frozenset[str] = BOTH_UNITS,
    ) -> None:
        self._exchange = exchange
        self._faults = faults
        self._streams = streams
        self._units = units
        self._desk = Desk(exchange)
        self.teller = Teller(exchange, self._desk.fee)
        desk = self._desk
        questions: dict[str, Question] = {
            "/account": self._account,
            "/account/get_leverage_margin_mode": self._leverage,
            "/trade/get_pending_orders": desk.pending,
            "/trade/get_history_orders": desk.history,
            "/trade/get_order_detail": desk.detail,
            "/trade/get_history_trades": desk.trades,
            "/position/get_pending_positions": self._positions,
        }
        deeds: dict[str, Deed] = {
            "/account/change_leverage": self._set_leverage,
            "/account/change_margin_mode": self._set_mode,
            "/trade/place_order": desk.place,
            "/trade/batch_order": desk.batch,
            "/trade/modify_order": desk.amend,
            "/trade/cancel_orders": desk.cancel,
            "/trade/cancel_all_orders": desk.cancel_all,
            "/trade/close_all_position": desk.close_all,
        }
        limits = (
            Limit(path, SLOW_PER_S if path in SLOW else PER_S, 1.0) for path in (*questions, *deeds)
        )
        self._budget = Budget(tuple(limits))
        for path, question in questions.items():
            app.router.add_get(PREFIX + path, self._asks(path, question))
        for path, deed in deeds.items():
            app.router.add_post(PREFIX + path, self._does(path, deed))
        app.router.add_get("/private/", self._line)

    def now_ms(self) -> int:
        """Return the venue's time: the wall clock, and what a fault adds to it."""
        return time.time_ns() // MS_NS + self._faults.skew_ms

    # --- doors ---------------------------------------------------------------------------------

    def _asks(self, path: str, question: Question) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            return self._guarded(path, request, b"", lambda _: question(request.query))

        return answer

    def _does(self, path: str, deed: Deed) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            body = await request.read()
            told = self._guarded(path, request, body, lambda sent: deed(_body(sent.body)))
            for ghost in self._desk.new_ghosts:
                self.teller.ghost(ghost)
            self._desk.new_ghosts.clear()
            return told

        return answer

    def _guarded(
        self, path: str, request: web.Request, body: bytes, act: Callable[[Sent], object]
    ) -> web.Response:
        """Let a request in and do what it asks for; every refusal is a 200 with a code."""
        try:
            sent = Sent(request.headers, request.query, body)
            key = admit(sent, self.now_ms())
            self._count(path)
            if request.method == "POST" and not key.can_trade:
                raise CodeError(*NOT_ALLOWED)
            return good(act(sent))
        except CodeError as error:
            return refused(error.code, error.message)

    def _count(self, path: str) -> None:
        now_s = time.monotonic()
        if self._budget.wait_s({path: 1}, Lane.CANCEL, now_s) > 0:
            raise CodeError(*TOO_MANY)
        self._budget.spend({path: 1}, now_s)

    async def _line(self, request: web.Request) -> web.WebSocketResponse:
        line = PrivateLine(Outbox(request.path, self._faults), self._units, self.now_ms)
        self.teller.lines[line] = None
        try:
            with self._streams.opened(request):
                return await serve_line(request, line, line.take_word)
        finally:
            self.teller.lines.pop(line, None)

    # --- the account ---------------------------------------------------------------------------

    def _account(self, query: Mapping[str, str]) -> object:
        if query.get("marginCoin") != rows.COIN:
            raise CodeError(*PARAMETER)
        return rows.account_row(self._exchange.balance())

    def _leverage(self, query: Mapping[str, str]) -> object:
        symbol = query.get("symbol", "")
        if symbol not in self._exchange.instruments:
            raise CodeError(20001, "Market not exists")
        leverage = self._exchange.position(symbol).leverage
        told = {"symbol": symbol, "marginCoin": rows.COIN, "leverage": leverage}
        return {**told, "marginMode": rows.mode(self._exchange.position(symbol).is_isolated)}

    def _set_leverage(self, body: Mapping[str, Any]) -> object:
        symbol, leverage = str(body.get("symbol")), body.get("leverage")
        if type(leverage) is not int:
            raise CodeError(*PARAMETER)
        if self._exchange.open_orders(symbol):
            raise CodeError(20006, "open orders exist")
        if self._exchange.set_leverage(symbol, leverage) is not None:
            raise CodeError(20005, "leverage error")
        return {"symbol": symbol, "leverage": leverage, "marginCoin": rows.COIN}

    def _set_mode(self, body: Mapping[str, Any]) -> object:
        symbol, word = str(body.get("symbol")), body.get("marginMode")
        if word not in rows.MODES:
            raise CodeError(*PARAMETER)
        refusal = self._exchange.set_margin_mode(symbol, is_isolated=word == rows.mode(True))
        if refusal is not None and refusal.why is not Why.SET_ALREADY:
            raise CodeError(*NO_MODE[refusal.why])
        return {"symbol": symbol, "marginMode": word, "marginCoin": rows.COIN}

    def _positions(self, query: Mapping[str, str]) -> object:
        book = self.teller.positions
        return [
            rows.position_row(held, book.of(held.symbol))
            for held in self._exchange.positions()
            if held.qty and query.get("symbol") in (None, held.symbol)
        ]


def _body(content: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CodeError(*PARAMETER) from error
