"""Pane 3, book: the ladder of the chosen instrument, with our own orders in it.

Rule 1: the touch is marked by letters (`a`, `b`), our own orders by `o` and their size, the level a
        person stands on by `>`.
Rule 2: a crossed or locked book is said and shown, a book of which only the touch is known too.
Rule 3: the mid stays in the middle, unless a person stands on a level: then that does.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from engine.model.orders import Side
from engine.session.control.views import MarketFace, OrderFace, View
from tui import format as fmt
from tui.depth import shares, with_depth
from tui.ladder import GROUPS, Resting, Rung, Spot, gathered, ladder, own_orders
from tui.pane import Cell, Pane, Row
from tui.panes.quotes import spread_bps
from tui.theme import Palette

SIZE: Final = 8
PRICE: Final = 11
OWN_AT: Final = 32
"""Columns before the size of our own orders."""
OWN_FROM_WIDTH: Final = 40
"""From this width on there is room for the size of our own orders."""
TOUCH: Final = {Side.SELL: "a", Side.BUY: "b"}


class BookPane(Pane):
    """Draws the levels of one of `View.markets`."""

    NUMBER: ClassVar[str] = "3"
    TITLE: ClassVar[str] = "Book"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "center", "Center on the mid, choose no level", id="book-center"),
        Binding("plus,equals_sign", "group(1)", "Coarser levels", id="book-coarser"),
        Binding("minus", "group(-1)", "Finer levels", id="book-finer"),
        Binding("x", "app.open('cancel')", "Cancel our orders at the level", id="book-cancel"),
        Binding(
            "X",
            "app.open('cancel-symbol')",
            "Cancel all of the instrument (two keys)",
            id="book-cancel-symbol",
        ),
    ]
    _symbol = ""
    level: Spot | None = None
    """Where a person stands; None follows the mid."""
    grouping = 0
    """Which of `GROUPS` the levels are gathered by."""

    @property
    def symbol(self) -> str:
        """The chosen instrument; empty for the first."""
        return self._symbol

    @symbol.setter
    def symbol(self, symbol: str) -> None:
        if symbol != self._symbol:
            self._symbol, self.level = symbol, None

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return asks from far to near, the mid, bids from near to far."""
        return draw(
            view, width, height, self.palette, self.symbol,
            group=GROUPS[self.grouping], level=self.level,
        )  # fmt: skip

    def caption(self, view: View) -> str:
        """Return which instrument, and how its levels are gathered."""
        market = chosen(view, self.symbol)
        if market is None:
            return ""
        step = fmt.price(self._step(market), market.tick_size)
        return f"{fmt.text(market.symbol, 12)} grp {step}"

    def own_at_level(self, view: View) -> list[OrderFace]:
        """Return our orders where a person stands."""
        market, level = chosen(view, self.symbol), self.level
        if market is None or level is None:
            return []
        step = self._step(market)
        return [
            order
            for order in view.orders
            if order.symbol == market.symbol
            and order.side is level.side
            and order.price is not None
            and gathered(order.side, order.price, step) == level.price
        ]

    def _step(self, market: MarketFace) -> Decimal:
        return market.tick_size * GROUPS[self.grouping]

    def action_move(self, by: int) -> None:
        """Stand on another level; the first step is onto the touch."""
        market = chosen(self._view, self.symbol) if self._view else None
        if market is None or self._view is None:
            return
        step = self._step(market)
        asks, bids = ladder(market, own_orders(self._view.orders, market.symbol, step), step)
        spots = [rung.spot for rung in (*asks, *bids)]
        at = spots.index(self.level) + by if self.level in spots else len(asks) - (by < 0)
        if spots:
            self.level = spots[max(0, min(at, len(spots) - 1))]
        self.redraw()

    def action_center(self) -> None:
        """Follow the mid again."""
        self.level = None
        self.redraw()

    def action_group(self, by: int) -> None:
        """Gather levels coarser or finer."""
        self.grouping = max(0, min(self.grouping + by, len(GROUPS) - 1))
        self.action_center()


def chosen(view: View, symbol: str) -> MarketFace | None:
    """Return the market of a symbol, else the first."""
    named = (market for market in view.markets if market.symbol == symbol)
    return next(named, view.markets[0] if view.markets else None)


