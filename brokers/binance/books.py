"""When a book needs its snapshot again: after a break, or a hole in its chain of diffs. Pure.

The engine keeps the book; here only the numbers of its diffs are followed, so that a snapshot is
asked for once, as soon as it is needed.

Source: Binance USD-M "How to manage a local order book correctly"; reliability.md E3.
"""

from collections.abc import Iterable
from typing import Final

from engine.model.market import Depth

PATIENCE_NS: Final = 5_000_000_000
"""A snapshot that did not come in this time is asked for again."""


class Books:
    """Which books lack a snapshot."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self._last: dict[str, int] = {}
        """Number of the newest diff, or of the snapshot where that is newer."""
        self._missing = dict.fromkeys(symbols, 0)
        """When each was last asked for."""
        self._symbols = tuple(self._missing)

    def broke(self) -> None:
        """The line was down: no book can be trusted."""
        self._last.clear()
        self._missing = dict.fromkeys(self._symbols, 0)

    def saw(self, depth: Depth) -> None:
        """Follow a diff or a snapshot."""
        last = self._last.get(depth.symbol)
        if depth.is_snapshot:
            self._missing.pop(depth.symbol, None)
            self._last[depth.symbol] = max(depth.last_seq, last or 0)
            return
        if last is not None and depth.prev_seq > last:
            self._missing.setdefault(depth.symbol, 0)
        self._last[depth.symbol] = max(depth.last_seq, last or 0)

    def due(self, now_ns: int) -> list[str]:
        """Return whose snapshots to ask for now: those whose diffs arrive, each once at a time."""
        due = [
            symbol
            for symbol, asked_ns in self._missing.items()
            if symbol in self._last and now_ns - asked_ns >= PATIENCE_NS
        ]
        for symbol in due:
            self._missing[symbol] = now_ns
        return due
