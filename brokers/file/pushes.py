"""Raw captures of Bitunix: lines of pushes, `{"ch":...}`, and what was asked for between.

A recorder keeps the listing of its instruments at the head; without one their own decimals decide.
Funding rates count as percentage points, as the venue tells them.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from brokers.bitunix.listing import rules_in
from brokers.bitunix.parse import LADDER, TOUCH, TRADE, PushParser
from brokers.bitunix.wire import Head, read_head, read_ladder, read_prints
from brokers.file.capture import CutGzipError, blocks
from brokers.file.config import TradingRules
from brokers.file.lines import flawed, head_of, message_of
from brokers.file.rules import Sample, instrument_of
from brokers.link.arrivals import Arrivals, received_ns
from brokers.link.grid import Grid
from engine.model.errors import BrokenCapture
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent, Malformed

MARKS: Final = (b'{"ch":"', b'{"code":')
"""How a message of Bitunix begins."""


class Pushes:
    """One recorded file; `instruments` come from its head, everything else is streamed."""

    def __init__(self, path: Path, stated: Mapping[str, TradingRules]) -> None:
        """Scan the head.

        Raises:
            DataUnavailable: The file can't be opened.
            BrokenCapture: Not one usable message.
        """
        self._path = path
        self._start_ns = 0
        self._samples: dict[str, Sample] = {}
        self._listed: dict[str, Instrument] = {}
        for line in head_of(path):
            self._look_at(line)
        if not self._samples:
            raise BrokenCapture(f"{path} has no usable market message of Bitunix")
        told = {symbol: i for symbol, i in self._listed.items() if symbol not in stated}
        self.instruments: Mapping[str, Instrument] = {
            symbol: told.get(symbol) or instrument_of(symbol, sample, stated, {})
            for symbol, sample in self._samples.items()
        }

    def events(self, wanted: Mapping[str, Instrument]) -> Iterator[FeedEvent]:
        """Yield the events of the wanted instruments in non-decreasing `ts_ns`."""
        mine = {symbol: item for symbol, item in wanted.items() if symbol in self.instruments}
        parser = PushParser({symbol: Grid(item) for symbol, item in mine.items()})
        ignored = self.instruments.keys() - wanted.keys()
        arrivals = Arrivals(self._start_ns)
        try:
            for lines in blocks(self._path):
                for line in lines:
                    head = _read(line, arrivals, parser)
                    if isinstance(head, Malformed):
                        yield head
                    else:
                        yield from parser.recorded(head, arrivals.last_ns, ignored)
        except CutGzipError:
            yield flawed(arrivals.last_ns, "malformed", "cut gzip")

    def _look_at(self, line: bytes) -> None:
        """Learn from one line; a line that can't be read teaches nothing."""
        stamp, _, body = line.partition(b" ")
        at_ns = received_ns(stamp)
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            head = read_head(body)
            if head.code is not None:
                self._listed |= rules_in(body)
            pairs = _numbers(head) if at_ns and head.symbol else []
            if pairs:
                sample = self._samples.setdefault(head.symbol, Sample())
                sample.prices.update(price for price, _ in pairs)
                sample.sizes.update(size for _, size in pairs)
                self._start_ns = min(self._start_ns or at_ns, at_ns)


def _read(line: bytes, arrivals: Arrivals, parser: PushParser) -> Head | Malformed:
    body = message_of(line, arrivals)
    return body if isinstance(body, Malformed) else parser.head(body, arrivals.last_ns)


def _numbers(head: Head) -> list[tuple[str, str]]:
    """Return the prices and sizes of a message."""
    if head.ch in (TOUCH, LADDER):
        ladder = read_ladder(head.data)
        return ladder.bids + ladder.asks
    if head.ch == TRADE:
        told = read_prints(head.data)
        return [(item.price, item.size) for item in (told if isinstance(told, list) else [told])]
    return []
