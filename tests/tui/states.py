"""The states of a session that a screen must tell apart, as section 13 of its specification has them.

One table for pictures and for text: what is shown, which keys are pressed, and the words by which a
person knows it where there is no color.
"""

from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from engine.model.orders import OrderState
from engine.session.control.faces import AccountFace
from engine.session.control.views import LogLine
from engine.session.control.words import Farewell
from tests.tui import fixtures as fx
from tests.tui.stage import FakeSource, welcome

D = fx.D


class State(NamedTuple):
    """One of them."""

    make: Callable[[], FakeSource]
    words: tuple[str, ...]
    """What stands on every screen with panes, however small."""
    keys: tuple[str, ...] = ()


def shown(state: str, *reasons: str, **changes: object) -> FakeSource:
    """A session in a state, for reasons."""
    fields: dict = {
        "session": fx.session(state),
        "lifecycle": fx.lifecycle(state, reasons=reasons, suspended=()),
        "breakers": fx.breakers()[:3], "agents": fx.agents()[:3], "orders": fx.orders()[:3],
    }  # fmt: skip
    return FakeSource(fx.view(**(fields | changes)), welcome=welcome(is_simulated=False))


def begun() -> FakeSource:
    """Ready, and nothing has happened yet."""
    view = fx.empty()
    session = replace(view.session, state="READY")
    return FakeSource(
        replace(view, session=session, lifecycle=fx.lifecycle("READY", reasons=(), suspended=()))
    )


def degraded() -> FakeSource:
    """One symbol has old data; the others trade."""
    return shown(
        "ACTIVE", "FEED_STALE:SOLUSDT",
        lifecycle=fx.lifecycle(),
    )  # fmt: skip


def refusing() -> FakeSource:
    """The gate lets no such order pass."""
    source = FakeSource(fx.view())
    source.foresee = lambda _: fx.prospect(
        is_approved=False, rule="order_size", setting="max_order_notional", limit="2500",
        reading="67412.9", route="BLOCK RISK_GATE",
    )  # fmt: skip
    return source


def flattening() -> FakeSource:
    lifecycle = fx.lifecycle(
        "EMERGENCY", reasons=("OPERATOR_KILL",), suspended=(), is_flattening=True
    )
    return shown("EMERGENCY", lifecycle=lifecycle)


def shadowing() -> FakeSource:
    """A real account beside the simulated one, out of sight for a moment."""
    account = AccountFace(
        seen_ns=fx.NOW_NS, is_seen=False, equity=D("9876.5"), gap=D("-12.25"),
        positions=(("BTCUSDT", D("0.005")),),
    )  # fmt: skip
    source = shown("ACTIVE", account=account)
    source.seen = source.seen._replace(welcome=welcome(mode="shadow", is_simulated=False))
    return source


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


def banned() -> tuple[LogLine, ...]:
    """The venue named the end of its ban."""
    until = "418 banned until 12:05:00Z EVIDENCE_REF=evidence/venue-120210"
    return (*fx.log(), fx.line("venue_down", until, severity="critical"))


def lost() -> FakeSource:
    """Nobody knows what became of an order."""
    unknown = fx.order(4, state=OrderState.UNKNOWN, changed_ns=fx.NOW_NS - 2 * fx.SECOND)
    return shown("ACTIVE", orders=(fx.order(), unknown))


def mode(name: str, **changes: object) -> FakeSource:
    """A calm session in another mode."""
    source = shown("ACTIVE")
    return FakeSource(source.seen.view, welcome=welcome(mode=name, is_simulated=False, **changes))


def many() -> FakeSource:
    return FakeSource(fx.view(markets=tuple(fx.market(f"S{i:02}USDT") for i in range(50))))


STATES: dict[str, State] = {
    "init": State(lambda: FakeSource(fx.empty()), ("INIT", "SIMULATED")),
    "ready-empty": State(begun, ("READY",)),
    "active": State(lambda: shown("ACTIVE"), ("> ACTIVE", "PAPER")),
    "throttled": State(lambda: shown("THROTTLED", "TOXICITY_HIGH:BTCUSDT"), ("~ THROTTLED", "TOXICITY_HIGH")),
    "paused": State(lambda: shown("PAUSED", "OPERATOR_PAUSE", orders=()), ("|| PAUSED", "OPERATOR_PAUSE")),
    "degraded-symbol": State(degraded, ("no new risk in SOLUSDT", "FEED_STALE")),
    "emergency": State(flattening, ("!! EMERGENCY", "flattening"), ("4",)),
    "stopped": State(
        lambda: FakeSource(shown("STOPPED").seen.view, farewell=Farewell("max_loss")),
        ("STOPPED", "session ended: max_loss"),
    ),
    "replay": State(lambda: mode("replay"), ("REPLAY",)),
    "live": State(lambda: mode("live"), ("LIVE", "#")),
    "shadow": State(shadowing, ("SHADOW",)),
    "simulated": State(
        lambda: FakeSource(shown("ACTIVE", session=fx.session(is_simulated=True)).seen.view),
        ("PAPER", "SIMULATED"),
    ),
    "frozen": State(
        lambda: FakeSource(shown("ACTIVE").seen.view, age_s=3.0, trouble="no session listens"),
        ("SCREEN FROZEN, figures as of 12:02:19Z",),
    ),
    "extreme": State(extreme, ("-98,755,432.10",), ("4",)),
    "fifty": State(many, ("Quotes (50)", "S49USDT"), ("G",)),
    "unknown-order": State(lost, ("UNKNOWN",)),
    "venue-ban": State(lambda: shown("DEGRADED", "VENUE_DOWN:session", log=banned()), ("! DEGRADED", "VENUE_DOWN")),
    "unreachable": State(lambda: FakeSource(None, trouble="no session listens"), ("no session listens",)),
}  # fmt: skip
