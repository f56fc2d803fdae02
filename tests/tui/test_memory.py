"""What a person arranged comes back with the next screen, and never gets in its way."""

import json
import os
from pathlib import Path

import pytest

from tests.tui.stage import M, S, staged
from tui.memory import BYTES_MAX, Arrangement, Memory, keep, recall
from tui.ordering import Sort


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "screen.json"


def is_kept_unzoomed(place: Path, size_class: str) -> bool:
    layout = recall(place)[0].layouts.get(size_class)
    return layout is not None and not layout.zoomed


async def test_layout_sort_and_palette_come_back(place: Path) -> None:
    """Tab, zoom, chosen pane, order of rows, palette; by size class."""
    async with staged(size=S, memory=place) as stage:
        await stage.press("8", "full_stop", "r", "T", "8")
        await stage.pilot.resize_terminal(*M)
        await stage.press("z")
        assert stage.app.desk.zoomed == ""
        await stage.until(lambda: is_kept_unzoomed(place, "m"))
        palette = stage.app.looks.name

    async with staged(size=S, memory=place) as stage:
        desk = stage.app.desk
        assert ("risk", "risk") == (desk.tab, desk.zoomed)
        assert desk.pane("risk").has_focus
        assert Sort("LIMIT", True) == desk.pane("risk").sort
        assert palette == stage.app.looks.name != "safe-dark"
        await stage.pilot.resize_terminal(*M)
        assert "" == desk.zoomed, "another class has its own"
        await stage.pilot.resize_terminal(*S)
        assert "risk" == desk.zoomed


async def test_a_palette_that_was_asked_for_wins(place: Path) -> None:
    """A setting is a wish of now; NO_COLOR too."""
    keep(place, Memory(palette="east-light"))
    async with staged(memory=place, palette_name="mono", is_palette_asked=True) as stage:
        assert "mono" == stage.app.looks.name
    async with staged(memory=place) as stage:
        assert "east-light" == stage.app.looks.name


BAD = {
    "empty": (b"", "is damaged"),
    "torn": (b'{"version":1,"layouts":{"m":', "is damaged"),
    "another type": (b'{"version":"1"}', "is damaged"),
    "deep": (b"[" * 100_000, "is damaged"),
    "huge": (b" " * (BYTES_MAX + 10), "is damaged"),
    "not text": (b"\xff\xfe\x00", "is damaged"),
    "of the future": (b'{"version":2}', "is of another version"),
}


@pytest.mark.parametrize(("content", "said"), BAD.values(), ids=BAD)
async def test_a_bad_file_is_ignored_with_one_line(place: Path, content: bytes, said: str) -> None:
    """The usual layout, a sentence on the alert line, and the next change makes it good."""
    place.write_bytes(content)
    async with staged(memory=place) as stage:
        assert f"screen.json {said}: the usual layout" in stage.rows()[-2]
        await stage.press("8")
        await stage.until(lambda: "s" in recall(place)[0].layouts)

    assert "" == recall(place)[1]


async def test_names_of_another_release_are_passed_over(place: Path) -> None:
    """A pane, a column, a palette nobody has any more."""
    layouts = {"s": Arrangement(tab="gone", zoomed="gone", chosen="gone"), "xl": Arrangement()}
    keep(place, Memory(palette="neon", layouts=layouts, sorts={"gone": ("X", True),
                                                               "risk": ("GONE", True)}))  # fmt: skip
    async with staged(memory=place) as stage:
        assert "Quotes" in stage.text()
        assert "safe-dark" == stage.app.looks.name
        await stage.press("8")
        assert "LIMIT" in stage.text()


def test_the_file_is_the_users_alone_and_replaced_whole(place: Path) -> None:
    """0600, no rest beside it, never followed through a link."""
    keep(place, Memory())
    assert 0o600 == place.stat().st_mode & 0o777
    assert [place.name] == os.listdir(place.parent)
    place.unlink()
    place.symlink_to(place.parent / "elsewhere")
    (place.parent / "elsewhere").write_text(json.dumps({"version": 1, "palette": "mono"}))

    memory, trouble = recall(place)
    assert (Memory(), True) == (memory, "can't be read" in trouble)
    assert "" == keep(place, Memory())
    assert not place.is_symlink()


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    """The screen goes on; where nothing is kept, nothing is read."""
    assert "the layout can't be kept: No such file" in keep(tmp_path / "no" / "x.json", Memory())
    assert (Memory(), "") == recall(None)
    assert "" == keep(None, Memory())
