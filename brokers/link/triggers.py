"""Stops, take-profits and trailing orders of a venue that has none: they wait here. Pure.

A stop is released when the touch crosses its trigger against the position, a take-profit when it
reaches it in its favor; a sell looks at the bid, a buy at the ask. A trailing trigger lies on the
tick further away. What waits here protects only
while the engine lives; after its death the sentinel closes the position.

Source: domain.md sections 5 and 12; the release rules are those of the simulated venue.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from brokers.link.known import KnownOrder
from engine.model.money import BPS
from engine.model.orders import OrderType, Side


def is_released(known: KnownOrder, bid: Decimal, ask: Decimal) -> bool:
    """Say whether a touch releases an order; a trailing one takes note of the best price."""
    price = bid if known.placed.side is Side.SELL else ask
    trigger = _trigger(known, price)
    if trigger is None:
        return False
    falls = (known.placed.side is Side.SELL) != (known.placed.type is OrderType.TAKE_PROFIT)
    return price <= trigger if falls else price >= trigger


def _trigger(known: KnownOrder, price: Decimal) -> Decimal | None:
    if known.placed.type is not OrderType.TRAILING:
        return known.placed.trigger_price
    assert known.trail_bps is not None, "the gate lets none pass without"
    better = max if known.placed.side is Side.SELL else min
    known.best = price if known.best is None else better(known.best, price)
    away = known.best * known.trail_bps / BPS
    instrument = known.placed.instrument
    if known.placed.side is Side.SELL:
        return instrument.price(instrument.ticks(known.best - away, ROUND_FLOOR))
    return instrument.price(instrument.ticks(known.best + away, ROUND_CEILING))
