"""The file source: captures and klines, merged by the time they were received."""

import glob
import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Final, Protocol

from brokers.file import coins, pushes
from brokers.file.capture import Capture
from brokers.file.config import FileConfig
from brokers.file.klines import KlineFile
from brokers.file.lines import first_message
from brokers.file.rules import agreed
from brokers.file.ticks import TickFile, is_of_ticks
from engine.model.errors import BrokenCapture, DataUnavailable, UnknownInstrument, UsageError
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent

BATCH_MAX: Final = 512
"""Events a batch; about a tenth of a second of a busy recording."""

CAPTURE_SUFFIXES: Final = (".jsonl", ".gz")
KLINE_SUFFIXES: Final = (".parquet", ".csv")

_PREFIXED: Final = re.compile(r"([A-Z0-9_]{2,30})=(.+)", re.DOTALL)
"""`BTCUSDT=path`."""
_BY_ARRIVAL = attrgetter("ts_ns")


class Recording(Protocol):
    """One opened file."""

    instruments: Mapping[str, Instrument]

    def events(self, wanted: Mapping[str, Instrument]) -> Iterator[FeedEvent]:
        """Yield the events of the wanted instruments in non-decreasing `ts_ns`."""
        ...


class FileFeed:
    """A recorded market; implements `engine.venue.Feed`.

    The market was real, so it is not marked simulated; what trades against it is.
    """

    name = "file"
    is_simulated = False

    def __init__(
        self,
        paths: Sequence[Path],
        symbols: Sequence[str] | None = None,
        config: FileConfig | None = None,
    ) -> None:
        """Open every file and find the instruments at its head.

        Args:
            symbols: What to keep, in this order; None keeps all.

        Raises:
            DataUnavailable: A file is missing or can't be read.
            BrokenCapture: A file is of no known format or holds nothing usable.
            UnknownInstrument: No file offers one of `symbols`.
            UsageError: No path, two markets under one name, or Parquet without pyarrow.
        """
        if not paths:
            raise UsageError("the file source needs a path: --source file:PATH")
        stated = config or FileConfig()
        self._recordings = [_opened(path, stated) for path in paths]
        offered: dict[str, Instrument] = {}
        for recording in self._recordings:
            for symbol, item in recording.instruments.items():
                offered[symbol] = agreed(offered.get(symbol, item), item)
        self._wanted = _chosen(offered, symbols)

    @property
    def instruments(self) -> Sequence[Instrument]:
        """As asked for, else in order of appearance."""
        return tuple(self._wanted.values())

    def batches(self) -> Iterator[Sequence[FeedEvent]]:
        """Yield from the first event to the last, in order of `ts_ns`, ties in order of the files.

        Each call reads the files anew.
        """
        streams = [recording.events(self._wanted) for recording in self._recordings]
        events = streams[0] if len(streams) == 1 else heapq.merge(*streams, key=_BY_ARRIVAL)
        while batch := list(islice(events, BATCH_MAX)):
            yield batch


def paths_of(source: str) -> list[Path]:
    """Expand `PATH[,PATH...]`, each a file, a folder or a glob, maybe after `SYMBOL=`; `~` too.

    Raises:
        DataUnavailable: One of them names nothing.
    """
    return [
        found for part in source.split(",") if part.strip() for found in _expanded(part.strip())
    ]


def _expanded(part: str) -> list[Path]:
    symbol, typed = _split_prefix(part)
    path = typed.expanduser()
    prefix = f"{symbol}=" if symbol else ""
    if path.is_dir():
        found = sorted(item for item in path.iterdir() if item.suffix in _SUFFIXES)
    elif path.exists():
        found = [path]
    else:
        found = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
    if not found:
        raise DataUnavailable(f"file not found: {path}")
    return [Path(f"{prefix}{item}") for item in found]


def _split_prefix(part: str) -> tuple[str | None, Path]:
    match = _PREFIXED.fullmatch(part)
    if match is None or Path(part).exists():
        return None, Path(part)
    return match[1], Path(match[2])


def _opened(typed: Path, config: FileConfig) -> Recording:
    symbol, path = _split_prefix(str(typed))
    if not path.is_file():
        raise DataUnavailable(f"file not found: {path}")
    if is_of_ticks(path) and not symbol:
        return TickFile(path, config.instruments)
    if path.suffix in KLINE_SUFFIXES:
        return KlineFile(path, symbol, config.instruments)
    if symbol:
        raise UsageError(f"{symbol}= is for klines; {path.name} names its symbols itself")
    if path.suffix in CAPTURE_SUFFIXES:
        return _captured(path, config)
    raise BrokenCapture(f"{path} is of no known format: expected {', '.join(_SUFFIXES)}")


def _captured(path: Path, config: FileConfig) -> Recording:
    """Open a capture by how its first message begins."""
    first = first_message(path)
    if first.startswith(pushes.MARKS):
        return pushes.Pushes(path, config.instruments)
    if first.startswith(coins.MARKS):
        return coins.Coins(path, config.instruments)
    return Capture(path, config.instruments)


def _chosen(
    offered: Mapping[str, Instrument], symbols: Sequence[str] | None
) -> dict[str, Instrument]:
    if symbols is None:
        return dict(offered)
    for symbol in symbols:
        if symbol not in offered:
            raise UnknownInstrument(symbol, tuple(offered))
    return {symbol: offered[symbol] for symbol in symbols}


_SUFFIXES: Final = CAPTURE_SUFFIXES + KLINE_SUFFIXES
