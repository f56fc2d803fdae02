"""The words of a heartbeat: one view as one line, for people and for scripts. Pure."""

from decimal import Decimal
from typing import Final

import msgspec

from engine.model.money import HUNDRED, ROUNDED, ZERO, ratio
from engine.reports.view import PositionView, SessionView
from engine.session.health import HealthReading
from engine.session.sanitize import sanitize

BAR_WIDTH: Final = 10
POSITIONS_SHOWN: Final = 3
REASONS_SHOWN: Final = 3
DAY_S: Final = 86_400
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def heartbeat_line(view: SessionView, health: HealthReading) -> str:
    """Return the plain line: words and, where there is a planned end, an ASCII bar."""
    words = heartbeat_words(view, health)
    return words if view.progress is None else f"{words}  {_bar(view.progress)}"


def heartbeat_words(view: SessionView, health: HealthReading) -> str:
    """Return everything but the bar: time, state, money, orders, positions, health, time left."""
    return "  ".join((*_front(view), _health(health), _remaining(view.remaining_s)))


def heartbeat_block(view: SessionView, health: HealthReading) -> str:
    """Return the same on two lines, for a terminal of 80 to 120 columns."""
    return "  ".join((*_front(view), _remaining(view.remaining_s))) + f"\n{_health(health)}"


def _front(view: SessionView) -> tuple[str, ...]:
    return (
        f"{_clock(view.ts_ns)} {_state(view)}",
        f"equity {_money(view.equity)}",
        _pnl(view),
        f"orders {view.open_orders}",
        _positions(view.positions),
    )


def heartbeat_json(view: SessionView, health: HealthReading) -> str:
    """Return the same as one JSON object; money is a number with every digit, unknown is null."""
    beat = {
        "ts": view.ts_ns,
        "state": view.state,
        "simulated": view.is_simulated,
        "reasons": view.reasons,
        "equity": view.equity,
        "pnl": view.pnl,
        "drawdown_pct": view.drawdown_pct,
        "open_orders": view.open_orders,
        "fills": view.fills,
        "positions": {position.symbol: position.qty for position in view.positions},
        "remaining_s": view.remaining_s,
        "progress": view.progress,
        "cpu_pct": health.cpu_pct,
        "rss_mb": health.rss_mb,
        "disk_free_mb": health.disk_free_mb,
        "loop_lag_ms": health.loop_lag_ms,
    }
    return _ENCODER.encode(beat).decode("utf-8")


def heartbeat_data(view: SessionView) -> dict[str, object]:
    """Return the journal's heartbeat: figures of event time only, so that it replays."""
    return {
        "state": view.state,
        "equity": view.equity,
        "pnl": view.pnl,
        "pnl_pct": ratio(view.pnl * HUNDRED, view.starting_balance),
        "balance": view.balance,
        "unrealised": view.unrealised,
        "fees": view.fees,
        "funding": view.funding,
        "open_orders": view.open_orders,
        "fills": view.fills,
        "positions": {p.symbol: p.qty for p in view.positions if p.qty},
        "remaining_s": view.remaining_s,
        "progress": view.progress,
    }


def _clock(ts_ns: int) -> str:
    minutes, seconds = divmod(ts_ns // 1_000_000_000 % DAY_S, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}Z"


def _state(view: SessionView) -> str:
    shown = [sanitize(reason, 60) for reason in view.reasons[:REASONS_SHOWN]]
    if len(view.reasons) > REASONS_SHOWN:
        shown.append(f"{len(view.reasons) - REASONS_SHOWN} more")
    why = f" ({', '.join(shown)})" if shown else ""
    return f"{sanitize(view.state)}{why}{' SIMULATED' if view.is_simulated else ''}"


def _money(amount: Decimal) -> str:
    return f"{amount:z,.2f}"


def _pnl(view: SessionView) -> str:
    start = view.starting_balance
    share = ""
    if start > ZERO:
        share = f" ({ROUNDED.divide(view.pnl * HUNDRED, start):+z.2f}%)"
    return f"PnL {view.pnl:+z,.2f}{share}"


def _positions(positions: tuple[PositionView, ...]) -> str:
    held = [position for position in positions if position.qty]
    if not held:
        return "pos flat"
    shown = [f"{sanitize(p.symbol, 64)} {p.qty:+f}" for p in held[:POSITIONS_SHOWN]]
    if len(held) > POSITIONS_SHOWN:
        shown.append(f"{len(held) - POSITIONS_SHOWN} more")
    return f"pos {', '.join(shown)}"


def _health(health: HealthReading) -> str:
    cpu = "?" if health.cpu_pct is None else f"{health.cpu_pct:.0f}%"
    rss = "?" if health.rss_mb is None else f"{health.rss_mb:.0f}MB"
    disk = "?" if health.disk_free_mb is None else f"{health.disk_free_mb / 1_024:.0f}GB"
    lag = "" if health.loop_lag_ms is None else f" lag {health.loop_lag_ms:.0f}ms"
    return f"cpu {cpu} rss {rss} disk {disk}{lag}"


def _remaining(seconds: float | None) -> str:
    if seconds is None:
        return "until stopped"
    minutes, rest = divmod(max(0, int(seconds)), 60)
    if minutes < 60:
        return f"T-{minutes:02}:{rest:02}"
    return f"T-{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _bar(progress: float) -> str:
    share = min(max(progress, 0.0), 1.0)
    full = int(share * BAR_WIDTH)
    return f"[{'#' * full}{'.' * (BAR_WIDTH - full)}] {int(share * 100)}%"
