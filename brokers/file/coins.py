"""Raw captures of Hyperliquid: lines of frames, `{"channel":...}`, with the venue's listing first.

A recorder keeps the listing at the head, from which each coin's steps follow as they did live: what
is played is what was heard. In a file without one, as after a rotation, its own decimals decide.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from brokers.file.capture import CutGzipError, blocks
from brokers.file.config import TradingRules
from brokers.file.lines import LINE_BYTES_MAX, flawed, head_of, message_of
from brokers.file.rules import Sample, instrument_of
from brokers.hyperliquid import wire
from brokers.hyperliquid.grid import CoinGrid
from brokers.hyperliquid.listing import QUOTE, listed
from brokers.hyperliquid.parse import CHANNELS, FrameParser
from brokers.link.arrivals import Arrivals, received_ns
from engine.model.errors import BrokenCapture, DataUnavailable, UnknownInstrument
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent, Malformed

FRAME: Final = b'{"channel":'
LISTING: Final = b'[{"universe":'
MARKS: Final = (FRAME, LISTING)
"""How a message of Hyperliquid begins."""

_frame = msgspec.json.Decoder(wire.Message).decode


class Coins:
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
        self._listing = b""
        for line in head_of(path):
            self._look_at(line)
        if not self._samples:
            raise BrokenCapture(f"{path} has no usable market message of Hyperliquid")
        self.instruments: Mapping[str, Instrument] = {
            coin: self._instrument(coin, stated) for coin in self._samples
        }

    def _instrument(self, coin: str, stated: Mapping[str, TradingRules]) -> Instrument:
        if coin not in stated and self._listing:
            with suppress(DataUnavailable, UnknownInstrument):
                return listed(self._listing, [coin])[0]
        inferred = instrument_of(coin, self._samples[coin], stated, {})
        return replace(inferred, base=coin, quote=QUOTE, settlement=QUOTE)

    def events(self, wanted: Mapping[str, Instrument]) -> Iterator[FeedEvent]:
        """Yield the events of the wanted instruments in non-decreasing `ts_ns`."""
        items = {coin: wanted.get(coin, item) for coin, item in self.instruments.items()}
        parser = FrameParser({coin: CoinGrid(item) for coin, item in items.items()})
        arrivals, ignored = Arrivals(self._start_ns), items.keys() - wanted.keys()
        try:
            for lines in blocks(self._path):
                for line in lines:
                    for event in _read(line, arrivals, parser):
                        if getattr(event, "symbol", "") not in ignored:
                            yield event
        except CutGzipError:
            yield flawed(arrivals.last_ns, "malformed", "cut gzip")

    def _look_at(self, line: bytes) -> None:
        """Learn from one line; a line that can't be read teaches nothing."""
        stamp, _, body = line.partition(b" ")
        at_ns = received_ns(stamp)
        if body.startswith(LISTING) and len(line) <= LINE_BYTES_MAX:
            self._listing = self._listing or body
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            for coin, levels in _numbers(body) if at_ns else ():
                sample = self._samples.setdefault(coin, Sample())
                sample.prices.update(level.price for level in levels)
                sample.sizes.update(level.size for level in levels)
                self._start_ns = min(self._start_ns or at_ns, at_ns)


def _read(line: bytes, arrivals: Arrivals, parser: FrameParser) -> Sequence[FeedEvent]:
    body = message_of(line, arrivals)
    if isinstance(body, Malformed):
        return [body]
    return () if body.startswith(LISTING) else parser.frame(body, arrivals.last_ns)


def _numbers(body: bytes) -> Iterator[tuple[str, Sequence[wire.Level | wire.TradePrint]]]:
    """Yield the prices and sizes of a frame, by coin."""
    frame = _frame(body)
    if frame.channel not in CHANNELS or frame.channel == "activeAssetCtx":
        return
    decoded: Any = CHANNELS[frame.channel][0](frame.data)
    for row in decoded if isinstance(decoded, list) else [decoded]:
        if isinstance(row, wire.TradePrint):
            yield row.coin, [row]
        elif isinstance(row, wire.Touch):
            yield row.coin, [side for side in row.sides if side is not None]
        else:
            yield row.coin, [level for side in row.sides for level in side]
