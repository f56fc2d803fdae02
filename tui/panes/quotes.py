"""Pane 1, quotes: every instrument's touch, what we hold of it, and how old its price is."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, Final, NamedTuple

from engine.session.control.views import MarketFace, PositionFace, View
from tui import format as fmt
from tui.grid import signed_token
from tui.pane import Cell, Pane, Row, window
from tui.staleness import aged, is_stale, limit_s


class Column(NamedTuple):
    """One column: its head, its cells, and from which width of the pane there is room for it."""

    head: str
    cells: int
    from_width: int = 0


CHANGE: Final = "CHG"
VOLUME: Final = "VOL"
"""The time they are of stands behind them in the head: an hour, or as long as we know."""
SYMBOL: Final = Column("SYMBOL", 10)
COLUMNS: Final = (
    Column("BID", 11),
    Column("ASK", 11),
    Column("SPR", 6, 46),
    Column("MICRO", 11, 100),
    Column(CHANGE, 9, 80),
    Column(VOLUME, 8, 90),
    Column("MARK", 11, 115),
    Column("FUND%", 9, 124),
    Column("POS", 10, 60),
    Column("uPnL", 10, 72),
)
SPANNED: Final = (CHANGE, VOLUME)
AGE: Final = Column("AGE", 7)
SUSPENDED: Final = (" SUSPENDED", " SUSP", "")
"""The word, and what stands for it where there is less room; the symbol's state is in pane 2."""


class QuotesPane(Pane):
    """Draws `View.markets`."""

    NUMBER: ClassVar[str] = "1"
    TITLE: ClassVar[str] = "Quotes"
    LEADS: ClassVar[bool] = True

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the head and a row an instrument."""
        return draw(view, width, height, self.selected)

    def caption(self, view: View) -> str:
        """Return how many there are; spreads are in basis points."""
        return f"({len(view.markets)})"

    def count(self, view: View) -> int:
        """Return how many there are."""
        return len(view.markets)

    def chosen(self, view: View) -> MarketFace | None:
        """Return the instrument a person stands on."""
        markets = self.ordered(view).markets
        return markets[self.selected] if self.selected < len(markets) else None


def draw(view: View, width: int, height: int, selected: int = 0) -> list[Row]:
    """Return the head and the instruments around the selected one."""
    columns = [column for column in COLUMNS if width >= column.from_width]
    span = _span(view)
    head = f" {SYMBOL.head:<{SYMBOL.cells}}" + "".join(
        fmt.fit(f"{column.head}{span if column.head in SPANNED else ''}", column.cells)
        for column in columns
    )
    positions = {position.symbol: position for position in view.positions}
    rows: list[Row] = [[Cell(head + fmt.fit(AGE.head, AGE.cells), "dim")]]
    for place in window(len(view.markets), height - 1, selected):
        market = view.markets[place]
        rows.append(
            _row(market, positions.get(market.symbol), columns, view,
                 is_selected=place == selected, room=max(0, width - len(head) - AGE.cells))
        )  # fmt: skip
    return rows


def _row(
    market: MarketFace,
    position: PositionFace | None,
    columns: Sequence[Column],
    view: View,
    *,
    is_selected: bool,
    room: int,
) -> Row:
    age = fmt.between(market.priced_ns, view.session.ts_ns)
    most_s = limit_s(view)
    old = aged(age, most_s)
    figures = _figures(market, position)
    symbol = fmt.fit(fmt.text(market.symbol, SYMBOL.cells), SYMBOL.cells, "left")
    cells = [
        Cell((">" if is_selected else " ") + symbol, "text reverse" if is_selected else "text")
    ]
    for column in columns:
        text, token = figures[column.head]
        cells.append(Cell(fmt.fit(text, column.cells), "stale" if is_stale(age, most_s) else token))
    held = next(word for word in SUSPENDED if len(word) <= room) if market.is_suspended else ""
    return [*cells, Cell(fmt.fit(old.text, AGE.cells), old.token), Cell(held, "warn")]


def _figures(market: MarketFace, position: PositionFace | None) -> Mapping[str, tuple[str, str]]:
    tick, lot = market.tick_size, market.lot_size
    pnl = None if position is None else position.unrealised
    return {
        "BID": (fmt.price(market.bid, tick), "bid"),
        "ASK": (fmt.price(market.ask, tick), "ask"),
        "SPR": (fmt.bps(spread_bps(market)), "text"),
        "MICRO": (fmt.price(microprice(market), tick), "text"),
        CHANGE: _change(market.change_pct),
        VOLUME: (fmt.big(market.volume), "text"),
        "MARK": (fmt.price(market.mark_price, tick), "text"),
        "FUND%": (_percent(market.funding_rate), "text"),
        "POS": (fmt.position(None if position is None else position.qty, lot), "text"),
        "uPnL": (fmt.pnl(pnl), signed_token(pnl)),
    }


def _span(view: View) -> str:
    """Return the time of changes and volumes: the shortest of any instrument's."""
    since_ns = max((market.change_since_ns for market in view.markets), default=0)
    seconds = fmt.between(since_ns, view.session.ts_ns)
    return "" if seconds is None else f" {fmt.age(seconds)}"


def _change(pct: Decimal | None) -> tuple[str, str]:
    """Return the way of a price by mark, sign and color."""
    if pct is None:
        return fmt.UNKNOWN, "dim"
    return f"{fmt.direction(pct)} {fmt.percent(pct)}", signed_token(pct)


def _percent(rate: Decimal | None) -> str:
    return fmt.percent(None if rate is None else rate * 100, 3)


def spread_bps(market: MarketFace) -> Decimal | None:
    """Return the spread in basis points of the mid; negative where the book is crossed."""
    if market.bid is None or market.ask is None or not market.bid + market.ask:
        return None
    return (market.ask - market.bid) / (market.ask + market.bid) * 20_000


def microprice(market: MarketFace) -> Decimal | None:
    """Return the touch weighted by the other side's size: where the next trade would pull it.

    Source: Stoikov, "The micro-price", 2018 (its first-order form).
    """
    if market.bid is None or market.ask is None:
        return None
    size = market.bid_qty + market.ask_qty
    if not size:
        return None
    return (market.bid * market.ask_qty + market.ask * market.bid_qty) / size
