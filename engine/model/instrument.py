"""What one trades, and the only edge between exact integers and decimals.

Bulk market data counts in ticks and lots; orders and money are `Decimal`. Every conversion is a
method of `Instrument`, so a reader finds all of them by looking for its callers.
"""

import decimal
from decimal import Decimal

import msgspec

from engine.model.errors import OffGrid
from engine.model.money import ROUNDED, ZERO


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """A linear perpetual: profit and fees are paid in the quote currency."""

    symbol: str
    base: str
    quote: str
    settlement: str
    """Currency of margin, fees and profit. Only linear contracts exist: it equals `quote`."""
    tick_size: Decimal
    """Quote currency per price step."""
    lot_size: Decimal
    """Base currency (or contracts) per size step."""
    min_qty: Decimal
    min_notional: Decimal = ZERO
    """Quote currency; reducing orders are exempt, as on the venues."""
    multiplier: Decimal = Decimal(1)
    """Base currency per unit of quantity."""
    max_leverage: int = 20
    maintenance_margin: Decimal = Decimal("0.004")
    """Fraction of notional below which a position is liquidated."""

    def price(self, ticks: int) -> Decimal:
        """Convert a count of ticks to a price, exactly."""
        return ticks * self.tick_size

    def qty(self, lots: int) -> Decimal:
        """Convert a count of lots to a quantity, exactly."""
        return lots * self.lot_size

    def ticks(self, price: Decimal, rounding: str | None = None) -> int:
        """Convert a price to ticks.

        Args:
            rounding: A `decimal.ROUND_*` mode for prices between ticks; None refuses them.

        Raises:
            OffGrid: `price` lies between two ticks and no rounding was named.
        """
        return _steps(price, self.tick_size, rounding)

    def lots(self, qty: Decimal, rounding: str | None = None) -> int:
        """Convert a quantity to lots, like `ticks`."""
        return _steps(qty, self.lot_size, rounding)

    def notional(self, price: Decimal, qty: Decimal) -> Decimal:
        """Return `abs(qty) * price * multiplier`, in quote currency."""
        return abs(qty) * price * self.multiplier


def _steps(number: Decimal, step: Decimal, rounding: str | None) -> int:
    count = ROUNDED.divide(number, step)
    whole = count.to_integral_value(rounding or decimal.ROUND_FLOOR)
    if rounding is None and whole * step != number:
        raise OffGrid(f"{number} is not a multiple of {step}")
    return int(whole)
