"""From money to lots, the one way every agent does it."""

from decimal import ROUND_FLOOR, Decimal

from engine.model.instrument import Instrument
from engine.model.money import ROUNDED


def whole_lots(instrument: Instrument, notional: Decimal, price: Decimal) -> Decimal | None:
    """Return the quantity in whole lots that `notional` pays for, None below the venue's least."""
    exact = ROUNDED.divide(notional, price * instrument.multiplier)
    qty = instrument.qty(instrument.lots(exact, ROUND_FLOOR))
    is_enough = qty >= instrument.min_qty and qty > 0
    return qty if is_enough and instrument.notional(price, qty) >= instrument.min_notional else None
