"""How far breakers and gate are from their limits, and what the gate has refused. Pane 8."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR
from typing import ClassVar, Final

from engine.model.money import HUNDRED
from engine.session.control.views import BreakerFace, View
from tui.columns import Column, matching, stretched, table
from tui.format import ASCII, BLOCKS, SECOND_NS, Glyphs, age, bar, big, text
from tui.nothing import nothing
from tui.pane import Cell, Pane, Row
from tui.staleness import is_stale, limit_s, price_age
from tui.theme import Palette

NAME: Final = "LIMIT max_"
WIDE: Final = 80
"""A name farther from its figures than this could make it could not be followed by eye."""
NAME_WIDTH: Final = len("session_drawdown_pct")
FIGURE_WIDTH: Final = 5
BAR_WIDTH: Final = 6
USED_WIDTH: Final = len("100%!")
ACTION_WIDTH: Final = len("reduce_only")
AGAIN_WIDTH: Final = len("operator")
BREACH_WIDTH: Final = len("LIMIT IN")
SOON_S: Final = 300.0
FAR_S: Final = 3_600.0
"""A straight line through a minute says nothing about more than an hour."""
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
    every = (*view.breakers, *view.appetite)
    found = matching(every, wanted, lambda breaker: (breaker.name, breaker.action))
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
    """Return a row a breaker, then the gate's limits, then its refusals by rule, most first.

    Where lines are short, breakers come before refusals, and those before the gate's limits.
    """
    breakers = shown(view, wanted)
    if not breakers:
        return [*nothing("breakers", view, wanted), *_blocked(view)][:height]
    refused = _blocked(view)
    glyphs = ASCII if palette.is_ascii else BLOCKS
    is_old = is_doubtful(view)
    columns = stretched(_columns(glyphs, view.session.ts_ns, is_old=is_old), NAME, min(width, WIDE))
    tripping = sum(bool(breaker.rearm) for breaker in breakers)
    room = max(height - len(refused), min(height, tripping + 1))
    barring = sum(bool(status(breaker)) for breaker in breakers)
    rows = table(columns, breakers, width=width, height=room, selected=selected, pinned=barring)
    return [*rows, *refused][:height]


def is_doubtful(view: View) -> bool:
    """Say whether the equity stands on a price that is stale."""
    markets = {market.symbol: market for market in view.markets}
    held = [markets.get(position.symbol) for position in view.positions if position.qty]
    return any(is_stale(price_age(view, market), limit_s(view)) for market in held)


def _columns(glyphs: Glyphs, now_ns: int, *, is_old: bool) -> Sequence[Column[BreakerFace]]:
    def use(breaker: BreakerFace) -> Cell:
        return _use(breaker, is_old=is_old and breaker.name in OF_EQUITY)

    return (
        Column(NAME, NAME_WIDTH, _name),
        Column("NOW", FIGURE_WIDTH, lambda b: Cell(big(b.reading)), 0, "right"),
        Column("LIMIT", FIGURE_WIDTH, lambda b: Cell(big(b.limit), "dim"), 1, "right"),
        Column("", BAR_WIDTH, lambda b: Cell(bar(1 - b.headroom, BAR_WIDTH, glyphs), token(b)), 2),
        Column("USED", USED_WIDTH, use, 0, "right"),
        Column("THEN", ACTION_WIDTH, lambda b: Cell(text(b.action, ACTION_WIDTH), "dim"), 3),
        Column("LIMIT IN", BREACH_WIDTH, lambda b: _breach(b, is_old=is_old), 4, "right"),
        Column("RE-ARM", AGAIN_WIDTH, lambda b: _again(b, now_ns), 5),
    )


def _breach(breaker: BreakerFace, *, is_old: bool) -> Cell:
    """Return when the limit would be reached at the pace of the last minute."""
    if breaker.breach_s is None:
        return Cell("")
    if breaker.breach_s > FAR_S:
        return Cell(f"> {age(FAR_S)}", "dim")
    mark = "!" if is_old and breaker.name in OF_EQUITY else ""
    near = "danger" if breaker.breach_s < SOON_S else "warn"
    return Cell(f"{age(breaker.breach_s)}{mark}", "stale" if mark else near)


def _again(breaker: BreakerFace, now_ns: int) -> Cell:
    """Return how a breaker re-arms; of one that tripped, when, where it does so by itself."""
    if breaker.rearms_ns:
        return Cell(f"in {age(max(0.0, (breaker.rearms_ns - now_ns) / SECOND_NS))}", "warn")
    return Cell(text(breaker.rearm, AGAIN_WIDTH), "dim")


def _name(breaker: BreakerFace) -> Cell:
    return Cell(breaker.name.removeprefix(PREFIX))


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
