"""What an order would meet in the known book, level by level, if it arrived now. Pure."""

from typing import NamedTuple

from engine.market.view import MarketView
from engine.model.orders import BUY, SELL, Side


class Walk(NamedTuple):
    """How an order would trade at once, in ticks and lots."""

    lots: int
    """What trades at once; the last known price stands for what the book does not show."""
    paid: int
    """Ticks times lots of it."""
    last_ticks: int
    """The furthest price it reaches."""
    unseen_lots: int
    """How much of it is beyond the known book."""


def walk(view: MarketView, side: Side, lots: int, limit_ticks: int | None) -> Walk:
    """Take from the other side of the book until the order or its limit ends.

    Args:
        limit_ticks: None takes at any price.
    """
    left, paid, last = lots, 0, 0
    for ticks, size in _levels(view, side):
        if not left or (limit_ticks is not None and _is_beyond(side, ticks, limit_ticks)):
            break
        took = min(size, left)
        paid, left, last = paid + took * ticks, left - took, ticks
    if limit_ticks is None and last:
        return Walk(lots, paid + left * last, last, left)
    return Walk(lots - left, paid, last, 0)


def _levels(view: MarketView, side: Side) -> list[tuple[int, int]]:
    """Return what the other side offers, best first: the touch, then what the book has behind."""
    buying = side is BUY
    touch, size = (view.ask_ticks, view.ask_lots) if buying else (view.bid_ticks, view.bid_lots)
    if not touch:
        return []
    behind = view.book.book.levels(SELL if buying else BUY) if view.book.is_synced else ()
    return [(touch, size), *(level for level in behind if _is_beyond(side, level[0], touch))]


def _is_beyond(side: Side, ticks: int, limit_ticks: int) -> bool:
    """Whether a price is worse for the taker than another."""
    return ticks > limit_ticks if side is BUY else ticks < limit_ticks
