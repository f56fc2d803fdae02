"""The pre-trade rules, one pure function each: None lets the intent pass, a pair refuses it.

The pair is (limit, reading), both as text for the verdict. A rule whose limit is None is not
compiled into the gate at all. The order of `RULES` is the order of judgement: the first failing
rule wins and names itself. Source: domain.md section 2.
"""

from collections.abc import Callable
from decimal import Decimal
from enum import IntEnum
from typing import Final, NamedTuple

from engine.model.money import BPS, ROUNDED, ratio
from engine.model.orders import OrderType, Side
from engine.risk.context import GateContext
from engine.risk.limits import RiskLimits

Refusal = tuple[str, str]
Rule = Callable[[GateContext, RiskLimits], Refusal | None]


class Scope(IntEnum):
    """Which intents a rule judges."""

    ALL = 0
    NORMAL = 1
    """All but the session's own flattening."""
    ADDING = 2
    """Only intents whose worst case is a larger position."""


class RuleRow(NamedTuple):
    """One rule of the gate."""

    name: str
    """As in domain.md section 2; several limits may share one."""
    setting: str
    """The limit under `risk.*` that switches the rule off when None; empty: always on."""
    check: Rule
    scope: Scope


def state(c: GateContext, _: RiskLimits) -> Refusal | None:
    """The lifecycle forbids it."""
    if c.permits(c.intent.symbol, adds_risk=c.adds_risk):
        return None
    return "reducing only" if c.adds_risk else "no orders", c.state


def venue_rules(c: GateContext, _: RiskLimits) -> Refusal | None:
    """Off the tick or the step, below the minimum, or without a price."""
    intent, instrument = c.intent, c.view.instrument
    if intent.qty % instrument.lot_size:
        return f"step {instrument.lot_size}", str(intent.qty)
    if intent.qty < instrument.min_qty:
        return f"min_qty {instrument.min_qty}", str(intent.qty)
    for price in (intent.price, intent.trigger_price):
        if price is not None and (price <= 0 or price % instrument.tick_size):
            return f"tick {instrument.tick_size}", str(price)
    if c.adds_risk and c.price > 0:
        notional = instrument.notional(c.price, intent.qty)
        if notional < instrument.min_notional:
            return f"min_notional {instrument.min_notional}", str(notional)
    return None


def reference_price(c: GateContext, _: RiskLimits) -> Refusal | None:
    """No mid is known to judge by: fail closed (reliability.md B2)."""
    return None if c.view.mid2_ticks and c.price > 0 else ("a quote", "none")


def order_size(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """One order larger than `max_order_notional`."""
    notional = c.view.instrument.notional(c.price, c.intent.qty)
    return _above(limits.max_order_notional, notional)


def price_collar(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """A limit or trigger price further than this from mid."""
    if c.intent.type is OrderType.MARKET:
        return None
    mid2 = c.view.mid2_ticks * c.view.instrument.tick_size
    deviation = ROUNDED.divide(abs(2 * c.price - mid2) * BPS, mid2)
    return _above(limits.max_price_deviation_bps, deviation)


def slippage(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """A market order expected to pay more than this against mid."""
    if c.intent.type is not OrderType.MARKET:
        return None
    expected = c.slippage_bps()
    if expected is None:
        return str(limits.max_slippage_bps), "unknown"
    return _above(limits.max_slippage_bps, expected)


def stale_price(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """The quote it would be judged by is too old."""
    age_ms = (c.now_ns - c.view.priced_ns) // 1_000_000
    return (f"{limits.max_quote_age_ms} ms", f"{age_ms} ms") if (
        age_ms > limits.max_quote_age_ms
    ) else None


def position_size(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """The worst-case position in base units."""
    return _above(limits.max_position_size, abs(c.worst_position()))


def position_notional(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """The worst-case position in quote currency."""
    worst = c.view.instrument.notional(c.price, c.worst_position())
    return _above(limits.max_position_notional, worst)


def gross_notional(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """Sum of absolute positions over the session's instruments."""
    return _above(limits.max_gross_notional, c.worst_exposure()[0])


def net_notional(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """Signed sum over the session's instruments."""
    return _above(limits.max_net_notional, abs(c.worst_exposure()[1]))


def leverage(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """Gross notional over equity."""
    equity = c.portfolio.equity
    if equity <= 0:
        return str(limits.max_leverage), "no equity"
    return _above(limits.max_leverage, ratio(c.worst_exposure()[0], equity))


def concentration(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """Share of one instrument in gross notional, where more than one is held."""
    gross, _, own = c.worst_exposure()
    return _above(limits.max_concentration, ratio(own, gross)) if gross > own else None


def open_orders(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """Working orders over all instruments."""
    return _full(limits.max_open_orders, c.open_count, c.is_amend)


def open_orders_per_symbol(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """Working orders of this instrument."""
    return _full(limits.max_open_orders_per_symbol, c.open_count_symbol, c.is_amend)


def spread(c: GateContext, limits: RiskLimits) -> Refusal | None:
    """The market is too wide to add risk in."""
    view = c.view
    width = (view.ask_ticks - view.bid_ticks) * 2 * BPS
    return _above(limits.max_spread_bps, ROUNDED.divide(width, Decimal(view.mid2_ticks)))


def self_trade(c: GateContext, _: RiskLimits) -> Refusal | None:
    """It would cross one of our own resting orders."""
    intent = c.intent
    if intent.trigger_price is not None or intent.trail_bps is not None:
        return None
    buying = intent.side is Side.BUY
    for order in c.own_orders:
        if order.side is intent.side or order.type is not OrderType.LIMIT:
            continue
        assert order.price is not None
        if (c.price >= order.price) if buying else (c.price <= order.price):
            return f"own {order.order_id} at {order.price}", str(c.price)
    return None


def _above(limit: Decimal | None, reading: Decimal) -> Refusal | None:
    assert limit is not None
    return (str(limit), f"{reading:.6f}".rstrip("0").rstrip(".")) if reading > limit else None


def _full(limit: int | None, count: int, is_amend: bool) -> Refusal | None:
    assert limit is not None
    return None if is_amend or count < limit else (str(limit), str(count + 1))


RULES: Final[tuple[RuleRow, ...]] = (
    RuleRow("state", "", state, Scope.ALL),
    RuleRow("venue_rules", "", venue_rules, Scope.ALL),
    RuleRow("stale_price", "", reference_price, Scope.ADDING),
    RuleRow("order_size", "max_order_notional", order_size, Scope.ADDING),
    RuleRow("price_collar", "max_price_deviation_bps", price_collar, Scope.NORMAL),
    RuleRow("price_collar", "max_slippage_bps", slippage, Scope.ADDING),
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
"""`instrument`, `throttle` and `duplicate` need more than a reading and stand in the gate itself."""
