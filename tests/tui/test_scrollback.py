"""Lines of many views, each once."""

from engine.session.control.views import LogLine
from tests.tui import fixtures
from tui.scrollback import LINES_MAX, Scrollback


def lines(first: int, last: int) -> tuple[LogLine, ...]:
    return tuple(fixtures.line(text=str(n), number=n) for n in range(first, last + 1))


def numbers(back: Scrollback) -> list[int]:
    return [line.number for line in back.lines]


def test_each_once() -> None:
    """Views overlap; the same view twice adds nothing."""
    back = Scrollback()
    for first, last in ((1, 3), (1, 3), (2, 5), (4, 6)):
        back.take(lines(first, last))

    assert ([1, 2, 3, 4, 5, 6], 0) == (numbers(back), back.missed)


def test_a_gap_is_counted() -> None:
    """What came and went between two looks; what came before the first look is no gap."""
    back = Scrollback()
    back.take(lines(101, 110))
    back.take(lines(120, 125))
    back.take((*lines(130, 130), *lines(132, 133)))

    assert 9 + 4 + 1 == back.missed
    assert 133 == numbers(back)[-1]


def test_a_session_that_begins_anew() -> None:
    """Its numbers do too; an empty view takes nothing away."""
    back = Scrollback()
    back.take(lines(1, 50))
    back.take(())
    assert 50 == len(back.lines)
    back.take(lines(1, 2))

    assert [1, 2] == numbers(back)


def test_without_numbers_there_is_no_more_than_the_view() -> None:
    """A session of an older version."""
    back = Scrollback()
    for text in ("a", "b"):
        back.take((fixtures.line(text=text, number=0),) * 2)

    assert ["b", "b"] == [line.text for line in back.lines]


def test_bounded() -> None:
    """The oldest are forgotten."""
    back = Scrollback()
    for first in range(1, 2 * LINES_MAX, 100):
        back.take(lines(first, first + 99))

    assert LINES_MAX == len(back.lines)
