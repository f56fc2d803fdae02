"""Raw captures: lines out of a `.jsonl` or `.jsonl.gz`, and the instruments at its head.

A recorder that died leaves a gzip without its end. What can be unpacked is played, and one last
`Malformed` says that the rest is missing.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from brokers.binance import wire
from brokers.binance.parse import LINE_BYTES_MAX, LineParser, split_stream
from brokers.binance.streams import KINDS
from brokers.file.config import TradingRules
from brokers.file.rules import Sample, instrument_of, refuse_inverse
from brokers.link.arrivals import received_ns
from brokers.link.grid import Grid
from engine.model.errors import BrokenCapture, DataUnavailable
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent

HEAD_LINES: Final = 2_000
"""Lines looked at to find the instruments: some seconds of recording, some milliseconds of ours."""
_CHUNK_BYTES: Final = 128 * 1024
_GZIP_MAGIC: Final = b"\x1f\x8b"


class CutGzipError(Exception):
    """The compressed data ends, or breaks, before its end mark."""


class Capture:
    """One recorded file; `instruments` come from its head, everything else is streamed."""

    def __init__(self, path: Path, stated: Mapping[str, TradingRules]) -> None:
        """Scan the head.

        Raises:
            DataUnavailable: The file can't be opened.
            BrokenCapture: Not one usable message, or an inverse contract.
        """
        self._path = path
        self._streams: dict[str, Sample] = {}
        self._start_ns = 0
        with suppress(CutGzipError):
            self._scan()
        if not self._streams:
            raise BrokenCapture(_why_unusable(path))
        self.instruments: Mapping[str, Instrument] = {
            symbol: instrument_of(symbol, sample, stated)
            for symbol, sample in self._samples().items()
        }

    def events(self, wanted: Mapping[str, Instrument]) -> Iterator[FeedEvent]:
        """Yield the events of the wanted instruments in non-decreasing `ts_ns`."""
        parser = LineParser(
            {symbol: Grid(item) for symbol, item in wanted.items() if symbol in self.instruments},
            start_ns=self._start_ns,
            ignored=self.instruments.keys() - wanted.keys(),
            muted=self._repeated_prints(),
        )
        parse = parser.parse
        try:
            for lines in blocks(self._path):
                for line in lines:
                    event = parse(line)
                    if event is not None:
                        yield event
        except CutGzipError:
            yield parser.flawed("malformed", "cut gzip")

    def _scan(self) -> None:
        left = HEAD_LINES
        for lines in blocks(self._path):
            for line in lines:
                self._look_at(line)
                left -= 1
                if left <= 0 and self._streams:
                    return

    def _look_at(self, line: bytes) -> None:
        """Learn from one line; a line that can't be read teaches nothing."""
        stamp, _, body = line.partition(b" ")
        at_ns = received_ns(stamp)
        try:
            stream = _read_head(body).stream if at_ns else None
            symbol, kind = split_stream(stream or "")
            if stream is None or kind not in KINDS:
                return
            data = _READERS[kind](body).data
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        if data.symbol == symbol:
            refuse_inverse(symbol, data.pair)
            sample = self._streams.setdefault(stream, Sample())
            sample.prices.update(data.prices())
            sample.sizes.update(data.sizes())
            self._start_ns = min(self._start_ns or at_ns, at_ns)

    def _samples(self) -> dict[str, Sample]:
        """Join the samples of each symbol's streams, in order of appearance."""
        samples: dict[str, Sample] = {}
        for stream, seen in self._streams.items():
            joined = samples.setdefault(split_stream(stream)[0], Sample())
            joined.prices |= seen.prices
            joined.sizes |= seen.sizes
        return samples

    def _repeated_prints(self) -> list[str]:
        """Name the aggregate streams of symbols that have single trades too: the same prints."""
        kinds = {split_stream(stream) for stream in self._streams}
        return [
            stream
            for stream in self._streams
            for symbol, kind in [split_stream(stream)]
            if kind == "aggTrade" and (symbol, "trade") in kinds
        ]


_read_head = msgspec.json.Decoder(wire.Head).decode
_READERS: Final = {kind: wire.reader(payload) for kind, (payload, _) in KINDS.items()}


def blocks(path: Path) -> Iterator[list[bytes]]:
    """Yield the complete lines of a file, many at a time; blank ones are left out.

    A line over `LINE_BYTES_MAX` is cut one byte past it, for the parser to refuse, so that no
    file makes us hold more than that. A last line without its newline counts as a line.

    Raises:
        DataUnavailable: The file can't be opened or read.
        CutGzipError: After the last complete line of a gzip that ends too soon.
    """
    rest = b""
    is_skipping = False
    for chunk in _chunks(path):
        *lines, rest = (rest + chunk).split(b"\n")
        if is_skipping and lines:
            lines, is_skipping = lines[1:], False
        if is_skipping:
            rest = b""
        elif len(rest) > LINE_BYTES_MAX:
            lines.append(rest[: LINE_BYTES_MAX + 1])
            rest, is_skipping = b"", True
        yield [line for line in lines if line]
    if rest:
        yield [rest]


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as raw:
            is_packed = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            source = gzip.GzipFile(fileobj=raw) if is_packed else raw
            while chunk := source.read1(_CHUNK_BYTES):
                yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CutGzipError(str(path)) from error
    except FileNotFoundError as error:
        raise DataUnavailable(f"file not found: {path}") from error
    except OSError as error:
        raise DataUnavailable(f"can't read {path}: {error.strerror}") from error


def _why_unusable(path: Path) -> str:
    if path.stat().st_size == 0:
        return f"{path} is empty"
    return (
        f"{path} has no usable market message: expected lines of "
        "'<receive time> <Binance combined-stream JSON>'"
    )
