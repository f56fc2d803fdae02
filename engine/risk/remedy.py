"""The smallest change that would have let a refused intent pass. Pure.

Rule 1: one thing changes at a time: a number of the intent, a moment, or one limit. Where only two
        of them together would do, there is no answer.
Rule 2: nothing is claimed that was not asked: every change is put to the whole table of rules
        again, and so is the change one step smaller where the answer names a bound.
"""

import decimal
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from engine.model.instrument import Instrument
from engine.model.money import ROUNDED
from engine.model.orders import OrderIntent, OrderType, Side
from engine.risk.context import GateContext
from engine.risk.explain import RuleReading
from engine.risk.limits import RiskLimits
from engine.risk.rules import LARGEST, RULES

Ask = Callable[[GateContext], Sequence[RuleReading]]
"""The table of rules for the context's intent."""

VENUE: Final = "venue_rules"
COLLAR: Final = "price_collar"
DOUBLINGS_MAX: Final = 64
"""Steps of a search upwards: past any quantity the gate reads."""
READING_STEP: Final = Decimal("0.000001")
"""Readings are shown to six digits; a limit just above one may be that much larger."""


def remedies(context: GateContext, limits: RiskLimits, ask: Ask, wait_ns: int) -> tuple[str, ...]:
    """Return what would have let the context's intent pass: its own numbers, time, then limits.

    Args:
        context: As the gate judged it; the same when this returns.
        limits: Those of the session.
        ask: Judges the context's intent by every rule.
        wait_ns: How long until the throttle has room.

    """
    intent = context.intent
    failing = [row for row in ask(context) if row.passed is False]
    if not failing:
        return ()
    try:
        found = [*_quantities(context, ask, intent), *_prices(context, ask, intent)]
    finally:
        context.intent = intent
        ask(context)  # works the context's figures out again
    if [row.name for row in failing] == ["throttle"]:
        found.append(f"wait {-(-wait_ns // 100_000_000) / 10:.1f} s for a token")
    elif len(failing) == 1 and failing[0].setting:
        found += _limits(context, limits, failing[0])
    return tuple(found)


def _passes(context: GateContext, ask: Ask, wish: OrderIntent) -> bool:
    context.intent = wish
    return all(row.passed is not False for row in ask(context))


def _blocked(context: GateContext, ask: Ask, wish: OrderIntent) -> bool:
    """Whether any rule but the venue's own minimum refuses."""
    context.intent = wish
    return any(row.passed is False and row.name != VENUE for row in ask(context))


# --- quantity ------------------------------------------------------------------------------------


def _quantities(context: GateContext, ask: Ask, intent: OrderIntent) -> Iterable[str]:
    instrument = context.view.instrument
    if not intent.qty.is_finite() or not 0 < intent.qty < LARGEST:
        return
    lots = instrument.lots(intent.qty, decimal.ROUND_FLOOR)
    if lots * instrument.lot_size != intent.qty:
        for near in (lots, lots + 1):
            if _passes(context, ask, _sized(intent, instrument, near)):
                yield f"qty = {instrument.qty(near)}"
                return
        return
    if _blocked(context, ask, intent):
        yield from _smaller(context, ask, intent, lots)
    else:
        yield from _larger(context, ask, intent, lots)


def _smaller(context: GateContext, ask: Ask, intent: OrderIntent, lots: int) -> Iterable[str]:
    instrument = context.view.instrument
    good, bad = 0, lots
    while bad - good > 1:
        middle = (good + bad) // 2
        if _blocked(context, ask, _sized(intent, instrument, middle)):
            bad = middle
        else:
            good = middle
    if good and _passes(context, ask, _sized(intent, instrument, good)):
        yield f"qty <= {instrument.qty(good)}"


