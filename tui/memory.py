"""What a person arranged, kept for the next screen: layout by size class, order of rows, palette.

Rule 1: a file that is damaged, foreign or of the future is ignored with one line; nothing fails.
Rule 2: a name nobody knows any more, of a pane say, is passed over.
Rule 3: it is replaced whole, never written in place: a screen that dies leaves the old or the new.
"""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from tui.theme import NAMES

NAME: Final = "screen.json"
BYTES_MAX: Final = 64 * 1024
"""A file of ours has a few hundred."""
VERSION: Final = 1


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen at one size class; names of panes, empty for the usual."""

    tab: str = ""
    zoomed: str = ""
    chosen: str = ""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept."""

    version: int = VERSION
    palette: str = ""
    """Empty while nobody chose one by key."""
    layouts: dict[str, Arrangement] = {}
    """By size class."""
    sorts: dict[str, tuple[str, bool]] = {}
    """By pane: head of the column, and whether it falls."""


def recall(path: Path | None) -> tuple[Memory, str]:
    """Return what is kept, and why it is not what the file says; the latter mostly empty."""
    if path is None:
        return Memory(), ""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            content = file.read(BYTES_MAX + 1)
        memory = msgspec.json.decode(content[:BYTES_MAX], type=Memory)
    except FileNotFoundError:
        return Memory(), ""
    except OSError as error:
        return Memory(), f"{path.name} can't be read ({error.strerror}): the usual layout"
    except (msgspec.DecodeError, ValueError, RecursionError):
        return Memory(), f"{path.name} is damaged: the usual layout"
    if memory.version != VERSION:
        return Memory(), f"{path.name} is of another version: the usual layout"
    palette = memory.palette if memory.palette in NAMES else ""
    return msgspec.structs.replace(memory, palette=palette), ""


def keep(path: Path | None, memory: Memory) -> str:
    """Replace what is kept; return why that failed, empty when it did not."""
    if path is None:
        return ""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        return f"the layout can't be kept: {error.strerror}"
    try:
        with open(handle, "wb") as file:
            file.write(msgspec.json.encode(memory))
        os.replace(name, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(name)
        return f"the layout can't be kept: {error.strerror}"
    return ""
