"""What is held: signed size, entry, mark, gain or loss, and the account's total. Pane 4."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from engine.model.money import HUNDRED
from engine.session.control.views import MarketFace, PositionFace, View
from tui.columns import Column, kept, laid, matching, table
from tui.format import UNKNOWN, age, between, money, number, percent, pnl, position, text
from tui.grid import Grid, grid, signed_token
from tui.nothing import nothing
from tui.pane import Cell, Pane, Row
from tui.staleness import aged, derived, is_stale, limit_s, price_age
from tui.theme import Palette

AGE_WIDTH: Final = 7
FUNDING_WIDTH: Final = 13
LIQUIDATION_WIDTH: Final = len("100.00% !")
TRIP_WIDTH: Final = 14
FAR_PCT: Final = 900
FAR: Final = "> 10x"
"""The price of a short so small that the mark would have to rise tenfold."""
SHARES_WIDTH: Final = 26
BLANK: Final = Cell("")
NAME_MAX: Final = 12
BESIDE_MAX: Final = 3
"""Positions of a watched account that are named."""


def held(view: View, wanted: str = "", *, has_flat: bool = False) -> list[PositionFace]:
    """Return the positions to show, in the order of the session's symbols."""
    shown = [face for face in view.positions if has_flat or face.qty]
    return matching(shown, wanted, lambda face: (face.symbol, *face.shares))


def draw(
    view: View,
    width: int,
    height: int,
    palette: Palette,  # noqa: ARG001  (the contract of a pane)
    *,
    selected: int = 0,
    wanted: str = "",
    has_flat: bool = False,
) -> list[Row]:
    """Return a row a position, and a total as the session's own books have it."""
    shown = held(view, wanted, has_flat=has_flat)
    if not shown:
        return nothing("positions", view, wanted)
    sizes = grid(view)
    columns = _columns(view, sizes)
    rows = table(columns, shown, width=width, height=height - 1, selected=selected)
    totals = _totals(view, sizes)
    staying = kept(columns, width)
    return [*rows, laid([totals.get(column.head, BLANK) for column in staying], staying)]


def _columns(view: View, sizes: Grid) -> Sequence[Column[PositionFace]]:
    market = sizes.markets.get

    def mark(face: PositionFace) -> Cell:
        is_old = is_stale(price_age(view, market(face.symbol)), limit_s(view))
        return Cell(sizes.price(face.symbol, face.mark), "stale" if is_old else "text")

    def unrealised(face: PositionFace) -> Cell:
        shown, token = sizes.pnl(face.unrealised), signed_token(face.unrealised)
        return derived(shown, token, price_age(view, market(face.symbol)), limit_s(view))

    return (
        Column("SYMBOL", sizes.symbol, lambda face: Cell(sizes.name(face.symbol))),
        Column(
            "QTY",
            sizes.qty_width + 1,
            lambda face: Cell(sizes.position(face.symbol, face.qty), signed_token(face.qty)),
            align="right",
        ),
        Column(
            "ENTRY",
            sizes.price_width,
            lambda face: Cell(sizes.price(face.symbol, face.entry_price)),
            2,
            "right",
        ),
        Column("MARK", sizes.price_width, mark, 3, "right"),
        Column("uPnL", sizes.pnl_width + 2, unrealised, align="right"),
        *_perils(view, sizes),
        Column(
            "TODAY", sizes.pnl_width, lambda face: _gain(sizes, face.realised_today), 6, "right"
        ),
        Column(
            "FUND RATE", FUNDING_WIDTH, lambda face: _rate(view, market(face.symbol)), 7, "right"
        ),
        Column(
            "AGE",
            AGE_WIDTH,
            lambda face: aged(price_age(view, market(face.symbol)), limit_s(view)),
            8,
            "right",
        ),
        Column("MAE", sizes.pnl_width, lambda face: _excursion(sizes, face, "mae"), 10, "right"),
        Column("MFE", sizes.pnl_width, lambda face: _excursion(sizes, face, "mfe"), 11, "right"),
        Column("TRIP", TRIP_WIDTH, _trip, 12),
        Column("NEXT FUND", sizes.pnl_width, lambda f: _gain(sizes, f.funding_next), 13, "right"),
        Column("REALISED", sizes.pnl_width, lambda face: _gain(sizes, face.realised), 14, "right"),
        Column("FEES", sizes.pnl_width, lambda face: Cell(sizes.paid(face.fees)), 15, "right"),
        Column("FUNDING", sizes.pnl_width, lambda face: _gain(sizes, face.funding), 16, "right"),
        Column(
            "BY", SHARES_WIDTH, lambda face: Cell(_shares(face, market(face.symbol)), "dim"), 17
        ),
    )


