"""The pre-trade rules, one pure function each: None lets the intent pass, a pair refuses it.

The pair is (limit, reading), both as text for the verdict. Ratios are compared by multiplying, so
that only a refusal divides. A rule whose limit is None is not compiled into the gate at all. The
order of `RULES` is the order of judgement: the first failing rule wins and names itself.

Source: domain.md section 2.
"""

from collections.abc import Callable
from decimal import Decimal
from enum import IntEnum
from typing import Any, Final, NamedTuple

from engine.model.instrument import Instrument
from engine.model.money import BPS, ZERO, ratio
from engine.model.orders import BUY, MARKET, REQUIRED_NUMBER, Order, OrderIntent, OrderType
from engine.risk.context import GateContext

Refusal = tuple[str, str]
Rule = Callable[[GateContext, Any], Refusal | None]
"""Takes its own limit, of the type `RiskLimits` gives it; rules without a setting ignore it."""


class Scope(IntEnum):
    """Which intents a rule judges."""

    ALL = 0
    NORMAL = 1
    """All but the session's own flattening."""
    ADDING = 2
    """Only intents whose worst case is a larger position."""


LARGEST: Final = Decimal(10) ** 12
"""Bound on every quantity and price: far above any market, far below what arithmetic can hold."""


ANY_TYPE: Final = frozenset(OrderType)
MARKET_ONLY: Final = frozenset({MARKET})
NOT_MARKET: Final = ANY_TYPE - MARKET_ONLY


class RuleRow(NamedTuple):
    """One rule of the gate."""

    name: str
    """As in domain.md section 2; several limits may share one."""
    setting: str
    """The limit under `risk.*` that switches the rule off when None; empty: always on."""
    check: Rule
    scope: Scope
    types: frozenset[OrderType] = ANY_TYPE
    """Orders it has a say in."""


def state(c: GateContext, _: object) -> Refusal | None:
    """The lifecycle forbids it."""
    if c.permits(c.intent.symbol, adds_risk=c.adds_risk):
        return None
    return "reducing only" if c.adds_risk else "no orders", c.state


def arming(c: GateContext, needed: object) -> Refusal | None:
    """Nobody has armed the session for its venue, or no longer."""
    if not needed or c.now_ns < c.armed_until_ns:
        return None
    return "armed by a person", "expired" if c.armed_until_ns else "not armed"


def ill_formed(intent: OrderIntent, instrument: Instrument) -> Refusal | None:
    """Find a number no venue could take: missing, absurd, not positive, off the tick or the step.

    The gate asks before it computes anything: what passes is on the instrument's grid and bounded,
    so every product of it is exact.
    """
    required, tick = REQUIRED_NUMBER.get(intent.type), instrument.tick_size
    flaw = _misfit("qty", intent.qty, instrument.lot_size)
    if flaw is None and (intent.price is not None or required == "price"):
        flaw = _misfit("price", intent.price, tick)
    if flaw is None and (intent.trigger_price is not None or required == "trigger_price"):
        flaw = _misfit("trigger_price", intent.trigger_price, tick)
    if flaw is None and (intent.trail_bps is not None or required == "trail_bps"):
        flaw = _misfit("trail_bps", intent.trail_bps, None)
    return flaw


def _misfit(name: str, number: Decimal | None, step: Decimal | None) -> Refusal | None:
    if number is None:
        return name, "none"
    if not number.is_finite() or not ZERO < number < LARGEST:
        return f"0 < {name} < {LARGEST}", str(number)
    if step is not None and number % step:
        return f"{name} in steps of {step}", str(number)
    return None


def venue_rules(c: GateContext, _: object) -> Refusal | None:
    """Below the venue's minimum."""
    intent, instrument = c.intent, c.view.instrument
    if intent.qty < instrument.min_qty:
        return f"min_qty {instrument.min_qty}", str(intent.qty)
    if c.adds_risk and 0 < c.notional < instrument.min_notional:
        return f"min_notional {instrument.min_notional}", str(c.notional)
    return None


def reference_price(c: GateContext, _: object) -> Refusal | None:
    """No mid is known to judge by: fail closed (reliability.md B2)."""
    return None if c.mid2 and c.price > ZERO else ("a quote", "none")


def order_size(c: GateContext, limit: Decimal) -> Refusal | None:
    """One order larger than `max_order_notional`."""
    return None if c.notional <= limit else _refusal(limit, c.notional)


def price_collar(c: GateContext, limit: Decimal) -> Refusal | None:
    """A limit or trigger price further than this from mid."""
    if not c.mid2:
        return str(limit), "no mid"
    deviation = abs(2 * c.price - c.mid2) * BPS
    return None if deviation <= limit * c.mid2 else _refusal(limit, ratio(deviation, c.mid2))


def slippage(c: GateContext, limit: Decimal) -> Refusal | None:
    """A market order expected to pay more than this against mid."""
    mid2 = c.view.mid2_ticks
    if not mid2:
        return str(limit), "no mid"
    lost, lots = c.slippage_ticks()
    if lost * BPS <= limit * (lots * mid2):
        return None
    return _refusal(limit, ratio(lost * BPS, Decimal(lots * mid2)))


