"""What an empty pane says: that it is empty, why, and what to press. Pure."""

from typing import Final

from engine.session.control.views import View
from tui.format import text
from tui.pane import Cell, Row

WHY: Final = {
    "INIT": "The session waits for first prices.",
    "READY": "Agents are READY and about to start.",
    "ACTIVE": "Agents are ACTIVE and wait for their moment.",
    "THROTTLED": "Agents are THROTTLED and trade smaller.",
    "PAUSED": "Agents are PAUSED, press P to resume.",
    "DEGRADED": "No new risk while DEGRADED, see pane 0.",
    "EMERGENCY": "Nothing trades in an EMERGENCY.",
    "STOPPED": "The session has ended, press q.",
}
"""By state of the session."""


def nothing(what: str, view: View, wanted: str = "") -> list[Row]:
    """Say that there is none of `what`, or that the filter hides all of it."""
    if wanted:
        return [
            [Cell(f" No {what} match /{text(wanted, 20)}.", "dim")],
            [Cell(" esc clears the filter.", "dim")],
        ]
    why = WHY.get(view.session.state, text(view.session.state, 20))
    return [[Cell(f" No {what}.", "dim")], [Cell(f" {why}", "dim")]]
