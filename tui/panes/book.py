"""Pane 3, book: the ladder of the chosen instrument, with our own orders in it.

Rule 1: the touch is marked by letters (`a`, `b`), our own orders by `o` and their size.
Rule 2: a crossed or locked book is said and shown, a book of which only the touch is known too.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from engine.model.orders import Side
from engine.session.control.views import Level, MarketFace, OrderFace, View
from tui import format as fmt
from tui.ladder import group_of, grouped, shares, stepped, with_depth
from tui.pane import Cell, Pane, Row
from tui.panes.quotes import spread_bps
from tui.theme import Palette

SIZE: Final = 8
PRICE: Final = 11
OWN_FROM_WIDTH: Final = 40
"""From this width on there is room for the size of our own orders."""

Own = Mapping[tuple[Side, Decimal], Decimal]
"""What we have resting, by side and price."""

Rung = tuple[Decimal, Decimal | None]
"""Price and the size seen there; None where only we rest."""


class BookPane(Pane):
    """Draws the levels of one of `View.markets`."""

    NUMBER: ClassVar[str] = "3"
    TITLE: ClassVar[str] = "Book"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "group(1)", "Coarser prices"),
        Binding("minus", "group(-1)", "Finer prices"),
    ]
    symbol = ""
    """The chosen instrument; empty for the first."""
    group = 1
    """Ticks of a level."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return asks from far to near, the mid, bids from near to far."""
        return draw(view, width, height, self.palette, self.symbol, group=self.group)

    def caption(self, view: View) -> str:
        """Return which instrument, and how coarse its prices are."""
        market = chosen(view, self.symbol)
        if market is None:
            return ""
        step = fmt.price(market.tick_size * self.group, market.tick_size)
        return f"{fmt.text(market.symbol, 12)} grp {step}"

    def action_group(self, by: int) -> None:
        """Put more or fewer ticks into a level."""
        self.group = stepped(self.group, by)
        self.redraw()


def chosen(view: View, symbol: str) -> MarketFace | None:
    """Return the market of a symbol, else the first."""
    named = (market for market in view.markets if market.symbol == symbol)
    return next(named, view.markets[0] if view.markets else None)


def draw(
    view: View, width: int, height: int, palette: Palette, symbol: str = "", *, group: int = 1
) -> list[Row]:
    """Return the ladder with the mid in the middle of the height."""
    market = chosen(view, symbol)
    if market is None:
        return [[Cell(" no instruments in this session", "dim")]]
    if market.bid is None and market.ask is None:
        return [[Cell(f" {fmt.text(market.symbol, 12)}: no data yet", "dim")]]
    step = market.tick_size * group
    own = _grouped_own(own_orders(view.orders, market.symbol), step)
    seen_asks, seen_bids = _levels(market)
    seen_asks, seen_bids = grouped(seen_asks, Side.SELL, step), grouped(seen_bids, Side.BUY, step)
    touch_ask, touch_bid = _touch(market.ask, Side.SELL, step), _touch(market.bid, Side.BUY, step)
    asks = _rungs(seen_asks, [price for side, price in own if side is Side.SELL])
    bids = _rungs(seen_bids, [price for side, price in own if side is Side.BUY])[::-1]
    above = max(0, (height - 1) // 2)
    below = max(0, height - 1 - above)
    depth = shares(seen_asks[:above], seen_bids[:below])
    rows: list[Row] = [[] for _ in range(above - len(asks[:above]))]
    for rung in reversed(asks[:above]):
        row = _ask(rung, rung[0] == touch_ask, market, own, width)
        rows.append(with_depth(row, depth.get(rung[0]), width, palette))
    rows.append(_middle(market, width, palette))
    for rung in bids[:below]:
        row = _bid(rung, rung[0] == touch_bid, market, own, width)
        rows.append(with_depth(row, depth.get(rung[0]), width, palette))
    return rows


def _touch(price: Decimal | None, side: Side, step: Decimal) -> Decimal | None:
    return None if price is None else group_of(price, side, step)


def _grouped_own(own: Own, step: Decimal) -> Own:
    resting: dict[tuple[Side, Decimal], Decimal] = {}
    for (side, price), qty in own.items():
        key = (side, group_of(price, side, step))
        resting[key] = resting.get(key, Decimal(0)) + qty
    return resting


def own_orders(orders: Sequence[OrderFace], symbol: str) -> Own:
    """Return how much of ours rests at each price, what is filled taken off."""
    resting: dict[tuple[Side, Decimal], Decimal] = {}
    for order in orders:
        if order.symbol == symbol and order.price is not None:
            key = (order.side, order.price)
            resting[key] = resting.get(key, Decimal(0)) + order.qty - order.filled_qty
    return resting


def _rungs(levels: Sequence[Level], own: Sequence[Decimal]) -> list[Rung]:
    """Return the levels and our own prices between them, from the lowest up."""
    rungs: dict[Decimal, Decimal | None] = dict.fromkeys(own)
    return sorted((rungs | dict(levels)).items())


def _levels(market: MarketFace) -> tuple[Sequence[Level], Sequence[Level]]:
    """Return asks and bids, best first; of an unsynced book the touch."""
    if market.is_book_synced and (market.asks or market.bids):
        return market.asks, market.bids
    ask = [(market.ask, market.ask_qty)] if market.ask is not None else []
    bid = [(market.bid, market.bid_qty)] if market.bid is not None else []
    return ask, bid


def _ask(level: Rung, is_touch: bool, market: MarketFace, own: Own, width: int) -> Row:  # noqa: FBT001
    price, qty = level
    mine = own.get((Side.SELL, price))
    return [
        Cell("a" if is_touch else " ", "ask bold"),
        Cell(_size(None, market)),
        Cell(fmt.fit(fmt.price(price, market.tick_size), PRICE), "ask"),
        Cell(_size(qty, market)),
        *_own(mine, market, width),
    ]


def _bid(level: Rung, is_touch: bool, market: MarketFace, own: Own, width: int) -> Row:  # noqa: FBT001
    price, qty = level
    mine = own.get((Side.BUY, price))
    return [
        Cell("b" if is_touch else " ", "bid bold"),
        Cell(_size(qty, market)),
        Cell(fmt.fit(fmt.price(price, market.tick_size), PRICE), "bid"),
        Cell(_size(None, market)),
        *_own(mine, market, width),
    ]


def _size(qty: Decimal | None, market: MarketFace) -> str:
    if qty is None:
        return " " * SIZE
    text = fmt.quantity(qty, market.lot_size)
    return fmt.fit(text if len(text) < SIZE else fmt.big(qty), SIZE)


def _own(mine: Decimal | None, market: MarketFace, width: int) -> Row:
    if mine is None:
        return []
    size = f" {fmt.quantity(mine, market.lot_size)}" if width >= OWN_FROM_WIDTH else ""
    return [Cell(f" o{size}", "own bold")]


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
