"""The widths that instruments and account ask for, and figures in those widths. Pure.

Rule 1: a width comes from the instruments and the starting balance, not from the figures of the
        moment, so that columns stand still; what outgrows its column is `#####`.
Rule 2: points stand under each other.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from engine.model.money import ROUNDED, ZERO
from engine.model.orders import Side
from engine.session.control.views import MarketFace, View
from tui.format import (
    MONEY_PLACES,
    aligned,
    paid,
    places,
    pnl,
    position,
    price,
    quantity,
    text,
)

SYMBOL_WIDTHS: Final = (7, 14)
"""Least and most cells of a symbol."""
QTY_WHOLE_MIN: Final = 3
"""Digits of a size before the point, however dear the instrument."""
LEVERAGE_MAX: Final = 10
"""Times the starting balance that a size has room for; the default limit of the risk gate is 2."""
PNL_WHOLE_MIN: Final = 6
"""Cells before the point of an amount with its sign: `+9,999`."""
WHOLE_MAX: Final = 14
"""Cells before the point that any figure gets: `+9,999,999,999`; what is more is `#####`."""
UNSEEN_WHOLE: Final = 7
"""Cells before the point of a price nobody has seen yet."""


class Grid(NamedTuple):
    """The widths that the instruments and the account of a session ask for."""

    markets: dict[str, MarketFace]
    symbol: int
    price_whole: int
    price_decimals: int
    qty_whole: int
    qty_decimals: int
    pnl_whole: int

    @property
    def price_width(self) -> int:
        """Cells of a price column."""
        return len(aligned("", self.price_whole, self.price_decimals))

    @property
    def qty_width(self) -> int:
        """Cells of a size column; a sign takes one more."""
        return len(aligned("", self.qty_whole, self.qty_decimals))

    @property
    def pnl_width(self) -> int:
        """Cells of an amount of money."""
        return len(aligned("", self.pnl_whole, MONEY_PLACES))

    def name(self, symbol: str) -> str:
        """Return a symbol as its column shows it."""
        return text(symbol, self.symbol)

    def price(self, symbol: str, value: Decimal | None) -> str:
        """Return a price under the other prices."""
        shown = price(value, self._step(symbol, "tick_size", value))
        return aligned(shown, self.price_whole, self.price_decimals)

    def qty(self, symbol: str, value: Decimal) -> str:
        """Return a size under the other sizes."""
        shown = quantity(value, self._step(symbol, "lot_size", value))
        return aligned(shown, self.qty_whole, self.qty_decimals)

    def position(self, symbol: str, value: Decimal) -> str:
        """Return a signed size under the others."""
        shown = position(value, self._step(symbol, "lot_size", value))
        return aligned(shown, self.qty_whole + 1, self.qty_decimals)

    def pnl(self, value: Decimal | None) -> str:
        """Return a gain or a loss under the others."""
        return aligned(pnl(value), self.pnl_whole, MONEY_PLACES)

    def paid(self, cost: Decimal | None) -> str:
        """Return a cost, paid is negative, under the others."""
        return aligned(paid(cost), self.pnl_whole, MONEY_PLACES)

    def _step(self, symbol: str, name: str, value: Decimal | None) -> Decimal:
        """Return the step of a symbol; of one without market that of the figure itself."""
        market = self.markets.get(symbol)
        if market is not None:
            step: Decimal = getattr(market, name)
            return step
        return Decimal(1) if value is None else value


def grid(view: View) -> Grid:
    """Measure a session."""
    least, most = SYMBOL_WIDTHS
    markets = view.markets
    lots = [places(market.lot_size) for market in markets]
    longest = max((len(market.symbol) for market in markets), default=least)
    start = view.session.starting_balance
    return Grid(
        markets={market.symbol: market for market in markets},
        symbol=min(max(least, longest), most),
        price_whole=max(map(_price_whole, markets), default=UNSEEN_WHOLE),
        price_decimals=max((places(market.tick_size) for market in markets), default=0),
        qty_whole=max((_qty_whole(m, start) for m in markets), default=UNSEEN_WHOLE),
        qty_decimals=max(lots, default=0),
        pnl_whole=min(max(PNL_WHOLE_MIN, len(f"{start:+,.0f}")), WHOLE_MAX),
    )


def _highest(market: MarketFace) -> Decimal:
    return max(market.bid or ZERO, market.ask or ZERO, market.mark_price or ZERO)


def _price_whole(market: MarketFace) -> int:
    """Return room for whole groups of three digits, so that few moves of a price reach further."""
    highest = _highest(market)
    if not highest:
        return UNSEEN_WHOLE
    groups = max(0, highest.adjusted()) // 3 + 1
    return min(4 * groups - 1, WHOLE_MAX)


def _qty_whole(market: MarketFace, start: Decimal) -> int:
    """Return room for what the account could buy of it."""
    highest = _highest(market)
    if not highest or start <= 0:
        return UNSEEN_WHOLE
    most = ROUNDED.divide(start * LEVERAGE_MAX, highest)
    digits = max(QTY_WHOLE_MIN, most.adjusted() + 1)
    return min(digits + (digits - 1) // 3, WHOLE_MAX)


def signed_token(value: Decimal | None) -> str:
    """Return what a gain, a loss or neither looks like."""
    if value is None or not value:
        return "flat"
    return "up" if value > 0 else "down"


def side_token(side: Side) -> str:
    """Return what a side looks like."""
    return "bid" if side is Side.BUY else "ask"
