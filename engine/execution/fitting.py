"""Orders on the venue's newest steps, where those are coarser than a session's own. Pure.

A session counts in the ticks and lots it began with. Where the venue has gone over to larger ones,
each a whole number of ours, an order can still be said in both: smaller by less than a lot, and by
less than a tick away from where it would cost more than was wished. Finer steps need nothing.
"""

from decimal import Decimal

import msgspec
from msgspec.structs import replace

from engine.model.instrument import Instrument
from engine.model.market import RulesChanged
from engine.model.orders import BUY, OrderIntent


class Steps(msgspec.Struct, frozen=True, gc=False):
    """What a venue takes prices and quantities in."""

    tick_size: Decimal
    lot_size: Decimal


def coarser(ours: Instrument, change: RulesChanged) -> Steps | None:
    """Return the steps orders have to be fitted to; None where ours still do."""
    tick, lot = _either(ours.tick_size, change.tick_size), _either(ours.lot_size, change.lot_size)
    is_ours = (tick, lot) == (ours.tick_size, ours.lot_size)
    return None if is_ours else Steps(tick, lot)


def _either(ours: Decimal, theirs: Decimal | None) -> Decimal:
    return ours if theirs is None or theirs % ours else theirs


def fitted(intent: OrderIntent, steps: Steps) -> OrderIntent:
    """Return an intent of at least a lot on these steps.

    Numbers are written as the steps are, for a venue may refuse zeros it has no decimals for.
    """
    price, tick = intent.price, steps.tick_size
    if price is not None:
        below = price // tick
        price = (below if intent.side is BUY or below * tick == price else below + 1) * tick
    return replace(intent, qty=intent.qty // steps.lot_size * steps.lot_size, price=price)
