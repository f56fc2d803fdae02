"""The first lines of every screen: what runs, how it stands, what it has made, how old that is.

Rule 1: the badge of the mode is the first cell, and SIMULATED the second where prices are invented.
Rule 2: what does not fit is left out by rank, whole, never cut: rank 0 stays to the last.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len

from engine.session.control.views import BreakerFace, View
from engine.session.control.words import Welcome
from tui import format as fmt
from tui.grid import signed_token
from tui.pane import Cell, Pane, Row
from tui.staleness import aged, limit_s
from tui.states import state_token
from tui.theme import Palette

BADGES: Final[Mapping[str, tuple[str, str]]] = {
    "paper": (" PAPER ", "paper"),
    "dry-run": (" DRY-RUN ", "replay"),
    "shadow": (" SHADOW ", "replay"),
    "live": (" LIVE ", "live"),
    "replay": (" REPLAY ", "replay"),
}
MARKS: Final = {
    "INIT": "..", "READY": "=", "ACTIVE": ">", "THROTTLED": "~", "PAUSED": "||", "DEGRADED": "!",
    "EMERGENCY": "!!", "STOPPED": "x",
}  # fmt: skip
"""What stands before the word of a state."""
STATE_WIDTH: Final = 12
SPINNER: Final = "|/-\\"
BREAKER_BAR: Final = 8
CLOSING_SOON_S: Final = 60.0


class Chunk(NamedTuple):
    """Cells that stand or fall together; a higher rank falls first."""

    rank: int
    cells: Row


class Surroundings(NamedTuple):
    """What the bar shows that no view has."""

    welcome: Welcome | None = None
    hz: float = 0.0
    """Paints a second."""


class SessionbarPane(Pane):
    """Draws the session's head."""

    HAS_TITLE: ClassVar[bool] = False
    TITLE: ClassVar[str] = "Session"
    can_focus = False
    around = Surroundings()

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return one to three lines."""
        rows = draw(view, width, height, self.palette, self.around)
        is_live = self.around.welcome is not None and self.around.welcome.mode == "live"
        return [_edged(rows[0]), *rows[1:]] if is_live and rows else rows


def _edged(row: Row) -> Row:
    """Return the first line as the upper edge of the border that a live screen has."""
    return [Cell(text, "live" if text.isspace() else token) for text, token in row]


def draw(view: View, width: int, height: int, palette: Palette, around: Surroundings) -> list[Row]:
    """Return who and how, what it made, and where there is room for a third line, why."""
    lines = [
        arranged(_identity(view, around), _clocks(view, around), width),
        arranged(_money(view), _risk(view, palette), width),
        arranged(_why(view), [], width),
    ]
    return lines[:height]


def badges(view: View, welcome: Welcome | None) -> Row:
    """Return the mode, and SIMULATED where it is so."""
    mode = "" if welcome is None else welcome.mode
    name, token = BADGES.get(mode, (f" {fmt.text(mode, 10).upper() or '?'} ", "warn reverse"))
    cells = [Cell(name, token)]
    if view.session.is_simulated or (welcome is not None and welcome.is_simulated):
        cells.append(Cell(" SIMULATED ", "sim"))
    return cells


def state(view: View) -> Row:
    """Return the state as mark and word, and what it is busy with."""
    name = view.lifecycle.state
    doing = " flattening" if view.lifecycle.is_flattening else ""
    reset = " needs reset" if view.lifecycle.needs_reset else ""
    word = f" {MARKS.get(name, '?')} {fmt.text(name, STATE_WIDTH)}{doing}{reset}"
    return [Cell(word, f"{state_token(name)} bold")]


def last_reason(view: View) -> Row:
    """Return why it is in its state, and since when: the first open reason, else the last move."""
    lifecycle, moves = view.lifecycle, view.transitions
    why = lifecycle.reasons[0] if lifecycle.reasons else moves[-1].event if moves else ""
    since_ns = (
        lifecycle.reasons_ns[0]
        if lifecycle.reasons and lifecycle.reasons_ns
        else lifecycle.since_ns
    )
    if not why or not since_ns:
        return []
    more = f" +{len(lifecycle.reasons) - 1}" if len(lifecycle.reasons) > 1 else ""
    token = "warn" if lifecycle.reasons else "dim"
    words = f"   {fmt.text(why, 40)}{more} since {fmt.clock(since_ns)}"
    return [Cell(words, token)]


def data_age_s(view: View) -> float | None:
    """Return how old the newest price is, in the session's own time."""
    newest_ns = max((market.priced_ns for market in view.markets), default=0)
    return fmt.between(newest_ns, view.session.ts_ns)


def source_name(source: str) -> str:
    """Return a source without the folders of its files: they push the names out of the bar."""
    kind, colon, paths = source.partition(":")
    return kind + colon + ",".join(path.rpartition("/")[2] for path in paths.split(","))


def _identity(view: View, around: Surroundings) -> list[Chunk]:
    welcome = around.welcome
    source = "" if welcome is None else fmt.text(source_name(welcome.source), 24)
    run_id = "" if welcome is None else fmt.text(welcome.run_id, 40)
    profile = "" if welcome is None else fmt.text(welcome.profile, 20)
    age = data_age_s(view)
    return [
        Chunk(0, badges(view, welcome)),
        Chunk(0, state(view)),
        Chunk(2, [Cell(f"   {source} "), aged(age, limit_s(view))]),
        Chunk(4 if view.lifecycle.reasons else 9, last_reason(view)),
        Chunk(6, [Cell("   profile ", "dim"), Cell(profile)] if profile else []),
        Chunk(7, [Cell("   run ", "dim"), Cell(run_id)]),
    ]


