"""Panes of what moves slowly: repainted once a second of the session, whatever the screen's rate.

A person's own choice is seen at once: it redraws by itself.

Source: tui-expectations section 10, charts and equity at 1 Hz.
"""

from engine.session.control.views import View
from tui.format import SECOND_NS
from tui.pane import Pane


class SecondlyPane(Pane):
    """A pane that passes over views of a second it has shown."""

    symbol = ""
    """The chosen instrument; empty for the first, or where it means nothing."""
    _shown: tuple[int, str] | None = None

    def show(self, view: View) -> None:
        """Take the newest view; repaint for a new second or another instrument."""
        now = (view.session.ts_ns // SECOND_NS, self.symbol)
        if now == self._shown:
            self._view = view
            return
        self._shown = now
        super().show(view)
