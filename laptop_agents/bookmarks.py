"""A person's marks in a recorded session, kept in the home: a sealed run is never written to.

Rule 1: a file belongs to one journal, by the hash of its first line; a copy of the run elsewhere
        has the same marks.
Rule 2: a file that can't be read holds no marks, one that can't be written costs a sentence.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

import msgspec

from laptop_agents.home import FILE_MODE, FOLDER_MODE

FOLDER: Final = "bookmarks"
MARKS_MAX: Final = 200
"""Of one session: more are no marks any more."""
BYTES_MAX: Final = 64 * 1024


class _Kept(msgspec.Struct):
    v: int
    journal: str
    """Hash of its first line."""
    events: list[int]


class Bookmarks:
    """The marks of one journal."""

    def __init__(self, home: Path, journal_hash: str) -> None:
        self._journal = journal_hash
        self._path = home / FOLDER / f"{journal_hash[:32]}.json"
        self._events = self._read()

    def lines(self) -> list[int]:
        """Return the event numbers that are marked, rising."""
        return list(self._events)

    def toggle(self, seq: int) -> str:
        """Mark an event, or take its mark away; return what was done, or why not."""
        is_marked = seq in self._events
        if not is_marked and len(self._events) >= MARKS_MAX:
            return f"there are {MARKS_MAX} bookmarks already: remove one first"
        events = sorted({*self._events} ^ {seq})
        try:
            self._write(events)
        except OSError as error:
            return f"the bookmark can't be kept: {error.strerror}"
        self._events = events
        return f"bookmark {'removed from' if is_marked else 'set at'} event {seq:,}"

    def _read(self) -> list[int]:
        with contextlib.suppress(OSError, msgspec.MsgspecError, RecursionError):
            with self._path.open("rb") as file:
                kept = msgspec.json.decode(file.read(BYTES_MAX), type=_Kept)
            if kept.journal == self._journal:
                return sorted({event for event in kept.events if event > 0})[:MARKS_MAX]
        return []

    def _write(self, events: list[int]) -> None:
        """Replace the file in one step."""
        self._path.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        new = self._path.with_suffix(f".{os.getpid()}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with open(os.open(new, flags, FILE_MODE), "wb") as file:
            file.write(msgspec.json.encode(_Kept(1, self._journal, events)))
        new.replace(self._path)
