"""Sizes that change, in `make sweeps` a hundred times: nothing raises, nothing chosen or half typed is lost (T8)."""

import pytest
from textual.events import DescendantFocus

from tests.sweeps import counted
from tests.tui.stage import L, S, staged

TINY = (20, 5)
RESIZES = counted(100, sample=30)


async def test_resizes_under_a_half_typed_filter() -> None:
    """The text field keeps its words and its focus, the pane its tab, sort and choice."""
    async with staged(size=L) as stage:
        await stage.press("8", "full_stop", "j", "j", "slash", *"los")
        pane = stage.app.desk.pane("risk")
        before = (pane.sort, pane.selected)
        for turn in range(RESIZES):
            await stage.pilot.resize_terminal(*(L if turn % 2 else TINY))
        await stage.press(*"s", "enter")

        assert "loss" == pane.filter
        assert before[0] == pane.sort
        assert pane.has_focus
        assert stage.app.bug is None


async def test_late_word_of_a_focus_is_no_choice() -> None:
    """A pane that took over in a tiny window is told of when the chosen one has its place again."""
    async with staged(size=L) as stage:
        await stage.press("8")
        desk, screen = stage.app.desk, stage.app.screen
        risk, other = desk.pane("risk"), desk.pane("quotes")
        await stage.pilot.resize_terminal(*TINY)
        screen.set_focus(other)
        await stage.pilot.resize_terminal(*L)
        assert screen.focused is risk, "at once: what is told of before it acts is of the past"
        desk.post_message(DescendantFocus(other))
        await stage.settle()
        assert ("risk", True) == (desk.chosen, risk.has_focus)


@pytest.mark.parametrize("key", ["A", "enter", "q", "question_mark", "ctrl+x"])
async def test_every_dialog_survives_the_smallest_screen(key: str) -> None:
    """Opened large, made tiny, made large: it is still there, and its keys still act."""
    async with staged(size=L, is_owner=True) as stage:
        await stage.press(key)
        opened = stage.text()
        for size in (TINY, (1, 1), S, L):
            await stage.pilot.resize_terminal(*size)
            await stage.settle()
        assert opened.splitlines()[5:-3] == stage.text().splitlines()[5:-3]
        stage.clock.now_s += 1
        await stage.press("escape")

        assert 1 == len(stage.app.screen_stack)
