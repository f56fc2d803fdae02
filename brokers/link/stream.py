"""A websocket that comes back: connects, subscribes again each time, and notices silence.

Rule 1: whoever reads is told of every break before the first frame behind it, so that no book is
        carried over one.
Rule 2: a line that is open and says nothing is broken (half-open TCP says nothing for ever).
Rule 3: what is received is bounded: frames by size, and none waits here; whoever takes them bounds
        what waits.
Rule 4: no redirect is followed.

Source: reliability.md E5, E6, F7, rows 1-8, 18, 19; websockets 17 for defaults, all stated here.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.uri import parse_uri

from brokers.link.backoff import Backoff
from brokers.link.reader import Reader
from brokers.link.way import way_to
from engine.model.text import sanitize

CAUSE_MAX: Final = 120
"""Characters of a cause; it may quote the venue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConfig:
    """One line to a venue."""

    url: str
    silent_after_s: float = 10.0
    """Without any frame for so long, the line is given up."""
    open_timeout_s: float = 10.0
    ping_s: float | None = 20.0
    """Between our pings; an answer is due within the same time. None where the venue has its own
    words for it and answers none of these."""
    frame_bytes_max: int = 4 * 1024 * 1024


class Frame(NamedTuple):
    """One message."""

    received_ns: int
    """Wall clock."""
    data: bytes


class Up(NamedTuple):
    """The line is open and the subscriptions are sent."""

    received_ns: int
    attempt: int
    """1 for the first."""


class Down(NamedTuple):
    """The line broke, or could not be opened."""

    received_ns: int
    cause: str
    retry_s: float
    """Until the next attempt."""
    is_flapping: bool
    """The hour's attempts are used up."""


Word = Frame | Up | Down
Opening = Callable[[], Sequence[str]]
"""The messages that subscribe, made anew for each connection: some are signed."""
BROKEN: Final = (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, EOFError)
"""What ends a connection and not the program."""
CLOSE_S: Final = 1.0
"""For the venue's end of a closing handshake."""


class Stream:
    """One line that is kept up until its reader leaves."""

    def __init__(
        self,
        config: StreamConfig,
        opening: Opening,
        backoff: Backoff,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._config = config
        self._opening = opening
        self._backoff = backoff
        self._tls = tls
        self._socket: Reader | None = None
        self._silence: asyncio.Timeout | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._heard_s = 0.0
        self._verdict = ""
        self._bug: Exception | None = None
        """What a reader raised; it ends the line."""
        self.frames = 0
        self.attempts = 0

    async def run(self, take: Callable[[Word], None]) -> None:
        """Hand frames, and what happens to the line, to `take` at once; ends by being canceled.

        Raises:
            InvalidURI: The URL is none; nothing else ends it.

        """
        while True:
            began_s = time.monotonic()
            try:
                await self._connected(take)
            except BROKEN as error:
                now_s = time.monotonic()
                self._backoff.held(now_s - began_s)
                is_flapping = self._backoff.is_exhausted(now_s)
                retry_s = self._backoff.wait_s(now_s)
                take(Down(time.time_ns(), _cause(error), retry_s, is_flapping))
                await asyncio.sleep(retry_s)

    async def send(self, text: str) -> bool:
        """Say something on the open line; False where there is none."""
        if self._socket is None:
            return False
        try:
            await self._socket.send(text)
        except BROKEN:
            return False
        return True

    def give_up(self, cause: str) -> None:
        """End the open line as broken: its reader knows better than its frames tell."""
        if self._silence is not None and not self._silence.expired():
            self._verdict = cause
            self._silence.reschedule(0.0)

    async def _connected(self, take: Callable[[Word], None]) -> None:
        """Live through one connection; it always ends in one of `BROKEN`."""
        self.attempts += 1
        config, url = self._config, parse_uri(self._config.url)
        try:
            async with asyncio.timeout(config.open_timeout_s):
                way = await way_to(url.host, url.port)
        except TimeoutError:
            raise TimeoutError("no address answers") from None
        line = _Line(
            config.url,
            **way,
            ssl=_tls(config.url, self._tls),
            compression=None,  # a bomb needs it, and small frames gain nothing
            proxy=None,  # never one from the environment
            open_timeout=config.open_timeout_s,
            ping_interval=config.ping_s,
            ping_timeout=config.ping_s,
            close_timeout=CLOSE_S,
            max_size=config.frame_bytes_max,
            user_agent_header=None,
            create_connection=Reader,
        )
        async with line as socket:
            assert isinstance(socket, Reader), "it makes what it was told to"
            for message in self._opening():
                await socket.send(message)
            self._socket = socket
            take(Up(time.time_ns(), self.attempts))
            try:
                await self._listen(socket, take)
            finally:
                self._socket = None

    async def _listen(self, socket: Reader, take: Callable[[Word], None]) -> None:
        loop, silent_s = asyncio.get_running_loop(), self._config.silent_after_s

        def hear(data: bytes) -> None:
            self._heard_s = loop.time()
            self.frames += 1
            if self._bug is None:
                self._hand(take, Frame(time.time_ns(), data))

        self._verdict, self._heard_s, self._bug = "", loop.time(), None
        try:
            async with asyncio.timeout(None) as self._silence:
                self._watch(loop)
                socket.begin(hear)
                await socket.recv()
        except (TimeoutError, ConnectionClosed) as error:
            if self._bug is not None:
                raise self._bug from None
            if isinstance(error, ConnectionClosed):
                raise
            raise TimeoutError(self._verdict or f"silent for {silent_s:g} s") from error
        finally:
            self._silence = None
            if self._alarm is not None:
                self._alarm.cancel()

    def _hand(self, take: Callable[[Word], None], frame: Frame) -> None:
        try:
            take(frame)
        except Exception as error:  # noqa: BLE001 - raised again where the line is run
            self._bug = error
            self.give_up("its reader failed")

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look again when there has been silence for too long."""
        due_s = self._heard_s + self._config.silent_after_s
        if due_s > loop.time():
            self._alarm = loop.call_at(due_s, self._watch, loop)
        elif self._silence is not None and not self._verdict:
            self._silence.reschedule(0.0)


class _Line(connect):
    """Goes where it was told: what is said on it may be signed, and its host is one of a list."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow none."""
        return exc


def _tls(url: str, own: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """Return what proves the other end: our own authorities, else the machine's."""
    if not url.startswith("wss:"):
        return None
    return ssl.create_default_context() if own is None else own


def _cause(error: BaseException) -> str:
    return sanitize(f"{type(error).__name__}: {error}", CAUSE_MAX)
