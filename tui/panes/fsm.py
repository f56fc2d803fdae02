"""Where the session stands, why, and how it came there: its state machine. Newest first."""

from collections.abc import Iterator
from typing import ClassVar, Final

from engine.model.records import FsmTransition
from engine.session.control.views import View
from tui.columns import matching
from tui.evidence import EVIDENCE, words
from tui.format import age, between, clock, text
from tui.pane import Cell, Pane, Row
from tui.states import state_token
from tui.theme import Palette

TEXT_MAX: Final = 200
"""Cells of one fact; no pane is wider."""


def draw(
    view: View,
    width: int,
    height: int,
    palette: Palette,  # noqa: ARG001  (the contract of a pane)
    *,
    wanted: str = "",
) -> list[Row]:
    """Return the state and its reasons, then the transitions that led to it."""
    rows: list[Row] = [
        [Cell(f" {text(said, max(0, width - 1))}", token)] for said, token in _now(view)
    ]
    rows += [_row(transition, width) for transition in reversed(shown(view, wanted))]
    return rows[:height]


def shown(view: View, wanted: str = "") -> list[FsmTransition]:
    """Return the transitions to show, oldest first."""
    return matching(
        view.transitions, wanted, lambda t: (t.from_state, t.to_state, t.event, t.scope, *t.reasons)
    )


def _now(view: View) -> Iterator[tuple[str, str]]:
    life = view.lifecycle
    since_s = between(life.since_ns, view.session.ts_ns)
    standing = "" if since_s is None else f" for {age(since_s)}"
    yield f"{life.state}{standing}", f"{state_token(life.state)} bold"
    if life.needs_reset:
        yield "FLAT, waits for a person: laptop-agents reset", "danger"
    if life.is_flattening:
        yield "FLATTENING: every position is being closed", "danger"
    if life.beneath:
        yield f"returns to {life.beneath} once these are cleared:", "warn"
    for place, reason in enumerate(life.reasons):
        since_ns = life.reasons_ns[place] if place < len(life.reasons_ns) else 0
        held_s = between(since_ns, view.session.ts_ns)
        since = "" if held_s is None else f"  since {clock(since_ns)} ({age(held_s)})"
        yield f"! {reason}{since}", "warn"
    if life.suspended:
        yield f"suspended by themselves: {' '.join(life.suspended)}", "warn"


def _row(transition: FsmTransition, width: int) -> Row:
    """Return when, from where to where, by what, and the evidence whole."""
    moved = f"{transition.from_state} -> {transition.to_state}"
    evidence = f" {EVIDENCE}{transition.evidence_ref}" if transition.evidence_ref else ""
    own = {transition.event, f"{transition.event}:{transition.scope}"}
    others = [reason for reason in transition.reasons if reason not in own]
    still = f" with {', '.join(others)}" if others else ""
    cause = f"{transition.event} {transition.scope}{still}{evidence}"
    when = f" {clock(transition.ts_ns)} "
    front = f"{text(moved, TEXT_MAX)} "
    room = max(0, width - len(when) - len(front))
    token = state_token(transition.to_state)
    return [Cell(when, "dim"), Cell(front, token), Cell(words(cause, room), "text")]


class FsmPane(Pane):
    """Draws `View.lifecycle` and `View.transitions`."""

    NUMBER: ClassVar[str] = "0"
    TITLE: ClassVar[str] = "State"

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the rows for what is looked for."""
        return draw(view, width, height, self.palette, wanted=self.filter)

    def caption(self, view: View) -> str:
        """Return how many reasons keep it from trading; nothing while none does."""
        reasons = len(view.lifecycle.reasons)
        return f"({reasons} open)" if reasons else ""
