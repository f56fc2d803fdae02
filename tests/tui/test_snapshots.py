"""What the screen looks like, to the cell: three sizes, two palettes, the states that matter.

After a change that is meant: `pytest tests/tui/test_snapshots.py --snapshot-update`, and look at it.
"""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from engine.session.control.words import Farewell
from tests.tui import fixtures as fx
from tests.tui.stage import FakeClock, FakeSource, L, M, S, welcome
from tui.app import Workstation
from tui.surface import Surface
from tui.theme import NAMES

Compare = Callable[..., bool]
D = fx.D

SIZES = {"80x24": S, "120x40": M, "200x60": L, "compact": (60, 16), "tiny": (30, 8)}


def flattening() -> FakeSource:
    lifecycle = fx.lifecycle(
        "EMERGENCY", reasons=("OPERATOR_KILL",), suspended=(), is_flattening=True
    )
    return FakeSource(fx.view(lifecycle=lifecycle, session=fx.session("EMERGENCY")))


def paused() -> FakeSource:
    lifecycle = fx.lifecycle("PAUSED", reasons=("OPERATOR_PAUSE",), suspended=())
    return FakeSource(fx.view(lifecycle=lifecycle, session=fx.session("PAUSED"), orders=()))


def extreme() -> FakeSource:
    """Very large, very small and negative figures."""
    markets = (
        fx.market(bid=D("123456789.1"), ask=D("123456789.9"), bids=(), asks=(), is_book_synced=False),
        fx.market("PEPEUSDT", tick_size=D("0.00000001"), lot_size=D("1"), bid=D("0.00001234"),
                  ask=D("0.00001236"), mark_price=D("0.00001235"), bid_qty=D("99000000000")),
    )  # fmt: skip
    positions = (
        fx.position(qty=D("99999.999"), unrealised=D("-98765432.10"), realised=D("123456789.01")),
    )
    session = fx.session(equity=D("-98755432.10"), balance=D("1"), unrealised=D("-98755433.10"))
    return FakeSource(fx.view(markets=markets, positions=positions, session=session))


def refusing() -> FakeSource:
    """The gate lets no such order pass."""
    source = FakeSource(fx.view())
    source.foresee = lambda _: fx.prospect(
        is_approved=False, rule="order_size", setting="max_order_notional", limit="2500",
        reading="67412.9", route="BLOCK RISK_GATE",
    )  # fmt: skip
    return source


STATES: dict[str, tuple[Callable[[], FakeSource], tuple[str, ...]]] = {
    # name: what is shown, keys pressed
    "empty": (lambda: FakeSource(fx.empty()), ()),
    "paused": (paused, ()),
    "emergency": (flattening, ("4",)),
    "live": (lambda: FakeSource(fx.view(), welcome=welcome(mode="live", is_simulated=False)), ("8",)),
    "frozen": (lambda: FakeSource(fx.view(), age_s=3.0, trouble="no session listens"), ()),
    "ended": (lambda: FakeSource(fx.view(), farewell=Farewell("max_loss")), ("6",)),
    "unreachable": (lambda: FakeSource(None, trouble="no session listens"), ()),
    "extreme": (extreme, ("4",)),
    "fifty": (lambda: FakeSource(fx.view(markets=tuple(fx.market(f"S{i:02}USDT") for i in range(50)))), ("G",)),
    "danger": (lambda: FakeSource(fx.view()), ("ctrl+x",)),
    "quitting": (lambda: FakeSource(fx.view()), ("q",)),
    "ticket": (lambda: FakeSource(fx.view()), ("b", "0", "full_stop", "0", "2")),
    "refused": (refusing, ("s", "1", "enter")),
    "armed": (lambda: FakeSource(fx.view()), ("4", "f")),
    "level": (lambda: FakeSource(fx.view(controls="screen pid=2")), ("3", "plus", "down", "down")),
}  # fmt: skip


def compare(
    snap_compare: Compare, source: FakeSource, size: tuple[int, int], palette: str, keys: tuple[str, ...] = ()
) -> bool:  # fmt: skip
    surface = Surface(
        palette_name=palette, monotonic_s=FakeClock(), wall_ns=lambda: fx.NOW_NS, is_owner=True
    )
    app = Workstation(source, surface)

    async def settle(pilot: Pilot) -> None:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        app.look()
        await pilot.pause()

    return snap_compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("palette", ["safe-dark", "mono"])
@pytest.mark.parametrize("size", SIZES)
def test_sizes(snap_compare: Compare, size: str, palette: str) -> None:
    """The trading session of the fixtures."""
    assert compare(snap_compare, FakeSource(fx.view()), SIZES[size], palette)


@pytest.mark.parametrize("palette", [name for name in NAMES if name not in ("safe-dark", "mono")])
def test_palettes(snap_compare: Compare, palette: str) -> None:
    """The others, at the smallest full size."""
    assert compare(snap_compare, FakeSource(fx.view()), S, palette)


@pytest.mark.parametrize("state", STATES)
def test_states(snap_compare: Compare, state: str) -> None:
    """What stands out when it must."""
    make, keys = STATES[state]

    assert compare(snap_compare, make(), S, "safe-dark", keys)
