"""What the screen looks like, to the cell.

Pictures: every state at 120x40 in the default palette, every size in four palettes, every other
palette once, and what opens over the desk. The rest of the matrix of section 13, all states at all
sizes, is read as text in tests/tui/test_states.py: a picture of it could show nothing else.

After a change that is meant: `pytest tests/tui/test_snapshots.py --snapshot-update`, and look at it.
"""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.tui import fixtures as fx
from tests.tui.stage import FakeClock, FakeSource, L, M, S
from tests.tui.states import STATES, refusing
from tests.tui.test_why import told
from tui.app import Workstation
from tui.story import Reply
from tui.surface import SettingLine, Surface
from tui.theme import NAMES

Compare = Callable[..., bool]

SIZES = {"80x24": S, "120x40": M, "200x60": L}
SMALL = {"compact": (60, 16), "tiny": (30, 8)}
PALETTES = ("safe-dark", "safe-light", "classic-dark", "mono")
OVERLAYS = {
    "danger": ("ctrl+x",),
    "armed": ("4", "f"),
    "quitting": ("q",),
    "ticket": ("b", "0", "full_stop", "0", "2"),
    "refused": ("s", "1", "enter"),
    "confirmation": ("b", "0", "full_stop", "0", "2", "enter"),
    "level": ("3", "plus", "down", "down"),
    "why": ("5", "down", "w"),
    "alerts": ("A", "down", "x"),
    "details": ("5", "down", "enter"),
    "sorted": ("5", "full_stop", "full_stop", "r", "y"),
    "help": ("question_mark",),
}
"""By name the keys that open it."""
ELSEWHERE: dict[str, Callable[[], FakeSource]] = {
    "refused": refusing,
    "level": lambda: FakeSource(fx.view(controls="screen pid=2")),
}
"""By name another session than the usual one."""
LOOKS = 2
"""Looks until a picture stands still: the timer's own come whenever they come."""
TOLD = (
    SettingLine(
        "risk.max_loss_pct", "2", "default", "Session loss that halts, percent.", "above 0"
    ),
    SettingLine("session.policy", "net", "--set", "How wishes are settled.", "net or priority"),
)


def compare(
    snap_compare: Compare, source: FakeSource, size: tuple[int, int], palette: str, keys: tuple[str, ...] = (),
    **changes: object,
) -> bool:  # fmt: skip
    surface = Surface(
        palette_name=palette, monotonic_s=FakeClock(), wall_ns=lambda: fx.NOW_NS, settings=lambda: TOLD
    )  # fmt: skip
    app = Workstation(source, surface._replace(**changes))

    async def settle(pilot: Pilot) -> None:
        await pilot.pause()
        for key in keys:
            await (app.run_action(key) if "(" in key else pilot.press(key))
            await pilot.pause()
        await app.workers.wait_for_complete()
        for _ in range(LOOKS):
            app.look()
            await pilot.pause()

    return snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("size", SIZES)
def test_sizes(snap_compare: Compare, size: str, palette: str) -> None:
    """A session with everything in it."""
    assert compare(snap_compare, FakeSource(fx.view()), SIZES[size], palette)


@pytest.mark.parametrize("size", SMALL)
def test_small_sizes(snap_compare: Compare, size: str) -> None:
    """Fewer panes, and a card."""
    assert compare(snap_compare, FakeSource(fx.view()), SMALL[size], "safe-dark")


@pytest.mark.parametrize("palette", [name for name in NAMES if name not in PALETTES])
def test_palettes(snap_compare: Compare, palette: str) -> None:
    """The others, at the smallest full size."""
    assert compare(snap_compare, FakeSource(fx.view()), S, palette)


@pytest.mark.parametrize("state", STATES)
def test_states(snap_compare: Compare, state: str) -> None:
    """What stands out when it must."""
    make, _, keys = STATES[state]

    assert compare(snap_compare, make(), M, "safe-dark", keys)


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlays(snap_compare: Compare, name: str) -> None:
    """What lies over the desk."""
    source = ELSEWHERE.get(name, lambda: FakeSource(fx.view()))()
    changes = {"is_owner": name == "quitting", "why": lambda _: Reply(told())}

    assert compare(snap_compare, source, S, "safe-dark", OVERLAYS[name], **changes)


def test_why_where_there_is_room(snap_compare: Compare) -> None:
    """The whole story at once."""
    source, why = FakeSource(fx.view()), lambda _: Reply(told())

    assert compare(snap_compare, source, M, "safe-dark", OVERLAYS["why"], why=why)


def test_settings(snap_compare: Compare) -> None:
    """Only the command palette opens them."""
    assert compare(snap_compare, FakeSource(fx.view()), M, "safe-dark", ("open('settings')",))


def test_first_minute(snap_compare: Compare) -> None:
    """What a person sees who typed one word."""
    assert compare(snap_compare, FakeSource(fx.view()), S, "safe-dark", is_owner=True)
