"""What to ask when a person wants to leave, or to take risk again. Pure: view in, question out."""

from collections.abc import Sequence
from typing import Final

from engine.model.events import Operator
from engine.session.control.views import View
from tui import format as fmt
from tui.dialogs.question import Question
from tui.grid import grid

LINES_MAX: Final = 8
"""Positions and orders a dialog lists; it counts the rest."""

CLOSE, KILL, DETACH, YES = "c", "k", "d", "y"
COMMANDS: Final = {CLOSE: Operator.STOP, YES: Operator.STOP, KILL: Operator.KILL}
"""What an answer to `q` sends; detaching sends nothing."""


def quitting(view: View | None, mode: str, *, is_owner: bool, is_watcher: bool = False) -> Question:
    """Return the question of `q`: simple when nothing is at risk, else with all that is."""
    detach = {DETACH: "detach: the session goes on without a screen"}
    if is_watcher:
        detach = {DETACH: "leave: the session goes on without this screen"}
        return Question(f"{mode}  Leave? This screen only watches.", (), detach)
    if view is None:
        return Question(f"{mode}  Leave? Nothing is known of the session.", (), detach)
    exposure = exposed(view)
    if not exposure and is_owner:
        answers = {YES: "end the session and quit", **detach}
        return Question(f"{mode}  Quit? Flat, no orders.", (), answers)
    answers = {
        CLOSE: "close cleanly: cancel, flatten by policy, report",
        KILL: "kill: cancel all, close all, EMERGENCY",
    }
    title = "Quit? This is still open:" if exposure else "Leave this screen? Flat, no orders."
    if mode == "LIVE" and is_owner:
        detach = {}  # nobody leaves live orders alone by a key
    return Question(f"{mode}  {title}", exposure, {**detach, **answers})


def resuming(view: View, mode: str) -> Question:
    """Return the question of taking risk again, with everything it undoes."""
    why = [f" {fmt.text(reason, 60)}" for reason in view.lifecycle.reasons]
    facts = [f" now {view.lifecycle.state}, because of:", *(why or [" nothing in particular"])]
    return Question(
        f"{mode}  Resume? Agents may open positions again.",
        facts,
        {YES: "resume"},
    )


def exposed(view: View) -> Sequence[str]:
    """Return a line for each position and order."""
    cells = grid(view)
    lines = [
        f" {fmt.text(p.symbol, 12)} {cells.position(p.symbol, p.qty).strip()}"
        f"  uPnL {fmt.pnl(p.unrealised)}"
        for p in view.positions
        if p.qty
    ]
    lines += [
        f" {fmt.side(o.side)} {fmt.text(o.symbol, 12)}"
        f" {cells.qty(o.symbol, o.qty - o.filled_qty).strip()}"
        f" @ {cells.price(o.symbol, o.price).strip()}  {o.state}"
        for o in view.orders
    ]
    more = len(lines) - LINES_MAX
    return [*lines[:LINES_MAX], f" and {more} more"] if more > 0 else lines
