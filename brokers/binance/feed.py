"""Binance's live market data: two lines, and a snapshot whenever a book has lost its thread.

Rule 1: `batches` never waits. It yields what has arrived, perhaps nothing; the session decides how
        long to wait for more.
Rule 2: diffs flow before the snapshot is asked for, so that none is missing behind it.
Rule 3: events are stamped with the wall clock as they arrive; the session, whose clock never goes
        back, stamps them again as it takes them. The venue's own stamp stays beside it.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Final, Self

from brokers.binance.books import Books
from brokers.binance.config import BinanceConfig
from brokers.binance.listing import listed
from brokers.binance.parse import LineParser, split_stream
from brokers.link.backoff import Backoff, BackoffConfig
from brokers.link.grid import Grid
from brokers.link.inbox import Inbox
from brokers.link.rest import Outcome, Reply, Request, Rest, RestConfig
from brokers.link.stream import Down, Frame, Stream, StreamConfig, Up, Word
from engine.model.errors import DataUnavailable
from engine.model.instrument import Instrument
from engine.model.market import Depth, FeedEvent, FeedStatus
from engine.model.text import sanitize

LISTING: Final = "/fapi/v1/exchangeInfo"
SNAPSHOT: Final = "/fapi/v1/depth?symbol={}&limit=1000"
OK: Final = 200
SAID_MAX: Final = 120
STREAM_NAME_MAX: Final = 64
ENVELOPE: Final = b'{"stream":"'
Tap = Callable[[str, int, bytes], None]
"""Symbol (empty where a message names none), receive time, message."""


class BinanceFeed:
    """USD-M futures; implements `engine.venue.LiveFeed`."""

    name = "binance"
    is_simulated = False

    def __init__(
        self, symbols: Sequence[str], config: BinanceConfig, tap: Tap | None = None
    ) -> None:
        """Prepare to listen.

        Args:
            symbols: Instruments.
            config: Where the venue is.
            tap: Gets every message as it came, before it is read; None listens alone.

        """
        self._symbols = tuple(symbols)
        self._tap = tap
        self._config = config
        self._rest_config = RestConfig(base_url=config.rest_url)
        self._rest = Rest(self._rest_config)
        self._has_some = asyncio.Event()
        self._inbox = Inbox()
        self._books = Books(symbols)
        self._instruments: tuple[Instrument, ...] = ()
        self._parser = LineParser({})
        self._down: dict[str, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.streams: dict[str, Stream] = {}
        """By name; for health."""

    @property
    def instruments(self) -> Sequence[Instrument]:
        """As asked for; known once they are discovered."""
        return self._instruments

    async def discover(self) -> None:
        """Read the listing.

        Raises:
            DataUnavailable: The venue can't be reached or does not answer with a listing.
            UnknownInstrument: It does not list one of the symbols.

        """
        async with Rest(self._rest_config) as rest:
            outcome = await rest.ask(Request("GET", LISTING, {}))
        self._instruments = tuple(listed(_body(outcome), self._symbols))
        self._parser = LineParser({item.symbol: Grid(item) for item in self._instruments})

    async def __aenter__(self) -> Self:
        """Begin to listen; ask what is listed first."""
        await self._rest.__aenter__()
        for name, url, kinds in self._lines():
            self.streams[name] = self._stream(f"{url}/stream?streams={self._names(kinds)}")
            self._spawn(self._listen(name))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._rest.__aexit__(None, None, None)

    async def arrived(self, within_s: float) -> None:
        """Wait until something waits to be taken, at most so long."""
        if not self._inbox:
            self._has_some.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._has_some.wait(), within_s)

    def batches(self) -> Iterator[Sequence[FeedEvent]]:
        """Yield what has arrived since the last look, for ever; empty where nothing has."""
        while True:
            yield self._inbox.take()

    # --- lines ---------------------------------------------------------------------------------

    def _lines(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        config = self._config
        return (
            ("public", config.public_url, ("bookTicker", f"depth@{config.depth_ms}ms")),
            ("market", config.market_url, ("aggTrade", "markPrice@1s")),
        )

    def _names(self, kinds: Sequence[str]) -> str:
        return "/".join(f"{symbol.lower()}@{kind}" for symbol in self._symbols for kind in kinds)

    def _stream(self, url: str) -> Stream:
        config = self._config
        return Stream(
            StreamConfig(
                url=url,
                silent_after_s=config.silent_after_s,
                open_timeout_s=config.open_timeout_s,
            ),
            tuple,
            Backoff(BackoffConfig(per_hour=config.reconnects_per_hour), random.Random()),
        )

    async def _listen(self, name: str) -> None:
        await self.streams[name].run(lambda word: self._hear(name, word))

    def _hear(self, name: str, word: Word) -> None:
        match word:
            case Frame(received_ns=at_ns, data=data):
                if self._tap is not None:
                    self._tap(_symbol(data), at_ns, data)
                event = self._parser.frame(data, at_ns)
                if event is not None:
                    self._put(event)
            case Up(received_ns=at_ns):
                self._down[name] = False
                self._status(at_ns, name, "")
            case Down(received_ns=at_ns, cause=cause):
                if not self._down.get(name):
                    self._down[name] = True
                    self._status(at_ns, name, cause)

    def _status(self, at_ns: int, name: str, cause: str) -> None:
        # The engine forgets every book with any line that comes back, so all are asked for again.
        self._books.broke()
        self._put(FeedStatus(at_ns, f"{self.name}.{name}", not cause, cause))

    def _put(self, event: FeedEvent) -> None:
        if isinstance(event, Depth):
            self._books.saw(event)
            for symbol in self._books.due(event.ts_ns):
                self._spawn(self._fetch(symbol))
        self._has_some.set()
        if not self._inbox.put(event):
            self._books.broke()
            self._inbox.put(FeedStatus(event.ts_ns, self.name, False, "more than could be taken"))
            self._inbox.put(FeedStatus(event.ts_ns, self.name, True))

    # --- snapshots -----------------------------------------------------------------------------

    async def _fetch(self, symbol: str) -> None:
        """Ask for a snapshot; one that does not come is asked for again by the next diff."""
        outcome = await self._rest.ask(Request("GET", SNAPSHOT.format(symbol), {}))
        if isinstance(outcome, Reply) and outcome.status == OK:
            at_ns = time.time_ns()
            if self._tap is not None:
                self._tap(symbol, at_ns, outcome.body)
            event = self._parser.snapshot_of(symbol, outcome.body, at_ns)
            if event is not None:
                self._put(event)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _body(outcome: Outcome) -> bytes:
    """Return a good answer's body.

    Raises:
        DataUnavailable: There is none.

    """
    if not isinstance(outcome, Reply):
        raise DataUnavailable(f"binance can't be reached: {outcome.cause}")
    if outcome.status != OK:
        said = sanitize(outcome.body[:SAID_MAX].decode("utf-8", "replace"), SAID_MAX)
        raise DataUnavailable(f"binance answered {outcome.status}: {said}")
    return outcome.body


def _symbol(frame: bytes) -> str:
    """Return the instrument in a stream's name; empty where there is none."""
    if not frame.startswith(ENVELOPE):
        return ""
    name = frame[len(ENVELOPE) : len(ENVELOPE) + STREAM_NAME_MAX].partition(b'"')[0]
    return split_stream(name.decode("ascii", "replace"))[0]
