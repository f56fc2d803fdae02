"""All panes of the workstation in their places: which are seen, which is chosen, what they show."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import Container
from textual.events import DescendantFocus
from textual.geometry import Region
from textual.layout import Layout

from engine.session.control.views import MarketFace, View
from tui.alerts import Alerts
from tui.floor import PLANS, Floor, arrangement, bordered, size_class, tabs_of
from tui.lines import FROZEN_S, AlertlinePane, KeylinePane, StripPane
from tui.link import Glance
from tui.memory import Arrangement, Memory
from tui.ordering import OWN, Sort
from tui.pane import Pane, Row
from tui.panes.agents import AgentsPane
from tui.panes.banner import LINES, BannerPane
from tui.panes.book import BookPane
from tui.panes.card import CardPane
from tui.panes.chart import ChartPane
from tui.panes.equity import EquityPane
from tui.panes.fills import FillsPane
from tui.panes.fsm import FsmPane
from tui.panes.health import HealthPane
from tui.panes.held import HeldPane
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
    PositionsPane, OrdersPane, FillsPane, RoundTripsPane, AgentsPane, RiskPane, RouterPane,
    TapePane, FsmPane, LogPane, StripPane, AlertlinePane, KeylinePane, BannerPane,
    HeldPane,
)  # fmt: skip
"""In the order of tab. A new pane is a row here and a place in `tui.floor.PLANS`."""
OF_ONE_SYMBOL: Final[tuple[type[BookPane | ChartPane | TapePane], ...]] = (
    BookPane, ChartPane, TapePane,
)  # fmt: skip
"""Panes of the instrument chosen in the quotes."""
AWAKE: Final = frozenset({"sessionbar", "card", "alertline", "keyline", "strip", "banner", "held"})
"""What shows the present also while the display is held."""
FIRST: Final = "quotes"
LIVE: Final = "LIVE"
"""The mode whose screen has a border."""
BORDER: Final = "-live"


class Desk(Container):
    """The panes and what a person chose of them."""

    def __init__(self, memory: Memory | None = None) -> None:
        super().__init__(id="desk")
        self.tab = ""
        """The pane shown where several share a place."""
        self.zoomed = ""
        self.chosen = ""
        """The pane a person works in: it has the focus wherever it has a place."""
        self.alerts = Alerts()
        self._layouts = dict((memory or Memory()).layouts)
        self._sorts = (memory or Memory()).sorts
        self._class = ""
        self._is_first_minute = False
        self._held: View | None = None
        """What a person holds on to; None follows the session."""
        self._shown: tuple[object, ...] = ()
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
        for pane in self.panes():
            pane.sort = Sort(*self._sorts.get(pane.id or "", OWN))

    def begin(self, first: str) -> None:
        """Go to the pane of last time."""
        self.chosen = self.chosen or first
        self.pane(self.chosen).focus()

    def on_resize(self) -> None:
        """Arrange for the new size; who lost the focus with the place gets it back with it."""
        self._enter_class()
        self.lay_out()
        if not self.chosen:
            return  # the first size; the app begins later
        if self.chosen in self._floor.regions:
            self.screen.set_focus(self.pane(self.chosen))

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Remember a choice; not what merely took over from a pane without a place.

        Also where the word of that comes late, when the pane has its place and the focus again.
        """
        if self.chosen in self._floor.regions and event.widget is self.screen.focused:
            self.chosen = event.widget.id or FIRST

    def _enter_class(self) -> None:
        """Keep the layout of the size class that is left, and take up that of the new one."""
        entered = size_class(*self.size)
        if entered == self._class:
            return
        if self._class:
            self._layouts[self._class] = self._arrangement()
        known = {pane.id for pane in self.panes()}
        layout = self._layouts.get(entered)
        if layout is not None and {layout.tab, layout.zoomed, layout.chosen} <= {*known, ""}:
            self.tab, self.zoomed = layout.tab, layout.zoomed
            self.chosen = self.chosen or layout.chosen
        self._class = entered

    def _arrangement(self) -> Arrangement:
        return Arrangement(tab=self.tab, zoomed=self.zoomed, chosen=self.chosen)

    def arranged(self, memory: Memory) -> Memory:
        """Return what a person arranged, for the next screen."""
        if not self._class or not self.children:
            return memory
        sorts = {pane.id or "": tuple(pane.sort) for pane in self.panes() if pane.sort != OWN}
        layouts = {**self._layouts, self._class: self._arrangement()}
        return replace(memory, layouts=layouts, sorts=sorts)

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

    def lay_out(self) -> None:
        """Give every visible pane its place and hide the others."""
        size = self.size
        self._floor.regions = self._places()
        strip = self.query_one(StripPane)
        strip.tabs = tabs_of(PLANS[size_class(size.width, size.height)])
        strip.shown = self.tab
        left = 1 if self.has_class(BORDER) else 0
        ends = {(region.x, region.bottom) for region in self._floor.regions.values()}
        for pane in self.panes():
            region = self._floor.regions.get(pane.id or "")
            pane.display = region is not None
            pane.is_below = region is not None and (region.x, region.y) in ends
            pane.is_beside = region is not None and region.x > left
        self.refresh(layout=True)
        for pane in self.panes():
            pane.redraw()

    def arrangement(self) -> dict[str, Region]:
        """Return where the panes stand; a recorded session has one more."""
        arrange = bordered if self.has_class(BORDER) else arrangement
        return arrange(self.size, self.tab, self.zoomed)

    def _places(self) -> dict[str, Region]:
        regions = self.arrangement()
        line = regions.get("alertline")
        if self._is_first_minute and line is not None:
            regions["banner"] = Region(line.x, line.y - LINES, line.width, LINES)
        if self._held is not None and line is not None:
            regions["held"] = Region(line.x, line.y - 1, line.width, 1)
        return regions

    def seen(self) -> dict[str, Region]:
        """Return where the panes stand that can be gone to, in the order they are read."""
        return {name: at for name, at in self.arrangement().items() if self.pane(name).can_focus}

    def hold(self, view: View | None) -> None:
        """Let the panes stand as they are in this view; where they do, let them go on."""
        self._held = view if self._held is None else None
        if self._held is not None:
            self.query_one(HeldPane).since_ns = self._held.session.ts_ns
        self.lay_out()

    def greet(self) -> None:
        """Show what this is, until the first key."""
        self._is_first_minute = True
        if self.size:  # else the first size is to come, and lays out
            self.lay_out()

    def end_greeting(self) -> None:
        """Give the lines below the banner back."""
        if self._is_first_minute:
            self._is_first_minute = False
            self.lay_out()

    def rename_keys(self, names: Mapping[str, str]) -> None:
        """Show the keys a person chose where the usual ones are spelled."""
        self.query_one(KeylinePane).names = self.query_one(BannerPane).names = names
        self.query_one(CardPane).names = self.query_one(HeldPane).names = names

    def show(
        self, glance: Glance, said: Row, hz: float, is_due: Callable[[str], bool] = lambda _: True
    ) -> None:
        """Let every pane that is due show the newest view; a desk being cleared shows nothing."""
        if not self.children:
            return
        self._shown = _news(glance, said)
        if self.has_class(BORDER) is not (glance.mode == LIVE):
            self.set_class(glance.mode == LIVE, BORDER)
            self.lay_out()
        alertline = self.query_one(AlertlinePane)
        alertline.glance, alertline.said = glance, said
        self.query_one(KeylinePane).glance = glance
        if glance.view is None:
            alertline.redraw()
            return
        self.alerts.note(glance.view)
        alertline.alerts = self.alerts.unseen()
        around = Surroundings(glance.welcome, hz)
        self.query_one(SessionbarPane).around = self.query_one(CardPane).around = around
        self.query_one(BannerPane).welcome = glance.welcome
        if self._held is not None and glance.farewell is not None:
            self.hold(None)
        for pane in self.panes():
            if self._held is not None and pane.id not in AWAKE:
                if pane.view is not self._held:
                    pane.show(self._held)
            elif not pane.display or is_due(pane.id or ""):
                pane.show(glance.view)
            if pane.LEADS:
                self._follow_symbol()

    def is_news(self, glance: Glance, said: Row) -> bool:
        """Say whether there is what must not wait: a state, a reason, words of the app."""
        return self._shown != _news(glance, said)

    def go_to(self, name: str) -> None:
        """Focus a pane, bringing it to the front; zoom it if it has the focus already."""
        pane, self.chosen = self.pane(name), name
        if pane.has_focus and name in self._floor.regions:
            self.zoom(name)
            return
        if self.zoomed:
            self.zoomed = name
        if name not in self._places():
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

    def _follow_symbol(self) -> None:
        market = self.query_one(QuotesPane).standing()
        if isinstance(market, MarketFace):
            for pane in map(self.query_one, OF_ONE_SYMBOL):
                if pane.symbol != market.symbol:
                    pane.symbol = market.symbol
                    pane.redraw()


def _news(glance: Glance, said: Row) -> tuple[object, ...]:
    view = glance.view
    life = () if view is None else (view.lifecycle.state, view.lifecycle.reasons)
    return (*life, glance.farewell, glance.age_s > FROZEN_S, glance.trouble, said)
