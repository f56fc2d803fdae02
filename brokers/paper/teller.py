"""The venue's answers to questions: the whole account, or one order. Asking changes nothing."""

from collections.abc import Iterator, Mapping
from typing import Final

from brokers.paper.account import Account
from brokers.paper.answers import Answers
from brokers.paper.courier import AccountRequest, Courier
from brokers.paper.market import Market
from brokers.paper.order import PaperOrder
from engine.model.money import ZERO
from engine.model.venue_events import (
    Standing,
    VenueHolding,
    VenueOrderStatus,
    VenueSnapshot,
    VenueWorkingOrder,
)

FORGOTTEN: Final = "the fills asked for go further back than the venue remembers"


class Teller:
    """Reads markets and account, and sends what it read."""

    __slots__ = ("_account", "_answers", "_courier", "_markets")

    def __init__(
        self,
        markets: Mapping[str, Market],
        account: Account,
        answers: Answers,
        courier: Courier,
    ) -> None:
        self._markets = markets
        self._account = account
        self._answers = answers
        self._courier = courier

    def account(self, ts_ns: int, asked: AccountRequest) -> None:
        """Tell everything, or that it can't be told whole."""
        due_ns, numbers = self._courier.told_ns(ts_ns), self._answers.numbers
        if 0 < asked.since_ns <= numbers.forgotten_ns:
            told = VenueSnapshot(due_ns, ts_ns, asked.asked_ns, failure=FORGOTTEN)
        else:
            held = sorted(self._account.open.items())
            told = VenueSnapshot(
                due_ns,
                ts_ns,
                asked.asked_ns,
                tuple(VenueHolding(s, m.position * m.terms.lot_size) for s, m in held),
                tuple(sorted(self._working(), key=lambda order: order.order_id)),
                tuple(fill for fill in numbers.fills if fill.ts_ns >= asked.since_ns),
                None if held else self._account.cash,
            )
        self._courier.deliver(told)

    def _working(self) -> Iterator[VenueWorkingOrder]:
        for market in self._markets.values():
            lot = market.terms.lot_size
            for orders in (market.buys, market.sells, market.conditionals):
                for o in orders.values():
                    filled = o.filled * lot
                    yield VenueWorkingOrder(o.order_id, o.symbol, o.side, o.qty, filled)

    def order(self, ts_ns: int, symbol: str, order_id: str) -> None:
        """Tell where one order stands."""
        market = self._markets.get(symbol)
        due_ns = self._courier.told_ns(ts_ns, order_id)
        order = None if market is None else market.working(order_id)
        if market is None or order is None:
            self._courier.deliver(self._ended(due_ns, symbol, order_id))
        else:
            self._courier.deliver(_working(due_ns, market, order))

    def _ended(self, due_ns: int, symbol: str, order_id: str) -> VenueOrderStatus:
        ended, market = self._answers.numbers.ended.get(order_id), self._markets.get(symbol)
        if ended is None or market is None:
            return VenueOrderStatus(due_ns, symbol, order_id, Standing.NOT_FOUND)
        filled = ended.filled * market.terms.lot_size if ended.filled else ZERO
        return VenueOrderStatus(due_ns, symbol, order_id, ended.standing, filled)


def _working(due_ns: int, market: Market, order: PaperOrder) -> VenueOrderStatus:
    filled = order.filled * market.terms.lot_size
    return VenueOrderStatus(
        due_ns, order.symbol, order.order_id, Standing.WORKING, filled, order.qty, order.price
    )
