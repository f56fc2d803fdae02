"""What a terminal can show, by its own words."""

from queue import Queue
from types import SimpleNamespace

import pytest

from tui.terminal import pending, speaks_utf8, why_not


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


def test_frames_that_wait_are_counted() -> None:
    """Textual's own writer; a driver without one, in tests and browsers, has none waiting."""
    driver = SimpleNamespace(_writer_thread=SimpleNamespace(_queue=Queue()))
    seen = []
    for _ in range(3):
        seen.append(pending(driver))
        driver._writer_thread._queue.put("frame")

    assert [0, 1, 2] == seen
    assert 0 == pending(None)
    assert 0 == pending(SimpleNamespace())
