"""What each cycle from flat to flat has made, newest first."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import ClassVar, Final

from engine.model.account import RoundTrip
from engine.session.control.views import View
from tui.columns import Column, matching, table
from tui.format import UNKNOWN, age, big, clock, side, text
from tui.grid import Grid, grid, side_token, signed_token
from tui.nothing import nothing
from tui.pane import Cell, Pane, Row
from tui.theme import Palette

AGENT_WIDTH: Final = 10
TIME_WIDTH: Final = len("12:02:19Z")
SHORT_WIDTH: Final = 5
TRIP_WIDTH: Final = 14


def shown(view: View, wanted: str = "") -> list[RoundTrip]:
    """Return the round trips to show, newest first."""
    found = matching(view.round_trips, wanted, lambda t: (t.symbol, t.agent, t.side, *t.order_ids))
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
    """Return a row a round trip."""
    trips = shown(view, wanted)
    if not trips:
        return nothing("round trips", view, wanted)
    columns = _columns(grid(view))
    return table(columns, trips, width=width, height=height, selected=selected)


def _columns(sizes: Grid) -> Sequence[Column[RoundTrip]]:
    qty, price, money = sizes.qty_width, sizes.price_width, sizes.pnl_width

    def gain(head: str, rank: int, of: Callable[[RoundTrip], Decimal]) -> Column[RoundTrip]:
        return Column(
            head, money, lambda t: Cell(sizes.pnl(of(t)), signed_token(of(t))), rank, "right"
        )

    return (
        Column("CLOSED", TIME_WIDTH, lambda t: Cell(clock(t.ts_ns), "dim"), 2),
        Column("S", 1, lambda t: Cell(side(t.side), side_token(t.side))),
        Column("SYMBOL", sizes.symbol, lambda t: Cell(sizes.name(t.symbol))),
        Column("QTY", qty, lambda t: Cell(sizes.qty(t.symbol, t.qty)), 4, "right"),
        Column("ENTRY", price, lambda t: Cell(sizes.price(t.symbol, t.entry_price)), 6, "right"),
        Column("EXIT", price, lambda t: Cell(sizes.price(t.symbol, t.exit_price)), 7, "right"),
        Column("HELD", SHORT_WIDTH, lambda t: Cell(age(t.duration_s)), 3, "right"),
        gain("NET", 0, lambda t: t.net_pnl),
        gain("GROSS", 5, lambda t: t.gross_pnl),
        gain("FEES", 8, lambda t: -(t.maker_fees + t.taker_fees)),
        gain("FUNDING", 10, lambda t: t.funding),
        gain("SLIPPAGE", 9, lambda t: -t.slippage),
        gain("MAE", 11, lambda t: t.mae),
        gain("MFE", 12, lambda t: t.mfe),
        Column("FILLS", SHORT_WIDTH, lambda t: Cell(big(t.fills)), 13, "right"),
        Column("TRIP", TRIP_WIDTH, lambda t: Cell(_id(t), "dim"), 14),
        Column("BY", AGENT_WIDTH, lambda t: Cell(text(t.agent, AGENT_WIDTH)), 1),
    )


def _id(trip: RoundTrip) -> str:
    """Return what it is called while it is open, too: its first order."""
    return text(trip.order_ids[0], TRIP_WIDTH) if trip.order_ids else UNKNOWN


class RoundTripsPane(Pane):
    """Draws `View.round_trips`."""

    NUMBER: ClassVar[str] = "R"
    TITLE: ClassVar[str] = "Round trips"

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the rows for what is selected and looked for."""
        return draw(view, width, height, self.palette, selected=self.selected, wanted=self.filter)

    def caption(self, view: View) -> str:
        """Return how many a view has; it keeps the newest only and knows no total."""
        return f"({len(view.round_trips)} newest)" if view.round_trips else ""

    def count(self, view: View) -> int:
        """Return how many rows can be selected."""
        return len(shown(view, self.filter))

    def chosen(self, view: View) -> RoundTrip | None:
        """Return the round trip a person stands on."""
        trips = shown(self.ordered(view), self.filter)
        return trips[self.selected] if self.selected < len(trips) else None
