"""What a session answered, in words with times. Pure; outside text is sanitised here."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from engine.model.events import Operator
from engine.session.control.views import MarketFace, PositionFace, View
from engine.session.control.words import Outcome, Ruling, Welcome
from engine.session.sanitize import sanitize
from laptop_agents.audit_words import columns, iso
from laptop_agents.run_shelf import RunSummary

DONE: Final = {
    Operator.PAUSE: "paused",
    Operator.RESUME: "resumed",
    Operator.REDUCE_ONLY: "reduce-only",
    Operator.FLATTEN: "flat",
    Operator.STOP: "stopped",
    Operator.KILL: "killed",
    Operator.RESET: "reset",
    Operator.PAUSE_AGENT: "agent paused",
    Operator.RESUME_AGENT: "agent resumed",
    Operator.WEIGH_AGENT: "agent weighed",
    Operator.PLACE_ORDER: "ordered",
    Operator.AMEND_ORDER: "amended",
    Operator.CANCEL_ORDER: "canceled",
    Operator.CANCEL_SYMBOL: "all canceled",
    Operator.CANCEL_ALL: "all canceled",
    Operator.FLATTEN_SYMBOL: "flat",
    Operator.TAKE_CONTROLS: "controls taken",
}
"""The fact a command leads to."""


def outcome_line(outcome: Outcome) -> str:
    """Return one line: what happened, how long it took, how the session stands."""
    return _LINES[outcome.ruling](outcome)


def _done(outcome: Outcome) -> str:
    whom = f" ({sanitize(outcome.argument)})" if outcome.argument else ""
    head = f"{DONE[outcome.command]}{whom} in {took(outcome.seconds)}"
    return f"{head}: {', '.join(_facts(outcome))}"


def _unchanged(outcome: Outcome) -> str:
    return f"nothing changed: {_state(outcome)}"


def _refused(outcome: Outcome) -> str:
    return f"refused: {sanitize(outcome.detail)}"


def _unconfirmed(outcome: Outcome) -> str:
    why = f"{sanitize(outcome.detail)}; " if outcome.detail else ""
    return f"unconfirmed after {took(outcome.seconds)}: {why}{', '.join(_facts(outcome))}"


_LINES: Final[Mapping[Ruling, Callable[[Outcome], str]]] = {
    Ruling.DONE: _done,
    Ruling.UNCHANGED: _unchanged,
    Ruling.REFUSED: _refused,
    Ruling.UNCONFIRMED: _unconfirmed,
}


def _facts(outcome: Outcome) -> Iterator[str]:
    yield _state(outcome)
    if outcome.detail and outcome.ruling is Ruling.DONE:
        yield f"ended by {sanitize(outcome.detail)}"
    yield f"{counted(outcome.orders_canceled, 'order')} canceled"
    if outcome.fills:
        yield counted(outcome.fills, "fill")
    if outcome.open_orders:
        yield f"{counted(outcome.open_orders, 'order')} open"
    yield _held(outcome.positions)
    yield f"equity {money(outcome.equity)}"


def _state(outcome: Outcome) -> str:
    return state_words(outcome.state, outcome.reasons)


def state_words(state: str, reasons: Iterable[str]) -> str:
    """Return a state with what keeps the session in it."""
    why = ", ".join(sanitize(reason, 60) for reason in reasons)
    return f"state {sanitize(state)}{f' ({why})' if why else ''}"


def _held(positions: Mapping[str, Decimal]) -> str:
    if not positions:
        return "no position"
    return "position " + ", ".join(f"{sanitize(s, 64)} {qty:+f}" for s, qty in positions.items())


def took(seconds: float) -> str:
    """Return a duration as a person says it."""
    return f"{seconds * 1_000:.0f} ms" if seconds < 0.1 else f"{seconds:.1f} s"


def money(amount: Decimal) -> str:
    """Return an amount of quote currency."""
    return f"{amount:z,.2f}"


def counted(number: int, what: str) -> str:
    """Return a number of things."""
    return f"{number} {what}{'' if number == 1 else 's'}"


# --- status --------------------------------------------------------------------------------------


def status_lines(welcome: Welcome, view: View) -> list[str]:
    """Return a live session as lines of aligned columns."""
    return columns(list(_live(welcome, view)))


def _live(welcome: Welcome, view: View) -> Iterator[tuple[str, str]]:
    session, lifecycle = view.session, view.lifecycle
    simulated = " SIMULATED" if session.is_simulated else ""
    yield "run", f"{sanitize(welcome.run_id)} (running, pid {welcome.pid})"
    yield "mode", f"{sanitize(welcome.mode)}{simulated}, source {sanitize(welcome.source, 300)}"
    since = f"since {iso(lifecycle.since_ns)}"
    yield "state", f"{state_words(lifecycle.state, lifecycle.reasons)[6:]} {since}"
    yield "time", f"{iso(session.ts_ns)}, {_left(session.remaining_s)}"
    yield (
        "equity",
        f"{money(session.equity)} (PnL {session.pnl:+z,.2f}, fees {money(session.fees)})",
    )
    yield "drawdown", f"{session.drawdown_pct:.2f}%"
    yield "orders", f"{session.open_orders} open, {counted(session.fills, 'fill')} so far"
    for market, position in zip(view.markets, view.positions, strict=True):
        yield sanitize(market.symbol, 64), _market(market, position)
    for agent in view.agents:
        paused = "paused" if agent.is_paused else "on"
        standing = f"FAULT {sanitize(agent.quarantine)}" if agent.quarantine else paused
        wishes = counted(agent.intents, "intent")
        yield f"agent {sanitize(agent.name)}", f"{standing}, weight {agent.weight}, {wishes}"
    for breaker in view.breakers:
        if breaker.is_tripped:
            yield "breaker", f"{breaker.name}: {breaker.reading:f} of {breaker.limit:f}, tripped"


def _market(market: MarketFace, position: PositionFace) -> str:
    touch = f"{_price(market.bid)} / {_price(market.ask)}"
    if not position.qty:
        return f"{touch}, flat"
    return f"{touch}, position {position.qty:+f}, unrealised {position.unrealised:+z,.2f}"


def _price(price: Decimal | None) -> str:
    return "-" if price is None else f"{price:f}"


def _left(remaining_s: float | None) -> str:
    return "until stopped" if remaining_s is None else f"{remaining_s:.0f} s left"


def ended_lines(run: RunSummary) -> list[str]:
    """Return how a run that is not running ended."""
    ending = run.ending
    rows = [
        ("run", f"{sanitize(run.run_id)} (not running)"),
        ("ended by", sanitize(ending.stop_reason) or "-"),
        ("took", "-" if ending.duration_s is None else f"{ending.duration_s:.1f} s"),
        ("equity", "-" if ending.equity is None else money(ending.equity)),
        ("net PnL", "-" if ending.net_pnl is None else f"{ending.net_pnl:+z,.2f}"),
        ("fills", "-" if ending.fills is None else str(ending.fills)),
    ]
    return columns(rows)
