"""How far every breaker is from its limit, and what the gate has refused. Pane 8."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR
from typing import ClassVar, Final

from engine.model.money import HUNDRED
from engine.session.control.views import BreakerFace, View
from tui.columns import Column, matching, table
from tui.format import ASCII, BLOCKS, Glyphs, bar, big, text
from tui.nothing import nothing
from tui.pane import Cell, Pane, Row
from tui.staleness import is_stale, price_age
from tui.theme import Palette

NAME_WIDTH: Final = len("session_drawdown_pct")
FIGURE_WIDTH: Final = 5
BAR_WIDTH: Final = 8
USED_WIDTH: Final = len("100%!")
ACTION_WIDTH: Final = len("reduce_only")
PREFIX: Final = "max_"
"""Every limit of a breaker is called so; the head of the column says it once."""
WARN_FROM: Final = 75
"""Percent of a limit."""

OF_EQUITY: Final = frozenset(
    {"max_loss_pct", "max_daily_loss", "max_session_drawdown_pct", "max_daily_drawdown_pct"}
)
"""Limits whose reading moves with every price, and is as old as the oldest of them."""


def shown(view: View, wanted: str = "") -> list[BreakerFace]:
    """Return the breakers to show, those that bar trading first."""
    found = matching(view.breakers, wanted, lambda breaker: (breaker.name, breaker.action))
    return sorted(found, key=lambda breaker: not status(breaker))


def used(breaker: BreakerFace) -> int:
    """Return how much of the limit is used, in whole percent; 100 only where all of it is."""
    share = (1 - breaker.headroom) * HUNDRED
    return int(share.to_integral_value(ROUND_FLOOR))


def draw(
    view: View,
    width: int,
    height: int,
    palette: Palette,
    *,
    selected: int = 0,
    wanted: str = "",
) -> list[Row]:
    """Return a row a breaker, then the gate's refusals by rule, most first."""
    breakers = shown(view, wanted)
    if not breakers:
        return [*nothing("breakers", view, wanted), *_blocked(view)][:height]
    refused = _blocked(view)
    columns = _columns(ASCII if palette.is_ascii else BLOCKS, is_old=is_doubtful(view))
    room = max(height - len(refused), min(height, len(breakers) + 1))
    barring = sum(bool(status(breaker)) for breaker in breakers)
    rows = table(columns, breakers, width=width, height=room, selected=selected, pinned=barring)
    return [*rows, *refused][:height]


def is_doubtful(view: View) -> bool:
    """Say whether the equity stands on a price that is stale."""
    markets = {market.symbol: market for market in view.markets}
    return any(is_stale(price_age(view, markets.get(p.symbol))) for p in view.positions if p.qty)


def _columns(glyphs: Glyphs, *, is_old: bool) -> Sequence[Column[BreakerFace]]:
    def use(breaker: BreakerFace) -> Cell:
        return _use(breaker, is_old=is_old and breaker.name in OF_EQUITY)

    return (
        Column("LIMIT max_", NAME_WIDTH, _name),
        Column("NOW", FIGURE_WIDTH, lambda b: Cell(big(b.reading)), 0, "right"),
        Column("LIMIT", FIGURE_WIDTH, lambda b: Cell(big(b.limit), "dim"), 1, "right"),
        Column("", BAR_WIDTH, lambda b: Cell(bar(1 - b.headroom, BAR_WIDTH, glyphs), token(b)), 2),
        Column("USED", USED_WIDTH, use, 0, "right"),
        Column("THEN", ACTION_WIDTH, lambda b: Cell(text(b.action, ACTION_WIDTH), "dim"), 3),
    )


def _name(breaker: BreakerFace) -> Cell:
    return Cell(text(breaker.name.removeprefix(PREFIX), NAME_WIDTH))


def status(breaker: BreakerFace) -> str:
    """Return `OVER` at the limit, `HELD` once tripped and back below it, else nothing."""
    if used(breaker) >= HUNDRED:
        return "OVER"
    return "HELD" if breaker.is_tripped else ""


def _use(breaker: BreakerFace, *, is_old: bool) -> Cell:
    """Return the share in use; at the limit a word."""
    if status(breaker):
        return Cell(f"{status(breaker)} ", "danger bold")
    return Cell(f"{used(breaker)}%{'!' if is_old else ' '}", "stale" if is_old else token(breaker))


def token(breaker: BreakerFace) -> str:
    """Return what a breaker looks like."""
    if status(breaker):
        return "danger"
    return "warn" if used(breaker) >= WARN_FROM else "ok"


def _blocked(view: View) -> list[Row]:
    """Return the gate's refusals by rule; nothing while there are none."""
    counts = sorted(view.health.blocked.items(), key=lambda row: (-row[1], row[0]))
    rows: list[Row] = [
        [Cell(f" {text(rule, NAME_WIDTH):<{NAME_WIDTH}} {big(count):>{FIGURE_WIDTH}}")]
        for rule, count in counts
    ]
    return [[Cell(" GATE REFUSED", "dim")], *rows] if rows else []


class RiskPane(Pane):
    """Draws `View.breakers` and the gate's counters."""

    NUMBER: ClassVar[str] = "8"
    TITLE: ClassVar[str] = "Risk"

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the rows for what is selected and looked for."""
        return draw(view, width, height, self.palette, selected=self.selected, wanted=self.filter)

    def caption(self, view: View) -> str:
        """Return how many bar trading; nothing while none does."""
        over = sum(token(breaker) == "danger" for breaker in view.breakers)
        return f"({over} OVER)" if over else ""

    def count(self, view: View) -> int:
        """Return how many rows can be selected."""
        return len(shown(view, self.filter))

    def chosen(self, view: View) -> BreakerFace | None:
        """Return the breaker a person stands on."""
        breakers = shown(self.ordered(view), self.filter)
        return breakers[self.selected] if self.selected < len(breakers) else None
