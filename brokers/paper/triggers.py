"""When a stop, take-profit or trailing order is released.

    order                     watches    released when
    SELL stop, SELL trailing  bid        bid <= trigger
    BUY  stop, BUY  trailing  ask        ask >= trigger
    SELL take-profit          bid        bid >= trigger
    BUY  take-profit          ask        ask <= trigger

A trailing order's trigger lies `trail_bps` from the best touch since it was accepted, rounded to
the tick further away, and only ever follows in our favor.
"""

from brokers.paper.market import Market
from brokers.paper.order import PaperOrder
from engine.model.market import Bar
from engine.model.money import BPS
from engine.model.orders import OrderType


def is_released(order: PaperOrder, ticks: int) -> bool:
    """Look up the table for one touch price."""
    return ticks <= order.trigger if _waits_for_fall(order) else ticks >= order.trigger


def follow(order: PaperOrder, ticks: int) -> None:
    """Move a trailing trigger after a better touch."""
    if order.best and (ticks >= order.best if order.is_buy else ticks <= order.best):
        return
    assert order.trail_bps is not None
    order.best = ticks
    distance, scale = order.trail_bps.as_integer_ratio()
    whole = int(BPS) * scale
    if order.is_buy:
        order.trigger = -(-ticks * (whole + distance) // whole)
    else:
        order.trigger = ticks * (whole - distance) // whole


def released(market: Market) -> list[PaperOrder]:
    """Return the orders the present touch releases, in order of arrival."""
    found = []
    for order in market.conditionals.values():
        ticks = market.ask if order.is_buy else market.bid
        if order.type is OrderType.TRAILING:
            follow(order, ticks)
        if is_released(order, ticks):
            found.append(order)
    return found


def released_in(market: Market, bar: Bar) -> list[tuple[PaperOrder, int]]:
    """Return the orders a bar releases, each with the price it then meets.

    Inside a bar the path is unknown, so the worse order of events is assumed: stops before
    take-profits, and a trigger that the bar opened beyond meets the open, not its own price.
    """
    found = []
    for order in sorted(market.conditionals.values(), key=_is_take_profit):
        ticks = _met_in(order, bar)
        if ticks:
            found.append((order, ticks))
    return found


def _met_in(order: PaperOrder, bar: Bar) -> int:
    """Return the price at which a bar releases an order, 0 if it does not."""
    falls = _waits_for_fall(order)
    if is_released(order, bar.low_ticks if falls else bar.high_ticks):
        beyond = min if falls else max
        return beyond(order.trigger, bar.open_ticks)
    if order.type is OrderType.TRAILING:
        follow(order, bar.low_ticks if order.is_buy else bar.high_ticks)
        if is_released(order, bar.close_ticks):
            return bar.close_ticks
    return 0


def _waits_for_fall(order: PaperOrder) -> bool:
    return order.is_buy is (order.type is OrderType.TAKE_PROFIT)


def _is_take_profit(order: PaperOrder) -> bool:
    return order.type is OrderType.TAKE_PROFIT
