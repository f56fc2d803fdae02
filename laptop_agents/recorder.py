"""One live source on its way to disk: messages raw as they came, quotes and trades as tables."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from brokers.link.tables import COLUMNS, FORMATS, Table, TextTable, row_of, write_rules
from brokers.link.tape import Tape, TapeConfig
from engine.model.errors import UnknownInstrument
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent, FeedStatus, Malformed, Quote, Trade
from laptop_agents.compose import make_live_feed

if TYPE_CHECKING:
    from brokers.link.feed import MarketFeed
    from laptop_agents.settings import Settings

WRITE_S: Final = 1.0
"""Between two writes: what a crash may lose."""
TABLE_FORMATS: Final = (*FORMATS, "parquet")


class Recorder:
    """One source."""

    def __init__(self, settings: "Settings", folder: Path, format_: str, tape: TapeConfig) -> None:
        """Prepare; nothing is asked and nothing made.

        Args:
            settings: Which source, and what of it.
            folder: Gets `raw` and a folder named by the format.
            format_: One of `TABLE_FORMATS`.
            tape: How much is kept, of each of the two.

        """
        self._settings = settings
        self.folder = folder
        self._format = format_
        self._tape = tape
        self._rules: dict[str, Instrument] = {}
        self._breaks = self._malformed = 0

    @property
    def source(self) -> str:
        """Name of the source."""
        return self._settings.source

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it lists of what was asked for."""
        return tuple(self._rules)

    async def discover(self) -> None:
        """Make the folders, and learn what of the symbols the source lists.

        Raises:
            DataUnavailable: The venue can't be reached.
            UnknownInstrument: It lists none of them.
            StateDamaged: The disk refuses.
            UsageError: Parquet without its extra.

        """
        self._raw = Tape(self.folder / "raw", self._tape)
        self._feed = await self._discovered(list(self._settings.symbols))
        self._rules = {item.symbol: item for item in self._feed.instruments}
        self._table = self._opened_table(self.folder / self._format)
        write_rules(self.folder / self._format, self._feed.instruments)
        for symbol, instrument in self._rules.items():
            self._raw.open(symbol, "jsonl")
            for kind in COLUMNS:
                self._table.open(kind, instrument)

    async def _discovered(self, symbols: list[str]) -> "MarketFeed":
        while True:
            wanted = self._settings.model_copy(update={"symbols": tuple(symbols)})
            feed = make_live_feed(wanted, self._take)
            assert feed is not None, "checked by whoever asks for a recording"
            try:
                await feed.discover()
            except UnknownInstrument as error:
                if symbols == [error.symbol] or error.symbol not in symbols:
                    raise
                symbols.remove(error.symbol)
            else:
                return feed

    def _opened_table(self, folder: Path) -> Table:
        if self._format in FORMATS:
            return TextTable(folder, self._tape, self._format)
        from brokers.link.parquet_table import ParquetTable  # noqa: PLC0415 - needs an extra

        return ParquetTable(folder, self._tape)

    def _take(self, symbol: str, at_ns: int, message: bytes) -> None:
        if symbol in self._rules:  # what names none of ours is no market
            self._raw.take(symbol, b"%d %b" % (at_ns, message))

    async def run(self, over: asyncio.Event, say: Callable[[], None], say_s: float) -> None:
        """Record until told that it is over; what arrived by then is written.

        Args:
            over: Ends it.
            say: Called every `say_s` seconds.

        Raises:
            StateDamaged: The disk refuses, or is too slow.

        """
        said_s = written_s = time.monotonic()
        async with self._feed:
            batches = self._feed.batches()
            while not over.is_set():
                await self._feed.arrived(WRITE_S / 4)
                self._note(next(batches))
                now_s = time.monotonic()
                if now_s - written_s >= WRITE_S:
                    written_s = now_s
                    await self._write()
                if now_s - said_s >= say_s:
                    said_s = now_s
                    say()
        self._note(next(batches))  # what was heard until the lines were closed
        await self._write(is_last=True)

    async def _write(self, *, is_last: bool = False) -> None:
        await asyncio.to_thread(self._raw.write, self._raw.cut())
        await asyncio.to_thread(self._table.write, self._table.cut(is_last=is_last))

    def _note(self, batch: Sequence[FeedEvent]) -> None:
        for event in batch:
            match event:
                case Quote() | Trade():
                    kind, row = row_of(event, self._rules[event.symbol])
                    self._table.take(kind, event.symbol, row)
                case FeedStatus(is_connected=False):
                    self._breaks += 1
                case Malformed():
                    self._malformed += 1

    def summary(self) -> str:
        """Return what was recorded so far."""
        size_mb = (self._raw.bytes + self._table.bytes) / 1e6
        return (
            f"{self._raw.lines:,} messages, {self._table.lines:,} quotes and trades,"
            f" {size_mb:.1f} MB, {self._breaks} breaks, {self._malformed} malformed"
        )
