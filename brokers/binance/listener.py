"""The account's own stream: a key that is kept alive, a line that is made anew with it.

Rule 1: each connection asks for the key again, which extends it: a line that comes back with a key
        that has died in between would be open and silent for ever.
Rule 2: what can't be read, and a key that is gone, end the line: what was missed is not guessed,
        whoever listens hears of the break and asks for the whole account.
Rule 3: silence is normal here; that the other end lives is shown by its answers to our pings.

Source: the Binance sheet, section 7; reliability.md E6, rows 48-51.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from brokers.binance import requests
from brokers.binance.answers import BROKEN, FeeOf
from brokers.binance.caller import Caller
from brokers.binance.config import BinanceConfig
from brokers.binance.faults import KEY_GONE, Fault
from brokers.binance.terms import listen_key
from brokers.binance.user_stream import Told, read
from brokers.link.account import LineDown, LineUp, Report
from brokers.link.backoff import Backoff, BackoffConfig
from brokers.link.stream import Down, Frame, Stream, StreamConfig, Up, Word
from brokers.link.trust import trusted

SILENT_AFTER_S: Final = 86_400.0
"""An account where nothing happens says nothing; the venue closes each line after a day."""
KINDS_MAX: Final = 64
"""Kinds of events counted."""
AGAIN_SHARE: Final = 30
"""A renewal that failed is tried again after this part of its interval."""
Take = Callable[[Report], None]


class End(NamedTuple):
    """Why a line is over, and when to open the next."""

    cause: str
    wait_s: float


class Listener:
    """Listens to one account until it is canceled."""

    def __init__(self, caller: Caller, config: BinanceConfig, quote: str, fee_of: FeeOf) -> None:
        self._caller = caller
        self._config = config
        self._quote = quote
        self._fee_of = fee_of
        self._tls = trusted("binance", config)
        self._backoff = Backoff(BackoffConfig(per_hour=config.reconnects_per_hour), random.Random())
        self._is_up: bool | None = None
        self.kinds: Counter[str] = Counter()
        """Events heard so far, by kind; `unreadable` among them."""

    async def run(self, take: Take) -> None:
        """Hand over what is told, at once."""
        self._is_up = None
        while True:
            key = await self._key()
            if isinstance(key, Fault):
                end = End(key.detail, self._backoff.wait_s(time.monotonic()))
            else:
                end = await self._one_line(key, take)
            if self._is_up is not False:
                self._is_up = False
                take(LineDown(end.cause))
            await asyncio.sleep(end.wait_s)

    async def _key(self) -> str | Fault:
        told = await self._caller.ask(requests.listen_key("POST"))
        if isinstance(told, Fault):
            return told
        try:
            return listen_key(told)
        except BROKEN:
            return Fault(None, "a stream key that can't be read")

    async def _one_line(self, key: str, take: Take) -> End:
        """Live through one connection."""
        over: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        stream = Stream(
            StreamConfig(
                url=f"{self._config.private_url}/ws?listenKey={key}",
                silent_after_s=SILENT_AFTER_S,
                open_timeout_s=self._config.open_timeout_s,
                ping_s=self._config.ping_s,
            ),
            tuple,
            self._backoff,
            self._tls,
        )
        tasks = [
            asyncio.create_task(stream.run(lambda word: self._hear(word, take, over))),
            asyncio.create_task(self._keep(over)),
        ]
        try:
            waiting: list[asyncio.Future[Any]] = [over, *tasks]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return over.result() if over.done() else self._ended("the line can't be opened")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, word: Word, take: Take, over: "asyncio.Future[End]") -> None:
        if over.done():
            return
        match word:
            case Up():
                self._is_up = True
                take(LineUp())
            case Down(cause=cause, retry_s=retry_s):
                over.set_result(End(cause, retry_s))
            case Frame(data=data):
                self._read(data, take, over)

    def _read(self, data: bytes, take: Take, over: "asyncio.Future[End]") -> None:
        try:
            told = read(data, self._quote, self._fee_of)
        except BROKEN:
            told = Told(event="unreadable")
            over.set_result(self._ended("a message that can't be read"))
        if told.event in self.kinds or len(self.kinds) < KINDS_MAX:
            self.kinds[told.event] += 1
        for report in told.reports:
            take(report)
        if told.is_key_gone:
            over.set_result(self._ended("the stream's key has expired"))

    async def _keep(self, over: "asyncio.Future[End]") -> None:
        """Renew the key for as long as the line lives."""
        wait_s = self._config.keep_alive_s
        while True:
            await asyncio.sleep(wait_s)
            told = await self._caller.ask(requests.listen_key("PUT"))
            is_kept = not isinstance(told, Fault)
            wait_s = self._config.keep_alive_s / (1 if is_kept else AGAIN_SHARE)
            if isinstance(told, Fault) and told.code == KEY_GONE and not over.done():
                over.set_result(self._ended("the stream's key is gone"))

    def _ended(self, cause: str) -> End:
        return End(cause, self._backoff.wait_s(time.monotonic()))
