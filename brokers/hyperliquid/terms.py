"""An order of ours in Hyperliquid's terms, or why it has none. Pure.

Rule: nothing is rounded. What the venue does not have is refused before it is sent, with the words
that say which rule it breaks.

Source: the Hyperliquid sheet, sections 3 and 4.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from brokers.hyperliquid.actions import IMMEDIATE, POST_ONLY, RESTING, OrderTerms
from brokers.hyperliquid.listing import Place
from brokers.hyperliquid.rules import is_price, is_size, slipped
from brokers.link.account import NewOrder, Refused
from engine.model.orders import OrderType, Side, TimeInForce
from engine.model.venue_events import RejectReason

TIFS: Final[Mapping[TimeInForce, str]] = {
    TimeInForce.GTC: RESTING,
    TimeInForce.IOC: IMMEDIATE,
}
"""Fill-or-kill is not among them."""


class Touch(NamedTuple):
    """Best prices of a coin."""

    bid: Decimal
    ask: Decimal

    def against(self, side: Side) -> Decimal:
        """Return what a taker of this side gets."""
        return self.ask if side is Side.BUY else self.bid


def needs_touch(order: NewOrder) -> bool:
    """Whether its limit follows from the market."""
    return order.type is OrderType.MARKET


def order_terms(
    order: NewOrder, place: Place, cloid: str, touch: Touch | None, slippage_bps: Decimal
) -> OrderTerms | Refused:
    """Return an order as it is sent.

    Args:
        order: What is wished.
        place: Its coin's number and decimals.
        cloid: What it will be called.
        touch: The market; needed where `needs_touch` says so.
        slippage_bps: How far from it a market order may fill.

    """
    tif = _tif(order)
    if isinstance(tif, Refused):
        return tif
    price = order.price
    if needs_touch(order):
        if touch is None:
            return Refused(RejectReason.NO_LIQUIDITY, "no price is known to take")
        against = touch.against(order.side)
        price = slipped(against, order.side, slippage_bps, place.size_decimals)
    if price is None or not is_price(price, place.size_decimals):
        return _invalid(f"{price} is no price there: five figures, or whole")
    return sized(
        OrderTerms(place.asset, order.side, price, order.qty, tif, order.is_reduce_only, cloid),
        place,
    )


def sized(terms: OrderTerms, place: Place) -> OrderTerms | Refused:
    """Return the terms if their size is one."""
    if not is_size(terms.qty, place.size_decimals):
        return _invalid(f"{terms.qty} is no size there: {place.size_decimals} decimals")
    return terms


def _tif(order: NewOrder) -> str | Refused:
    if order.type is OrderType.MARKET:
        return IMMEDIATE
    if order.type is not OrderType.LIMIT:
        return _invalid(f"no {order.type} orders here")
    if order.tif not in TIFS:
        return _invalid("no fill-or-kill here")
    if not order.is_post_only:
        return TIFS[order.tif]
    if order.tif is not TimeInForce.GTC:
        return _invalid("a post-only order can't be immediate")
    return POST_ONLY


def _invalid(detail: str) -> Refused:
    return Refused(RejectReason.INVALID_ORDER, detail)
