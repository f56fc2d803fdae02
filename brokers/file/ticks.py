"""Recorded quotes and trades: the tables `laptop-agents record` writes, in any of its formats.

The rules of the instruments are in `instruments.json` beside them; without it, those that settings
state, or that their own decimals suggest. Tables hold no books and no funding.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from brokers.file.capture import CutGzipError, blocks
from brokers.file.config import TradingRules
from brokers.file.parquet import parquet_rows
from brokers.file.rules import Sample, instrument_of
from brokers.link.arrivals import Arrivals
from brokers.link.grid import Grid, Refused
from brokers.link.tables import COLUMNS, RULES
from engine.model.errors import BrokenCapture
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent, Malformed, Quote, Trade
from engine.model.orders import Side
from engine.model.text import sanitize

Cells = Mapping[str, str]
"""Column to what stands there, as text."""

HEAD_ROWS: Final = 2_000
DETAIL_MAX: Final = 120
INT64_CHARS: Final = 19
INT64_MAX: Final = 2**63 - 1
RULES_BYTES_MAX: Final = 1024 * 1024
_NAMED: Final = re.compile(r"(.+)-(quotes|trades)-\d{5,}\.(csv\.gz|jsonl\.gz|parquet)")


def is_of_ticks(path: Path) -> bool:
    """Whether a file is named like a table of quotes or trades."""
    return _NAMED.fullmatch(path.name) is not None


class TickFile:
    """One table of one instrument."""

    def __init__(self, path: Path, stated: Mapping[str, TradingRules]) -> None:
        """Look at the head.

        Raises:
            DataUnavailable: It can't be opened.
            BrokenCapture: It holds no such table.
            UsageError: Parquet without pyarrow.
        """
        match = _NAMED.fullmatch(path.name)
        assert match, "checked by who opens it"
        self._path = path
        self._symbol, self._kind, suffix = match.groups()
        self._rows: Callable[[Path, str], Iterator[Cells]] = ROWS[suffix]
        sample = Sample()
        with suppress(CutGzipError):
            for cells in islice(self._rows(path, self._kind), HEAD_ROWS):
                sample.prices.add(cells.get("bid") or cells.get("price", ""))
                sample.sizes.add(cells.get("bid_qty") or cells.get("qty", ""))
        if not sample.prices:
            raise BrokenCapture(f"{path} holds no {self._kind}")
        instrument = None if self._symbol in stated else _ruled(path.parent, self._symbol)
        self.instruments: Mapping[str, Instrument] = {
            self._symbol: instrument or instrument_of(self._symbol, sample, stated)
        }

    def events(self, wanted: Mapping[str, Instrument]) -> Iterator[FeedEvent]:
        """Yield in non-decreasing `ts_ns`; a row that is none is a `Malformed`."""
        if self._symbol not in wanted:
            return
        grid = Grid(wanted[self._symbol])
        arrivals = Arrivals(0)
        read = READERS[self._kind]
        try:
            for cells in self._rows(self._path, self._kind):
                try:
                    yield read(cells, arrivals.take(cells["ts_ns"].encode()), grid)
                except Refused as refused:
                    yield self._flawed(arrivals, refused)
                except (KeyError, ValueError) as error:
                    refusal = Refused("malformed", f"no {self._kind[:-1]}: {error}")
                    yield self._flawed(arrivals, refusal)
        except CutGzipError:
            yield self._flawed(arrivals, Refused("malformed", "cut gzip"))

    def _flawed(self, arrivals: Arrivals, refused: Refused) -> Malformed:
        detail = sanitize(refused.detail, DETAIL_MAX)
        return Malformed(arrivals.last_ns, self._symbol, refused.flaw, detail)


def _quote(cells: Cells, at_ns: int, grid: Grid) -> Quote:
    return Quote(
        at_ns, grid.symbol, grid.ticks[cells["bid"]], grid.lots[cells["bid_qty"]],
        grid.ticks[cells["ask"]], grid.lots[cells["ask_qty"]], _count(cells["ts_event_ns"]),
    )  # fmt: skip


def _trade(cells: Cells, at_ns: int, grid: Grid) -> Trade:
    return Trade(
        at_ns, grid.symbol, grid.ticks[cells["price"]], grid.lots[cells["qty"]],
        Side(cells["aggressor"]), _count(cells["trade_id"]), _count(cells["ts_event_ns"]),
    )  # fmt: skip


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= INT64_CHARS):
        raise Refused("malformed", f"no count: {text[:DETAIL_MAX]}")
    return min(int(text), INT64_MAX)


READERS: Final[Mapping[str, Callable[[Cells, int, Grid], FeedEvent]]] = {
    "quotes": _quote,
    "trades": _trade,
}


def _csv(path: Path, kind: str) -> Iterator[Cells]:
    """Read by the header; a file of other columns is refused. No cell of ours has a comma."""
    texts = (line.decode("utf-8", "replace") for lines in blocks(path) for line in lines)
    header = next(texts, "").split(",")
    if missing := set(COLUMNS[kind]).difference(header):
        raise BrokenCapture(f"{path} holds no {kind}: no column {', '.join(sorted(missing))}")
    yield from (dict(zip(header, text.split(","), strict=False)) for text in texts)


def _jsonl(path: Path, kind: str) -> Iterator[Cells]:  # noqa: ARG001 - each line names its columns
    for lines in blocks(path):
        for line in lines:
            try:
                told = _decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                told = {}
            yield {name: str(value) for name, value in told.items()}


_decode: Final = msgspec.json.Decoder(dict[str, str | int]).decode


def _parquet(path: Path, kind: str) -> Iterator[Cells]:
    columns = COLUMNS[kind]
    for row in parquet_rows(path, lambda _: list(columns)):
        yield dict(zip(columns, map(_plain, row), strict=True))


def _plain(value: object) -> str:
    """Write a figure out; decimals come with a scale of their own."""
    return f"{value:f}" if hasattr(value, "as_tuple") else str(value)


ROWS: Final[Mapping[str, Callable[[Path, str], Iterator[Cells]]]] = {
    "csv.gz": _csv,
    "jsonl.gz": _jsonl,
    "parquet": _parquet,
}


def _ruled(folder: Path, symbol: str) -> Instrument | None:
    """Return the rules a recorder wrote down; None where there are none that can be read."""
    path = folder / RULES
    try:
        if path.stat().st_size > RULES_BYTES_MAX:
            return None
        told = msgspec.json.decode(path.read_bytes(), type=list[Instrument])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return next((item for item in told if item.symbol == symbol), None)
