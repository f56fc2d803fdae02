"""What the terminal can do, and whether it still takes what it is given. Imports no Textual."""

import os
import shutil
import sys
from collections.abc import Mapping
from typing import Final

COLUMNS_MIN, ROWS_MIN = 20, 5
COERCED: Final = ("C.UTF-8", "C.utf8", "UTF-8")
PLAIN: Final = ("", "C", "POSIX")
NO_SCREEN: Final = "No screen: {reason}. Running headless (--headless says so too)."


def pending(driver: object) -> int:
    """Return how many frames the terminal has not taken yet.

    Textual's writer keeps 30 writes and then stops the whole loop, keys included; whoever paints
    no more while some are pending never gets there.
    """
    writer = getattr(driver, "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    return 0 if queue is None else int(queue.qsize())


def cells(driver: object) -> tuple[int, int] | None:
    """Return columns and rows of the terminal as it is now; None where the driver can't tell.

    Textual reads them in a signal handler, which the next signal may interrupt: of two quick
    changes it can believe the first for good.
    """
    ask = getattr(driver, "_get_terminal_size", None)
    return None if ask is None else tuple(ask())


def speaks_utf8(environ: Mapping[str, str]) -> bool:
    """Say whether the locale asks for UTF-8: the first of three that is set decides.

    In a plain C locale Python sets `LC_CTYPE` by itself (PEP 538); that is nobody's wish.
    """
    is_coerced = environ.get("LC_CTYPE") in COERCED and environ.get("LANG", "") in PLAIN
    names = ("LC_ALL", "LANG") if is_coerced else ("LC_ALL", "LC_CTYPE", "LANG")
    named = (environ.get(name) for name in names)
    locale = next((value for value in named if value), "")
    return "utf-8" in locale.lower() or "utf8" in locale.lower()


def why_not(environ: Mapping[str, str], *, is_tty: bool, columns: int, rows: int) -> str:
    """Return why no screen can be shown here; empty when one can."""
    if not is_tty:
        return "there is no terminal"
    if environ.get("TERM", "dumb") in ("", "dumb"):
        return "the terminal is a dumb one (TERM)"
    if columns < COLUMNS_MIN or rows < ROWS_MIN:
        return f"the terminal has {columns}x{rows} cells, a screen needs {COLUMNS_MIN}x{ROWS_MIN}"
    return ""


def no_screen_here() -> str:
    """Return why this process has no place for a screen; empty if it has one."""
    streams = (sys.stdin, sys.stdout)  # None where the caller closed one
    is_tty = all(stream is not None and stream.isatty() for stream in streams)
    columns, rows = shutil.get_terminal_size()
    return why_not(os.environ, is_tty=is_tty, columns=columns, rows=rows)
