"""A live source with a second one beside it, whose quotes are only held against the first's.

Rule 1: of the second market a session gets quotes and the state of its lines, as inputs of types
        of their own; nothing that trades, draws or counts a market can take them for one.
Rule 2: of each instrument the newest quote wins, at most one in `EVERY_NS`: the guard needs no
        more, and a busy second market shall not cost the first one its time. Nobody is woken.
Rule 3: what the second market sends in a form nobody understands is counted, under no symbol.
"""

from collections.abc import Iterator, Mapping, Sequence
from time import monotonic_ns
from typing import Final, Self

from engine.model.instrument import Instrument
from engine.model.market import FeedStatus, Malformed, Quote, ReferenceQuote, ReferenceStatus
from engine.model.text import sanitize
from engine.venue import BarSource, FeedInput, LiveFeed, Take

EVERY_NS: Final = 100_000_000
DETAIL_MAX: Final = 120


class ReferencedFeed:
    """A `BarSource` made of two sources, both discovered."""

    def __init__(self, main: BarSource, beside: LiveFeed, theirs: Mapping[str, str]) -> None:
        """Join the two.

        Args:
            main: What is traded on.
            beside: What it is held against.
            theirs: The symbol there of each symbol here.

        """
        self._main, self._beside, self._theirs = main, beside, theirs
        self._ours: dict[str, list[str]] = {}
        for here, there in theirs.items():
            self._ours.setdefault(there, []).append(here)
        self.name = main.name
        self.is_simulated = main.is_simulated
        self._waiting: dict[str, ReferenceQuote] = {}
        """The newest quotes that have not been passed on, by our symbol."""
        self._passed_ns: dict[str, int] = {}

    @property
    def instruments(self) -> Sequence[Instrument]:
        """What is traded on."""
        return self._main.instruments

    @property
    def references(self) -> Mapping[str, Instrument]:
        """The instruments beside, by the symbol of ours."""
        known = {there.symbol: there for there in self._beside.instruments}
        return {here: known[there] for here, there in self._theirs.items()}

    def batches(self) -> Iterator[Sequence[FeedInput]]:
        """Yield what has come from both; a batch with nothing in it where nothing has."""
        beside = self._beside.batches()
        for batch in self._main.batches():
            seen = self._seen(next(beside), monotonic_ns())
            yield [*batch, *seen] if seen else batch

    def _seen(self, batch: Sequence[FeedInput], now_ns: int) -> list[FeedInput]:
        told: list[FeedInput] = []
        for event in batch:
            match event:
                case Quote(symbol=there):
                    for here in self._ours.get(there, ()):
                        self._waiting[here] = _quote(event, here)
                case FeedStatus(ts_ns=ts_ns, source=source, is_connected=is_up, reason=reason):
                    told.append(ReferenceStatus(ts_ns, source, is_up, reason))
                case Malformed(ts_ns=ts_ns, flaw=flaw, detail=detail):
                    said = sanitize(f"{self._beside.name}, the reference: {detail}", DETAIL_MAX)
                    told.append(Malformed(ts_ns, "", flaw, said))
                case _:
                    pass  # its trades, books and funding are nobody's business
        if self._waiting:
            told += self._due(now_ns)
        return told

    def _due(self, now_ns: int) -> list[ReferenceQuote]:
        since_ns = now_ns - EVERY_NS
        due = [symbol for symbol in self._waiting if self._passed_ns.get(symbol, 0) <= since_ns]
        self._passed_ns |= dict.fromkeys(due, now_ns)
        return [self._waiting.pop(symbol) for symbol in due]

    async def discover(self) -> None:
        """Know them already."""

    def want_bars(self, intervals_s: Sequence[int], count: int) -> None:
        """Bring past bars of the first one."""
        self._main.want_bars(intervals_s, count)

    async def arrived(self, within_s: float, take: Take | None = None) -> None:
        """Wait for the first one; nothing of the second is taken at once."""
        await self._main.arrived(within_s, take)

    def nudge(self) -> None:
        """End a wait."""
        self._main.nudge()

    async def __aenter__(self) -> Self:
        """Begin to listen to both."""
        await self._beside.__aenter__()
        try:
            await self._main.__aenter__()
        except BaseException:
            await self._beside.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave both."""
        try:
            await self._main.__aexit__(None, None, None)
        finally:
            await self._beside.__aexit__(None, None, None)


def _quote(quote: Quote, symbol: str) -> ReferenceQuote:
    return ReferenceQuote(
        quote.ts_ns,
        symbol,
        quote.bid_ticks,
        quote.bid_lots,
        quote.ask_ticks,
        quote.ask_lots,
        quote.ts_event_ns,
        quote.seq,
    )
