"""The rungs of a book: levels and our own prices between them, gathered to a step. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from engine.model.orders import Side
from engine.session.control.views import Level, MarketFace, OrderFace

GROUPS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
"""Ticks that levels are gathered by."""


class Spot(NamedTuple):
    """A place in the book."""

    side: Side
    price: Decimal


class Rung(NamedTuple):
    """One row of a ladder."""

    spot: Spot
    size: Decimal | None
    """What is seen there; None where only we rest."""


def gathered(side: Side, price: Decimal, step: Decimal) -> Decimal:
    """Return the rung of a price: asks upwards, bids downwards, so that no rung flatters."""
    whole: Decimal = price // step * step
    return whole if side is Side.BUY or whole == price else whole + step


class Resting(NamedTuple):
    """What of ours rests at a rung."""

    qty: Decimal
    ahead: Decimal | None = None
    """What the venue would fill before the first of it; None where it does not say."""


def own_orders(orders: Sequence[OrderFace], symbol: str, step: Decimal) -> Mapping[Spot, Resting]:
    """Return how much of ours rests at each rung, what is filled taken off, and its place."""
    resting: dict[Spot, Resting] = {}
    for order in orders:
        if order.symbol == symbol and order.price is not None:
            spot = Spot(order.side, gathered(order.side, order.price, step))
            qty, ahead = resting.get(spot, Resting(Decimal(0)))
            known = [place for place in (ahead, order.queue_ahead) if place is not None]
            left = order.qty - order.filled_qty
            resting[spot] = Resting(qty + left, min(known, default=None))
    return resting


def ladder(
    market: MarketFace, own: Mapping[Spot, Resting], step: Decimal
) -> tuple[list[Rung], list[Rung]]:
    """Return the asks from far to near and the bids from near to far."""
    asks, bids = _levels(market)
    return (
        _rungs(Side.SELL, asks, own, step)[::-1],
        _rungs(Side.BUY, bids, own, step)[::-1],
    )


def _levels(market: MarketFace) -> tuple[Sequence[Level], Sequence[Level]]:
    """Return asks and bids, best first; of an unsynced book the touch."""
    if market.is_book_synced and (market.asks or market.bids):
        return market.asks, market.bids
    ask = [(market.ask, market.ask_qty)] if market.ask is not None else []
    bid = [(market.bid, market.bid_qty)] if market.bid is not None else []
    return ask, bid


def _rungs(
    side: Side, levels: Sequence[Level], own: Mapping[Spot, Resting], step: Decimal
) -> list[Rung]:
    """Return one side from the lowest price up."""
    sizes: dict[Decimal, Decimal | None] = dict.fromkeys(
        spot.price for spot in own if spot.side is side
    )
    for price, qty in levels:
        at = gathered(side, price, step)
        sizes[at] = (sizes.get(at) or Decimal(0)) + qty
    return [Rung(Spot(side, price), size) for price, size in sorted(sizes.items())]
