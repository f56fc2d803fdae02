"""One connection to a venue's HTTP host: a request, its answer, then perhaps the next.

Rule 1: a connection on which anything went wrong, or came unasked, is closed: nobody could tell
        whose the next answer is.
Rule 2: what is given up is closed, too, for its answer may still come.
"""

import asyncio
from typing import cast

from brokers.link.answer import Answer, AnswerReader, BadAnswer


class Connection(asyncio.Protocol):
    """Made by the loop, which calls it; `ask` one thing at a time."""

    def __init__(self, answer_bytes_max: int) -> None:
        self._answer_bytes_max = answer_bytes_max
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader: AnswerReader | None = None
        """Of the answer that is waited for."""
        self._told: asyncio.Future[Answer] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._heard_s = 0.0
        self.idle_since_s = self._loop.time()
        """On the loop's clock."""

    @property
    def is_open(self) -> bool:
        """Whether another request may be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes, *, silent_s: float, until_s: float) -> Answer:
        """Send a request at once and return the answer.

        Args:
            request: All its bytes.
            silent_s: How long nothing may come.
            until_s: When the answer has to be whole, on the loop's clock.

        Raises:
            BadAnswer: What came is none.
            OSError: The connection broke; `TimeoutError` is one of them.
        """
        assert self._transport is not None, "it is open"
        assert self._told is None, "one at a time"
        self._reader = AnswerReader(self._answer_bytes_max)
        self._told = self._loop.create_future()
        self._transport.write(request)
        self._heard_s = self._loop.time()
        self._watch(silent_s, until_s)
        is_kept = False
        try:
            answer = await self._told
            is_kept = not answer.is_last
        finally:
            self._told = self._reader = None
            if self._alarm is not None:
                self._alarm.cancel()
            self.idle_since_s = self._loop.time()
            if not is_kept:
                self.close()
        return answer

    def close(self) -> None:
        """Let go of it at once."""
        if self._transport is not None:
            self._transport.abort()

    def _watch(self, silent_s: float, until_s: float) -> None:
        """Look again when silence, or the whole, has lasted too long."""
        due_s = min(self._heard_s + silent_s, until_s)
        if due_s > self._loop.time():
            self._alarm = self._loop.call_at(due_s, self._watch, silent_s, until_s)
        else:
            self._fail(TimeoutError())

    def _tell(self, answer: Answer | None) -> None:
        if answer is not None and self._told is not None and not self._told.done():
            self._told.set_result(answer)

    def _fail(self, error: Exception) -> None:
        if self._told is not None and not self._told.done():
            self._told.set_exception(error)

    # --- called by the loop ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Read on; nothing may come that was not asked for."""
        if self._reader is None or self._told is None or self._told.done():
            self.close()
            return
        self._heard_s = self._loop.time()
        try:
            self._tell(self._reader.feed(data))
        except BadAnswer as error:
            self._fail(error)

    def eof_received(self) -> bool:
        """Take the venue's end; an answer without a length ends with it."""
        if self._reader is not None:
            try:
                self._tell(self._reader.end())
            except BadAnswer as error:
                self._fail(error)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Tell who waits; an answer that is whole was told before."""
        self._fail(error or ConnectionResetError())
