"""What the Bitunix sandbox tells on its private lines: logins, and all that happens.

A line that has logged in hears all channels, whether it subscribed or not, as clients found.

Source: the Bitunix sheet, section 7.
"""

import time
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any, Final

import msgspec

from brokers.bitunix.talk import Topic
from brokers.sandbox import bitunix_rows as rows
from brokers.sandbox.bitunix_frames import MS_NS
from brokers.sandbox.bitunix_gate import admit_login
from brokers.sandbox.bitunix_lines import Line
from brokers.sandbox.exchange import Exchange
from brokers.sandbox.orders import (
    FundingTold,
    Kind,
    MoneyTold,
    OrderRecord,
    OrderTold,
    PositionRecord,
    Told,
)
from brokers.sandbox.outbox import Outbox
from engine.model.money import ZERO

CHANNELS: Final = ("order", "position", "balance", "tpsl")
FIRST_POSITION: Final = 7_000_000_001
NEVER: Final = rows.Opened("0", 0, ZERO)


class PrivateLine(Line):
    """A websocket of the account's."""

    def __init__(self, outbox: Outbox, units: frozenset[str], now_ms: Callable[[], int]) -> None:
        super().__init__(outbox, _carries)
        self._units = units
        self._now_ms = now_ms
        self.is_in = False

    def take_word(self, word: dict[str, Any]) -> list[Topic]:
        """Obey; a login is answered, a subscription is not."""
        if word.get("op") != "login":
            return super().take_word(word) if self.is_in or word.get("op") == "ping" else []
        args = word.get("args")
        first = args[0] if isinstance(args, list) and args else None
        why = admit_login(first, self._now_ms(), self._units)
        self.is_in = not why
        data = {"result": False, "msg": why} if why else {"result": True}
        self.offer(msgspec.json.encode({"op": "login", "data": data}))
        return []


def _carries(topic: Topic) -> bool:
    return topic[1] in CHANNELS


class PositionBook:
    """Numbers positions, each from its opening to its close, and adds up what they were funded."""

    def __init__(self) -> None:
        self._numbers = count(FIRST_POSITION)
        self._open: dict[str, rows.Opened] = {}

    def turn(self, held: PositionRecord) -> tuple[rows.Opened, str]:
        """Follow a change; return the position as it was opened and the event's name."""
        known = self._open.get(held.symbol)
        if known is None:
            known = rows.Opened(str(next(self._numbers)), held.updated_ns, ZERO)
            event = "OPEN" if held.qty else "CLOSE"
        else:
            event = "UPDATE" if held.qty else "CLOSE"
        self._open[held.symbol] = known
        if not held.qty:
            del self._open[held.symbol]
        return known, event

    def of(self, symbol: str) -> rows.Opened:
        """Return an open position as it was opened."""
        return self._open.get(symbol, NEVER)

    def fund(self, symbol: str, amount: Decimal) -> rows.Opened:
        """Add a payment."""
        known = self.of(symbol)
        known = known._replace(funding=known.funding + amount)
        if symbol in self._open:
            self._open[symbol] = known
        return known


class Teller:
    """Listens to the exchange and tells whoever has logged in."""

    def __init__(self, exchange: Exchange, fee: Callable[[OrderRecord], Decimal]) -> None:
        self._exchange = exchange
        self._fee = fee
        self.lines: dict[PrivateLine, None] = {}
        self.positions = PositionBook()
        exchange.listen(self._hear)

    def _hear(self, told: Told) -> None:
        match told:
            case OrderTold(kind=Kind.REJECTED):
                pass  # it never was an order
            case OrderTold(kind=kind, order=order):
                event = "CREATE" if kind is Kind.NEW else "UPDATE"
                is_fill = kind is Kind.FILLED
                self._order(order, event if order.is_open else "CLOSE", is_fill=is_fill)
            case MoneyTold(symbol=symbol):
                held = self._exchange.position(symbol)
                opened, event = self.positions.turn(held)
                self._push("position", rows.position_push(held, opened, event))
                self._push("balance", rows.balance_push(self._exchange.balance()))
            case FundingTold(symbol=symbol, amount=amount):
                opened = self.positions.fund(symbol, amount)
                held = self._exchange.position(symbol)
                self._push("position", rows.position_push(held, opened, "UPDATE"))
            case _:
                pass

    def _order(self, order: OrderRecord, event: str, *, is_fill: bool = False) -> None:
        self._push("order", rows.order_push(order, self._fee(order), event), is_fill=is_fill)

    def ghost(self, order: OrderRecord) -> None:
        """Tell of an order that was taken in and canceled before it was in the book."""
        self._push("order", rows.order_push(order, ZERO, "CREATE", is_init=True))
        self._order(order, "CLOSE")

    def _push(self, channel: str, data: dict[str, Any], *, is_fill: bool = False) -> None:
        frame = msgspec.json.encode({"ch": channel, "ts": time.time_ns() // MS_NS, "data": data})
        for line in self.lines:
            if line.is_in:
                line.offer(frame, is_fill=is_fill)
