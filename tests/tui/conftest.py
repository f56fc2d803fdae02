"""A screen under test is waited for until it has nothing left to do, whatever that costs."""

import asyncio
from typing import Final

import pytest
from textual import app, pilot

RESIZE_S: Final = 0.02
"""Textual takes the last of the sizes a terminal has within 1/120 s."""


@pytest.fixture(autouse=True)
def _still_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (app, pilot):
        monkeypatch.setattr(module, "wait_for_idle", wait_until_still)
    monkeypatch.setattr(pilot.Pilot, "resize_terminal", resized)


async def wait_until_still(*_: float) -> None:
    """Let everything that can run now run, and what follows from it, until nothing is left.

    Textual's own looks every 20 ms whether the process was busy: a crowded machine makes it go on
    for up to a second, or leave too early.
    """
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0)
    while loop._ready:  # type: ignore[attr-defined]
        await asyncio.sleep(0)


async def resized(
    self: "pilot.Pilot[object]", width: int, height: int, *, change=pilot.Pilot.resize_terminal
) -> None:
    """Resize the terminal, and wait for the screen to follow."""
    await change(self, width, height)
    await asyncio.sleep(RESIZE_S)
    await self.pause()
