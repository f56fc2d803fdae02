"""The one cross-margined account: cash, positions, what orders may cost, when it is too late.

    equity = starting balance - fees + funding + sum over symbols of (cash flow + position at mark)

The flow of a symbol moves into cash whenever its position is flat, so equity never needs an average
entry price and is exact by construction. Mark is the venue's mark price where announced, else mid.
"""

from collections.abc import Mapping
from decimal import Decimal

from brokers.paper.market import ALWAYS, Market
from engine.model.money import ROUNDED, ZERO


class Account:
    """Money in quote currency; `open` holds the markets with a position, by symbol."""

    __slots__ = ("_markets", "cash", "open")

    def __init__(self, balance: Decimal, markets: Mapping[str, Market]) -> None:
        self.cash = balance
        self.open: dict[str, Market] = {}
        self._markets = markets

    def book(self, market: Market, signed_lots: int, ticks: int, fee: Decimal) -> None:
        """Apply one execution."""
        self.cash -= fee
        market.flow -= signed_lots * ticks
        market.position += signed_lots
        if market.position:
            market.is_engaged = True
            self.open[market.terms.instrument.symbol] = market
        else:
            self.cash += market.flow * market.terms.unit
            market.flow = 0
            self.open.pop(market.terms.instrument.symbol, None)
            market.settle_engagement()
        self.suspect()

    def equity(self) -> Decimal:
        """Return what would be left if every position closed at its mark."""
        equity = self.cash
        for market in self.open.values():
            equity += market.worth()
        return equity

    def can_afford(
        self, market: Market, ticks: int, lots: int, *, is_buy: bool, freed: int = 0
    ) -> bool:
        """Whether equity covers the initial margin with one more order.

        An order that does not raise the symbol's worst case always passes: reducing is never
        refused for lack of money. `freed` is what an amended order already held, in ticks times
        lots. O(symbols with orders or positions).
        """
        held = market.position * (market.bid + market.ask) // 2
        bought, sold = held + market.buy_units, market.sell_units - held
        after = (bought if is_buy else sold) - freed + ticks * lots
        if after <= 0 or after <= bought or after <= sold:
            return True
        required = after * market.terms.margin_unit
        if len(self._markets) > 1:
            required += self._held_by_others(market)
        return required <= self.equity()

    def held_margin(self) -> Decimal:
        """Return the initial margin of positions and orders."""
        return self._held_by_others(None)

    def _held_by_others(self, market: Market | None) -> Decimal:
        """Return the initial margin of every other symbol."""
        margin = ZERO
        for other in self._markets.values():
            if other.is_engaged and other is not market:
                margin += other.exposure() * other.terms.margin_unit
        return margin

    def slack(self) -> Decimal:
        """Return equity above the maintenance margin; negative means liquidation."""
        maintenance = ZERO
        for market in self.open.values():
            maintenance += market.notional() * market.terms.instrument.maintenance_margin
        return self.equity() - maintenance

    def liquidation_price(self, market: Market) -> Decimal | None:
        """Return the mark at which `slack` is used up, if only this market moves; None if never.

        A lot held long loses its value and no longer needs the margin for it; held short it needs
        more. Rounded to 28 digits.
        """
        terms, lots = market.terms, market.position
        mark = ROUNDED.divide(market.notional(), abs(lots) * terms.lot_value)
        loss = terms.lot_value * (lots - abs(lots) * terms.instrument.maintenance_margin)
        price = mark - ROUNDED.divide(self.slack(), loss)
        return price if price > 0 else None

    def suspect(self) -> None:
        """Ask for an exact margin check at the next quote of every open position."""
        for market in self.open.values():
            market.liquidation_low = ALWAYS

    def rearm(self, slack: Decimal) -> None:
        """Set each position's band: inside all of them, no exact check is needed.

        Each of n positions may lose a share of 1/n of `slack`; while none has, the sum can't be
        used up. Where a mark price rules, only its announcements are checked.
        """
        assert self.open, "asked only while a position is open"
        share = ROUNDED.divide(slack, len(self.open))
        for market in self.open.values():
            market.liquidation_low, market.liquidation_high = _band(market, share)


def _band(market: Market, share: Decimal) -> tuple[int, int]:
    """Return the open interval of `bid + ask` in which a position loses less than `share`."""
    if market.mark is not None:
        return 0, ALWAYS
    terms, total = market.terms, market.bid + market.ask
    if market.position > 0:
        return total - int(ROUNDED.divide(share, market.position * terms.long_loss)), ALWAYS
    return 0, total + int(ROUNDED.divide(share, -market.position * terms.short_loss))
