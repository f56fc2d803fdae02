"""Money that moves without an order: funding, and liquidation.

Funding: an announcement names `next_ns`. The first message whose venue time reaches it settles it,
once, on the position held then: `amount = -qty * mark * multiplier * rate`. Binance keeps naming
the settlement for a moment after it passed and then jumps 8 h on; both sequences settle once, at
the last rate announced for that settlement. Source: capture binance_usdm_btcusdt_20230405.

Liquidation: equity below the sum of maintenance margins. Every order is canceled, then positions
are closed as taker, the largest first, until what is left is covered.
"""

from decimal import Decimal

from brokers.paper.account import Account
from brokers.paper.answers import Answers
from brokers.paper.market import Market
from brokers.paper.matching import Matching
from engine.model.market import Funding


class Settlement:
    """Applies funding and guards the maintenance margin."""

    __slots__ = ("_account", "_answers", "_markets", "_matching")

    def __init__(
        self, markets: dict[str, Market], account: Account, answers: Answers, matching: Matching
    ) -> None:
        self._markets = markets
        self._account = account
        self._answers = answers
        self._matching = matching

    def announced(self, market: Market, funding: Funding) -> None:
        """Take a mark price and rate; settle what came due; check the margin at the new mark."""
        is_sound = funding.mark_price.is_finite() and funding.rate.is_finite()
        if not is_sound or funding.mark_price <= 0:
            return
        now_ns = funding.ts_event_ns or funding.ts_ns
        if funding.next_ns == market.funding_ns:
            market.funding_rate = funding.rate
        market.mark = funding.mark_price
        if market.settled_ns < market.funding_ns <= now_ns:
            market.settled_ns = market.funding_ns
            if market.position:
                self._settle(market, funding)
        market.funding_ns, market.funding_rate = funding.next_ns, funding.rate
        if market.position:
            self.check_margin(funding.ts_ns)

    def check_margin(self, ts_ns: int) -> None:
        """Liquidate if equity no longer covers maintenance; otherwise set new bands."""
        slack = self._account.slack()
        if slack >= 0:
            self._account.rearm(slack)
            return
        for market in self._markets.values():
            for orders in (market.buys, market.sells, market.conditionals):
                for order in list(orders.values()):
                    self._matching.withdraw(market, order, ts_ns)
        for market in sorted(self._account.open.values(), key=_by_size):
            if self._account.slack() < 0:
                self._matching.liquidate(market, ts_ns)
        self._account.suspect()

    def _settle(self, market: Market, funding: Funding) -> None:
        qty = market.position * market.terms.lot_size
        multiplier = market.terms.instrument.multiplier
        amount = -qty * funding.mark_price * multiplier * market.funding_rate
        self._account.cash += amount
        self._answers.funded(funding, market.funding_rate, qty, amount, market.settled_ns)


def _by_size(market: Market) -> tuple[Decimal, str]:
    return -market.notional(), market.terms.instrument.symbol
