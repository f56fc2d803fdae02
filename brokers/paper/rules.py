"""Why the venue refuses an order: shape, grid, size, price, capacity, margin.

The first rule that fails answers; `Rules.judge` lists them in order. Reducing orders are exempt
from the minimum notional and from margin, as on the venues.
"""

from typing import Final, NamedTuple

from brokers.paper.account import Account
from brokers.paper.market import Market
from brokers.paper.order import PaperOrder
from brokers.paper.terms import Terms, whole_steps
from engine.model.money import BPS, ZERO
from engine.model.orders import OrderIntent, OrderType, Side, TimeInForce
from engine.model.venue_events import RejectReason

BUY: Final = Side.BUY
LIMIT: Final = OrderType.LIMIT
MARKET: Final = OrderType.MARKET
GTC: Final = TimeInForce.GTC
"""Module globals, because reading a member off its Enum class costs 50 ns each time."""


class Refusal(NamedTuple):
    """A venue's no."""

    reason: RejectReason
    detail: str


def invalid(detail: str) -> Refusal:
    """Refuse an order for what it says, not for the state of the world."""
    return Refusal(RejectReason.INVALID_ORDER, detail)


def draft(terms: Terms, order_id: str, intent: OrderIntent) -> PaperOrder | Refusal:
    """Convert an intent to integers, or name the field that does not fit."""
    lots = whole_steps(intent.qty, terms.lot_size)
    if lots < 0:
        return invalid("quantity is not a positive multiple of the lot size")
    kind, ticks, trigger = intent.type, 0, 0
    if kind is LIMIT:
        ticks = -1 if intent.price is None else whole_steps(intent.price, terms.tick_size)
        if ticks < 0:
            return invalid("price is not a positive multiple of the tick size")
    elif intent.post_only:
        return invalid("only a limit order can be post-only")
    elif kind is not MARKET:
        trigger = _trigger(terms, intent)
        if trigger < 0:
            return invalid("trigger is missing or not a positive multiple of the tick size")
    if intent.post_only and intent.tif is not GTC:
        return invalid("a post-only order can't be immediate")
    # Positional, in the order of the fields: half the cost of naming them.
    return PaperOrder(
        order_id,
        intent.symbol,
        intent.side,
        intent.side is BUY,
        kind,
        intent.tif,
        kind is not LIMIT and kind is not MARKET,
        intent.post_only,
        intent.reduce_only,
        intent.qty,
        intent.price,
        lots,
        ticks,
        0,
        trigger,
        intent.trail_bps,
    )


def _trigger(terms: Terms, intent: OrderIntent) -> int:
    """Return the trigger in ticks, 0 for a trailing order's (it follows), -1 for none."""
    if intent.type is OrderType.TRAILING:
        trail = intent.trail_bps
        is_valid = trail is not None and trail.is_finite() and ZERO < trail < BPS
        return 0 if is_valid else -1
    price = intent.trigger_price
    return -1 if price is None else whole_steps(price, terms.tick_size)


def would_take(market: Market, ticks: int, *, is_buy: bool) -> bool:
    """Whether a limit at this price meets the other side's touch."""
    return market.ask <= ticks if is_buy else market.bid >= ticks


class Rules:
    """The venue's rules over its account and settings."""

    __slots__ = ("_account", "_open_orders_max")

    def __init__(self, account: Account, open_orders_max: int) -> None:
        self._account = account
        self._open_orders_max = open_orders_max

    def judge(self, market: Market, order: PaperOrder) -> Refusal | None:
        """Return the first rule a new order breaks."""
        if not market.bid:
            return Refusal(RejectReason.NO_LIQUIDITY, "no price is known")
        if order.reduce_only and not market.reducible(is_buy=order.is_buy):
            return Refusal(RejectReason.REDUCE_ONLY_REJECTED, "nothing to reduce")
        ticks, lots = order.ticks or order.trigger, order.lots
        if not ticks:
            ticks = market.ask if order.is_buy else market.bid
        return (
            self.price_and_size(market, order, ticks, lots)
            or self._capacity(market, order)
            or self.margin(market, order, ticks, lots)
        )

    def price_and_size(
        self, market: Market, order: PaperOrder, ticks: int, lots: int
    ) -> Refusal | None:
        """Check floors, band and post-only; an amend is checked by the same rules."""
        terms = market.terms
        if lots < terms.min_lots:
            return invalid("quantity is below the minimum")
        if ticks * lots < terms.min_units and not order.reduce_only:
            return invalid("notional is below the minimum")
        if not order.ticks:
            return None
        band, scale = terms.band
        total = market.bid + market.ask
        if abs(2 * ticks - total) * scale > total * band:
            return invalid("price is outside the band around mid")
        if order.post_only and would_take(market, ticks, is_buy=order.is_buy):
            return Refusal(RejectReason.POST_ONLY_WOULD_CROSS, "")
        return None

    def margin(
        self, market: Market, order: PaperOrder, ticks: int, lots: int, freed: int = 0
    ) -> Refusal | None:
        """Check the initial margin; what waits for a trigger is checked when released."""
        if (
            order.is_conditional
            or order.reduce_only
            or self._account.can_afford(market, ticks, lots, is_buy=order.is_buy, freed=freed)
        ):
            return None
        return Refusal(RejectReason.INSUFFICIENT_BALANCE, "initial margin exceeds free equity")

    def _capacity(self, market: Market, order: PaperOrder) -> Refusal | None:
        if not order.is_conditional and (not order.ticks or order.tif is not GTC):
            return None
        count = len(market.buys) + len(market.sells) + len(market.conditionals)
        return invalid("too many open orders") if count >= self._open_orders_max else None
