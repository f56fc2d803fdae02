"""What a terminal can show, by its own words."""

from queue import Queue
from types import SimpleNamespace

import pytest

from tui.terminal import is_behind, speaks_utf8, why_not


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C", "LC_ALL": "C.UTF-8"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "en_US.ISO-8859-1", "LC_CTYPE": "en_US.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_CTYPE": "", "LC_ALL": ""}, True),
    ],
)
def test_utf8(environ: dict[str, str], expected: bool) -> None:
    """The locale decides, and not what Python makes of a plain one."""
    assert expected is speaks_utf8(environ)


@pytest.mark.parametrize(
    ("term", "is_tty", "columns", "rows", "expected"),
    [
        ("xterm", True, 80, 24, ""),
        ("xterm", True, 20, 5, ""),
        ("xterm", True, 19, 5, "the terminal has 19x5 cells, a screen needs 20x5"),
        ("xterm", True, 20, 4, "the terminal has 20x4 cells, a screen needs 20x5"),
        ("dumb", True, 80, 24, "the terminal is a dumb one (TERM)"),
        ("", True, 80, 24, "the terminal is a dumb one (TERM)"),
        ("xterm", False, 80, 24, "there is no terminal"),
    ],
)
def test_no_screen(term: str, is_tty: bool, columns: int, rows: int, expected: str) -> None:
    """One reason, in words."""
    assert expected == why_not({"TERM": term}, is_tty=is_tty, columns=columns, rows=rows)


def test_a_writer_with_two_frames_is_behind() -> None:
    """One on its way is usual; a driver without a writer is never behind."""
    frames: Queue[str] = Queue()
    driver = SimpleNamespace(_writer_thread=SimpleNamespace(_queue=frames))
    seen = []
    for _ in range(3):
        seen.append(is_behind(driver))
        frames.put("frame")

    assert [False, False, True] == seen
    assert not is_behind(None)
    assert not is_behind(SimpleNamespace())
