"""The paper venue's ledger: what works and what is held, where another process can see it.

A file of lines of equal length, mapped into memory. A line is a JSON object padded with blanks, so
`cat` shows the account; a blank line is a free place. Line 1 names the run, then comes a line for
each instrument's position, then the latest fills, then the orders.

Rule 1: writing makes no system call once the file stands: a full or read-only disk, or a limit on
        file sizes, can't keep the venue from knowing its orders, as it could not at a real one.
Rule 2: a line is written from its second byte on and its first byte last, so whoever is killed in
        the middle leaves no half order. One that was being changed then counts as working: what
        names an order stands in front and never changes.
Rule 3: an ended order's place is taken again as late as possible: the newest history stays.
"""

import mmap
import os
from collections import deque
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

import msgspec

from engine.model.errors import StateDamaged
from engine.model.money import ZERO

NAME: Final = "venue.ledger"
LINE_BYTES: Final = 512
"""The longest line there can be: a fill with a symbol of 64 letters, and numbers of 36 digits."""
FILLS_KEPT: Final = 64
"""Latest fills; those on their way to the engine are among them."""
ORDERS_MAX: Final = 16_384
"""Places for orders, 6 MB; a session's own limit on open orders is far below."""

_FREE: Final = b" "
_ENCODE: Final = msgspec.json.Encoder().encode


class Header(msgspec.Struct, frozen=True):
    """Line 1."""

    run_id: str
    positions: int
    """Lines that hold positions; after them come `FILLS_KEPT` of fills, the rest are orders."""


class PositionLine(msgspec.Struct, frozen=True):
    """One instrument."""

    symbol: str
    qty: Decimal
    """Signed."""
    exit_price: Decimal | None
    """What closing would have got when last looked: the touch on the other side."""
    taker_rate: Decimal
    """Fee of closing, per price times quantity, the multiplier included."""
    by: str
    """Who changed it last: `engine` or `sentinel`."""


class FillLine(msgspec.Struct, frozen=True):
    """One execution, as the venue will tell it."""

    trade_id: str
    order_id: str
    symbol: str
    side: str
    price: Decimal
    qty: Decimal
    fee: Decimal
    liquidity: str


class OrderLine(msgspec.Struct, frozen=True):
    """One order, from its acceptance to its end; times are Unix nanoseconds of the wall clock."""

    order_id: str
    symbol: str
    side: str
    qty: Decimal
    reduce_only: bool
    state: Literal["working", "ended"]
    since_ns: int
    ended_ns: int = 0
    ended_by: Literal["", "fill", "cancel", "terms", "sentinel"] = ""
    """`cancel` was asked for by the running engine; `terms` are the order's own."""


class Ledger:
    """The open file, for its writer and for its readers alike."""

    def __init__(self, path: Path) -> None:
        """Open a ledger that exists.

        Raises:
            StateDamaged: It is absent, or no ledger.

        """
        try:
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                self._map = mmap.mmap(fd, 0)
            finally:
                os.close(fd)
            self.header = msgspec.json.decode(self._line(0), type=Header)
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise StateDamaged(f"can't use the venue's ledger {path}: {error}") from error
        self._fills = range(1 + self.header.positions, 1 + self.header.positions + FILLS_KEPT)
        first, count = self._fills.stop, len(self._map) // LINE_BYTES
        self._filled = 0
        self._orders = range(first, count)
        self._free = deque(
            (at for at in self._orders if self._map[at * LINE_BYTES] == _FREE[0]), len(self._orders)
        )

    @classmethod
    def create(
        cls, path: Path, run_id: str, taker_rates: Mapping[str, Decimal], orders: int
    ) -> "Ledger":
        """Lay out an empty file with places for `orders`, in place of an older one.

        Raises:
            StateDamaged: The disk has no room for it.

        """
        lines = [_padded(Header(run_id, len(taker_rates)))]
        lines += [_padded(PositionLine(s, ZERO, None, r, "engine")) for s, r in taker_rates.items()]
        lines += [b" " * (LINE_BYTES - 1) + b"\n"] * (FILLS_KEPT + min(orders, ORDERS_MAX))
        beside = path.with_name(f".{path.name}.tmp")
        try:
            beside.unlink(missing_ok=True)  # left by a crash
            _lay_out(beside, b"".join(lines))
            beside.replace(path)
        except OSError as error:
            raise StateDamaged(f"can't lay out {path}: {error.strerror}") from error
        return cls(path)

    def write(self, at: int, line: PositionLine | FillLine | OrderLine) -> None:
        """Put a line in its place (rule 2)."""
        start = at * LINE_BYTES
        text = _padded(line)
        self._map[start + 1 : start + LINE_BYTES] = text[1:]
        self._map[start] = text[0]

    def add(self, order: OrderLine) -> int:
        """Find a place for a new order and return it.

        Raises:
            StateDamaged: Every place holds a working order.

        """
        if not self._free:
            raise StateDamaged(f"the venue's ledger holds {len(self._orders)} working orders: full")
        at = self._free.popleft()
        self.write(at, order)
        return at

    def end(self, at: int, by: Literal["fill", "cancel", "terms", "sentinel"], now_ns: int) -> None:
        """Mark the order in a place as ended; the place may be taken again, last of all."""
        order = msgspec.structs.replace(self.order(at), state="ended", ended_ns=now_ns, ended_by=by)
        self.write(at, order)
        self._free.append(at)

    def fill(self, fill: FillLine) -> None:
        """Keep a fill in place of the oldest."""
        self.write(self._fills[self._filled % FILLS_KEPT], fill)
        self._filled += 1

    def fills(self) -> Iterator[FillLine]:
        """Yield the latest fills, in no order."""
        for at in self._fills:
            if self._map[at * LINE_BYTES] != _FREE[0]:
                yield msgspec.json.decode(self._line(at), type=FillLine)

    def order(self, at: int) -> OrderLine:
        """Return the order in a place that holds one."""
        line = self._line(at)
        try:
            return msgspec.json.decode(line, type=OrderLine)
        except msgspec.DecodeError:
            _, _, _, order_id, _, _, _, symbol, *_ = line.decode().split('"')
            return OrderLine(order_id, symbol, "", ZERO, False, "working", 0)

    def orders(self) -> Iterator[tuple[int, OrderLine]]:
        """Yield every order that still has its place, ended ones too."""
        for at in self._orders:
            if self._map[at * LINE_BYTES] != _FREE[0]:
                yield at, self.order(at)

    def positions(self) -> Iterator[tuple[int, PositionLine]]:
        """Yield the line of every instrument."""
        for at in range(1, 1 + self.header.positions):
            yield at, msgspec.json.decode(self._line(at), type=PositionLine)

    def _line(self, at: int) -> bytes:
        return self._map[at * LINE_BYTES : (at + 1) * LINE_BYTES]


def _lay_out(path: Path, content: bytes) -> None:
    """Write a new file whose every block is on the disk, so that changing it needs no room."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(fd, 0, len(content))
        written = os.write(fd, content)
        assert written == len(content), "room was allocated"
    finally:
        os.close(fd)


def _padded(line: Header | PositionLine | FillLine | OrderLine) -> bytes:
    text = _ENCODE(line)
    assert len(text) < LINE_BYTES, "the parts have limits of their own"
    return text.ljust(LINE_BYTES - 1) + b"\n"
