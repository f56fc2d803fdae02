"""Dialogs that were opened and closed leave nothing behind that adds up."""

import gc

from textual.strip import Strip

from tests.tui.stage import Stage, staged
from tui.forgetting import KEPT_MAX

# A danger menu is two of what is kept.
WARM, ROUNDS = KEPT_MAX // 2 + 1, 8


def lines() -> int:
    """How many drawn lines are held by anybody."""
    gc.collect()
    return sum(type(thing) is Strip for thing in gc.get_objects())


async def rounds(stage: Stage, count: int) -> None:
    for _ in range(count):
        await stage.pilot.press("ctrl+x", "x")


async def test_closed_dialogs_are_forgotten() -> None:
    """As many lines are held after eight danger menus more; each has thirty of its own."""
    async with staged(size=(80, 24)) as stage:
        await rounds(stage, WARM)
        before = lines()
        await rounds(stage, ROUNDS)

        assert lines() - before < ROUNDS * 10
