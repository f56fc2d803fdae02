"""All panes of the workstation in their places: which are seen, which is chosen, what they show."""

from collections.abc import Iterator
from typing import Final

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import DescendantFocus
from textual.geometry import Region
from textual.layout import Layout

from engine.session.control.views import View
from tui.floor import PLANS, Floor, arrangement, size_class, tabs_of
from tui.lines import AlertlinePane, KeylinePane, StripPane
from tui.link import Glance
from tui.pane import Pane, Row
from tui.panes.agents import AgentsPane
from tui.panes.book import BookPane
from tui.panes.card import CardPane
from tui.panes.chart import ChartPane
from tui.panes.equity import EquityPane
from tui.panes.fills import FillsPane
from tui.panes.fsm import FsmPane
from tui.panes.health import HealthPane
from tui.panes.log import LogPane
from tui.panes.orders import OrdersPane
from tui.panes.positions import PositionsPane
from tui.panes.quotes import QuotesPane
from tui.panes.risk import RiskPane
from tui.panes.round_trips import RoundTripsPane
from tui.panes.router import RouterPane
from tui.panes.sessionbar import SessionbarPane, Surroundings
from tui.panes.tape import TapePane
from tui.theme import Palette

PANES: Final[tuple[type[Pane], ...]] = (
    SessionbarPane, CardPane, QuotesPane, HealthPane, BookPane, ChartPane, EquityPane,
    PositionsPane,
    OrdersPane, FillsPane, RoundTripsPane, AgentsPane, RiskPane, RouterPane, TapePane, FsmPane,
    LogPane, StripPane, AlertlinePane, KeylinePane,
)  # fmt: skip
"""In the order of tab. A new pane is a row here and a place in `tui.floor.PLANS`."""
OF_ONE_SYMBOL: Final[tuple[type[BookPane | ChartPane | TapePane], ...]] = (
    BookPane, ChartPane, TapePane,
)  # fmt: skip
"""Panes of the instrument chosen in the quotes."""
FIRST: Final = "quotes"


class Desk(Container):
    """The panes and what a person chose of them."""

    def __init__(self) -> None:
        super().__init__(id="desk")
        self.tab = ""
        """The pane shown where several share a place."""
        self.zoomed = ""
        self.chosen = FIRST
        """The pane a person works in: it has the focus wherever it has a place."""
        self._floor = Floor()

    @property
    def layout(self) -> Layout:
        """Our own: style sheets know Textual's by name only."""
        return self._floor

    def compose(self) -> ComposeResult:
        """Make every pane once; the plan says which are seen."""
        yield from (kind() for kind in PANES)

    def on_mount(self) -> None:
        """Name the tabs."""
        self.query_one(StripPane).names = {
            pane.id or "": f"{pane.NUMBER} {pane.TITLE}".strip() for pane in self.panes()
        }

    def on_resize(self) -> None:
        """Arrange for the new size; who lost the focus with the place gets it back with it."""
        self.lay_out()
        if self.chosen in self._floor.regions and self.screen.focused is not self.pane(self.chosen):
            self.pane(self.chosen).focus()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Remember a choice; not what merely took over from a pane without a place."""
        if self.chosen in self._floor.regions:
            self.chosen = event.widget.id or FIRST

    def panes(self) -> Iterator[Pane]:
        """Yield all panes, seen or not."""
        return iter(self.query(Pane))

    def pane(self, name: str) -> Pane:
        """Return a pane by its id."""
        return self.query_one(f"#{name}", Pane)

    def wear(self, palette: Palette) -> None:
        """Change all colors."""
        for pane in self.panes():
            pane.wear(palette)

    def arranged(self) -> dict[str, Region]:
        """Return the place of every visible pane."""
        return arrangement(self.size, self.tab, self.zoomed)

    def lay_out(self) -> None:
        """Give every visible pane its place and hide the others."""
        size = self.size
        self._floor.regions = self.arranged()
        strip = self.query_one(StripPane)
        strip.tabs = tabs_of(PLANS[size_class(size.width, size.height)])
        strip.shown = self.tab
        ends = {(region.x, region.bottom) for region in self._floor.regions.values()}
        for pane in self.panes():
            region = self._floor.regions.get(pane.id or "")
            pane.display = region is not None
            pane.is_below = region is not None and (region.x, region.y) in ends
        self.refresh(layout=True)
        for pane in self.panes():
            pane.redraw()

    def show(self, glance: Glance, said: Row, hz: float) -> None:
        """Let every visible pane show the newest view; a desk being cleared shows nothing."""
        if not self.children:
            return
        alertline = self.query_one(AlertlinePane)
        alertline.glance, alertline.said = glance, said
        self.query_one(KeylinePane).glance = glance
        if glance.view is None:
            alertline.redraw()
            return
        around = Surroundings(glance.welcome, hz)
        self.query_one(SessionbarPane).around = self.query_one(CardPane).around = around
        self._follow_symbol(glance.view)
        for pane in self.panes():
            pane.show(glance.view)

    def go_to(self, name: str) -> None:
        """Focus a pane, bringing it to the front; zoom it if it has the focus already."""
        pane, self.chosen = self.pane(name), name
        if pane.has_focus and name in self._floor.regions:
            self.zoom(name)
            return
        if self.zoomed:
            self.zoomed = name
        if name not in self.arranged():
            self.tab = name
        self.lay_out()
        pane.focus()

    def zoom(self, name: str) -> None:
        """Give one pane the whole floor; the same again gives it back."""
        self.zoomed = "" if self.zoomed == name else name
        self.lay_out()

    @property
    def symbol(self) -> str:
        """The instrument a person chose; empty before the first view."""
        return self.query_one(BookPane).symbol

    def step_symbol(self, by: int) -> None:
        """Choose another instrument in all panes."""
        self.query_one(QuotesPane).action_move(by)

    def _follow_symbol(self, view: View) -> None:
        quotes = self.query_one(QuotesPane)
        if view.markets:
            symbol = view.markets[min(quotes.selected, len(view.markets) - 1)].symbol
            for kind in OF_ONE_SYMBOL:
                self.query_one(kind).symbol = symbol
