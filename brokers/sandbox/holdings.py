"""Wallet and positions as a futures venue accounts for them, from fills and funding alone.

Independent of the paper venue's own bookkeeping: wallet plus unrealised profit must equal its
equity, and a test compares them.

    reducing by q of position p:  realised = q * (price - entry) * sign(p); the entry stays
    increasing:                   entry = (|p| * entry + q * price) / (|p| + q)
"""

from dataclasses import dataclass
from decimal import Decimal

from engine.model.instrument import Instrument
from engine.model.money import ROUNDED, ZERO
from engine.model.orders import Side


@dataclass(slots=True)
class Held:
    """One symbol."""

    instrument: Instrument
    leverage: int
    is_isolated: bool = False
    """What is told of its margin mode; the account covers it either way."""
    qty: Decimal = ZERO
    """Signed."""
    cost: Decimal = ZERO
    """What the open quantity cost: entry price times absolute quantity."""
    updated_ns: int = 0

    @property
    def entry_price(self) -> Decimal:
        """Return the average; 0 when flat."""
        return ROUNDED.divide(self.cost, abs(self.qty)) if self.qty else ZERO

    def take(self, side: Side, price: Decimal, qty: Decimal) -> Decimal:
        """Book one execution and return the profit it realised, before fees."""
        signed = qty if side is Side.BUY else -qty
        if self.qty * signed >= 0:
            self.qty += signed
            self.cost += qty * price
            return ZERO
        closed, was_long = min(qty, abs(self.qty)), self.qty > 0
        gain = closed * price - self._release(closed)
        self.qty += signed
        if qty > closed:
            self.cost = (qty - closed) * price
        return (gain if was_long else -gain) * self.instrument.multiplier

    def unrealized(self, mark: Decimal) -> Decimal:
        """Return the profit at a mark price."""
        if not self.qty:
            return ZERO
        gain = abs(self.qty) * mark - self.cost
        return (gain if self.qty > 0 else -gain) * self.instrument.multiplier

    def _release(self, closed: Decimal) -> Decimal:
        """Take the cost of a closed part out and return it."""
        if closed == abs(self.qty):
            released, self.cost = self.cost, ZERO
            return released
        released = ROUNDED.divide(self.cost * closed, abs(self.qty))
        self.cost -= released
        return released
