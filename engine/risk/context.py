"""What the gate looks at when it judges one intent. The kernel fills it in, once per intent."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from engine.market.view import MarketView
from engine.model.money import ZERO
from engine.model.orders import BUY, MARKET, SELL, Order, OrderIntent
from engine.portfolio.portfolio import Portfolio


class Permits(Protocol):
    """The lifecycle's answer for one symbol."""

    def __call__(self, symbol: str, *, adds_risk: bool) -> bool:
        """Whether an order may go out."""
        ...


class Working(Protocol):
    """What works on one instrument, reduce-only orders left out."""

    buy_qty: Decimal
    sell_qty: Decimal


class GateContext:
    """The readings behind a verdict; reused from intent to intent, never kept.

    The kernel sets the first group, `judge` works out the second from it. Hot: every intent passes
    here, so each figure that several rules need is computed once.
    """

    __slots__ = (
        "adds_risk",
        "armed_until_ns",
        "gross",
        "intent",
        "is_amend",
        "is_house",
        "mid2",
        "net",
        "notional",
        "now_ns",
        "open_buy",
        "open_count",
        "open_count_symbol",
        "open_sell",
        "own_orders",
        "permits",
        "portfolio",
        "position",
        "price",
        "state",
        "view",
        "views",
        "working",
        "worst",
        "worst_notional",
    )

    intent: OrderIntent
    view: MarketView
    portfolio: Portfolio
    state: str
    permits: Permits
    """What the lifecycle lets pass."""
    now_ns: int
    armed_until_ns: int
    """Until when a person lets the session take risk; read only where arming is needed."""
    position: Decimal
    """Net signed quantity."""
    open_buy: Decimal
    open_sell: Decimal
    """Quantity working on each side, without the order this intent would change and without
    reduce-only orders."""
    open_count: int
    open_count_symbol: int
    own_orders: Iterable[Order]
    """Working orders of the instrument."""
    views: Mapping[str, MarketView]
    working: Mapping[str, Working]
    """Markets and working quantities of all instruments, for the exposure of the session."""
    is_amend: bool
    """Whether an order already works in the intent's slot."""
    is_house: bool
    """The session's own flattening: judged by what keeps an order valid, not by appetite."""

    price: Decimal
    """The price the intent is judged at: its limit or trigger, else the touch it would take."""
    mid2: Decimal
    """Twice the mid; zero where none is known."""
    notional: Decimal
    """Of the intent alone."""
    worst: Decimal
    """Signed position if this intent and all that works on its side filled."""
    worst_notional: Decimal
    gross: Decimal
    net: Decimal
    """Exposure of the session in that worst case, net signed."""
    adds_risk: bool
    """Whether the worst case is a larger position, or one of the other sign."""

    def judge(self) -> None:
        """Work out everything the rules read."""
        intent, view, held = self.intent, self.view, self.position
        instrument = view.instrument
        buying = intent.side is BUY
        is_market = intent.type is MARKET
        price = None if is_market else intent.price or intent.trigger_price
        if price is None:
            price = (view.ask_ticks if buying else view.bid_ticks) * instrument.tick_size
        working = self.open_buy if buying else self.open_sell
        if held and (held > ZERO) is not buying and not intent.reduce_only:
            # Exits the venue keeps reduce-only may fill first, and leave less to reduce.
            closed = ZERO
            for order in self.own_orders:
                if order.reduce_only and order.side is intent.side:
                    closed += order.leaves_qty
            if closed:
                closed = min(closed, abs(held))
                held += closed if buying else -closed
        self.price = price
        self.mid2 = view.mid2_ticks * instrument.tick_size
        value = price * instrument.multiplier
        self.notional = intent.qty * value
        self.worst = worst = held + working + intent.qty if buying else held - working - intent.qty
        self.worst_notional = abs(worst) * value
        if not self.position or (self.position > ZERO) is buying:
            self.adds_risk = not (intent.reduce_only and self.is_house)
        else:
            self.adds_risk = not intent.reduce_only and intent.qty + working > abs(held)
        if self.adds_risk:
            self.gross, self.net = self.worst_notional, worst * value
            if len(self.views) > 1:
                self._add_others(buying=buying)

    def _add_others(self, *, buying: bool) -> None:
        """Add the worst case of every other instrument: its position and all that works there."""
        for symbol, view in self.views.items():
            working = self.working[symbol]
            held = self.portfolio.holdings[symbol].qty
            if view is self.view or not (held or working.buy_qty or working.sell_qty):
                continue
            instrument = view.instrument
            value = view.mid2_ticks * instrument.tick_size * instrument.multiplier / 2
            bought = (held + working.buy_qty) * value
            sold = (held - working.sell_qty) * value
            self.gross += max(abs(bought), abs(sold))
            self.net += bought if buying else sold

    def slippage_ticks(self) -> tuple[int, int]:
        """Expected cost of a market order against mid, by walking the known book.

        Returns:
            Half ticks lost over all lots, never negative, and how many lots that is; one lot
            where the touch is enough, or all that is known.

        """
        view, buying = self.view, self.intent.side is BUY
        touch, size = (view.ask_ticks, view.ask_lots) if buying else (view.bid_ticks, view.bid_lots)
        is_within = self.intent.qty <= size * view.instrument.lot_size
        if is_within or not size or not view.book.is_synced:
            return abs(2 * touch - view.mid2_ticks), 1
        wanted = view.instrument.lots(self.intent.qty)
        paid = self._walk(wanted, touch, size, buying=buying)
        return abs(2 * paid - wanted * view.mid2_ticks), wanted

    def _walk(self, wanted: int, touch: int, size: int, *, buying: bool) -> int:
        """Return ticks times lots paid for `wanted` lots, the last known price for what is left."""
        paid, left, last = touch * size, wanted - size, touch
        for ticks, lots in self.view.book.book.levels(SELL if buying else BUY):
            if (ticks <= touch) if buying else (ticks >= touch):
                continue
            took = min(lots, left)
            paid, left, last = paid + took * ticks, left - took, ticks
            if not left:
                break
        return paid + left * last
