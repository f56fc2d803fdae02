"""`laptop-agents record`: a live market to files, raw as it came and as quotes and trades.

DIR/raw/BTCUSDT-00001.jsonl.gz      `<receive ns> <message>`, what `--source file:DIR/raw` plays
DIR/csv/BTCUSDT-quotes-00001.csv.gz
DIR/csv/BTCUSDT-trades-00001.csv.gz
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.model.errors import UsageError
from engine.model.instrument import Instrument
from engine.model.market import FeedStatus, Malformed, Quote, Trade
from engine.session.stops import GRACEFUL
from laptop_agents.cli import flags
from laptop_agents.compose import make_live_feed
from laptop_agents.home import find_home, profile_folder

if TYPE_CHECKING:
    from brokers.link.tape import Tape
    from laptop_agents.settings import Settings

WRITE_S: Final = 1.0
"""Between two writes: what a crash may lose."""
SAY_S: Final = 10.0
QUOTES: Final = b"ts_ns,ts_event_ns,bid,bid_qty,ask,ask_qty\n"
TRADES: Final = b"ts_ns,ts_event_ns,price,qty,aggressor,trade_id\n"


def run(arguments: argparse.Namespace) -> int:
    """Record until a signal or the duration ends it.

    Raises:
        UsageError: The source is none that can be recorded.
        DataUnavailable: The venue can't be reached.
        StateDamaged: The disk refuses, or is too slow.
    """
    from laptop_agents.settings import LIVE_SOURCES, load  # noqa: PLC0415 - pydantic

    home = find_home(os.environ)
    settings = load(flags(arguments), os.environ, profiles=profile_folder(home))
    if settings.source not in LIVE_SOURCES:
        raise UsageError(f"record needs a live source: --source {', '.join(LIVE_SOURCES)}")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    folder = Path(arguments.to or home / "recordings" / f"{settings.source}-{stamp}")
    os.umask(0o077)
    asyncio.run(_record(settings, folder.absolute(), arguments))
    return 0


async def _record(settings: "Settings", folder: Path, arguments: argparse.Namespace) -> None:
    from brokers.link.tape import Tape, TapeConfig  # noqa: PLC0415 - this command only

    config = TapeConfig(rotate_mb=arguments.rotate_mb, keep_mb=arguments.keep_mb)
    recorder = Recorder(settings, Tape(folder / "raw", config), Tape(folder / "csv", config))
    await recorder.feed.discover()
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    for number in GRACEFUL:
        loop.add_signal_handler(number, over.set)
    minutes = settings.session.duration_min
    if minutes is not None:
        loop.call_later(minutes * 60, over.set)
    sys.stderr.write(f"recording {', '.join(settings.symbols)} to {folder}\n")
    await recorder.run(over)
    sys.stdout.write(f"{recorder.summary()}\nplay it: laptop-agents --source file:{folder}/raw\n")


class Recorder:
    """One source on its way to two tapes."""

    def __init__(self, settings: "Settings", raw: "Tape", table: "Tape") -> None:
        feed = make_live_feed(settings, self._take)
        assert feed is not None, "checked by whoever asks for a recording"
        self._raw, self._table = raw, table
        self._symbols = settings.symbols
        self.feed = feed
        self._rules: dict[str, Instrument] = {}
        self._breaks = self._malformed = 0
        for symbol in settings.symbols:
            raw.open(symbol, "jsonl")
            table.open(f"{symbol}-quotes", "csv", QUOTES)
            table.open(f"{symbol}-trades", "csv", TRADES)

    def _take(self, symbol: str, at_ns: int, message: bytes) -> None:
        if symbol in self._symbols:  # what names none of ours is no market
            self._raw.take(symbol, b"%d %b" % (at_ns, message))

    async def run(self, over: asyncio.Event) -> None:
        """Record until told that it is over; what arrived by then is written."""
        self._rules = {item.symbol: item for item in self.feed.instruments}
        said_s = written_s = time.monotonic()
        async with self.feed:
            batches = self.feed.batches()
            while not over.is_set():
                await self.feed.arrived(WRITE_S / 4)
                for event in next(batches):
                    self._note(event)
                now_s = time.monotonic()
                if now_s - written_s >= WRITE_S:
                    written_s = now_s
                    await self._write()
                if now_s - said_s >= SAY_S:
                    said_s = now_s
                    sys.stderr.write(f"{self.summary()}\n")
        await self._write()

    async def _write(self) -> None:
        for tape in (self._raw, self._table):
            await asyncio.to_thread(tape.write, tape.cut())

    def _note(self, event: object) -> None:
        match event:
            case Quote():
                self._row(event, "quotes", _quote(event, self._rules[event.symbol]))
            case Trade():
                self._row(event, "trades", _trade(event, self._rules[event.symbol]))
            case FeedStatus(is_connected=False):
                self._breaks += 1
            case Malformed():
                self._malformed += 1

    def _row(self, event: Quote | Trade, kind: str, figures: Sequence[object]) -> None:
        row = ",".join(map(str, (event.ts_ns, event.ts_event_ns, *figures)))
        self._table.take(f"{event.symbol}-{kind}", row.encode())

    def summary(self) -> str:
        """Return what was recorded so far."""
        size_mb = (self._raw.bytes + self._table.bytes) / 1e6
        return (
            f"{self._raw.lines:,} messages, {self._table.lines:,} quotes and trades,"
            f" {size_mb:.1f} MB, {self._breaks} breaks, {self._malformed} malformed"
        )


def _quote(quote: Quote, rules: Instrument) -> Sequence[object]:
    return (
        rules.price(quote.bid_ticks), rules.qty(quote.bid_lots),
        rules.price(quote.ask_ticks), rules.qty(quote.ask_lots),
    )  # fmt: skip


def _trade(trade: Trade, rules: Instrument) -> Sequence[object]:
    figures = rules.price(trade.price_ticks), rules.qty(trade.qty_lots)
    return (*figures, trade.aggressor, trade.trade_id)
