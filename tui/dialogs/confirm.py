"""The last word on an order: frozen, judged again at every look, sent by `y` alone.

Rule 1: the focus is on Cancel; enter, space, the mouse and key repeat send nothing, and no key
        counts within `GUARD_S` of opening.
Rule 2: what is sent is what is shown. If the gate refuses now, the quote is stale, the price or the
        state moved, or ten seconds have passed, `y` does nothing and the reason stands there.
Rule 3: one confirmation sends one order.
"""

from typing import Final

from textual.app import ComposeResult
from textual.events import Click, Key
from textual.message import Message

from engine.session.control.words import Foretold
from tui.danger import GUARD_S
from tui.dialogs.deal import Deal
from tui.dialogs.modal import Modal
from tui.dialogs.rows import Rows
from tui.format import text
from tui.lookahead import Question
from tui.pane import Cell, Row
from tui.ticket.form import Form, market_of
from tui.ticket.objection import Frozen, Told, objection
from tui.ticket.preview import outlook, verdict_rows
from tui.ticket.reading import Reading

EXPIRES_S: Final = 10.0
"""How long a frozen order may be confirmed (reliability.md row 104)."""
LOOK_S: Final = 0.1
WORDS_MAX: Final = 72


class ConfirmScreen(Modal[bool]):
    """Returns whether the order was sent."""

    class Seen(Message):
        """The session has looked at the frozen order again."""

        def __init__(self, foretold: Foretold) -> None:
            super().__init__()
            self.foretold = foretold

    def __init__(
        self, form: Form, reading: Reading, frozen: Frozen, told: Told, deal: Deal
    ) -> None:
        super().__init__()
        self._form = form
        self._reading = reading
        self._frozen = frozen
        self._told = told
        self._deal = deal
        self._from_s = deal.clock() + GUARD_S
        self._until_s = deal.clock() + EXPIRES_S
        self._is_closed = False

    def compose(self) -> ComposeResult:
        """Lay out the box."""
        yield Rows(self._deal.palette)

    def on_mount(self) -> None:
        """Begin to look again and again."""
        self.set_interval(LOOK_S, self.look)
        self.look()

    def look(self) -> None:
        """Ask about the frozen order, and show what stands against it."""
        if self._deal.clock() < self._until_s:
            question = Question(self._reading.command, self._reading.argument, self._seen)
            self._deal.source.consider(question)
        self._draw()

    def _seen(self, foretold: Foretold) -> None:
        self.post_message(self.Seen(foretold))

    def on_confirm_screen_seen(self, message: Seen) -> None:
        """Take the newest verdict."""
        self._told = Told(message.foretold, self._deal.clock())
        self._draw()

    def problem(self) -> str:
        """Say why it can't be sent at this moment; empty where it can."""
        now_s = self._deal.clock()
        if now_s >= self._until_s:
            return f"EXPIRED after {EXPIRES_S:g} s: nothing was sent"
        glance = self._deal.source.glance()
        return objection(glance, self._frozen.argument, self._told, now_s, self._frozen)

    def on_key(self, event: Key) -> None:
        """Send by `y`; cancel by escape, `n`, or enter on Cancel."""
        event.stop()
        event.prevent_default()
        if self._deal.clock() < self._from_s or self._is_closed:
            return
        if event.key == "y" and not self.problem():
            self._close(is_sent=True)
            self._deal.send(self._reading.command, self._reading.argument)
        elif event.key in ("escape", "n", "enter"):
            self._close(is_sent=False)

    def on_click(self, event: Click) -> None:
        """Do nothing: the mouse sends no order."""
        event.stop()

    def _close(self, *, is_sent: bool) -> None:
        self._is_closed = True
        self.dismiss(is_sent)

    def _draw(self) -> None:
        glance, problem = self._deal.source.glance(), self.problem()
        prospect = self._told.foretold.prospect
        market = market_of(self._form, glance.view.markets) if glance.view else None
        where = text(glance.welcome.source, 30) if glance.welcome else ""
        rows: list[Row] = [
            [Cell(f" {glance.mode}  SEND THIS?  to {where}", "title bold")],
            [Cell(f"   {text(self._words(), WORDS_MAX)}", "own bold")],
            *verdict_rows(problem, prospect),
            *(outlook(prospect, market) if prospect else ()),
            self._answers(problem),
        ]
        self.query_one(Rows).show(rows)

    def _words(self) -> str:
        if not self._form.amends:
            return self._reading.argument
        return f"{self._form.side} {self._form.symbol}: change {self._reading.argument}"

    def _answers(self, problem: str) -> Row:
        left_s = max(0.0, self._until_s - self._deal.clock())
        look = "dim" if problem else "text bold"
        return [
            Cell(" [ Cancel ]", "focus bold reverse"),
            Cell("  y send it" if not problem else "  y (disabled)", look),
            Cell(f"   expires in {left_s:.0f} s", "dim"),
        ]
