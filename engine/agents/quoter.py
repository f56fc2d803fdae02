"""Agent `quoter`: one post-only bid and one ask around the microprice, leaning against inventory.

`bid = fair - h - g`, `ask = fair + h - g`, with `h` the half spread and `g` the skew, both basis
points of fair; `g` grows with the inventory from 0 to `inventory_skew_bps` at the largest inventory
allowed. Prices are snapped outward to the tick and never cross the touch. At the largest inventory
only the side that reduces it is quoted.

Rule 1: a quote that stands within the tolerance is left alone: it keeps its place in the queue.
Rule 2: an order whose fate is open (sent, being canceled, unknown) is not touched.

Source: Avellaneda, Stoikov (2008), "High-frequency trading in a limit order book", linear skew.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, ClassVar, NamedTuple

from annotated_types import Ge, Gt

from engine.agents.contract import NOTHING, BaseAgent, Needs
from engine.agents.desk import Desk
from engine.agents.sizing import whole_lots
from engine.market.view import MarketView
from engine.model.account import Fill
from engine.model.orders import Intent, Order, OrderState, Side

_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoterParams:
    """Settings `agents.quoter.*`."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    order_notional: Annotated[Decimal, Gt(0)] = Decimal(300)
    """Size of each quote, quote currency, rounded down to whole lots."""
    half_spread_bps: Annotated[float, Gt(0)] = 2.0
    """Distance of each quote from fair, basis points."""
    inventory_skew_bps: Annotated[float, Ge(0)] = 2.0
    """Shift of both quotes at the largest inventory, basis points."""
    max_inventory_notional: Annotated[Decimal, Gt(0)] = Decimal(1_500)
    """Inventory, quote currency, at which only the reducing side is quoted."""
    requote_ticks: Annotated[int, Ge(0)] = 2
    """Largest distance from the wished price at which a quote is left alone."""
    min_quote_interval_ms: Annotated[int, Ge(0)] = 500
    """Shortest time between two changes of the quotes of one symbol."""


@dataclass(slots=True)
class QuoterState:
    """Everything the agent remembers."""

    next_ns: dict[str, int] = field(default_factory=dict)
    """When the quotes of each symbol may change again."""


class _Wish(NamedTuple):
    """Ticks of each side, None where nothing should be quoted."""

    bid: int | None
    ask: int | None
    inventory: float
    """Of the largest allowed, signed."""


class Quoter(BaseAgent):
    """Quote both sides of the microprice, post-only, leaning against the inventory."""

    name = "quoter"
    Params = QuoterParams
    State = QuoterState
    needs = Needs(quotes=True, fills=True)
    params: QuoterParams
    state: QuoterState

    def __init__(self, params: QuoterParams) -> None:
        super().__init__(params)
        self._max_inventory = float(params.max_inventory_notional)

    def on_quote(self, desk: Desk) -> Sequence[Intent]:
        """Move the quotes that stand too far from where they should, at most every interval."""
        if desk.now_ns < self.state.next_ns.get(desk.symbol, 0) or not desk.market.mid2_ticks:
            return NOTHING
        wish = self._wish(desk)
        intents = [
            intent
            for intent in (
                self._requote(desk, Side.BUY, wish.bid, wish.inventory),
                self._requote(desk, Side.SELL, wish.ask, wish.inventory),
            )
            if intent is not None
        ]
        if not intents:
            return NOTHING
        self.state.next_ns[desk.symbol] = desk.now_ns + self.params.min_quote_interval_ms * _MS
        return intents

    def on_fill(self, desk: Desk, fill: Fill) -> Sequence[Intent]:  # noqa: ARG002 the desk tells
        """At the largest inventory, take back the quote that would add to it, interval or not."""
        if not desk.market.mid2_ticks:
            return NOTHING
        wish = self._wish(desk)
        if wish.bid is not None and wish.ask is not None:
            return NOTHING
        slot = "bid" if wish.bid is None else "ask"
        cancel = _cancel(desk, slot, wish.inventory)
        return NOTHING if cancel is None else (cancel,)

    def _wish(self, desk: Desk) -> _Wish:
        view, params = desk.market, self.params
        fair = _fair_ticks(view)
        held = float(desk.position) * fair * float(view.instrument.tick_size)
        inventory = held * float(view.instrument.multiplier) / self._max_inventory
        half = fair * params.half_spread_bps / 10_000 * desk.spacing_factor
        skew = fair * params.inventory_skew_bps / 10_000 * max(-1.0, min(1.0, inventory))
        bid = min(math.floor(fair - half - skew), view.ask_ticks - 1)
        ask = max(math.ceil(fair + half - skew), view.bid_ticks + 1)
        return _Wish(
            bid=bid if inventory < 1 and bid > 0 else None,
            ask=ask if inventory > -1 else None,
            inventory=inventory,
        )

    def _requote(
        self, desk: Desk, side: Side, ticks: int | None, inventory: float
    ) -> Intent | None:
        slot = "bid" if side is Side.BUY else "ask"
        if ticks is None:
            return _cancel(desk, slot, inventory)
        price = desk.instrument.price(ticks)
        order = desk.working.get(slot)
        if order is not None and not self._is_astray(order, price, desk.instrument.tick_size):
            return None
        qty = whole_lots(desk.instrument, self.params.order_notional * desk.size_factor, price)
        if qty is None:
            return None
        reason = f"fair {_fair_price(desk.market):.8g}, inventory {inventory:+.2f} of the largest"
        return desk.limit_order(side, qty, price, slot=slot, reason=reason, post_only=True)

    def _is_astray(self, order: Order, price: Decimal, tick: Decimal) -> bool:
        is_resting = (
            order.state is OrderState.ACCEPTED or order.state is OrderState.PARTIALLY_FILLED
        )
        if not is_resting or order.price is None:
            return False
        return abs(order.price - price) > self.params.requote_ticks * tick


def _fair_ticks(view: MarketView) -> float:
    """Return the microprice in ticks (domain.md section 9), the mid where no sizes are shown."""
    lots = view.bid_lots + view.ask_lots
    if not lots:
        return view.mid2_ticks / 2
    return (view.ask_ticks * view.bid_lots + view.bid_ticks * view.ask_lots) / lots


def _fair_price(view: MarketView) -> float:
    return _fair_ticks(view) * float(view.instrument.tick_size)


def _cancel(desk: Desk, slot: str, inventory: float) -> Intent | None:
    order = desk.working.get(slot)
    if order is None or order.state is OrderState.PENDING_CANCEL:
        return None
    return desk.cancel(slot, f"inventory {inventory:+.2f} of the largest")


AGENT = Quoter
