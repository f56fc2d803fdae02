"""What fees cost in quote currency, also where an account pays them in BNB.

A fee of another asset leaves the wallet alone that our books are held against, and costs all the
same: it is booked at the price that asset had when the venue was last looked at. Without a price it
costs nothing here, and the engine tells so.

Source: `commissionAsset` in the Binance sheet, section 5; `GET /fapi/v1/premiumIndex`; the venue's
page on fees in BNB.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from msgspec import UNSET, UnsetType

from engine.model.account import OtherFee
from engine.model.money import ROUNDED, ZERO
from engine.model.text import sanitize

DISCOUNTS: Final = "BNB"
"""The asset that fees are cheaper in; its price is known before anything trades."""
ASSET_MAX: Final = 20
ASSETS_MAX: Final = 4
"""Whose price is asked for with every look."""
WORTH_MAX: Final = Decimal(10) ** 12
GRID: Final = Decimal("1e-8")
"""Of an amount in quote currency, as the venue rounds them."""


class Fee(NamedTuple):
    """Of one execution."""

    cost: Decimal
    """Quote currency."""
    other: OtherFee | UnsetType = UNSET


class Fees:
    """Of one account."""

    def __init__(self, quote: str) -> None:
        self.quote = quote
        self._prices: dict[str, Decimal] = {}
        self._paid: dict[str, None] = {}

    @property
    def assets(self) -> tuple[str, ...]:
        """Whose price the next look asks for: what fees were paid in, and before that of BNB."""
        return tuple(self._paid) or (() if DISCOUNTS in self._prices else (DISCOUNTS,))

    def symbol(self, asset: str) -> str:
        """Return the instrument whose price is that of an asset."""
        return f"{asset}{self.quote}"

    def learn(self, asset: str, price: Decimal) -> None:
        """Take what one of an asset is worth in quote currency."""
        self._prices[asset] = price

    def of(self, asset: str, amount: Decimal) -> Fee:
        """Return what a fee costs; an execution without one names no asset.

        Raises:
            ValueError: It costs what no fee can.

        """
        if asset == self.quote or not amount:
            return Fee(amount)
        name = sanitize(asset, ASSET_MAX)
        if len(self._paid) < ASSETS_MAX:
            self._paid[name] = None
        worth = ROUNDED.multiply(amount, self._prices.get(name, ZERO))
        if abs(worth) > WORTH_MAX:
            raise ValueError(f"a fee of {amount} {name}")
        worth = ROUNDED.quantize(worth, GRID)
        return Fee(worth, OtherFee(name, amount, worth))
