"""Fees that an account pays in BNB, a tenth cheaper, while it has some; else in quote currency.

Source: the venue's page on fees in BNB; `POST /fapi/v1/feeBurn`.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

from engine.model.money import ROUNDED

BNB: Final = "BNB"
BNBUSDT: Final = "BNBUSDT"
PRICE: Final = Decimal(650)
"""Of one BNB, where the played market does not have it."""
DISCOUNT: Final = Decimal("0.9")
GRID: Final = Decimal("1e-8")


class Charged(NamedTuple):
    """What a fee took from which wallet."""

    amount: Decimal
    asset: str
    """Empty: the quote currency."""


class FeeBurn:
    """One account's switch, and its wallet of BNB."""

    def __init__(self, price: Callable[[], Decimal]) -> None:
        self.is_on = False
        self.balance = Decimal(10)
        self.price = price
        """Of one BNB, quote currency."""

    def charge(self, fee: Decimal) -> Charged:
        """Take a fee from the wallet it is to be paid from."""
        price = self.price()
        if not self.is_on or fee <= 0 or not price:
            return Charged(fee, "")
        amount = ROUNDED.quantize(ROUNDED.divide(fee * DISCOUNT, price), GRID)
        if amount > self.balance:
            return Charged(fee, "")
        self.balance -= amount
        return Charged(amount, BNB)
