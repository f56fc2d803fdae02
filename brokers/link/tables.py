"""Recorded quotes and trades as tables: their columns, and CSV or JSON lines to write them in.

Every figure is written exactly, as a plain decimal. What the prices and sizes are steps of is in
`instruments.json` beside the tables, so that playback has the venue's own rules.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec

from brokers.link.tape import Tape, TapeConfig, Written
from engine.model.errors import StateDamaged
from engine.model.instrument import Instrument
from engine.model.market import Quote, Trade

Row = tuple[object, ...]
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "quotes": ("ts_ns", "ts_event_ns", "bid", "bid_qty", "ask", "ask_qty"),
    "trades": ("ts_ns", "ts_event_ns", "price", "qty", "aggressor", "trade_id"),
}
RULES: Final = "instruments.json"


class Table(Protocol):
    """Where rows go; `brokers.link.tape` says how."""

    @property
    def lines(self) -> int:
        """Taken so far."""
        ...

    @property
    def bytes(self) -> int:
        """Written so far, packed."""
        ...

    def open(self, kind: str, instrument: Instrument) -> None:
        """Begin a table of `COLUMNS` for an instrument."""
        ...

    def take(self, kind: str, symbol: str, row: Row) -> None:
        """Let a row wait for the next cut."""
        ...

    def cut(self, *, is_last: bool = False) -> Sequence[Written]:
        """Hand over what waits."""
        ...

    def write(self, cuts: Sequence[Written]) -> None:
        """Write what was cut; on any thread, one at a time."""
        ...


def name_of(kind: str, symbol: str) -> str:
    """Return what the files of a table begin with."""
    return f"{symbol}-{kind}"


def row_of(event: Quote | Trade, rules: Instrument) -> tuple[str, Row]:
    """Return which table an event is a row of, and the row."""
    if isinstance(event, Quote):
        bid = rules.price(event.bid_ticks), rules.qty(event.bid_lots)
        ask = rules.price(event.ask_ticks), rules.qty(event.ask_lots)
        return "quotes", (event.ts_ns, event.ts_event_ns, *bid, *ask)
    figures = rules.price(event.price_ticks), rules.qty(event.qty_lots)
    return "trades", (
        event.ts_ns, event.ts_event_ns, *figures, event.aggressor.value, event.trade_id
    )  # fmt: skip


def write_rules(folder: Path, instruments: Iterable[Instrument]) -> None:
    """Write down the instruments.

    Raises:
        StateDamaged: The disk refuses.

    """
    try:
        (folder / RULES).write_bytes(msgspec.json.encode(list(instruments)))
    except OSError as error:
        raise StateDamaged(f"can't record to {folder}: {error.strerror or error}") from error


class Format(NamedTuple):
    """How a text table is written."""

    header: Callable[[Sequence[str]], bytes]
    line: Callable[[Sequence[str], Row], bytes]


FORMATS: Final[Mapping[str, Format]] = {
    "csv": Format(
        lambda columns: ",".join(columns).encode() + b"\n",
        lambda _, row: ",".join(map(str, row)).encode(),
    ),
    "jsonl": Format(
        lambda _: b"",
        lambda columns, row: msgspec.json.encode(dict(zip(columns, row, strict=True))),
    ),
}


class TextTable:
    """Tables on a tape, in one of `FORMATS`."""

    def __init__(self, folder: Path, config: TapeConfig, suffix: str) -> None:
        """Write into a folder, which is made.

        Raises:
            StateDamaged: It can't be made.

        """
        self._tape = Tape(folder, config)
        self._suffix = suffix
        self._format = FORMATS[suffix]

    @property
    def lines(self) -> int:
        """Taken so far."""
        return self._tape.lines

    @property
    def bytes(self) -> int:
        """Written so far, packed."""
        return self._tape.bytes

    def open(self, kind: str, instrument: Instrument) -> None:
        """Begin a table of `COLUMNS` for an instrument."""
        header = self._format.header(COLUMNS[kind])
        self._tape.open(name_of(kind, instrument.symbol), self._suffix, header)

    def take(self, kind: str, symbol: str, row: Row) -> None:
        """Let a row wait for the next cut.

        Raises:
            StateDamaged: The disk is too slow.

        """
        self._tape.take(name_of(kind, symbol), self._format.line(COLUMNS[kind], row))

    def cut(self, *, is_last: bool = False) -> Sequence[Written]:  # noqa: ARG002 - as any other
        """Hand over what waits."""
        return self._tape.cut()

    def write(self, cuts: Sequence[Written]) -> None:
        """Write what was cut.

        Raises:
            StateDamaged: The disk refuses.

        """
        self._tape.write(cuts)
