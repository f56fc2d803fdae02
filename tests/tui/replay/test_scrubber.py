"""The replay bar, to the cell."""

import pytest
from rich.cells import cell_len

from tests.tui.replay.stage import scrub
from tui.pane import Row
from tui.replay.scrubber import draw, speed
from tui.theme import palette

ASCII = palette("safe-dark", is_ascii=True)


def text(row: Row) -> str:
    return "".join(cell.text for cell in row)


def drawn(width: int = 120, height: int = 2, stars: tuple[int, ...] = (), **changes: object) -> list[str]:  # fmt: skip
    return [text(row) for row in draw(scrub(**changes), width, height, ASCII, stars)]


def test_two_lines_say_where_how_fast_and_what_was_proven() -> None:
    """Time, distance to the end, event number, hash; the track, decisions, divergences."""
    first, second = drawn()

    left = " || x1   12:02:19.500Z  +02:19 of 10:00  T-07:41"
    right = "  event 48,211 of 147,200  hash 9f3c9f3c9f3c "
    assert left.ljust(120 - len(right)) + right == first
    assert second.endswith("decisions 1,204 of 5,800  diverged 0 ")


@pytest.mark.parametrize("width", range(20, 200, 6))
@pytest.mark.parametrize("height", [1, 2])
def test_it_fits_and_never_hides_a_divergence(width: int, height: int) -> None:
    """What is less important goes first."""
    rows = drawn(width, height, diverged=3)

    assert all(cell_len(row) <= width for row in rows)
    assert "diverged 3" in rows[-1]


def test_a_divergence_is_alarming() -> None:
    """And none is not."""
    tokens = [
        {cell.text: cell.token for row in draw(scrub(diverged=n), 120, 2, ASCII) for cell in row}
        for n in (0, 1)
    ]

    assert "ok" == tokens[0]["0 "]
    assert "danger bold" == tokens[1]["1 "]


def test_the_track_shows_the_place_and_the_bookmarks() -> None:
    """By event number, from the start to the known end."""
    (_, start), (_, half), (_, end) = (
        drawn(seq=seq, lines=1_000, stars=(250, 1_000)) for seq in (0, 500, 1_000)
    )
    track = [row.split("  decisions")[0].strip() for row in (start, half, end)]
    width = len(track[0])

    assert (0, width // 2 - 1, width - 2) == tuple(row.count("#") for row in track)
    assert all(row[width // 4] == "*" == row[-1] for row in track)


SAID = [
    ({"is_playing": True, "speed": 0}, " > x0.1"),
    ({"is_playing": True, "speed": 10}, " > max"),
    ({"is_seeking": True}, " seeking"),
    ({"is_whole": False, "known": 0.999}, "reading 99%"),
    ({"is_whole": False}, "T-?"),
]


@pytest.mark.parametrize(("changes", "words"), SAID)
def test_what_it_is_doing(changes: dict[str, object], words: str) -> None:
    """Playing, seeking, still reading: each says so."""
    assert words in "".join(drawn(**changes))


def test_speeds_have_names() -> None:
    """From a tenth to all there is."""
    assert ["x0.1", "x0.25", "x0.5", "x1", "x2", "x5", "x10", "x25", "x50", "x100", "max"] == [
        speed(place) for place in range(11)
    ]