def draw(
    view: View,
    width: int,
    height: int,
    palette: Palette,
    symbol: str = "",
    *,
    group: int = 1,
    level: Spot | None = None,
) -> list[Row]:
    """Return the ladder with the mid, or the chosen level, in the middle of the height."""
    market = chosen(view, symbol)
    if market is None:
        return [[Cell(" no instruments in this session", "dim")]]
    if market.bid is None and market.ask is None:
        return [[Cell(f" {fmt.text(market.symbol, 12)}: no data yet", "dim")]]
    step = market.tick_size * group
    own = own_orders(view.orders, market.symbol, step)
    asks, bids = ladder(market, own, step)
    reach = max(1, height // 2)
    depth = shares(asks[::-1][:reach], bids[:reach])

    def drawn(rung: Rung) -> Row:
        row = _rung(rung, market=market, own=own, width=width, step=step, level=level)
        return with_depth(row, depth.get(rung.spot), width, palette)

    rows: list[Row] = [*map(drawn, asks), _middle(market, width, palette), *map(drawn, bids)]
    spots = [*(rung.spot for rung in asks), None, *(rung.spot for rung in bids)]
    center = spots.index(level) if level in spots else len(asks)
    above = max(0, (height - 1) // 2)
    padding: list[Row] = [[] for _ in range(above - center)]
    return [*padding, *rows[max(0, center - above) :]][:height]


def _rung(
    rung: Rung,
    *,
    market: MarketFace,
    own: Mapping[Spot, Resting],
    width: int,
    step: Decimal,
    level: Spot | None,
) -> Row:
    (side, price), size = rung
    touch = market.ask if side is Side.SELL else market.bid
    is_touch = touch is not None and gathered(side, touch, step) == price
    token = "ask" if side is Side.SELL else "bid"
    seen, nothing = Cell(_size(size, market)), Cell(" " * SIZE)
    mark = TOUCH[side] if is_touch else " "
    is_here = rung.spot == level
    cells = [
        Cell(">" if is_here else mark, f"{token} bold"),
        nothing if side is Side.SELL else seen,
        Cell(fmt.fit(fmt.price(price, market.tick_size), PRICE), token),
        seen if side is Side.SELL else nothing,
        *_own(own.get(rung.spot), market, width),
    ]
    return [Cell(text, f"{look} reverse") for text, look in cells] if is_here else cells


def _size(qty: Decimal | None, market: MarketFace) -> str:
    if qty is None:
        return " " * SIZE
    text = fmt.quantity(qty, market.lot_size)
    return fmt.fit(text if len(text) < SIZE else fmt.big(qty), SIZE)


def _own(mine: Resting | None, market: MarketFace, width: int) -> Row:
    """Return what of ours rests there and, behind `<`, what stands before it, where that fits."""
    if mine is None:
        return []
    size = f" {fmt.quantity(mine.qty, market.lot_size)}" if width >= OWN_FROM_WIDTH else ""
    place = "" if mine.ahead is None else f"<{fmt.quantity(mine.ahead, market.lot_size)}"
    is_told = size and OWN_AT + len(size) + len(place) <= width
    return [Cell(f" o{size}{place if is_told else ''}", "own bold")]


def _mid(market: MarketFace) -> str:
    if market.bid is None or market.ask is None:
        return ""
    return f"mid {fmt.price((market.bid + market.ask) / 2, market.tick_size)} "


def _middle(market: MarketFace, width: int, palette: Palette) -> Row:
    spread = spread_bps(market)
    words, token = f"spr {fmt.bps(spread)} bps", "dim"
    if spread is not None and spread <= 0:
        words, token = ("LOCKED" if spread == 0 else "CROSSED"), "danger bold"
    elif not market.is_book_synced:
        words, token = f"BBO only, {words}", "warn"
    rule = "-" if palette.is_ascii else "─"
    text = f"{rule * 3} {_mid(market)}{words} "
    if len(text) > width:
        text = f"{rule * 3} {words} "
    return [Cell(text + rule * max(0, width - len(text) - 1), token)]
