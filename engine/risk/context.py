"""What the gate looks at when it judges one intent. The kernel fills it in, once per intent."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from engine.market.view import MarketView
from engine.model.money import BPS, ROUNDED
from engine.model.orders import Order, OrderIntent, Side
from engine.portfolio.portfolio import Portfolio


class Permits(Protocol):
    """The lifecycle's answer for one symbol."""

    def __call__(self, symbol: str, *, adds_risk: bool) -> bool:
        """Whether an order may go out."""
        ...


class GateContext:
    """The readings behind a verdict; reused from intent to intent, never kept."""

    __slots__ = (
        "adds_risk",
        "intent",
        "is_amend",
        "is_house",
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
    )

    intent: OrderIntent
    view: MarketView
    """The instrument's market; the gate has already refused unknown instruments."""
    portfolio: Portfolio
    state: str
    permits: Permits
    """What the lifecycle lets pass."""
    now_ns: int
    position: Decimal
    """Net signed quantity."""
    open_buy: Decimal
    open_sell: Decimal
    """Quantity working on each side, without the order this intent would change and without
    reduce-only orders."""
    open_count: int
    open_count_symbol: int
    own_orders: Iterable[Order]
    """Working orders of the instrument, for the self-trade rule."""
    is_amend: bool
    """Whether an order already works in the intent's slot."""
    is_house: bool
    """The session's own flattening: judged by what keeps an order valid, not by appetite."""
    adds_risk: bool
    price: Decimal
    """The price the intent is judged at: its limit or trigger, else the touch it would take."""

    def judge(self) -> None:
        """Work out `price` and `adds_risk` from the other readings."""
        intent = self.intent
        self.price = self._price(intent)
        held = self.position
        if not held or (held > 0) is (intent.side is Side.BUY):
            self.adds_risk = not (intent.reduce_only and self.is_house)
        elif intent.reduce_only:
            self.adds_risk = False
        else:
            working = self.open_buy if intent.side is Side.BUY else self.open_sell
            self.adds_risk = intent.qty + working > abs(held)

    def _price(self, intent: OrderIntent) -> Decimal:
        if intent.price is not None:
            return intent.price
        if intent.trigger_price is not None:
            return intent.trigger_price
        view = self.view
        ticks = view.ask_ticks if intent.side is Side.BUY else view.bid_ticks
        return view.instrument.price(ticks)

    def worst_position(self) -> Decimal:
        """Signed position if this intent and all that works on its side filled."""
        if self.intent.side is Side.BUY:
            return self.position + self.open_buy + self.intent.qty
        return self.position - self.open_sell - self.intent.qty

    def worst_exposure(self) -> tuple[Decimal, Decimal, Decimal]:
        """Return gross, net and this instrument's notional after the worst case."""
        gross, net = self.portfolio.exposure()
        multiplier = self.view.instrument.multiplier
        mid = self.view.mid or self.price
        now = self.position * mid * multiplier
        after = self.worst_position() * self.price * multiplier
        return gross - abs(now) + abs(after), net - now + after, abs(after)

    def slippage_bps(self) -> Decimal | None:
        """Expected average price of a market order against mid, by walking the known book.

        Returns:
            Basis points of mid, never negative; None where no mid is known.

        """
        view = self.view
        if not view.mid2_ticks:
            return None
        buying = self.intent.side is Side.BUY
        touch, size = (
            (view.ask_ticks, view.ask_lots) if buying else (view.bid_ticks, view.bid_lots)
        )
        wanted = view.instrument.lots(self.intent.qty)
        if wanted <= size or not size or not view.book.is_synced:
            return ROUNDED.divide(abs(2 * touch - view.mid2_ticks) * BPS, Decimal(view.mid2_ticks))
        paid = self._walk(wanted, touch, size, buying)
        fair = wanted * view.mid2_ticks
        return ROUNDED.divide(abs(2 * paid - fair) * BPS, Decimal(fair))

    def _walk(self, wanted: int, touch: int, size: int, buying: bool) -> int:
        """Return ticks times lots paid for `wanted` lots, the last known price for what is left."""
        paid, left, last = touch * size, wanted - size, touch
        for ticks, lots in self.view.book.book.levels(Side.SELL if buying else Side.BUY):
            if (ticks <= touch) if buying else (ticks >= touch):
                continue
            took = min(lots, left)
            paid, left, last = paid + took * ticks, left - took, ticks
            if not left:
                break
        return paid + left * last
