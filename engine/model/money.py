"""Exact decimal arithmetic, the only arithmetic money is allowed to meet.

The identity `equity = start + realised - fees + funding + unrealised` holds to the last digit only
while no operation rounds silently. A session therefore runs in a context that traps an inexact
result instead of rounding it: sums and products of venue numbers always fit its precision, and
whoever must divide says so by asking `ROUNDED`.
"""

import decimal
from decimal import Decimal
from typing import Final

ZERO: Final = Decimal(0)
HUNDRED: Final = Decimal(100)
BPS: Final = Decimal(10_000)

PRECISION: Final = 60
"""Significant digits. The product of two 20-digit numbers fits with room to sum a million."""

ROUNDED: Final = decimal.Context(
    prec=28,
    rounding=decimal.ROUND_HALF_EVEN,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
"""For quotients: averages, percentages, basis points, the cost released by a partial close."""


def use_exact_arithmetic() -> None:
    """Make this thread's Decimal refuse rounding, float mixing, NaN and overflow.

    Call it once where a session, a replay or a benchmark starts. Source: reliability.md section 6.
    """
    decimal.setcontext(
        decimal.Context(
            prec=PRECISION,
            traps=[
                decimal.InvalidOperation,
                decimal.DivisionByZero,
                decimal.Overflow,
                decimal.FloatOperation,
                decimal.Inexact,
            ],
        )
    )


def ratio(part: Decimal, whole: Decimal) -> Decimal:
    """Divide for display or comparison, rounded to 28 digits; zero when `whole` is zero."""
    return ROUNDED.divide(part, whole) if whole else ZERO
