"""Hand-made desks, bars and orders; every argument has an innocent default."""

from dataclasses import dataclass
from decimal import Decimal

from engine.agents.desk import Desk, IntentSequence
from engine.market.book import BookSync
from engine.market.features.spec import FeatureSpec
from engine.market.view import MarketView
from engine.model.account import Fill, Liquidity
from engine.model.instrument import Instrument
from engine.model.market import Bar
from engine.model.orders import Order, OrderIntent, OrderState, Side

D = Decimal
SYMBOL = "BTC-USDT"
MS = 1_000_000


@dataclass
class Fixed:
    """A feature whose value the test sets."""

    value: float | None = None


def instrument(**changes: object) -> Instrument:
    fields: dict = {
        "symbol": SYMBOL, "base": "BTC", "quote": "USDT", "settlement": "USDT",
        "tick_size": D("0.1"), "lot_size": D("0.001"), "min_qty": D("0.001"),
    }  # fmt: skip
    return Instrument(**(fields | changes))


def desk(agent: str, features: tuple[FeatureSpec, ...] = (), **changes: object) -> Desk:
    view = MarketView(instrument(**changes), BookSync(1))
    view.features = {spec: Fixed() for spec in features}  # type: ignore[misc]
    return Desk(view, IntentSequence(agent))


def touch(desk: Desk, bid: int, ask: int, bid_lots: int = 1, ask_lots: int = 1) -> None:
    view = desk.market
    view.bid_ticks, view.ask_ticks, view.mid2_ticks = bid, ask, bid + ask
    view.bid_lots, view.ask_lots = bid_lots, ask_lots


def bar(close_ticks: int = 10_000) -> Bar:
    return Bar(0, SYMBOL, 5, 0, close_ticks, close_ticks, close_ticks, close_ticks, 1)


def hold(desk: Desk, qty: str, entry: str | None = None) -> None:
    desk.position = D(qty)
    desk.entry_price = D(entry) if entry else None


def work(desk: Desk, intent: OrderIntent, state: OrderState = OrderState.ACCEPTED) -> Order:
    """Let the intent be the order that works in its slot."""
    shared = {name: getattr(intent, name) for name in OrderIntent.__struct_fields__}
    fields = {name: shared[name] for name in Order.__dataclass_fields__ if name in shared}
    order = Order(
        **fields,
        order_id=intent.intent_id,
        is_exit=intent.reduce_only,
        created_ns=intent.ts_ns,
        arrival_mid=None,
        state=state,
    )
    desk.working[intent.slot] = order
    return order


def fill(side: Side = Side.BUY) -> Fill:
    return Fill(0, "o", "a", SYMBOL, "t", side, D(1), D(1), D(0), Liquidity.TAKER)


def order_intent(agent: str = "a", number: int = 1, **changes: object) -> OrderIntent:
    fields: dict = {
        "ts_ns": 1, "intent_id": f"{agent}-{number}", "agent": agent, "symbol": SYMBOL,
        "slot": f"slot{number}", "side": Side.BUY, "qty": D("1.5"),
    }  # fmt: skip
    return OrderIntent(**(fields | changes))
