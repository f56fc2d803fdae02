"""Jump mode: a letter over every pane that can be gone to."""

import pytest

from tests.tui.stage import L, M, S, staged
from tui.dialogs.jump import LETTERS, JumpScreen


@pytest.mark.parametrize("size", [(60, 16), S, M, L])
async def test_every_pane_on_the_screen_has_a_letter_that_leads_to_it(
    size: tuple[int, int],
) -> None:
    """On its own title, and a second jump to the same does not zoom it."""
    async with staged(size=size) as stage:
        places = stage.app.desk.seen()
        assert 2 <= len(places) <= len(LETTERS)
        for letter, (name, at) in zip(LETTERS, places.items(), strict=False):
            await stage.press("ctrl+o")
            assert isinstance(stage.app.screen, JumpScreen)
            assert f" {letter} " == stage.rows()[at.y][at.x : at.x + 3], name
            await stage.press(letter)
            assert stage.app.desk.pane(name).has_focus
            await stage.press("ctrl+o", letter)
            assert "" == stage.app.desk.zoomed


@pytest.mark.parametrize("key", ["escape", "enter", "space", "1", "q", "ctrl+o", "K"])
async def test_any_other_key_leaves_things_as_they_are(key: str) -> None:
    async with staged() as stage:
        await stage.press("ctrl+o", key)
        assert 1 == len(stage.app.screen_stack)
        assert stage.app.desk.pane("quotes").has_focus
        assert [] == stage.source.asked


async def test_the_mouse_leaves_too() -> None:
    async with staged() as stage:
        await stage.press("ctrl+o")
        await stage.pilot.click(offset=(40, 12))
        assert 1 == len(stage.app.screen_stack)
