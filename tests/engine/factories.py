"""Small orders, fills and markets for the engine's tests; every argument has an innocent default."""

import decimal
from collections.abc import Iterator
from decimal import Decimal

from engine.market.book import BookSync
from engine.market.view import MarketView
from engine.model.account import Fill, Liquidity
from engine.model.instrument import Instrument
from engine.model.money import use_exact_arithmetic
from engine.model.orders import Order, OrderIntent, OrderState, OrderType, Side
from engine.model.venue_events import VenueFill

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
BTC, ETH = "BTC-USDT", "ETH-USDT"
MS = 1_000_000
SECOND = 1_000_000_000


def exactly() -> Iterator[None]:
    """Run one test in the arithmetic of a session, which traps an inexact result."""
    with decimal.localcontext():
        use_exact_arithmetic()
        yield


def instrument(symbol: str = BTC, **changes: object) -> Instrument:
    fields: dict = {
        "symbol": symbol, "base": symbol[:3], "quote": "USDT", "settlement": "USDT",
        "tick_size": D("0.1"), "lot_size": D("0.001"), "min_qty": D("0.001"),
    }  # fmt: skip
    return Instrument(**(fields | changes))


def view(bid: int = 9_999, ask: int = 10_001, *, lots: int = 1_000_000, **changes: object):
    """A market with a touch in ticks, priced at time zero; both 0 is a market never seen."""
    market = MarketView(instrument(**changes), BookSync(50))
    market.bid_ticks, market.ask_ticks, market.mid2_ticks = bid, ask, bid + ask
    market.bid_lots = market.ask_lots = lots if bid + ask else 0
    return market


def intent(number: int = 1, **changes: object) -> OrderIntent:
    """A wish to buy one at 1000.0; `agent`, `slot` and the rest as given."""
    agent = changes.get("agent", "a")
    fields: dict = {
        "ts_ns": 0, "intent_id": f"{agent}-{number}", "agent": agent, "symbol": BTC,
        "slot": f"slot{number}", "side": BUY, "qty": D(1), "type": OrderType.LIMIT,
        "price": D("1000.0"),
    }  # fmt: skip
    return OrderIntent(**(fields | changes))


def order(wish: OrderIntent | None = None, **changes: object) -> Order:
    """The order an intent leads to, not yet submitted."""
    wish = intent() if wish is None else wish
    fields: dict = {
        "order_id": wish.intent_id, "agent": wish.agent, "symbol": wish.symbol,
        "slot": wish.slot, "side": wish.side, "qty": wish.qty, "type": wish.type,
        "price": wish.price, "trigger_price": wish.trigger_price, "trail_bps": wish.trail_bps,
        "tif": wish.tif, "post_only": wish.post_only, "reduce_only": wish.reduce_only,
        "is_exit": wish.reduce_only, "created_ns": 0, "arrival_mid": D(1_000),
        "state": OrderState.INITIALIZED,
    }  # fmt: skip
    return Order(**(fields | changes))


def venue_fill(order_id: str = "a-1", trade_id: str = "t1", qty: str = "1", **changes: object):
    fields: dict = {
        "ts_ns": 0, "symbol": BTC, "order_id": order_id, "trade_id": trade_id, "side": BUY,
        "price": D("1000.0"), "qty": D(qty), "fee": D(0), "liquidity": Liquidity.TAKER,
    }  # fmt: skip
    return VenueFill(**(fields | changes))


def fill(side: Side = BUY, qty: str = "1", price: str = "1000.0", **changes: object) -> Fill:
    fields: dict = {
        "ts_ns": 0, "order_id": "a-1", "agent": "a", "symbol": BTC, "trade_id": "t1",
        "side": side, "price": D(price), "qty": D(qty), "fee": D(0),
        "liquidity": Liquidity.TAKER,
    }  # fmt: skip
    return Fill(**(fields | changes))
