"""Hyperliquid's grid: five significant figures, and so many decimals. Pure.

The venue has no fixed tick: near 60,000 a price moves in whole dollars, at 2,600 in tenths. An
instrument of ours has one tick size for a session. It is the venue's at the price of the discovery:

- while the price stays within its power of ten, the two grids are one;
- where it falls below, the venue's grid is finer: what it shows is rounded to ours, bids down and
  asks up, and every price of ours is still a price of its;
- where it rises above, the venue's grid is coarser: a price of ours that it does not have is
  refused before it is sent. The next session has the new tick.

Whole numbers are always prices, so from 10,000 up nothing of this happens to a coin.

Source: the Hyperliquid sheet, section 3.
"""

import decimal
from decimal import Decimal
from typing import Final

from engine.model.orders import Side

FIGURES: Final = 5
"""Significant ones of a price."""
PRICE_DECIMALS: Final = 6
"""Of a perpetual's price, less those of its size."""
WIRE_DECIMALS: Final = 8
MIN_NOTIONAL: Final = Decimal(10)
"""USDC; close-outs are exempt."""
ONE: Final = Decimal(1)

_WIDE: Final = decimal.Context(prec=60)


class OffWire(ValueError):
    """A number the venue has no words for."""


def tick_at(price: Decimal, size_decimals: int) -> Decimal:
    """Return the distance between prices around `price`; at most 1, whole numbers being prices."""
    decimals = min(PRICE_DECIMALS - size_decimals, FIGURES - 1 - price.adjusted())
    return ONE.scaleb(-max(0, decimals))


def is_price(price: Decimal, size_decimals: int) -> bool:
    """Whether the venue has this price."""
    if not price.is_finite() or price <= 0:
        return False
    digits, places = _extent(price)
    return not places or (digits <= FIGURES and places <= PRICE_DECIMALS - size_decimals)


def is_size(qty: Decimal, size_decimals: int) -> bool:
    """Whether the venue has this size."""
    return qty.is_finite() and qty > 0 and _extent(qty)[1] <= size_decimals


def slipped(price: Decimal, side: Side, slippage_bps: Decimal, size_decimals: int) -> Decimal:
    """Return the worst price a market order may get, on the grid and not beyond the slippage."""
    worst = _WIDE.multiply(price, ONE + side.sign * slippage_bps.scaleb(-4))
    rounding = decimal.ROUND_FLOOR if side is Side.BUY else decimal.ROUND_CEILING
    return worst.quantize(tick_at(worst, size_decimals), rounding, _WIDE)


def wire(number: Decimal) -> str:
    """Write a price or a size: no exponent, no zeros behind.

    Raises:
        OffWire: It is not finite, or has more than 8 decimals.

    """
    if not number.is_finite() or _extent(number)[1] > WIRE_DECIMALS:
        raise OffWire(f"{number} has more than {WIRE_DECIMALS} decimals")
    return f"{number.normalize(_WIDE):f}"


def _extent(number: Decimal) -> tuple[int, int]:
    """Return how many significant figures and how many decimals a number has."""
    _, digits, exponent = number.normalize(_WIDE).as_tuple()
    assert isinstance(exponent, int), "asked of finite numbers"
    return len(digits), max(0, -exponent)
