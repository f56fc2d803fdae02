"""What every live market feed does alike: lines that come back, an inbox, what broke and when.

Rule 1: `batches` never waits. It yields what has arrived, perhaps nothing; the session decides how
        long to wait for more.
Rule 2: an outage is told once, however often the line is tried meanwhile, and before anything that
        comes behind it.
Rule 3: a session that waits is offered what comes first before it is woken: for an order, waking
        costs as much as deciding.
Rule 4: events are stamped with the wall clock as they arrive; the session, whose clock never goes
        back, stamps them again as it takes them. The venue's own stamp stays beside it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import ClassVar, Final, Self

from brokers.link.inbox import Inbox
from brokers.link.past import Klines, Past
from brokers.link.questions import Questions
from brokers.link.rest import Outcome, Reply
from brokers.link.rules_watch import Listing, RulesWatch
from brokers.link.stream import Down, Frame, Stream, Up, Word
from engine.model.errors import DataUnavailable
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent, FeedStatus
from engine.model.text import sanitize
from engine.venue import Take

OK: Final = 200
SAID_MAX: Final = 120
Tap = Callable[[str, int, bytes], None]
"""Symbol (empty where a message names none), receive time, message."""


class MarketFeed:
    """The part of an `engine.venue.LiveFeed` that knows no venue."""

    name: ClassVar[str]
    klines: ClassVar[Klines]
    listing: ClassVar[Listing]
    is_simulated = False

    def __init__(
        self,
        symbols: Sequence[str],
        rest: Questions,
        tap: Tap | None,
        rules_every_s: float = 0.0,
    ) -> None:
        """Prepare to listen.

        Args:
            symbols: Instruments.
            rest: The venue's host.
            tap: Gets every message as it came, before it is read; None listens alone.
            rules_every_s: Seconds between two looks at what the venue lists; 0 never looks again.

        """
        self._symbols = tuple(symbols)
        self._rules_every_s = rules_every_s
        self._tap = tap
        self._rest = rest
        self._woken: asyncio.Future[None] | None = None
        """Of a session that waits."""
        self._take: Take | None = None
        """How that session takes what comes first."""
        self._raised: Exception | None = None
        """What it raised as it took it."""
        self._inbox = Inbox()
        self._instruments: tuple[Instrument, ...] = ()
        self._down: dict[str, bool] = {}
        self._past: Past | None = None
        self._rules: RulesWatch | None = None
        self._bug: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.streams: dict[str, Stream] = {}
        """By name; for health."""

    @property
    def instruments(self) -> Sequence[Instrument]:
        """As asked for; known once they are discovered."""
        return self._instruments

    async def discover(self) -> None:
        """Learn what is traded; before that, `instruments` are empty.

        Raises:
            DataUnavailable: The venue can't be reached, or makes no sense.
            UnknownInstrument: It does not list one of the symbols.

        """
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        """Begin to listen; what is to be known of the past comes first."""
        await self._rest.__aenter__()
        if self._past is not None:
            for history in await self._past.ask(self._instruments):
                self._put(history)
        self._begin()
        if self._rules_every_s:
            self._rules = RulesWatch(self.listing, self._rest.ask, self._instruments, self._put)
            self._spawn(self._rules.run(self._rules_every_s))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._rest.__aexit__(None, None, None)

    def want_bars(self, intervals_s: Sequence[int], count: int) -> None:
        """Bring so many past bars of some lengths before anything else, as far as they are had."""
        self._past = Past(self.klines, self._rest, tuple(intervals_s), count)

    async def arrived(self, within_s: float, take: Take | None = None) -> None:
        """Wait until something has come, or a nudge, at most so long; `take` may have it at once.

        Raises:
            Exception: What `take` raised.

        """
        if self._inbox:
            return
        loop = asyncio.get_running_loop()
        self._woken, self._take = loop.create_future(), take
        alarm = loop.call_later(within_s, self.nudge)
        try:
            await self._woken
        finally:
            alarm.cancel()
            self._woken = self._take = None
        if self._raised is not None:
            raise self._raised

    def nudge(self) -> None:
        """End a wait."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def batches(self) -> Iterator[Sequence[FeedEvent]]:
        """Yield what has arrived since the last look, for ever; empty where nothing has.

        Raises:
            Exception: A bug of ours has ended a line; a feed that stays silent would hide it.

        """
        while True:
            if self._bug is not None:
                raise self._bug
            yield self._inbox.take()

    # --- what a venue adds ---------------------------------------------------------------------

    def _begin(self) -> None:
        """Open the lines."""
        raise NotImplementedError

    def _read(self, name: str, at_ns: int, data: bytes) -> None:
        """Take one frame of a line."""
        raise NotImplementedError

    def _came_up(self, name: str, at_ns: int) -> None:
        """Take note that a line is open; where that proves nothing yet, say so later."""
        self._is_back(name, at_ns)

    def _lost_touch(self) -> None:
        """Trust no book any more."""

    # --- lines ---------------------------------------------------------------------------------

    def _open(self, name: str, stream: Stream) -> None:
        self.streams[name] = stream
        self._spawn(stream.run(lambda word: self._hear(name, word)))

    def _hear(self, name: str, word: Word) -> None:
        match word:
            case Frame(received_ns=at_ns, data=data):
                self._read(name, at_ns, data)
            case Up(received_ns=at_ns):
                self._came_up(name, at_ns)
            case Down(received_ns=at_ns, cause=cause):
                if not self._down.get(name):
                    self._down[name] = True
                    self._status(at_ns, name, cause)

    def _is_back(self, name: str, at_ns: int) -> None:
        self._down[name] = False
        self._status(at_ns, name, "")

    def _status(self, at_ns: int, name: str, cause: str) -> None:
        # The engine forgets every book with any line that comes back, so all start over.
        self._lost_touch()
        self._put(FeedStatus(at_ns, f"{self.name}.{name}", not cause, cause))

    def _put(self, event: FeedEvent) -> None:
        if self._is_taken(event):
            return
        self.nudge()
        if not self._inbox.put(event):
            self._lost_touch()
            if self._rules is not None:
                self._rules.forget()
            self._inbox.put(FeedStatus(event.ts_ns, self.name, False, "more than could be taken"))
            self._inbox.put(FeedStatus(event.ts_ns, self.name, True))

    def _is_taken(self, event: FeedEvent) -> bool:
        """Offer an event to a session that waits, unless something has woken it already."""
        woken, take = self._woken, self._take
        if take is None or woken is None or woken.done() or self._inbox:
            return False
        try:
            is_taken = take(event)
        except Exception as error:  # noqa: BLE001 - the session's own
            self._raised, is_taken = error, True
        if is_taken:
            self.nudge()
        return is_taken

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._bug = self._bug or bug
            self.nudge()


def good_body(venue: str, outcome: Outcome) -> bytes:
    """Return a good answer's body.

    Raises:
        DataUnavailable: There is none.

    """
    if not isinstance(outcome, Reply):
        raise DataUnavailable(f"{venue} can't be reached: {outcome.cause}")
    if outcome.status != OK:
        said = sanitize(outcome.body[:SAID_MAX].decode("utf-8", "replace"), SAID_MAX)
        raise DataUnavailable(f"{venue} answered {outcome.status}: {said}")
    return outcome.body
