"""Questions to one account without a loop: for the sentinel.

What fails is an `OSError` that names no key. A request that was refused because a clock was set is
sent once more with the time that the venue told; what is asked here may be asked twice.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from msgspec import Raw

from brokers.bitunix import requests, rows
from brokers.bitunix.answers import UNREADABLE, Said, is_unknown_order, said
from brokers.bitunix.clock import S_NS, SecondsClock
from brokers.bitunix.codes import OK, SIGNATURE
from brokers.bitunix.requests import PAGE, Scribe
from brokers.bitunix.rows import OrderRow, PositionRow, TradeRow, text_of
from brokers.link.emergency_line import EmergencyLine
from brokers.link.exchanged import Reply, Request
from brokers.link.offset import date_s
from brokers.link.secret import Credentials

NONCE_BYTES: Final = 16
PAGES_MAX: Final = 20
SET_NS: Final = 1_000_000_000
"""A clock that moved by more than this was set."""
T = TypeVar("T")


class Asker:
    """Asks one account, one request after another."""

    def __init__(self, credentials: Credentials, line: EmergencyLine) -> None:
        self._line = line
        self._clock = SecondsClock()
        self._scribe = Scribe(credentials, self._now_ms, lambda: secrets.token_hex(NONCE_BYTES))

    def do(self, path: str, body: Mapping[str, Any]) -> Said:
        """Ask for something to be done.

        Raises:
            OSError: It failed, or there is no whole answer.

        """
        return self._ask(lambda: self._scribe.post(path, body))

    def detail(self, named: Mapping[str, str]) -> OrderRow | None:
        """Return an order by either name; None where the venue knows none.

        Raises:
            OSError: The venue can't be asked.

        """
        answer = self._ask(lambda: self._scribe.get(requests.DETAIL, named))
        if is_unknown_order(answer):
            return None
        order_id, client_id = named.get("orderId"), named.get("clientId")
        for row in _parsed(answer, rows.orders.any):
            is_it = order_id in (None, text_of(row.order_id))
            if is_it and client_id in (None, text_of(row.client_id)):
                return row
        return None

    def trades(self, asked: Mapping[str, str]) -> Sequence[TradeRow]:
        """Return the newest page of executions.

        Raises:
            OSError: The venue can't be asked.

        """
        told = self._read(requests.TRADES, {**asked, "limit": str(PAGE)}, rows.trade_pages.all)
        return [row for page in told for row in page.rows]

    def positions(self) -> Sequence[PositionRow]:
        """Return every open position.

        Raises:
            OSError: The venue can't be asked.

        """
        return self._read(requests.POSITIONS, {}, rows.positions.all)

    def pending(self) -> Sequence[OrderRow]:
        """Return every order that can still fill.

        Raises:
            OSError: The venue can't be asked.

        """
        found: dict[str, OrderRow] = {}
        for number in range(PAGES_MAX):
            asked = {"skip": str(number * PAGE), "limit": str(PAGE)}
            pages = self._read(requests.PENDING, asked, rows.order_pages.all)
            told = [row for page in pages for row in page.rows]
            found |= {text_of(row.order_id): row for row in told}
            if len(told) < PAGE:
                break
        return list(found.values())

    def _read(self, path: str, asked: Mapping[str, str], read: Callable[[Raw], T]) -> T:
        return _parsed(self._ask(lambda: self._scribe.get(path, asked)), read)

    def _ask(self, write: Callable[[], Request]) -> Said:
        believed_ns = self._clock.offset_ns
        answer = self._once(write())
        was_set = abs(self._clock.offset_ns - believed_ns) > SET_NS
        return self._once(write()) if was_set and answer.code in SIGNATURE else answer

    def _once(self, request: Request) -> Said:
        asked_ns = time.time_ns()
        status, body = self._line.ask(request)
        second = date_s(self._line.date)
        if second is not None:
            self._clock.sample(second, asked_ns=asked_ns, heard_ns=time.time_ns())
        answer = said(Reply(status, {}, body, 0, 0))
        if isinstance(answer, Said):
            return answer
        raise OSError(f"bitunix: {answer.cause}")

    def _now_ms(self) -> int:
        return (time.time_ns() + self._clock.offset_ns) // (S_NS // 1_000)


def _parsed(answer: Said, read: Callable[[Raw], T]) -> T:
    if answer.code != OK:
        raise OSError(f"bitunix: {answer.code} {answer.message}")
    try:
        return read(answer.data)
    except UNREADABLE:
        raise OSError("bitunix: an answer that can't be read") from None
