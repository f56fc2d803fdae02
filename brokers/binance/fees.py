"""Fees that were not paid in quote currency: kept apart, never mixed into the books.

Where an account pays its fees in BNB, the quote wallet loses nothing and neither do the books that
are held against it; what was paid stands here, by asset, for people.
"""

from decimal import Decimal
from typing import Final

from engine.model.money import ZERO
from engine.model.text import sanitize

COUNTED_MAX: Final = 10_000
"""Trades remembered, so that a fill told by the stream and by a question counts once."""
ASSET_MAX: Final = 20


class OtherFees:
    """Fees by the asset they were paid in; one that is told twice counts once."""

    def __init__(self, quote: str) -> None:
        self._quote = quote
        self._counted: dict[tuple[str, str], None] = {}
        self.paid: dict[str, Decimal] = {}
        """By asset, the quote currency left out."""

    def of(self, symbol: str, trade_id: str, asset: str, amount: Decimal) -> Decimal:
        """Return what of a fee was paid in quote currency, and remember the rest."""
        if asset == self._quote:
            return amount
        key = (symbol, trade_id)
        if amount and key not in self._counted:
            if len(self._counted) >= COUNTED_MAX:
                self._counted.pop(next(iter(self._counted)))
            self._counted[key] = None
            name = sanitize(asset, ASSET_MAX)
            self.paid[name] = self.paid.get(name, ZERO) + amount
        return ZERO
