"""The account's own streams at Hyperliquid, and the touch of its coins, on one line.

Rule 1: the line is up once the venue has said so of every stream of the account: what happens from
        then on is told. A line on which it does not say so in time is given up.
Rule 2: what can't be read ends the line: what was missed is not guessed, whoever listens hears of
        the break and asks for the whole account.
Rule 3: each connection begins with the account's latest fills. The first time they are history;
        after a break those we have not seen happened meanwhile.

Source: the Hyperliquid sheet, section 6; reliability.md E6, rows 48-51.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from brokers.hyperliquid import answers, wire
from brokers.hyperliquid.answers import BROKEN, FillRow, OrderUpdate
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.feed import keep_talking, open_line, subscribe
from brokers.hyperliquid.names import Names, Succession
from brokers.hyperliquid.parse import GREETING
from brokers.hyperliquid.refusals import harmless
from brokers.hyperliquid.terms import Touch
from brokers.link.account import FillReport, LineDown, LineUp, OrderReport, Report
from brokers.link.stream import Down, Frame, Stream, Up, Word
from engine.model.venue_events import Standing

STREAMS: Final = ("orderUpdates", "userFills", "userEvents")
TRADES_MAX: Final = 20_000
"""Fills remembered, so that none is told twice."""
Take = Callable[[Report], None]

_message = msgspec.json.Decoder(wire.Message).decode
_touch = msgspec.json.Decoder(wire.Touch).decode
_text = msgspec.json.Decoder(str).decode


class _Subscription(msgspec.Struct):
    type: str


class _Acknowledged(msgspec.Struct):
    subscription: _Subscription


_acknowledged = msgspec.json.Decoder(_Acknowledged).decode


class Listener:
    """Listens to one account until it is canceled."""

    def __init__(
        self,
        config: HyperliquidConfig,
        address: str,
        coins: Sequence[str],
        names: Names,
        succession: Succession,
    ) -> None:
        self._config = config
        self._opening = [subscribe({"type": kind, "user": address}) for kind in STREAMS]
        self._opening += [subscribe({"type": "bbo", "coin": coin}) for coin in coins]
        self._names = names
        self._succession = succession
        self._awaited: set[str] = set()
        self._is_up: bool | None = None
        self._has_history = False
        self._trades: OrderedDict[str, None] = OrderedDict()
        self._touches: dict[str, Touch] = {}
        self._stream: Stream | None = None
        self._unheard: asyncio.TimerHandle | None = None
        """Fires where a stream is not confirmed."""
        self._take: Take | None = None
        self.fills_heard = 0
        """So far; whoever looks at the account meanwhile has to look again."""
        self.words_unheard = 0
        """Order updates whose word nobody knows."""
        self._channels: dict[str, Callable[[msgspec.Raw], None]] = {
            "orderUpdates": self._updates,
            "userFills": self._fills,
            "user": self._event,
            "bbo": self._quote,
            "subscriptionResponse": self._acknowledged,
            "error": self._complaint,
            "pong": lambda _: None,
        }

    async def run(self, take: Take) -> None:
        """Hand over what is told, at once."""
        self._take, self._is_up = take, None
        stream = self._stream = open_line(self._config, self._opening)
        talking = asyncio.create_task(keep_talking(stream, self._config.ping_s))
        try:
            await stream.run(self._hear)
        finally:
            talking.cancel()
            self._wait_no_more()
            self._take = None
            self._touches.clear()

    def touch(self, coin: str) -> Touch | None:
        """Return the best prices as last told; None where the line is down."""
        return self._touches.get(coin)

    def tell(self, report: Report) -> None:
        """Hand something over that was not told here."""
        self.fills_heard += isinstance(report, FillReport)
        if self._take is not None:
            self._take(report)

    # --- the line ------------------------------------------------------------------------------

    def _hear(self, word: Word) -> None:
        match word:
            case Up():
                self._await_streams()
            case Down(cause=cause):
                self._wait_no_more()
                self._touches.clear()
                if self._is_up is not False:
                    self._is_up = False
                    self.tell(LineDown(cause))
            case Frame(data=data):
                try:
                    self._frame(data)
                except BROKEN:
                    self._give_up("a message that can't be read")

    def _frame(self, data: bytes) -> None:
        if data == GREETING:
            return
        message = _message(data)
        heard = self._channels.get(message.channel)
        if heard is not None:  # channels of tomorrow are none of ours
            heard(message.data)

    def _await_streams(self) -> None:
        self._awaited = set(STREAMS)
        loop, patience_s = asyncio.get_running_loop(), self._config.open_timeout_s
        self._unheard = loop.call_later(patience_s, self._give_up, "streams are not confirmed")

    def _wait_no_more(self) -> None:
        if self._unheard is not None:
            self._unheard.cancel()
            self._unheard = None

    def _give_up(self, cause: str) -> None:
        assert self._stream is not None, "only a line has frames"
        self._stream.give_up(cause)

    def _acknowledged(self, data: msgspec.Raw) -> None:
        self._awaited.discard(_acknowledged(data).subscription.type)
        if self._awaited:
            return
        self._wait_no_more()
        if not self._is_up:
            self._is_up = True
            self.tell(LineUp())

    def _complaint(self, data: msgspec.Raw) -> None:
        self._give_up(harmless(f"the venue says: {_text(data)}"))

    # --- what is told --------------------------------------------------------------------------

    def _quote(self, data: msgspec.Raw) -> None:
        told = _touch(data)
        bid, ask = told.sides
        if bid is None or ask is None:
            self._touches.pop(told.coin, None)
        else:
            self._touches[told.coin] = Touch(answers.number(bid.price), answers.number(ask.price))

    def _updates(self, data: msgspec.Raw) -> None:
        for report in [self._update(update) for update in answers.order_updates(data)]:
            if report is not None:
                self.tell(report)

    def _update(self, update: OrderUpdate) -> OrderReport | None:
        number = update.order.oid
        client_id = self._names.of(number, update.order.cloid)
        report = answers.update_report(update, client_id)
        if report.standing is Standing.REJECTED and self._names.is_another(number, client_id):
            return None  # what was refused is a second one of the same name, not the first
        self._names.learn(str(number), client_id)
        if report.standing is Standing.UNANSWERED:
            self.words_unheard += 1
            return None
        return self._succession.hear(report)

    def _fills(self, data: msgspec.Raw) -> None:
        told = answers.fills_told(data)
        fresh = [self._fill(row) for row in told.fills if str(row.tid) not in self._trades]
        is_history = told.is_snapshot and not self._has_history
        self._has_history = self._has_history or told.is_snapshot
        for report in sorted(fresh, key=lambda one: (one.at_ns, int(one.trade_id))):
            self._trades[report.trade_id] = None
            if not is_history:
                self.tell(report)
        while len(self._trades) > TRADES_MAX:
            self._trades.popitem(last=False)

    def _fill(self, row: FillRow) -> FillReport:
        return answers.fill_report(row, self._names.of(row.oid, row.cloid))

    def _event(self, data: msgspec.Raw) -> None:
        told = answers.event_told(data)
        if told.funding is not None:
            self.tell(answers.funding_report(told.funding))
