"""What was executed, newest first, with what it cost against the market it arrived in. Pane 6."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from engine.model.account import Fill
from engine.model.money import BPS, ROUNDED
from engine.session.control.faces import FillTrack
from engine.session.control.views import View
from tui.columns import Column, matching, table
from tui.format import UNKNOWN, clock, clock_ms, side, signed, text
from tui.grid import Grid, grid, side_token, signed_token
from tui.nothing import nothing
from tui.pane import Cell, Pane, Row
from tui.theme import Palette

MARK_WIDTH: Final = len("maker LATE x2")
MARKOUT_WIDTH: Final = 6
MARKOUTS: Final = ("+1s", "+5s", "+30s")
"""The mid so long after, against the price, in basis points."""
UNTRACKED: Final = FillTrack(symbol="", trade_id="", markout_bps=(None, None, None))
SLIP_WIDTH: Final = len("SLIP bps")
AGENT_WIDTH: Final = 10
ID_WIDTH: Final = 14
WIDE: Final = 72
"""From this many cells the time has milliseconds."""


def shown(view: View, wanted: str = "") -> list[Fill]:
    """Return the fills to show, newest first."""
    found = matching(view.fills, wanted, lambda f: (f.symbol, f.agent, f.side, f.order_id, mark(f)))
    return found[::-1]


def draw(
    view: View,
    width: int,
    height: int,
    palette: Palette,  # noqa: ARG001  (the contract of a pane)
    *,
    selected: int = 0,
    wanted: str = "",
) -> list[Row]:
    """Return a row a fill."""
    fills = shown(view, wanted)
    if not fills:
        return nothing("fills", view, wanted)
    columns = _columns(grid(view), clock_ms if width >= WIDE else clock, tracks(view))
    return table(columns, fills, width=width, height=height, selected=selected)


def tracks(view: View) -> Callable[[Fill], FillTrack]:
    """Return how to find what came after a fill; of one long past nothing is known."""
    known = {(track.symbol, track.trade_id): track for track in view.fill_tracks}
    return lambda fill: known.get((fill.symbol, fill.trade_id), UNTRACKED)


def _columns(
    sizes: Grid, when: Callable[[int], str], track: Callable[[Fill], FillTrack]
) -> Sequence[Column[Fill]]:
    qty, price, money = sizes.qty_width, sizes.price_width, sizes.pnl_width
    return (
        Column("TIME", len(when(0)), lambda f: Cell(when(f.ts_ns), "dim")),
        Column("S", 1, lambda f: Cell(side(f.side), side_token(f.side))),
        Column("SYMBOL", sizes.symbol, lambda f: Cell(sizes.name(f.symbol))),
        Column("QTY", qty, lambda f: Cell(sizes.qty(f.symbol, f.qty)), 0, "right"),
        Column("PRICE", price, lambda f: Cell(sizes.price(f.symbol, f.price)), 0, "right"),
        Column("FEE", money, lambda f: Cell(sizes.paid(f.fee), signed_token(-f.fee)), 2, "right"),
        Column("", MARK_WIDTH, lambda f: _marked(f, track(f)), 3),
        Column("SLIP bps", SLIP_WIDTH, _slip, 4, "right"),
        *(
            Column(head, MARKOUT_WIDTH, _markout(track, place), 5, "right")
            for place, head in enumerate(MARKOUTS)
        ),
        Column("BY", AGENT_WIDTH, lambda f: Cell(text(f.agent, AGENT_WIDTH)), 6),
        Column("ORDER", ID_WIDTH, lambda f: Cell(text(f.order_id, ID_WIDTH), "dim"), 7),
        Column("TRADE", ID_WIDTH, lambda f: Cell(text(f.trade_id, ID_WIDTH), "dim"), 8),
    )


def mark(fill: Fill, copies: int = 0) -> str:
    """Return maker or taker, whether it came after its order was over, and how often it came."""
    late = " LATE" if fill.is_late else ""
    return f"{fill.liquidity.lower()}{late}{f' x{copies + 1}' if copies else ''}"


def _marked(fill: Fill, track: FillTrack) -> Cell:
    is_odd = fill.is_late or track.copies
    return Cell(text(mark(fill, track.copies), MARK_WIDTH), "warn" if is_odd else "dim")


def _markout(track: Callable[[Fill], FillTrack], place: int) -> Callable[[Fill], Cell]:
    def cell(fill: Fill) -> Cell:
        bps = track(fill).markout_bps[place]
        return Cell(UNKNOWN, "dim") if bps is None else Cell(signed(bps, 1), signed_token(bps))

    return cell


def _slip(fill: Fill) -> Cell:
    """Return what the price made against the mid its order arrived in; paid is negative."""
    mid = fill.arrival_mid
    if not mid:
        return Cell(UNKNOWN, "dim")
    better = (mid - fill.price) * fill.side.sign
    return Cell(signed(ROUNDED.divide(better * BPS, mid), 1), signed_token(better))


class FillsPane(Pane):
    """Draws `View.fills`."""

    NUMBER: ClassVar[str] = "6"
    TITLE: ClassVar[str] = "Fills"

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the rows for what is selected and looked for."""
        return draw(view, width, height, self.palette, selected=self.selected, wanted=self.filter)

    def caption(self, view: View) -> str:
        """Return how many there were, and how many of them a view has room for."""
        return kept_of(len(view.fills), view.session.fills)

    def count(self, view: View) -> int:
        """Return how many rows can be selected."""
        return len(shown(view, self.filter))

    def subject(self, view: View) -> str:
        """Return what `w` asks about: the row a person stands on."""
        chosen = self.chosen(view)
        return "" if chosen is None else chosen.order_id

    def chosen(self, view: View) -> Fill | None:
        """Return the fill a person stands on."""
        fills = shown(self.ordered(view), self.filter)
        return fills[self.selected] if self.selected < len(fills) else None


def kept_of(here: int, total: int) -> str:
    """Return a count for a title; a view keeps the newest of many."""
    return f"({total})" if here >= total else f"({total}, newest {here} here)"