def stale_price(c: GateContext, limit_ms: int) -> Refusal | None:
    """The quote it would be judged by is too old."""
    age_ns = c.now_ns - c.view.priced_ns
    if age_ns <= limit_ms * 1_000_000:
        return None
    return f"{limit_ms} ms", f"{age_ns // 1_000_000} ms"


def position_size(c: GateContext, limit: Decimal) -> Refusal | None:
    """The worst-case position in base units."""
    return None if abs(c.worst) <= limit else _refusal(limit, abs(c.worst))


def position_notional(c: GateContext, limit: Decimal) -> Refusal | None:
    """The worst-case position in quote currency."""
    return None if c.worst_notional <= limit else _refusal(limit, c.worst_notional)


def gross_notional(c: GateContext, limit: Decimal) -> Refusal | None:
    """Sum of absolute positions over the session's instruments."""
    return None if c.gross <= limit else _refusal(limit, c.gross)


def net_notional(c: GateContext, limit: Decimal) -> Refusal | None:
    """Signed sum over the session's instruments."""
    return None if abs(c.net) <= limit else _refusal(limit, abs(c.net))


def leverage(c: GateContext, limit: Decimal) -> Refusal | None:
    """Gross notional over equity."""
    equity = c.portfolio.equity
    if equity <= ZERO:
        return str(limit), "no equity"
    return None if c.gross <= limit * equity else _refusal(limit, ratio(c.gross, equity))


def concentration(c: GateContext, limit: Decimal) -> Refusal | None:
    """Share of one instrument in gross notional, where more than one is held."""
    own = c.worst_notional
    if c.gross == own or own <= limit * c.gross:
        return None
    return _refusal(limit, ratio(own, c.gross))


def open_orders(c: GateContext, limit: int) -> Refusal | None:
    """Working orders over all instruments."""
    return None if c.is_amend or c.open_count < limit else (str(limit), str(c.open_count + 1))


def open_orders_per_symbol(c: GateContext, limit: int) -> Refusal | None:
    """Working orders of this instrument."""
    count = c.open_count_symbol
    return None if c.is_amend or count < limit else (str(limit), str(count + 1))


def spread(c: GateContext, limit: Decimal) -> Refusal | None:
    """The market is too wide to add risk in."""
    view = c.view
    width = (view.ask_ticks - view.bid_ticks) * 2 * BPS
    mid2 = view.mid2_ticks
    return None if width <= limit * mid2 else _refusal(limit, ratio(width, Decimal(mid2)))


def in_the_way(c: GateContext) -> list[Order]:
    """Return our own resting orders that the intent would trade with."""
    intent, price = c.intent, c.price
    if intent.trigger_price is not None or intent.trail_bps is not None:
        return []
    buying = intent.side is BUY
    return [
        order
        for order in c.own_orders
        if order.side is not intent.side
        and order.price is not None
        and (price >= order.price if buying else price <= order.price)
    ]


def self_trade(c: GateContext, _: object) -> Refusal | None:
    """It would cross one of our own resting orders."""
    for order in in_the_way(c):
        return f"own {order.order_id} at {order.price}", str(c.price)
    return None


def _refusal(limit: Decimal, reading: Decimal) -> Refusal:
    return str(limit), f"{reading:.6f}".rstrip("0").rstrip(".")


RULES: Final[tuple[RuleRow, ...]] = (
    RuleRow("state", "", state, Scope.ALL),
    RuleRow("arming", "needs_arming", arming, Scope.ADDING),
    RuleRow("venue_rules", "", venue_rules, Scope.ALL),
    RuleRow("stale_price", "", reference_price, Scope.ADDING),
    RuleRow("order_size", "max_order_notional", order_size, Scope.ADDING),
    RuleRow("price_collar", "max_price_deviation_bps", price_collar, Scope.NORMAL, NOT_MARKET),
    RuleRow("price_collar", "max_slippage_bps", slippage, Scope.ADDING, MARKET_ONLY),
    RuleRow("stale_price", "max_quote_age_ms", stale_price, Scope.ADDING),
    RuleRow("position", "max_position_size", position_size, Scope.ADDING),
    RuleRow("position", "max_position_notional", position_notional, Scope.ADDING),
    RuleRow("portfolio", "max_gross_notional", gross_notional, Scope.ADDING),
    RuleRow("portfolio", "max_net_notional", net_notional, Scope.ADDING),
    RuleRow("portfolio", "max_leverage", leverage, Scope.ADDING),
    RuleRow("portfolio", "max_concentration", concentration, Scope.ADDING),
    RuleRow("open_orders", "max_open_orders", open_orders, Scope.ADDING),
    RuleRow("open_orders", "max_open_orders_per_symbol", open_orders_per_symbol, Scope.ADDING),
    RuleRow("spread", "max_spread_bps", spread, Scope.ADDING),
    RuleRow("self_trade", "", self_trade, Scope.NORMAL),
)
"""`instrument`, `throttle` and `duplicate` need more than a reading: they stand in the gate."""
