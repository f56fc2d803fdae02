"""A gate with one limit on, and the readings it judges by."""

from collections.abc import Iterable
from decimal import Decimal

from engine.execution.blotter import OpenOrders
from engine.market.view import MarketView
from engine.model.orders import Order, OrderIntent, OrderState, OrderType, Side
from engine.portfolio.portfolio import HOUSE, Portfolio
from engine.risk.context import GateContext
from engine.risk.gate import Gate, Refused
from engine.risk.lifecycle import FsmState, Lifecycle, allows
from engine.risk.limits import RiskLimits
from tests.engine.factories import BTC, BUY, ETH, SELL, D, fill, instrument, intent, order, view

OFF = dict.fromkeys(
    [
        "max_order_notional", "max_position_notional", "max_gross_notional", "max_net_notional",
        "max_leverage", "max_open_orders", "max_open_orders_per_symbol",
        "max_price_deviation_bps", "max_slippage_bps", "max_spread_bps",
        "max_orders_per_minute", "max_amends_per_minute", "max_cancels_per_minute",
    ]
)  # fmt: skip
"""Every limit that is on by default and may be off."""


def gate(**limits: object) -> Gate:
    return Gate(RiskLimits(**(OFF | limits)))


def at(qty: str = "1", price: str | None = "1000.0", side: Side = BUY, **changes: object):
    """An order for `qty` at `price`; no price is a market order."""
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    limit = None if price is None else D(price)
    return intent(9, **({"side": side, "qty": D(qty), "price": limit, "type": kind} | changes))


def resting(
    qty: str = "1", side: Side = BUY, price: str | None = "990.0", **changes: object
) -> Order:
    """An accepted limit order of our own, out of the way of a wish at 1000.0."""
    wish = intent(5, side=side, qty=D(qty), price=D(price) if price else None)
    return order(wish, **({"state": OrderState.ACCEPTED} | changes))


def open_qty(working: Iterable[Order], side: Side) -> Decimal:
    return sum((o.leaves_qty for o in working if o.side is side and not o.reduce_only), D(0))


def context(
    wish: OrderIntent,
    *,
    position: str = "0",
    working: Iterable[Order] = (),
    market: MarketView | None = None,
    eth: str = "0",
    eth_buys: str = "0",
    eth_sells: str = "0",
    balance: str = "1000",
    state: FsmState = FsmState.ACTIVE,
    now_ns: int = 0,
    elsewhere: int = 0,
    is_amend: bool = False,
) -> GateContext:
    """Readings of a session that holds `position` BTC at 1000.0 and `eth` ETH at 100.0.

    `working` are the orders of BTC but for the one in the wish's slot; `elsewhere` counts others,
    whose quantities are `eth_buys` and `eth_sells`.
    """
    portfolio, orders = Portfolio([instrument(BTC), instrument(ETH)], D(balance)), list(working)
    for symbol, held, price, mid2 in (
        (BTC, D(position), "1000.0", 20_000),
        (ETH, D(eth), "100.0", 2_000),
    ):
        if held:
            side = BUY if held > 0 else SELL
            portfolio.book(fill(side, str(abs(held)), price, symbol=symbol), mid2)
    reading = GateContext()
    reading.intent, reading.portfolio = wish, portfolio
    reading.view = view() if market is None else market
    reading.position, reading.now_ns = D(position), now_ns
    reading.open_buy, reading.open_sell = open_qty(orders, BUY), open_qty(orders, SELL)
    reading.open_count, reading.open_count_symbol = len(orders) + elsewhere, len(orders)
    reading.own_orders = orders
    reading.views = {BTC: reading.view, ETH: view(999, 1_001, symbol=ETH)}
    reading.working = {
        BTC: OpenOrders(reading.open_buy, reading.open_sell),
        ETH: OpenOrders(D(eth_buys), D(eth_sells)),
    }
    reading.is_amend, reading.is_house = is_amend, wish.agent == HOUSE
    lifecycle = Lifecycle(state=state)
    reading.state = state
    reading.permits = lambda symbol, *, adds_risk: allows(
        lifecycle, symbol, is_reducing=not adds_risk
    )
    return reading


def verdict(judge: Gate, wish: OrderIntent, **readings: object) -> str | None:
    """The rule that refused, None where the gate approved."""
    judged = judge.check(context(wish, **readings))  # type: ignore[arg-type]
    return judged.rule if isinstance(judged, Refused) else None
