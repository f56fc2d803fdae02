"""Cross margin of linear perpetuals: what positions tie up, and where the venue would close them.

An account is liquidated when its equity falls below the sum of its maintenance margins. Source:
the paper venue's own rule (`brokers.paper.settlement`), which is that of Binance USD-M cross mode.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from engine.model.instrument import Instrument
from engine.model.money import ROUNDED, ZERO


class Exposure(NamedTuple):
    """One position at a mark."""

    instrument: Instrument
    qty: Decimal
    """Signed."""
    mark: Decimal

    @property
    def notional(self) -> Decimal:
        """Absolute value in quote currency."""
        return self.instrument.notional(self.mark, self.qty)


def initial_margin(exposures: Iterable[Exposure], leverage: Decimal) -> Decimal:
    """Return what positions tie up at the account's leverage, or less where the venue allows less.

    Rounded to 28 digits.
    """
    return sum(
        (
            ROUNDED.divide(e.notional, min(leverage, Decimal(e.instrument.max_leverage)))
            for e in exposures
        ),
        ZERO,
    )


def liquidation_price(
    position: Exposure, others: Iterable[Exposure], equity: Decimal
) -> Decimal | None:
    """Return the price of `position` at which the account is liquidated if all else stands still.

    Args:
        equity: Of the account at the given marks.

    Returns:
        Rounded to the tick on the side that comes first; None where no price would do it.
    """
    instrument, qty = position.instrument, position.qty
    if not qty:
        return None
    needed = sum((e.notional * e.instrument.maintenance_margin for e in others), ZERO)
    size = qty * instrument.multiplier
    # equity + size * (P - mark) = needed + |size| * P * maintenance, solved for P.
    slope = size - abs(size) * instrument.maintenance_margin
    price = ROUNDED.divide(needed - equity + size * position.mark, slope)
    if price <= ZERO:
        return None
    ticks = instrument.ticks(price, "ROUND_CEILING" if qty > 0 else "ROUND_FLOOR")
    return instrument.price(ticks)
