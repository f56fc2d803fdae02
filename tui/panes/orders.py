"""What works at the venue, and what may: orders whose fate is unknown stand on top. Pane 5.

Below them stand the wishes that the gate keeps back: no orders, so nobody can select them.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from engine.model.money import ROUNDED
from engine.model.orders import OrderState, Side
from engine.session.control.faces import DeedFace
from engine.session.control.views import MarketFace, OrderFace, View
from tui.columns import Column, matching, stretched, table
from tui.format import UNKNOWN, age, between, number, side, text
from tui.grid import Grid, grid, side_token
from tui.nothing import nothing
from tui.pane import Cell, Pane, Row
from tui.panes.agents import what
from tui.staleness import derived, limit_s, price_age
from tui.theme import Palette

STATE_WIDTHS: Final = (len("UNKNOWN 2.0s"), len(OrderState.PARTIALLY_FILLED))
"""Cells of a state where room is short, and where every state is whole."""
ROOMY: Final = 46
"""From this many cells it is."""
TYPE_WIDTH: Final = len("TAKE_PROFIT")
TIF_WIDTH: Final = len("GTC RO")
TICKS_WIDTH: Final = 9
AGE_WIDTH: Final = 4
AGENT_WIDTH: Final = 10
ID_WIDTH: Final = 14
WHY: Final = "WHY"
WHY_WIDTH: Final = len("NOOP WITHIN_TOLERANCE")
BLOCKED_FROM: Final = 4
"""From this many lines one is kept for the newest blocked wish."""

BLOCKED: Final = "BLOCKED"
TOKENS: Final = {
    OrderState.UNKNOWN: "danger",
    OrderState.ACCEPTED: "ok",
    OrderState.PARTIALLY_FILLED: "own",
}
"""The others are on their way, and dim."""


def shown(view: View, wanted: str = "") -> list[OrderFace]:
    """Return the orders to show: the unknown ones, then the rest, each oldest first."""
    found = matching(
        view.orders, wanted, lambda o: (o.symbol, o.agent, o.state, o.side, o.type, o.order_id)
    )
    return sorted(found, key=lambda order: order.state is not OrderState.UNKNOWN)


def draw(
    view: View,
    width: int,
    height: int,
    palette: Palette,  # noqa: ARG001  (the contract of a pane)
    *,
    selected: int = 0,
    wanted: str = "",
) -> list[Row]:
    """Return a row an order."""
    orders = shown(view, wanted)
    sizes = grid(view)
    kept_back = held_back(view, wanted)
    if not orders:
        empty = [] if kept_back else nothing("orders", view, wanted)
        return [*empty, *_blocked(view, sizes, kept_back, width)][:height]
    columns = stretched(_columns(view, sizes, STATE_WIDTHS[width >= ROOMY]), WHY, width)
    lost = sum(order.state is OrderState.UNKNOWN for order in orders)
    spare = max(height - 1 - len(orders), 1 if height >= BLOCKED_FROM else 0)
    below = _blocked(view, sizes, kept_back, width)[:spare]
    room = height - len(below)
    rows = table(columns, orders, width=width, height=room, selected=selected, pinned=lost)
    return [*rows, *below]


def held_back(view: View, wanted: str = "") -> list[DeedFace]:
    """Return the wishes that the gate keeps back, newest first."""
    found = matching(view.blocked, wanted, lambda d: (d.symbol, d.agent, d.reason, BLOCKED))
    return found[::-1]


def _blocked(view: View, sizes: Grid, deeds: Sequence[DeedFace], width: int) -> list[Row]:
    """Return a line a wish: what, by which rule, its reading and limit, whose, since when."""
    rows: list[Row] = []
    for deed in deeds:
        state = BLOCKED if deed.outcome == "BLOCK" else "THROTTLED"
        since = age(between(deed.ts_ns, view.session.ts_ns))
        of = f" {deed.reading} / {deed.limit}" if deed.limit or deed.reading else ""
        said = f"{state} {deed.reason}{of}  {what(sizes, deed)}  {deed.agent} {since}"
        rows.append([Cell(f" {text(said, max(0, width - 1))}", "warn")])
    return rows


def _columns(view: View, sizes: Grid, states: int) -> Sequence[Column[OrderFace]]:
    now_ns, market = view.session.ts_ns, sizes.markets.get
    qty, price = sizes.qty_width, sizes.price_width
    return (
        Column("S", 1, lambda o: Cell(side(o.side), side_token(o.side))),
        Column("SYMBOL", sizes.symbol, lambda o: Cell(sizes.name(o.symbol))),
        Column("LEFT", qty, lambda o: Cell(sizes.qty(o.symbol, o.qty - o.filled_qty)), 1, "right"),
        Column("QTY", qty, lambda o: Cell(sizes.qty(o.symbol, o.qty), "dim"), 7, "right"),
        Column("PRICE", price, lambda o: Cell(_price(sizes, o)), 0, "right"),
        Column("TICKS OFF", TICKS_WIDTH, lambda o: _ticks(view, o, market(o.symbol)), 6, "right"),
        Column("QUEUE", qty, lambda o: _queue(sizes, o), 4, "right"),
        Column("AGE", AGE_WIDTH, lambda o: Cell(age(between(o.created_ns, now_ns))), 2, "right"),
        Column("STATE", states, lambda o: _state(o, now_ns, states)),
        Column("TYPE", TYPE_WIDTH, lambda o: Cell(o.type, "dim"), 8),
        Column("TIF", TIF_WIDTH, lambda o: Cell(_tif(o)), 5),
        Column("BY", AGENT_WIDTH, lambda o: Cell(text(o.agent, AGENT_WIDTH)), 3),
        Column("SLOT", AGENT_WIDTH, lambda o: Cell(text(o.slot, AGENT_WIDTH), "dim"), 11),
        Column(WHY, WHY_WIDTH, lambda o: Cell(o.route or UNKNOWN, "dim"), 9),
        Column("ID", ID_WIDTH, lambda o: Cell(text(o.order_id, ID_WIDTH), "dim"), 10),
        Column("VENUE ID", ID_WIDTH, _venue_id, 12),
    )


def _queue(sizes: Grid, order: OrderFace) -> Cell:
    """Return how much is estimated to trade before it at its price."""
    known = order.queue_ahead
    return Cell(UNKNOWN, "dim") if known is None else Cell(sizes.qty(order.symbol, known))


def _price(sizes: Grid, order: OrderFace) -> str:
    """Return the limit, else the trigger; a market order has neither."""
    value = order.trigger_price if order.price is None else order.price
    return "" if value is None else sizes.price(order.symbol, value)


def _ticks(view: View, order: OrderFace, market: MarketFace | None) -> Cell:
    """Return how far behind its own side of the touch an order rests, in ticks."""
    if order.price is None or market is None:
        return Cell("")
    touch = market.bid if order.side is Side.BUY else market.ask
    if touch is None:
        return Cell(UNKNOWN)
    behind = (touch - order.price) * order.side.sign
    away = number(ROUNDED.divide(behind, market.tick_size), 0)
    return derived(away, "text", price_age(view, market), limit_s(view))


def _state(order: OrderFace, now_ns: int, cells: int) -> Cell:
    """Return the state in the words of the journal, and for how long nobody knows it."""
    if order.state is OrderState.UNKNOWN:
        return Cell(f"{order.state} {age(between(order.changed_ns, now_ns))}", "danger bold")
    return Cell(text(order.state, cells), TOKENS.get(order.state, "dim"))


def _tif(order: OrderFace) -> str:
    first = "PO" if order.post_only else str(order.tif)
    return f"{first} RO" if order.reduce_only else first


def _venue_id(order: OrderFace) -> Cell:
    return Cell(text(order.venue_order_id, ID_WIDTH) or UNKNOWN, "dim")


class OrdersPane(Pane):
    """Draws `View.orders`."""

    NUMBER: ClassVar[str] = "5"
    TITLE: ClassVar[str] = "Orders"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "app.open('cancel')", "Cancel the order", id="orders-cancel"),
        Binding("a", "app.open('amend')", "Change your own order", id="orders-amend"),
        Binding(
            "X",
            "app.open('cancel-symbol')",
            "Cancel all of its symbol (two keys)",
            id="orders-cancel-symbol",
        ),
    ]

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the rows for what is selected and looked for."""
        return draw(view, width, height, self.palette, selected=self.selected, wanted=self.filter)

    def caption(self, view: View) -> str:
        """Return how many are open, and how many of them a view has room for."""
        total, here = view.session.open_orders, len(view.orders)
        return f"({total})" if total <= here else f"({total}, oldest {here} here)"

    def count(self, view: View) -> int:
        """Return how many rows can be selected."""
        return len(shown(view, self.filter))

    def subject(self, view: View) -> str:
        """Return what `w` asks about: the row a person stands on."""
        chosen = self.chosen(view)
        return "" if chosen is None else chosen.order_id

    def chosen(self, view: View) -> OrderFace | None:
        """Return the order a person stands on."""
        orders = shown(self.ordered(view), self.filter)
        return orders[self.selected] if self.selected < len(orders) else None
