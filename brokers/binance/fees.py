"""What fees cost in quote currency, also where an account pays them in BNB.

A fee of another asset leaves the wallet alone that our books are held against, and costs all the
same: it is booked at the price that asset had when the venue was last looked at. Without a price,
or at one that makes no sense, it costs nothing here, and the engine tells so.

Source: `commissionAsset` in the Binance sheet, section 5; `GET /fapi/v1/premiumIndex`; the venue's
page on fees in BNB.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from msgspec import UNSET, UnsetType

from engine.model.account import OtherFee
from engine.model.money import ROUNDED, ZERO
from engine.model.text import sanitize

BNB: Final = "BNB"
"""Fees are cheaper in it; anybody may switch that on while a session runs."""
ASSET_MAX: Final = 20
OTHERS_MAX: Final = 3
"""Further assets whose price is asked for, once a fee was paid in them."""
SHARE_MAX: Final = Decimal("0.05")
"""Of what was traded. No fee is more; a price that makes one so is wrong."""
WORTH_MAX: Final = Decimal(10) ** 12
GRID: Final = Decimal("1e-8")
"""Of an amount in quote currency, as the venue rounds them."""


class Fee(NamedTuple):
    """Of one execution."""

    cost: Decimal
    """Quote currency."""
    other: OtherFee | UnsetType = UNSET
    """Where it was paid in another asset."""


class Fees:
    """Of one account."""

    def __init__(self, quote: str) -> None:
        self.quote = quote
        self._prices: dict[str, Decimal] = {}
        self._assets = {BNB: None}

    @property
    def assets(self) -> tuple[str, ...]:
        """Whose price is worth knowing: BNB, and what else fees were paid in."""
        return tuple(self._assets)

    def symbol(self, asset: str) -> str:
        """Return the instrument whose price is that of an asset."""
        return f"{asset}{self.quote}"

    def learn(self, asset: str, price: Decimal) -> None:
        """Take what one of an asset is worth in quote currency."""
        self._prices[asset] = price

    def of(self, asset: str, amount: Decimal, traded: Decimal) -> Fee:
        """Return what a fee costs.

        Args:
            asset: What it was paid in; an execution without a fee names none.
            amount: Of that asset; a rebate is negative.
            traded: What was bought or sold, quote currency.

        """
        if asset == self.quote or not amount:
            return Fee(amount)
        name = sanitize(asset, ASSET_MAX)
        if name and len(self._assets) <= OTHERS_MAX:
            self._assets[name] = None
        worth = self._worth(name, amount, traded)
        return Fee(worth or ZERO, OtherFee(name, amount, worth))

    def _worth(self, asset: str, amount: Decimal, traded: Decimal) -> Decimal | None:
        price = self._prices.get(asset)
        if price is None:
            return None
        worth = ROUNDED.multiply(amount, price)
        most = min(ROUNDED.multiply(traded, SHARE_MAX), WORTH_MAX)
        return ROUNDED.quantize(worth, GRID) if abs(worth) <= most else None