def _clocks(view: View, around: Surroundings) -> list[Chunk]:
    left_s = view.session.remaining_s
    is_soon = left_s is not None and left_s <= CLOSING_SOON_S
    lag = view.health.process.loop_lag_ms
    spin = SPINNER[view.number % len(SPINNER)]
    return [
        Chunk(8, [Cell("engine loop ", "dim"), Cell("-" if lag is None else f"{lag:.0f} ms")]),
        Chunk(5, [Cell("   ui ", "dim"), Cell(f"{around.hz:g} Hz")]),
        Chunk(1, [Cell(f"   {fmt.countdown(left_s)}", "warn bold" if is_soon else "text")]),
        Chunk(3, [Cell(f"   {fmt.clock_zoned(view.session.ts_ns)}")]),
        Chunk(0, [Cell(f" {spin} ", "dim")]),
    ]


def _money(view: View) -> list[Chunk]:
    session = view.session
    start = session.starting_balance
    share = session.pnl / start * 100 if start else None
    made = signed_token(session.pnl)
    return [
        Chunk(0, [Cell(" Eq ", "dim"), Cell(fmt.money(session.equity), "text bold")]),
        Chunk(0, [Cell(f"  {fmt.pnl(session.pnl)}", made)]),
        Chunk(2, [Cell(f" ({fmt.percent(share)})", made)]),
        Chunk(6, [Cell(" real ", "dim"), Cell(fmt.pnl(session.realised))]),
        Chunk(6, [Cell(" unreal ", "dim"), Cell(fmt.pnl(session.unrealised))]),
        Chunk(1, [Cell("  DD ", "dim"), Cell(fmt.percent(-session.drawdown_pct))]),
        Chunk(4, [Cell(" (max ", "dim"), Cell(fmt.percent(_fall(view))), Cell(")", "dim")]),
        Chunk(3, [Cell(" fee ", "dim"), Cell(fmt.paid(session.fees))]),
        Chunk(5, [Cell(" fund ", "dim"), Cell(fmt.pnl(session.funding))]),
        Chunk(1, account(view)),
    ]


def account(view: View) -> Row:
    """Return what a watched account is worth and how far the session is from it."""
    seen = view.account
    if seen is None:
        return []
    token = "text" if seen.is_seen else "stale"
    return [
        Cell("  acct ", "dim"),
        Cell(fmt.money(seen.equity), token),
        Cell(" gap ", "dim"),
        Cell(fmt.pnl(seen.gap), token if not seen.is_seen else signed_token(seen.gap)),
    ]


def _fall(view: View) -> Decimal | None:
    """Return the worst drawdown as a change of the equity."""
    worst = view.drawdown_worst_pct
    return None if worst is None else -max(worst, view.session.drawdown_pct)


def _risk(view: View, palette: Palette) -> list[Chunk]:
    worst = min(view.breakers, key=_headroom, default=None)
    if worst is None:
        return []
    used = 1 - worst.headroom
    token = "danger bold" if worst.is_tripped else "warn" if used > Decimal("0.8") else "text"
    glyphs = fmt.ASCII if palette.is_ascii else fmt.BLOCKS
    over = "OVER" if not worst.headroom else "HELD" if worst.is_tripped else f"{used * 100:.0f}%"
    return [
        Chunk(1, [Cell(" risk ", "dim"), Cell(fmt.bar(used, BREAKER_BAR, glyphs), token)]),
        Chunk(3, [Cell(f" {over} ", token)]),
    ]


def _headroom(breaker: BreakerFace) -> Decimal:
    return breaker.headroom


def _why(view: View) -> list[Chunk]:
    lifecycle = view.lifecycle
    why = ", ".join(fmt.text(reason, 60) for reason in lifecycle.reasons) or "nothing in the way"
    since = fmt.clock(lifecycle.since_ns) if lifecycle.since_ns else "-"
    state = fmt.text(lifecycle.state, STATE_WIDTH)
    head = fmt.text(view.health.journal_head[:12], 12)
    return [
        Chunk(0, [Cell(f" {state} since {since}: ", "dim"), Cell(why)]),
        Chunk(
            1, [Cell("   events ", "dim"), Cell(f"{view.session.events:,}")]
        ),
        Chunk(2, [Cell("   fills ", "dim"), Cell(f"{view.session.fills:,}")]),
        Chunk(3, [Cell("   journal head ", "dim"), Cell(head or "-")]),
    ]  # fmt: skip


def arranged(left: Sequence[Chunk], right: Sequence[Chunk], width: int) -> Row:
    """Return both sides on one line, without the chunks that do not fit."""
    chunks = [*left, *right]
    while chunks and _cells(chunks) > width and (rank := max(c.rank for c in chunks)):
        chunks.remove(next(c for c in reversed(chunks) if c.rank == rank))
    lefts = [chunk for chunk in left if chunk in chunks]
    rights = [chunk for chunk in right if chunk in chunks]
    gap = Cell(" " * max(0, width - _cells(chunks)))
    return [
        *(cell for chunk in lefts for cell in chunk.cells),
        gap,
        *(cell for chunk in rights for cell in chunk.cells),
    ]


def _cells(chunks: Sequence[Chunk]) -> int:
    return sum(cell_len(cell.text) for chunk in chunks for cell in chunk.cells)
