"""The paper venue, keeping a ledger while it answers: for sessions that another process guards.

Only orders that begin or stop working and fills are written, never a quote; a microsecond or two
each. A venue without a ledger runs none of this.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from time import time_ns
from typing import Literal

from brokers.paper.answers import Answers
from brokers.paper.courier import Courier
from brokers.paper.ledger import FillLine, Ledger, OrderLine, PositionLine
from brokers.paper.market import Market
from brokers.paper.order import PaperOrder
from engine.model.account import Liquidity
from engine.model.orders import Side


class KeptAnswers(Answers):
    """Writes down what each answer means before the answer leaves."""

    __slots__ = ("_at", "_ledger", "_positions", "_working")

    def __init__(self, courier: Courier, ledger: Ledger) -> None:
        super().__init__(courier)
        self._ledger = ledger
        self._working: dict[str, tuple[int, PaperOrder]] = {}
        self._positions: dict[str, PositionLine] = {}
        self._at: dict[str, int] = {}
        for at, line in ledger.positions():
            self._positions[line.symbol], self._at[line.symbol] = line, at

    def accepted(self, ts_ns: int, order: PaperOrder) -> None:
        """Say that the order is in."""
        self._note(order)
        super().accepted(ts_ns, order)

    def adopt(self, markets: Iterable[Market]) -> None:
        """Write down the orders and positions of a restored venue."""
        for market in markets:
            for side in (market.buys, market.sells, market.conditionals):
                for order in side.values():
                    self._note(order)
            held = self._positions[market.terms.instrument.symbol]
            self._hold(held, market.position * market.terms.lot_size, None)

    def _note(self, order: PaperOrder) -> None:
        line = OrderLine(
            order_id=order.order_id,
            symbol=order.symbol,
            side=order.side,
            qty=order.qty,
            reduce_only=order.reduce_only,
            state="working",
            since_ns=time_ns(),
        )
        self._working[order.order_id] = self._ledger.add(line), order

    def canceled(self, ts_ns: int, order: PaperOrder) -> None:
        """Say that the order is out because somebody asked."""
        self._end(order.order_id, "cancel")
        super().canceled(ts_ns, order)

    def expired(self, ts_ns: int, order: PaperOrder, reason: str) -> None:
        """Say that what was left of the order ended by its own terms."""
        self._end(order.order_id, "terms")
        super().expired(ts_ns, order, reason)

    def filled(
        self,
        ts_ns: int,
        symbol: str,
        order_id: str,
        side: Side,
        *,
        price: Decimal,
        qty: Decimal,
        fee: Decimal,
        liquidity: Liquidity,
    ) -> None:
        """Say that some of an order, or of a liquidated position, traded."""
        held = self._positions[symbol]
        self._hold(held, held.qty + side.sign * qty, price)
        if order_id in self._working:
            _, order = self._working[order_id]
            if order.filled == order.lots:
                self._end(order_id, "fill")
        trade_id = f"t{self.numbers.trades + 1}"  # as `Answers` is about to number it
        self._ledger.fill(FillLine(trade_id, order_id, symbol, side, price, qty, fee, liquidity))
        super().filled(
            ts_ns, symbol, order_id, side, price=price, qty=qty, fee=fee, liquidity=liquidity
        )

    def note_exits(self, markets: Mapping[str, Market]) -> None:
        """Write down what each open position could be closed at now."""
        for symbol, market in markets.items():
            touch = market.bid if market.position > 0 else market.ask
            price = touch * market.terms.tick_size
            held = self._positions[symbol]
            if price != held.exit_price:
                self._hold(held, held.qty, price)

    def _hold(self, held: PositionLine, qty: Decimal, price: Decimal | None) -> None:
        line = PositionLine(held.symbol, qty, price, held.taker_rate, "engine")
        self._positions[held.symbol] = line
        self._ledger.write(self._at[held.symbol], line)

    def _end(self, order_id: str, by: Literal["fill", "cancel", "terms"]) -> None:
        at, _ = self._working.pop(order_id)
        self._ledger.end(at, by, time_ns())
