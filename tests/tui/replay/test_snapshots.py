"""What a recorded session looks like, to the cell.

After a change that is meant: `pytest tests/tui/replay/test_snapshots.py --snapshot-update`, and
look at it.
"""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.tui.replay.stage import Marks, StillLink, scrub
from tests.tui.stage import FakeClock, L, M, S
from tui.replay.app import ReplayWorkstation
from tui.surface import Surface

Compare = Callable[..., bool]
SIZES = {"80x24": S, "120x40": M, "200x60": L, "compact": (60, 16), "tiny": (30, 8)}


def compare(
    snap_compare: Compare, size: tuple[int, int], *keys: str, palette: str = "safe-dark",
    **changes: object,
) -> bool:  # fmt: skip
    surface = Surface(palette_name=palette, monotonic_s=FakeClock())
    app = ReplayWorkstation(StillLink(at=scrub(**changes)), Marks((90_000,)), surface)

    async def settle(pilot: Pilot) -> None:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        app.look()
        await pilot.pause()

    return snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", SIZES)
def test_sizes(snap_compare: Compare, size: str) -> None:
    """The trading session of the fixtures, a fifth into it."""
    assert compare(snap_compare, SIZES[size])


def test_without_color(snap_compare: Compare) -> None:
    """The badge and the bar say what this is."""
    assert compare(snap_compare, S, palette="mono")


def test_reading_and_diverged(snap_compare: Compare) -> None:
    """Still reading, playing, and something came out differently."""
    changes = {"is_whole": False, "known": 0.43, "is_playing": True, "diverged": 2, "speed": 6}

    assert compare(snap_compare, S, **changes)


def test_seeking(snap_compare: Compare) -> None:
    """The line that asks where to go."""
    assert compare(snap_compare, S, "slash")
