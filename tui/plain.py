"""Line mode: what changed between two views, one labelled line a change. Pure.

For screen readers, pipes and terminals that can do nothing else.

Rule 1: a change is a line that reads differently; what the line leaves out is no change.
Rule 2: a view that was missed costs nothing but the steps between: the next lines say how it is.
Rule 3: equity moves all the time and is told once a minute.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import takewhile
from typing import Final, TypeVar

from msgspec.structs import replace

from engine.model.account import Fill, RoundTrip
from engine.model.money import HUNDRED, ZERO, ratio
from engine.model.orders import OrderState
from engine.session.control.views import (
    AgentFace,
    BreakerFace,
    LogLine,
    MarketFace,
    OrderFace,
    PositionFace,
    View,
)
from engine.session.sanitize import sanitize
from tui import format as figures
from tui.evidence import words
from tui.panes.agents import state
from tui.panes.risk import status
from tui.staleness import is_stale, limit_s, price_age

MINUTE_NS: Final = 60 * figures.SECOND_NS
LINE_MAX: Final = 300
"""Characters of a line."""
WORDS_MAX: Final = 240
"""Of those, characters of what a line of the log says; the path of an evidence is kept whole."""
TOLD: Final = frozenset({"fill", "round_trip", "fsm_transition", "breaker", "heartbeat"})
"""Kinds of the log that have lines of their own here."""

T = TypeVar("T")
Tell = Callable[[View, View], Iterable[str]]


def lines(before: View | None, after: View) -> list[str]:
    """Return what a reader of `before` does not know yet; all that stands if there was none."""
    known = _unseen(after) if before is None else before
    return [sanitize(line, LINE_MAX) for tell in _TELLERS for line in tell(known, after)]


def _unseen(view: View) -> View:
    """Return a view of the same session that shows only what is past."""
    return replace(
        view,
        session=replace(view.session, ts_ns=0, state=""),
        lifecycle=replace(view.lifecycle, reasons=()),
        markets=(),
        orders=(),
        positions=tuple(replace(held, qty=ZERO, entry_price=None) for held in view.positions),
        agents=(),
        breakers=tuple(replace(b, is_tripped=False, headroom=Decimal(1)) for b in view.breakers),
        health=replace(view.health, journal_failure=""),
    )


def _differing(
    before: Sequence[T], after: Sequence[T], key: Callable[[T], str], say: Callable[[T], str]
) -> Iterator[str]:
    """Yield the lines of `after` that read differently now."""
    known = {key(item): say(item) for item in before}
    for item in after:
        line = say(item)
        if known.get(key(item)) != line:
            yield line


def _newer(before: Sequence[T], after: Sequence[T]) -> list[T]:
    """Return what a tail has gained; all of it when it has moved past what was known."""
    last = before[-1] if before else None
    return list(takewhile(lambda item: item != last, reversed(after)))[::-1]


def _session(before: View, after: View) -> Iterator[str]:
    if _standing(before) != _standing(after):
        yield _standing(after)
    gone = [reason for reason in before.lifecycle.reasons if reason not in after.lifecycle.reasons]
    new = [reason for reason in after.lifecycle.reasons if reason not in before.lifecycle.reasons]
    yield from (f"reason {reason} cleared" for reason in gone)
    yield from (f"reason {reason} open" for reason in new)
    if after.health.journal_failure != before.health.journal_failure:
        yield f"journal {after.health.journal_failure or 'sound'}"


def _standing(view: View) -> str:
    life = view.lifecycle
    facts = (
        ("SIMULATED", view.session.is_simulated),
        ("flattening", life.is_flattening),
        ("flat, waits for laptop-agents reset", life.needs_reset),
    )
    return ", ".join([f"state {view.session.state}", *(word for word, holds in facts if holds)])


def _equity(before: View, after: View) -> Iterator[str]:
    books = after.session
    if before.session.ts_ns // MINUTE_NS != books.ts_ns // MINUTE_NS:
        share = figures.percent(ratio(books.pnl * HUNDRED, books.starting_balance))
        yield (
            f"equity {figures.money(books.equity)}, PnL {figures.pnl(books.pnl)} ({share}),"
            f" at {figures.clock(books.ts_ns)}, {figures.countdown(books.remaining_s)}"
        )


def _data(before: View, after: View) -> Iterator[str]:
    said = {market.symbol: _freshness(before, market) for market in before.markets}
    for market in after.markets:
        line = _freshness(after, market)
        if said.get(market.symbol) != line:
            yield line


def _freshness(view: View, market: MarketFace) -> str:
    seconds = price_age(view, market)
    word = "current"
    if seconds is None:
        word = "not seen yet"
    elif is_stale(seconds, limit_s(view)):
        word = "stale"
    return f"data {market.symbol} {word}{', suspended' if market.is_suspended else ''}"


def _orders(before: View, after: View) -> Iterator[str]:
    """Yield what ended, then what changed; an amend is told when the venue has answered it."""
    live = {order.order_id for order in after.orders}
    for order in before.orders:
        if order.order_id not in live:
            yield f"{_what(after, order)} no longer open, {order.order_id}"
    known = {order.order_id for order in before.orders}
    settled = [
        order
        for order in after.orders
        if order.order_id not in known or order.state is not OrderState.PENDING_UPDATE
    ]
    yield from _differing(before.orders, settled, lambda o: o.order_id, lambda o: _order(after, o))


def _order(view: View, order: OrderFace) -> str:
    doubt = ", nobody knows whether the venue has it" if order.state is OrderState.UNKNOWN else ""
    return f"{_what(view, order)} {order.state}{doubt}, {order.order_id}"


def _what(view: View, order: OrderFace) -> str:
    """Return side, symbol, what is left of how much, and the price."""
    tick, lot = _steps(view, order.symbol)
    whole = figures.quantity(order.qty, lot)
    left = figures.quantity(order.qty - order.filled_qty, lot)
    size = whole if left == whole else f"{left} of {whole}"
    price = order.trigger_price if order.price is None else order.price
    at = "market" if price is None else figures.price(price, tick)
    return f"order {figures.side(order.side)} {order.symbol} {size} at {at}"


def _steps(view: View, symbol: str) -> tuple[Decimal, Decimal]:
    """Return tick and lot size; of an instrument nobody knows, fine ones."""
    steps: Mapping[str, MarketFace] = {market.symbol: market for market in view.markets}
    found = steps.get(symbol)
    fine = Decimal("0.00000001")
    return (fine, fine) if found is None else (found.tick_size, found.lot_size)


def _positions(before: View, after: View) -> Iterator[str]:
    yield from _differing(
        before.positions, after.positions, lambda p: p.symbol, lambda p: _position(after, p)
    )


def _position(view: View, held: PositionFace) -> str:
    if not held.qty:
        return f"position {held.symbol} flat"
    tick, lot = _steps(view, held.symbol)
    entry = figures.price(held.entry_price, tick)
    return f"position {held.symbol} {figures.position(held.qty, lot)} from {entry}"


def _fills(before: View, after: View) -> Iterator[str]:
    count = after.session.fills - before.session.fills
    new = after.fills[max(0, len(after.fills) - count) :] if count > 0 else ()
    if count > len(new):
        yield f"fills {count - len(new)} more, too many for a view"
    yield from (_fill(after, fill) for fill in new)


def _fill(view: View, fill: Fill) -> str:
    tick, lot = _steps(view, fill.symbol)
    size, price = figures.quantity(fill.qty, lot), figures.price(fill.price, tick)
    late = ", late" if fill.is_late else ""
    paid_in = f" in {fill.other_fee.asset}" if fill.other_fee else ""
    return (
        f"fill {figures.side(fill.side)} {fill.symbol} {size} at {price}"
        f" {fill.liquidity.lower()}, fee {figures.paid(fill.fee)}{paid_in}{late}, {fill.order_id}"
    )


def _round_trips(before: View, after: View) -> Iterator[str]:
    for trip in _newer(before.round_trips, after.round_trips):
        yield _round_trip(trip)


def _round_trip(trip: RoundTrip) -> str:
    return (
        f"round trip {figures.side(trip.side)} {trip.symbol} net {figures.pnl(trip.net_pnl)}"
        f" in {figures.age(trip.duration_s)}, {trip.agent}"
    )


def _agents(before: View, after: View) -> Iterator[str]:
    yield from _differing(before.agents, after.agents, lambda a: a.name, _agent)


def _agent(agent: AgentFace) -> str:
    why = f": {agent.quarantine}" if agent.quarantine else ""
    return f"agent {agent.name} {state(agent)}, weight {agent.weight:f}{why}"


def _limits(before: View, after: View) -> Iterator[str]:
    yield from _differing(before.breakers, after.breakers, lambda b: b.name, _limit)


def _limit(breaker: BreakerFace) -> str:
    word = status(breaker)
    return f"limit {breaker.name} {f'{word}, {breaker.action}' if word else 'clear'}"


def _log(before: View, after: View) -> Iterator[str]:
    for line in _newer(before.log, after.log):
        if line.kind not in TOLD and line.severity != "debug":
            yield _told(line)


def _told(line: LogLine) -> str:
    return f"{line.severity} {line.kind} {words(line.text, WORDS_MAX)}"


_TELLERS: Final[tuple[Tell, ...]] = (
    _session, _data, _agents, _limits, _orders, _fills, _round_trips, _positions, _log, _equity,
)  # fmt: skip
"""In the order in which a person wants to hear it."""