def _larger(context: GateContext, ask: Ask, intent: OrderIntent, lots: int) -> Iterable[str]:
    """Search upwards for the venue's minimum, where that is all that refuses."""
    instrument = context.view.instrument

    def is_enough(count: int) -> bool:
        context.intent = _sized(intent, instrument, count)
        return all(row.passed is not False for row in ask(context) if row.name == VENUE)

    bad, good = lots, lots
    for _ in range(DOUBLINGS_MAX):
        good *= 2
        if is_enough(good):
            break
    else:
        return
    while good - bad > 1:
        middle = (good + bad) // 2
        bad, good = (bad, middle) if is_enough(middle) else (middle, good)
    if _passes(context, ask, _sized(intent, instrument, good)):
        yield f"qty >= {instrument.qty(good)}"


def _sized(intent: OrderIntent, instrument: Instrument, lots: int) -> OrderIntent:
    return replace(intent, qty=instrument.qty(lots))


# --- price ---------------------------------------------------------------------------------------


def _prices(context: GateContext, ask: Ask, intent: OrderIntent) -> Iterable[str]:
    instrument = context.view.instrument
    is_limit = intent.type is OrderType.LIMIT
    field = "price" if is_limit else "trigger_price"
    price: Decimal | None = getattr(intent, field)
    if price is None or not price.is_finite() or not 0 < price < LARGEST:
        return
    ticks = instrument.ticks(price, decimal.ROUND_HALF_EVEN)
    if ticks * instrument.tick_size != price:
        candidates: Iterable[tuple[str, int]] = [("=", ticks)]
    else:
        candidates = [*_toward_mid(context, ask, intent, field), *_beside_own(context, intent)]
    for sign, near in candidates:
        wish = replace(intent, **{field: instrument.price(near)})
        if near > 0 and _passes(context, ask, wish):
            yield f"{field} {sign} {instrument.price(near)}"
            return


def _toward_mid(
    context: GateContext, ask: Ask, intent: OrderIntent, field: str
) -> Iterable[tuple[str, int]]:
    """Find the first tick on the way to mid that the price collar accepts."""
    instrument = context.view.instrument
    ticks, mid = instrument.ticks(getattr(intent, field)), context.view.mid2_ticks // 2

    def is_far(count: int) -> bool:
        context.intent = replace(intent, **{field: instrument.price(count)})
        return any(row.passed is False and row.name == COLLAR for row in ask(context))

    if not mid or mid == ticks or not is_far(ticks):
        return
    bad, good = ticks, mid
    step = 1 if mid > ticks else -1
    while abs(good - bad) > 1:
        middle = bad + step * (abs(good - bad) // 2)
        bad, good = (middle, good) if is_far(middle) else (bad, middle)
    yield (">=" if step > 0 else "<="), good


def _beside_own(context: GateContext, intent: OrderIntent) -> Iterable[tuple[str, int]]:
    """Step back before the nearest resting order of our own on the other side."""
    instrument = context.view.instrument
    if intent.type is not OrderType.LIMIT:
        return
    others = [o.price for o in context.own_orders if o.side is not intent.side and o.price]
    if others and intent.side is Side.BUY:
        yield "<=", instrument.ticks(min(others), decimal.ROUND_CEILING) - 1
    elif others:
        yield ">=", instrument.ticks(max(others), decimal.ROUND_FLOOR) + 1


# --- limits --------------------------------------------------------------------------------------


def _limits(context: GateContext, limits: RiskLimits, failing: RuleReading) -> Iterable[str]:
    """Name the least value of the refusing limit that would have passed."""
    row = next((r for r in RULES if (r.name, r.setting) == (failing.name, failing.setting)), None)
    if row is None:
        return
    kind: Any = type(getattr(limits, row.setting))
    try:
        reading = Decimal(failing.reading.removesuffix(" ms"))
    except decimal.InvalidOperation:  # "no equity", "no mid": no limit would do
        return
    step = Decimal(1) if kind is int else READING_STEP
    for limit in (reading, reading + step):
        if row.check(context, kind(limit)) is None:
            yield f"risk.{row.setting} >= {ROUNDED.normalize(limit):f}"
            return
