"""Who trades: how each agent stands and what it has made. Pane 7."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final

from engine.session.control.views import AgentFace, View
from tui.columns import Column, head, kept, line, matching
from tui.format import big, number, text
from tui.grid import Grid, grid, signed_token
from tui.nothing import nothing
from tui.pane import Cell, Pane, Row, window
from tui.theme import Palette

NAME_WIDTH: Final = 12
STATE_WIDTH: Final = len("PAUSED")
WEIGHT_WIDTH: Final = len("0.0001")
COUNT_WIDTH: Final = 7
TOKENS: Final = {"ON": "ok", "PAUSED": "warn", "FAULT": "danger bold"}


def shown(view: View, wanted: str = "") -> list[AgentFace]:
    """Return the agents to show, those at fault first."""
    found = matching(view.agents, wanted, lambda agent: (agent.name, state(agent)))
    return sorted(found, key=lambda agent: not agent.quarantine)


def state(agent: AgentFace) -> str:
    """Return how an agent stands, in a word."""
    if agent.quarantine:
        return "FAULT"
    return "PAUSED" if agent.is_paused else "ON"


def draw(
    view: View,
    width: int,
    height: int,
    palette: Palette,  # noqa: ARG001  (the contract of a pane)
    *,
    selected: int = 0,
    wanted: str = "",
) -> list[Row]:
    """Return a row an agent, and below one at fault what it did."""
    agents = shown(view, wanted)
    if not agents:
        return nothing("agents", view, wanted)
    columns = kept(_columns(grid(view)), width)
    rows: list[Row] = []
    at = 0
    for index, agent in enumerate(agents):
        if index == selected:
            at = len(rows)
        rows.append(line(columns, agent, is_selected=index == selected))
        if agent.quarantine:
            rows.append([Cell(f"   {text(agent.quarantine, max(0, width - 3))}", "danger")])
    return [head(columns), *(rows[i] for i in window(len(rows), height - 1, at))][:height]


def _columns(sizes: Grid) -> Sequence[Column[AgentFace]]:
    money = sizes.pnl_width
    return (
        Column("AGENT", NAME_WIDTH, lambda a: Cell(text(a.name, NAME_WIDTH))),
        Column("STATE", STATE_WIDTH, lambda a: Cell(state(a), TOKENS[state(a)])),
        Column("WEIGHT", WEIGHT_WIDTH, lambda a: Cell(f"{a.weight:f}"), 2, "right"),
        Column("REALISED", money, lambda a: _gain(sizes, a), 3, "right"),
        Column("INTENTS", COUNT_WIDTH, lambda a: Cell(number(Decimal(a.intents), 0)), 1, "right"),
        Column("ORDERS", COUNT_WIDTH, lambda a: Cell(big(a.open_orders)), 5, "right"),
        Column("FILLS", COUNT_WIDTH, lambda a: Cell(big(a.fills)), 4, "right"),
        Column("FEES", money, lambda a: Cell(sizes.paid(a.fees)), 6, "right"),
        Column("FUNDING", money, lambda a: Cell(sizes.pnl(a.funding)), 7, "right"),
    )


def _gain(sizes: Grid, agent: AgentFace) -> Cell:
    return Cell(sizes.pnl(agent.realised), signed_token(agent.realised))


class AgentsPane(Pane):
    """Draws `View.agents`."""

    NUMBER: ClassVar[str] = "7"
    TITLE: ClassVar[str] = "Agents"

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the rows for what is selected and looked for."""
        return draw(view, width, height, self.palette, selected=self.selected, wanted=self.filter)

    def caption(self, view: View) -> str:
        """Return how many trade."""
        return f"({sum(state(a) == 'ON' for a in view.agents)}/{len(view.agents)} on)"

    def count(self, view: View) -> int:
        """Return how many rows can be selected."""
        return len(shown(view, self.filter))

    def chosen(self, view: View) -> AgentFace | None:
        """Return the agent a person stands on."""
        agents = shown(self.ordered(view), self.filter)
        return agents[self.selected] if self.selected < len(agents) else None
