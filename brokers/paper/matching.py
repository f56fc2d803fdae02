"""The matching engine: what happens to an order from its arrival to its terminal answer.

Rule 1: every order ends in exactly one of VenueRejected, VenueCanceled, VenueExpired, or the fill
        that completes it.
Rule 2: a reduce-only order is cut to what reduces at each fill, never before; what is left when
        nothing reduces any more expires.
Rule 3: answers leave in the order things happened; the courier keeps that order on the way.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from brokers.paper.account import Account
from brokers.paper.answers import Answers
from brokers.paper.config import PaperConfig
from brokers.paper.maker import Maker, maker_of
from brokers.paper.market import Market
from brokers.paper.order import PaperOrder
from brokers.paper.rules import GTC, Refusal, Rules, draft, invalid, would_take
from brokers.paper.taker import Taker, Takes, taker_of
from brokers.paper.terms import whole_steps
from brokers.paper.triggers import follow, is_released
from engine.model.account import Liquidity
from engine.model.orders import OrderIntent, OrderType, Side, TimeInForce
from engine.model.venue_events import RejectReason, Standing

MAKER: Final = Liquidity.MAKER
TAKER: Final = Liquidity.TAKER
MISSING: Final = Refusal(RejectReason.ORDER_NOT_FOUND, "")


@dataclass(frozen=True, slots=True)
class Change:
    """An amend in steps and in the decimals it came with; -1 steps are off the grid."""

    ticks: int
    lots: int
    price: Decimal
    qty: Decimal


class Matching:
    """Places, amends, cancels, fills and expires."""

    __slots__ = (
        "_account",
        "_answers",
        "_markets",
        "_reject_rate",
        "_rng",
        "_rules",
        "_taker",
        "maker",
    )

    def __init__(
        self,
        markets: Mapping[str, Market],
        account: Account,
        answers: Answers,
        config: PaperConfig,
        rng: random.Random,
    ) -> None:
        self._markets = markets
        self._account = account
        self._answers = answers
        self._rules = Rules(account, config.max_open_orders)
        self._taker: Taker = taker_of(config)
        self.maker: Maker = maker_of(config)
        self._reject_rate = config.reject_rate
        self._rng = rng

    def place(self, ts_ns: int, order_id: str, intent: OrderIntent) -> None:
        """Admit or refuse a new order, and match it."""
        market = self._markets.get(intent.symbol)
        if market is None:
            self._answers.rejected(ts_ns, intent.symbol, order_id, invalid("unknown symbol"))
            return
        order = self._admit(market, order_id, intent)
        if not isinstance(order, PaperOrder):
            self._answers.rejected(ts_ns, intent.symbol, order_id, order)
            return
        self._answers.accepted(ts_ns, order)
        if order.is_conditional:
            self._arm(market, order, ts_ns)
        else:
            self._match(market, order, ts_ns)

    def amend(
        self,
        ts_ns: int,
        order_id: str,
        symbol: str,
        price: Decimal,
        qty: Decimal,
        *,
        requeues: bool = False,
    ) -> None:
        """Change a resting limit order; only a smaller size at the same price keeps its place.

        Args:
            requeues: Not even that, as at some venues.
        """
        market = self._markets.get(symbol)
        order = market.working(order_id) if market else None
        if market is None or order is None:
            self._answers.amend_rejected(ts_ns, symbol, order_id, MISSING)
            return
        lots = whole_steps(qty, market.terms.lot_size) if qty else 0
        change = Change(whole_steps(price, market.terms.tick_size), lots, price, qty)
        refusal = self._judge_amend(market, order, change)
        if refusal is not None:
            self._answers.amend_rejected(ts_ns, symbol, order_id, refusal)
        elif lots <= order.filled:
            self.withdraw(market, order, ts_ns)
        else:
            self._change(market, order, change, ts_ns, requeues=requeues)

    def cancel(self, ts_ns: int, order_id: str, symbol: str) -> None:
        """Take an order out, or say that it is not there (any more)."""
        market = self._markets.get(symbol)
        order = market.working(order_id) if market else None
        if market is None or order is None:
            self._answers.cancel_rejected(ts_ns, symbol, order_id)
        else:
            self.withdraw(market, order, ts_ns)

    def offered(self, market: Market, *, is_buy: bool, lots: int, limit: int) -> int:
        """Return how many of so many lots an order would take now; nothing is taken."""
        takes = self._taker.sweep(market, is_buy=is_buy, lots=lots, limit=limit)
        return sum(taken for _, taken in takes)

    def withdraw(self, market: Market, order: PaperOrder, ts_ns: int) -> None:
        """End a working order because somebody asked."""
        market.remove(order)
        self._answers.canceled(ts_ns, order)

    def fill_resting(self, market: Market, order: PaperOrder, lots: int, ts_ns: int) -> None:
        """Trade a resting order at its own price, cut to what reduces (rule 2)."""
        if order.reduce_only:
            lots = min(lots, market.reducible(is_buy=order.is_buy))
        if lots == order.lots - order.filled:
            market.remove(order)
            self._fill(market, order, order.ticks, lots, MAKER, ts_ns=ts_ns)
            return
        if lots:
            market.release_units(order, lots)
            self._fill(market, order, order.ticks, lots, MAKER, ts_ns=ts_ns)
        if order.reduce_only and not market.reducible(is_buy=order.is_buy):
            market.remove(order)
            self._answers.expired(ts_ns, order, "reduce_only")

    def release(self, market: Market, order: PaperOrder, ts_ns: int) -> None:
        """Turn a conditional order into a market order and execute it."""
        market.remove(order)
        self._answers.triggered(ts_ns, order)
        order.is_conditional, order.type = False, OrderType.MARKET
        touch = market.ask if order.is_buy else market.bid
        refusal = self._rules.margin(market, order, touch, order.lots)
        if refusal is not None:
            self._answers.expired(ts_ns, order, refusal.reason.value)
        else:
            self._execute(market, order, ts_ns)

    def liquidate(self, market: Market, ts_ns: int) -> None:
        """Close a position as taker, as far as the book allows."""
        numbers = self._answers.numbers
        numbers.liquidations += 1
        order_id = f"liquidation-{numbers.liquidations}"
        is_buy = market.position < 0
        takes = self._taker.sweep(market, is_buy=is_buy, lots=abs(market.position), limit=0)
        self._taker.consume(market, takes, is_buy=is_buy)
        for ticks, lots in takes:
            terms = market.terms
            price, qty = ticks * terms.tick_size, lots * terms.lot_size
            fee = price * qty * terms.taker_rate
            self._account.book(market, lots if is_buy else -lots, ticks, fee)
            self._answers.filled(
                ts_ns,
                terms.instrument.symbol,
                order_id,
                Side.BUY if is_buy else Side.SELL,
                price=price,
                qty=qty,
                fee=fee,
                liquidity=TAKER,
            )

    def _admit(self, market: Market, order_id: str, intent: OrderIntent) -> PaperOrder | Refusal:
        if not self._answers.numbers.is_new(order_id):
            return Refusal(RejectReason.DUPLICATE_CLIENT_ID, "")
        if self._reject_rate and self._rng.random() < self._reject_rate:
            return Refusal(RejectReason.VENUE_UNAVAILABLE, "refused at random, see reject_rate")
        order = draft(market.terms, order_id, intent)
        if not isinstance(order, PaperOrder):
            return order
        return self._rules.judge(market, order) or order

    def _arm(self, market: Market, order: PaperOrder, ts_ns: int) -> None:
        touch = market.ask if order.is_buy else market.bid
        if order.type is OrderType.TRAILING:
            follow(order, touch)
        market.add(order)
        if is_released(order, touch):
            self.release(market, order, ts_ns)

    def _match(self, market: Market, order: PaperOrder, ts_ns: int) -> None:
        """Let an order rest if it can, and trade otherwise."""
        is_patient = order.ticks and order.tif is GTC
        if is_patient and not would_take(market, order.ticks, is_buy=order.is_buy):
            self._rest(market, order)
        else:
            self._execute(market, order, ts_ns)

    def _rest(self, market: Market, order: PaperOrder) -> None:
        self.maker.join(market, order)
        market.add(order)

    def _execute(self, market: Market, order: PaperOrder, ts_ns: int) -> None:
        """Take what is offered; what is left rests or expires by its own terms."""
        wanted = order.lots - order.filled
        if order.reduce_only:
            wanted = min(wanted, market.reducible(is_buy=order.is_buy))
        for ticks, lots in self._sweep(market, order, wanted) if wanted else ():
            self._fill(market, order, ticks, lots, TAKER, ts_ns=ts_ns)
        if order.filled == order.lots:
            return
        if order.reduce_only and not market.reducible(is_buy=order.is_buy):
            self._answers.expired(ts_ns, order, "reduce_only")
        elif order.tif is TimeInForce.FOK:
            self._answers.expired(ts_ns, order, "fok")
        elif not order.ticks:
            self._answers.expired(ts_ns, order, "no_liquidity")
        elif order.tif is TimeInForce.IOC:
            self._answers.expired(ts_ns, order, "ioc")
        else:
            self._rest(market, order)

    def _sweep(self, market: Market, order: PaperOrder, wanted: int) -> Takes:
        """Consume what an order takes; fill-or-kill takes all or nothing."""
        is_buy = order.is_buy
        takes = self._taker.sweep(market, is_buy=is_buy, lots=wanted, limit=order.ticks)
        if order.tif is TimeInForce.FOK and sum(lots for _, lots in takes) < wanted:
            return []
        self._taker.consume(market, takes, is_buy=is_buy)
        return takes

    def _judge_amend(self, market: Market, order: PaperOrder, change: Change) -> Refusal | None:
        if order.is_conditional:
            return invalid("only limit orders can be amended")
        ticks, lots = change.ticks, change.lots
        if ticks < 0 or lots < 0:
            return invalid("price or quantity is off the grid")
        if lots <= order.filled or (ticks == order.ticks and lots <= order.lots):
            return None
        freed = order.ticks * order.leaves
        return self._rules.price_and_size(market, order, ticks, lots) or self._rules.margin(
            market, order, ticks, lots - order.filled, freed=freed
        )

    def _change(
        self, market: Market, order: PaperOrder, change: Change, ts_ns: int, *, requeues: bool
    ) -> None:
        keeps_place = not requeues and change.ticks == order.ticks and change.lots <= order.lots
        if keeps_place:
            market.release_units(order, order.lots - change.lots)
        else:
            market.remove(order)
        order.ticks, order.price = change.ticks, change.price
        order.lots, order.qty = change.lots, change.qty
        self._answers.amended(ts_ns, order, change.price, change.qty)
        if not keeps_place:
            self._match(market, order, ts_ns)

    def _fill(
        self,
        market: Market,
        order: PaperOrder,
        ticks: int,
        lots: int,
        liquidity: Liquidity,
        *,
        ts_ns: int,
    ) -> None:
        """Book and report one execution of an order."""
        order.filled += lots
        assert order.filled <= order.lots, "filled <= ordered"
        terms = market.terms
        limit = order.price
        price = limit if limit is not None and ticks == order.ticks else ticks * terms.tick_size
        qty = order.qty if lots == order.lots else lots * terms.lot_size
        fee = price * qty * (terms.maker_rate if liquidity is MAKER else terms.taker_rate)
        self._account.book(market, lots if order.is_buy else -lots, ticks, fee)
        if order.filled == order.lots:
            self._answers.numbers.end(order.order_id, Standing.FILLED, order.filled)
        self._answers.filled(
            ts_ns,
            order.symbol,
            order.order_id,
            order.side,
            price=price,
            qty=qty,
            fee=fee,
            liquidity=liquidity,
        )
