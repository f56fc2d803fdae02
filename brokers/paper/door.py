"""The venue's own counter: for an exchange that is built on this venue and lets anybody in.

A session's commands come through `PaperVenue.submit`, approved by its risk gate. What arrives at a
sandbox exchange comes from a stranger's client, and nothing but the venue's rules judges it. Every
answer is in the sink on return.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from brokers.paper.account import Account
from brokers.paper.market import Market
from brokers.paper.matching import Matching
from brokers.paper.terms import whole_steps
from engine.model.money import ROUNDED
from engine.model.orders import OrderIntent, Side


class Door:
    """Takes orders at once and changes terms; only of a venue without latency."""

    __slots__ = ("_account", "_markets", "_matching")

    def __init__(self, markets: Mapping[str, Market], account: Account, matching: Matching) -> None:
        self._markets = markets
        self._account = account
        self._matching = matching

    def place(self, ts_ns: int, order_id: str, intent: OrderIntent) -> None:
        """Admit or refuse an order."""
        self._matching.place(ts_ns, order_id, intent)

    def amend(
        self,
        ts_ns: int,
        order_id: str,
        symbol: str,
        price: Decimal,
        qty: Decimal,
        *,
        requeues: bool,
    ) -> None:
        """Change price and total quantity of a resting order, which may cost it its place."""
        self._matching.amend(ts_ns, order_id, symbol, price, qty, requeues=requeues)

    def cancel(self, ts_ns: int, order_id: str, symbol: str) -> None:
        """Take an order out."""
        self._matching.cancel(ts_ns, order_id, symbol)

    def fills_whole(self, intent: OrderIntent) -> bool:
        """Whether an order on the grid would trade to its last lot if it came now."""
        market = self._markets[intent.symbol]
        lots = whole_steps(intent.qty, market.terms.lot_size)
        limit = whole_steps(intent.price, market.terms.tick_size) if intent.price else 0
        is_buy = intent.side is Side.BUY
        return self._matching.offered(market, is_buy=is_buy, lots=lots, limit=limit) == lots

    def held_margin(self) -> Decimal:
        """Return the initial margin that positions and orders of all symbols tie up."""
        return self._account.held_margin()

    def transfer(self, amount: Decimal) -> bool:
        """Take money in, or out; False, and nothing moves, where what is left would not do."""
        if amount < 0 and self._account.equity() + amount < self.held_margin():
            return False
        self._account.cash += amount
        self._account.suspect()
        return True

    def set_leverage(self, symbol: str, leverage: int) -> bool:
        """Change a symbol's leverage; False, and no change, where equity would not cover it."""
        market = self._markets[symbol]
        before = market.terms
        unit = ROUNDED.divide(before.unit, Decimal(leverage))
        market.terms = replace(before, margin_unit=unit)
        if unit > before.margin_unit and self.held_margin() > self._account.equity():
            market.terms = before
            return False
        return True
