"""Every state at every size, read as a person without colors reads it: mono, letters only."""

import pytest
from rich.cells import cell_len

from tests.tui.stage import L, M, S, Stage, staged
from tests.tui.states import STATES

SIZES = [L, M, S, (60, 16), (30, 8), (20, 5)]
CARD = [(30, 8), (20, 5)]
"""Sizes that have room for a card only."""


def check(stage: Stage, size: tuple[int, int], words: tuple[str, ...]) -> None:
    """Hold what stands on a screen against what must."""
    rows = stage.rows()
    assert size[1] == len(rows)
    assert {size[0]} == {cell_len(row) for row in rows}
    assert stage.text().isascii()
    assert "None" not in stage.text()
    assert stage.app.bug is None
    if size not in CARD:
        assert [] == [word for word in words if word not in stage.text()], size


@pytest.mark.parametrize("name", [name for name in STATES if name != "stopped"])
async def test_every_state_at_every_size(name: str) -> None:
    """Each row exactly as wide as the terminal, all of it letters, the telling words on it."""
    make, words, keys = STATES[name]
    async with staged(source=make(), size=L, palette_name="mono", is_ascii=True) as stage:
        await stage.press(*keys)
        for size in SIZES:
            await stage.pilot.resize_terminal(*size)
            await stage.settle()
            check(stage, size, words)


@pytest.mark.parametrize("size", SIZES)
async def test_the_last_look_at_every_size(size: tuple[int, int]) -> None:
    """A session that has ended closes its screen after two seconds, so each size has its own."""
    make, words, _ = STATES["stopped"]
    async with staged(source=make(), size=size, palette_name="mono", is_ascii=True) as stage:
        check(stage, size, words)


@pytest.mark.parametrize("size", [M, S])
async def test_states_differ_in_text(size: tuple[int, int]) -> None:
    """No two of them need a color to be told apart."""
    texts = {}
    for name, state in STATES.items():
        async with staged(
            source=state.make(), size=size, palette_name="mono", is_ascii=True
        ) as stage:
            texts[name] = stage.text()

    assert len(texts) == len(set(texts.values()))


async def test_up_and_down_differ_in_text() -> None:
    """The same screen with every gain a loss: rows with a sign differ, without their styles."""
    gain, loss = STATES["active"].make(), STATES["extreme"].make()
    texts = []
    for source in (gain, loss):
        async with staged(source=source, size=M, palette_name="mono", is_ascii=True) as stage:
            texts.append(stage.rows()[1])

    assert "+12.34" in texts[0]
    assert "-98,755,432.10" in texts[1]
