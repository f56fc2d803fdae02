"""Position and profit of one owner in one instrument, by average cost.

The ledger keeps the open position's *cost* instead of its average price. Cost is conserved: what a
partial close releases is exactly what the remainder loses, so rounding the released share (the one
division in the books) moves profit between realised and unrealised by less than `COST_GRID` and
never creates or destroys any.

Source: domain.md section 7.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.model.money import ROUNDED, ZERO

COST_GRID: Final = Decimal("1e-12")
"""Released cost is rounded to this, so realised profit reads like money."""


@dataclass(slots=True)
class Ledger:
    """Signed quantity, its cost, and what closing brought."""

    qty: Decimal = ZERO
    """Signed, long is positive."""
    cost: Decimal = ZERO
    """Signed quote currency paid for `qty`: positive when long, negative when short."""
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO

    def book(self, qty: Decimal, price: Decimal, multiplier: Decimal, fee: Decimal) -> Decimal:
        """Book a fill that does not flip the position; split a flip first, see `split`.

        Args:
            qty: Signed, positive for a buy.

        Returns:
            The profit this fill realised, before its fee.

        """
        value = qty * price * multiplier
        held = self.qty
        self.fees += fee
        self.qty = held + qty
        if not held or (held > ZERO) is (qty > ZERO):
            self.cost += value
            return ZERO
        released = self.cost if not self.qty else self._released(qty, held)
        self.cost -= released
        profit = -value - released
        self.realised += profit
        return profit

    def _released(self, qty: Decimal, held: Decimal) -> Decimal:
        share = ROUNDED.divide(self.cost * qty, -held)
        return ROUNDED.quantize(share, COST_GRID)

    def unrealised(self, mark: Decimal, multiplier: Decimal) -> Decimal:
        """Profit if the position closed at `mark`, before fees."""
        return self.qty * mark * multiplier - self.cost

    def entry_price(self, multiplier: Decimal) -> Decimal | None:
        """Average entry, rounded to 28 digits; None when flat."""
        return ROUNDED.divide(self.cost, self.qty * multiplier) if self.qty else None


def split(held: Decimal, qty: Decimal) -> tuple[Decimal, Decimal]:
    """Split a signed fill into the part that closes `held` and the part that opens anew."""
    if not held or (held > ZERO) is (qty > ZERO) or abs(qty) <= abs(held):
        return qty, ZERO
    return -held, qty + held
