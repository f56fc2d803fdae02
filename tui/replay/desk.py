"""The desk of a recorded session: all panes of a running one, and the replay bar below them."""

from collections.abc import Callable, Sequence
from typing import Final

from textual.app import ComposeResult
from textual.geometry import Region

from engine.session.playback.words import Scrub
from tui.desk import Desk
from tui.floor import arrangement, size_class
from tui.lines import KeylinePane
from tui.link import Glance
from tui.pane import Row
from tui.replay import keys
from tui.replay.scrubber import ScrubberPane

ROWS: Final = {"tiny": 1, "compact": 1}
"""Of the bar, by size class."""
ROWS_ELSE: Final = 2
EDGE: Final = "recorded"
"""Token of the rules between panes: the border of a recorded session has a color of its own."""


class ReplayDesk(Desk):
    """The panes and the bar."""

    scrub: Scrub | None = None
    stars: Sequence[int] = ()

    def compose(self) -> ComposeResult:
        """Make every pane once."""
        yield from super().compose()
        yield ScrubberPane()

    def on_mount(self) -> None:
        """Mark every pane as recorded."""
        super().on_mount()
        for pane in self.panes():
            pane.edge = EDGE
        self.query_one(KeylinePane).keys = keys.SHOWN

    def arrangement(self) -> dict[str, Region]:
        """Return the places of a running session's panes, and below them that of the bar."""
        size = self.size
        rows = min(size.height, ROWS.get(size_class(size.width, size.height), ROWS_ELSE))
        places = arrangement(size, self.tab, self.zoomed, below=rows)
        return {**places, "scrubber": Region(0, size.height - rows, size.width, rows)}

    def show(
        self, glance: Glance, said: Row, hz: float, is_due: Callable[[str], bool] = lambda _: True
    ) -> None:
        """Let every pane that is due show the instant."""
        if self.children:
            bar = self.query_one(ScrubberPane)
            bar.scrub, bar.stars = self.scrub, self.stars
        super().show(glance, said, hz, is_due)