def _perils(view: View, sizes: Grid) -> Sequence[Column[PositionFace]]:
    """Return the columns that say how far the venue is from closing a position."""

    def doubted(shown: str, face: PositionFace) -> Cell:
        age_s = price_age(view, sizes.markets.get(face.symbol))
        return derived(shown, "text", age_s, limit_s(view))

    def price(face: PositionFace) -> Cell:
        if face.liquidation_pct is not None and face.liquidation_pct > FAR_PCT:
            return Cell(FAR, "dim")
        return doubted(sizes.price(face.symbol, face.liquidation_price), face)

    def distance(face: PositionFace) -> Cell:
        known = face.liquidation_pct
        if known is not None and known > FAR_PCT:
            return Cell(FAR, "dim")
        return doubted(UNKNOWN if known is None else f"{number(known, 1)}%", face)

    def margin(face: PositionFace) -> Cell:
        return doubted(money(face.margin), face)

    return (
        Column("LIQ", sizes.price_width + 2, price, 4, "right"),
        Column("LIQ %", LIQUIDATION_WIDTH, distance, 5, "right"),
        Column("MARGIN", sizes.pnl_width + 2, margin, 9, "right"),
    )


def _excursion(sizes: Grid, face: PositionFace, end: str) -> Cell:
    """Return how bad or good the open round trip has been; unknown of a position of several."""
    if len(face.trips) != 1:
        return Cell(UNKNOWN, "dim")
    amount: Decimal = getattr(face.trips[0], end)
    return _gain(sizes, amount)


def _trip(face: PositionFace) -> Cell:
    if len(face.trips) == 1:
        return Cell(text(face.trips[0].trip_id, TRIP_WIDTH))
    return Cell(f"{len(face.trips)} open" if face.trips else UNKNOWN, "dim")


def _gain(sizes: Grid, amount: Decimal | None) -> Cell:
    return Cell(sizes.pnl(amount), signed_token(amount))


def _rate(view: View, market: MarketFace | None) -> Cell:
    """Return the rate to come and when: longs pay a positive one."""
    if market is None or market.funding_rate is None:
        return Cell(UNKNOWN, "dim")
    due = age(between(view.session.ts_ns, market.next_funding_ns)) if market.next_funding_ns else ""
    return Cell(f"{percent(market.funding_rate * HUNDRED, 4)} {due:>3}")


def _shares(face: PositionFace, market: MarketFace | None) -> str:
    """Return whose it is, where it is not one agent's alone."""
    shares = face.shares.items()
    if len(face.shares) < 2 or market is None:
        words = " ".join(face.shares)
    else:
        words = " ".join(f"{agent} {position(qty, market.lot_size)}" for agent, qty in shares)
    return text(words, SHARES_WIDTH)


def _totals(view: View, sizes: Grid) -> dict[str, Cell]:
    """Return what stands in the last row, by the head of its column."""
    books = view.session
    ages = [price_age(view, sizes.markets.get(face.symbol)) for face in held(view)]
    oldest_s = None if None in ages else max((a for a in ages if a is not None), default=0.0)
    shown, token = sizes.pnl(books.unrealised), signed_token(books.unrealised)
    return {
        "SYMBOL": Cell("TOTAL", "title bold"),
        "uPnL": derived(shown, token, oldest_s, limit_s(view)),
        "REALISED": _gain(sizes, books.realised),
        "FEES": Cell(sizes.paid(books.fees)),
        "FUNDING": _gain(sizes, books.funding),
    }


def beside(view: View) -> str:
    """Return what a watched account holds; nothing where none is watched."""
    if view.account is None:
        return ""
    held_there = (f"{qty:f} {text(symbol, NAME_MAX)}" for symbol, qty in view.account.positions)
    words = ", ".join(islice(held_there, BESIDE_MAX)) or "flat"
    more = len(view.account.positions) - BESIDE_MAX
    doubt = "" if view.account.is_seen else " ?"
    return f" account {words}{f' +{more}' if more > 0 else ''}{doubt}"


def exposed(view: View) -> str:
    """Return all positions together, quote currency; nothing while flat."""
    known = view.exposure
    if known is None or not known.gross:
        return ""
    leverage = UNKNOWN if known.leverage is None else f"{number(known.leverage, 2)}x"
    return f" gross {money(known.gross)} net {pnl(known.net)} lev {leverage}"


class PositionsPane(Pane):
    """Draws `View.positions`."""

    NUMBER: ClassVar[str] = "4"
    TITLE: ClassVar[str] = "Positions"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "flat", "Show flat ones too", show=False, id="positions-flat"),
        Binding(
            "f", "app.open('flatten')", "Flatten the position (two keys)", id="positions-flatten"
        ),
    ]

    has_flat: bool = False
    """Whether flat instruments are shown too."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the rows for what is selected and looked for."""
        return draw(
            view,
            width,
            height,
            self.palette,
            selected=self.selected,
            wanted=self.filter,
            has_flat=self.has_flat,
        )

    def caption(self, view: View) -> str:
        """Return how many are open, and what they are together."""
        return f"({len(held(view))}){exposed(view)}{beside(view)}"

    def count(self, view: View) -> int:
        """Return how many rows can be selected."""
        return len(held(view, self.filter, has_flat=self.has_flat))

    def action_flat(self) -> None:
        """Show flat instruments too, or no longer."""
        self.has_flat = not self.has_flat
        self.redraw()

    def subject(self, view: View) -> str:
        """Return what `w` asks about: the row a person stands on."""
        chosen = self.chosen(view)
        return "" if chosen is None else chosen.symbol

    def chosen(self, view: View) -> PositionFace | None:
        """Return the position a person stands on."""
        shown = held(self.ordered(view), self.filter, has_flat=self.has_flat)
        return shown[self.selected] if self.selected < len(shown) else None
