"""Who trades: how each agent stands, what it wished last and what it has made. Pane 7."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from engine.session.control.faces import DeedFace
from engine.session.control.views import AgentFace, View
from tui.columns import Column, head, line, matching, stretched
from tui.format import UNKNOWN, big, latency, number, side, text
from tui.grid import Grid, grid, signed_token
from tui.nothing import nothing
from tui.pane import Cell, Pane, Row, window
from tui.theme import Palette

NAME_WIDTH: Final = 12
STATE_WIDTH: Final = len("PAUSED")
WEIGHT_WIDTH: Final = len("0.0001")
COUNT_WIDTH: Final = 7
WARM_WIDTH: Final = 7
COST_WIDTH: Final = 6
LAST: Final = "LAST"
LAST_WIDTH: Final = 17
"""Least cells of an outcome; it gets what the other columns leave."""
TOKENS: Final = {"ON": "ok", "PAUSED": "warn", "FAULT": "danger bold"}
OUTCOMES: Final = {"BLOCK": "warn", "WAIT": "warn", "OVERRIDDEN": "warn", "NOOP": "dim"}
"""The others are under way."""
WORDS_MAX: Final = 200
"""Cells of a reason; no pane is wider."""


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
    """Return a row an agent; below it what it did, where at fault, else where there is room."""
    agents = shown(view, wanted)
    if not agents:
        return nothing("agents", view, wanted)
    sizes = grid(view)
    columns = stretched(_columns(sizes), LAST, width)
    is_roomy = height > 2 * len(agents)
    rows: list[Row] = []
    at = 0
    for index, agent in enumerate(agents):
        if index == selected:
            at = len(rows)
        rows.append(line(columns, agent, is_selected=index == selected))
        below = _below(sizes, agent, max(0, width - 3), has_wish=is_roomy)
        rows += [[below]] if below.text else []
    return [head(columns), *(rows[i] for i in window(len(rows), height - 1, at))][:height]


def _columns(sizes: Grid) -> Sequence[Column[AgentFace]]:
    money = sizes.pnl_width
    return (
        Column("AGENT", NAME_WIDTH, lambda a: Cell(text(a.name, NAME_WIDTH))),
        Column("STATE", STATE_WIDTH, lambda a: Cell(state(a), TOKENS[state(a)])),
        Column("WEIGHT", WEIGHT_WIDTH, lambda a: Cell(f"{a.weight:f}"), 2, "right"),
        Column("PnL", money, _gain(sizes, gain), 4, "right"),
        Column("INTENTS", COUNT_WIDTH, lambda a: Cell(number(Decimal(a.intents), 0)), 3, "right"),
        Column("WARM", WARM_WIDTH, lambda a: Cell(warmth(a), "warn"), 5, "right"),
        Column(LAST, LAST_WIDTH, outcome, 1),
        Column("p99", COST_WIDTH, lambda a: Cell(latency(a.cost_p99_us), "dim"), 6, "right"),
        Column("ORDERS", COUNT_WIDTH, lambda a: Cell(big(a.open_orders)), 8, "right"),
        Column("FILLS", COUNT_WIDTH, lambda a: Cell(big(a.fills)), 7, "right"),
        Column("REALISED", money, _gain(sizes, lambda a: a.realised), 9, "right"),
        Column("FEES", money, lambda a: Cell(sizes.paid(a.fees)), 10, "right"),
        Column("FUNDING", money, lambda a: Cell(sizes.pnl(a.funding)), 11, "right"),
    )


def gain(agent: AgentFace) -> Decimal | None:
    """Return all an agent has made: closed and open, after fees and funding."""
    if agent.unrealised is None:
        return None
    return agent.realised + agent.unrealised - agent.fees + agent.funding


def warmth(agent: AgentFace) -> str:
    """Return how much of its coldest feature an agent has seen; blank once all are warm."""
    return "" if agent.warmth is None else f"{agent.warmth[0]}/{agent.warmth[1]}"


def outcome(agent: AgentFace) -> Cell:
    """Return what became of the newest wish, in the words of the journal."""
    deed = agent.deed
    if deed is None:
        words = warmth(agent)
        return Cell(f"warm {words}", "warn") if words else Cell(UNKNOWN, "dim")
    of = f" {deed.reading} / {deed.limit}" if deed.limit or deed.reading else ""
    words = f"{deed.outcome or '..'} {deed.reason}{of}"
    return Cell(text(words.rstrip(), WORDS_MAX), OUTCOMES.get(deed.outcome, "text"))


def what(sizes: Grid, deed: DeedFace) -> str:
    """Return what an agent wished: an order, or its slot empty."""
    if deed.outcome == "OVERRIDDEN":
        return f"{deed.intent_id} {deed.symbol}"
    if deed.side is None or deed.qty is None:
        return f"cancel {deed.symbol} {deed.slot}"
    at = "market" if deed.price is None else f"@{sizes.price(deed.symbol, deed.price).strip()}"
    size = sizes.qty(deed.symbol, deed.qty).strip()
    return f"{side(deed.side)} {deed.symbol} {size} {at}"


def wish(sizes: Grid, deed: DeedFace) -> str:
    """Return what an agent wished and why, in its words."""
    return f"{what(sizes, deed)}: {deed.why}" if deed.why else what(sizes, deed)


def _below(sizes: Grid, agent: AgentFace, room: int, *, has_wish: bool) -> Cell:
    """Return what stands below an agent; nothing where there is nothing to say or no room."""
    if agent.quarantine:
        return Cell(f"   {text(agent.quarantine, room)}", "danger")
    if agent.deed is None or not has_wish:
        return Cell("")
    said, token = outcome(agent)
    before = f"{said}: " if token == "warn" else ""  # noqa: S105 - a token of color
    return Cell(f"   {text(before + wish(sizes, agent.deed), room)}", "dim")


Amount = Callable[[AgentFace], Decimal | None]


def _gain(sizes: Grid, amount: Amount) -> Callable[[AgentFace], Cell]:
    return lambda a: Cell(sizes.pnl(amount(a)), signed_token(amount(a)))


class AgentsPane(Pane):
    """Draws `View.agents`."""

    NUMBER: ClassVar[str] = "7"
    TITLE: ClassVar[str] = "Agents"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "u",
            "app.open('agent-pause')",
            "Pause the agent; again: let it go on (asks)",
            id="agents-pause",
        ),
        Binding("plus,equals_sign", "app.open('agent-up')", "More weight (asks)", id="agents-more"),
        Binding("minus", "app.open('agent-down')", "Less weight", id="agents-less"),
    ]

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
