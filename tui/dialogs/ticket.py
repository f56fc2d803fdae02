"""The order ticket: typed over the desk, judged by the engine at every key, sent by nobody.

`enter` opens the confirmation (`tui.dialogs.confirm`), where the order is frozen; only there can it
be sent, unless `tui.confirm_orders` is false in paper mode. What is typed stays over every resize,
quote and refusal, until escape.
"""

from typing import Final

from textual.app import ComposeResult
from textual.events import Key
from textual.message import Message

from engine.session.control.words import Foretold
from tui.dialogs.confirm import ConfirmScreen
from tui.dialogs.deal import Deal
from tui.dialogs.modal import Modal
from tui.dialogs.rows import Rows
from tui.link import Glance
from tui.lookahead import Question
from tui.pane import Cell
from tui.ticket.form import Form, pressed
from tui.ticket.objection import Frozen, Told, mid_of, objection
from tui.ticket.preview import Face, ticket
from tui.ticket.reading import Reading, read

LOOK_S: Final = 0.25
"""Between two looks at the session while nobody types."""


class TicketScreen(Modal[None]):
    """One ticket, until it is sent or closed."""

    class Seen(Message):
        """The session has looked ahead."""

        def __init__(self, foretold: Foretold) -> None:
            super().__init__()
            self.foretold = foretold

    def __init__(self, form: Form, deal: Deal) -> None:
        super().__init__()
        self.form = form
        self._deal = deal
        self._told: Told | None = None

    def compose(self) -> ComposeResult:
        """Lay out the box."""
        yield Rows(self._deal.palette)

    def on_mount(self) -> None:
        """Begin to look ahead."""
        self.set_interval(LOOK_S, self.look)
        self.look()

    def look(self) -> None:
        """Ask what would become of the order as typed, and show what is known."""
        glance = self._deal.source.glance()
        reading = self._reading(glance)
        if reading is not None and reading.argument:
            question = Question(reading.command, reading.argument, self._seen)
            self._deal.source.consider(question)
        self._draw(glance, reading)

    def _seen(self, foretold: Foretold) -> None:
        self.post_message(self.Seen(foretold))

    def on_ticket_screen_seen(self, message: Seen) -> None:
        """Show the engine's newest verdict."""
        self._told = Told(message.foretold, self._deal.clock())
        glance = self._deal.source.glance()
        self._draw(glance, self._reading(glance))

    def on_key(self, event: Key) -> None:
        """Type; `enter` reviews, escape closes."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss()
        elif event.key == "enter":
            self._review()
        else:
            view = self._deal.source.glance().view
            key = event.character if event.character in ("%", ".") else event.key
            self.form = pressed(self.form, key, view.markets if view else ())
            self.look()

    def _reading(self, glance: Glance) -> Reading | None:
        return None if glance.view is None else read(self.form, glance.view)

    def _problem(self, glance: Glance, reading: Reading | None) -> str:
        if reading is not None and reading.flaw:
            return reading.flaw
        argument = reading.argument if reading else ""
        return objection(glance, argument, self._told, self._deal.clock())

    def _draw(self, glance: Glance, reading: Reading | None) -> None:
        rows = self.query_one(Rows)
        if glance.view is None or reading is None:
            rows.show([[Cell(" there is no session", "warn")]])
            return
        told = self._told.foretold if self._told else None
        is_newest = told is not None and told.argument == reading.argument
        face = Face(
            mode=glance.mode,
            problem=self._problem(glance, reading),
            prospect=told.prospect if told is not None and is_newest else None,
            enter="review" if self._deal.is_confirmed else "SEND",
        )
        rows.show(ticket(self.form, reading, glance.view, face))

    def _review(self) -> None:
        """Freeze the order for the last word, or send it, if it could be sent now."""
        glance = self._deal.source.glance()
        reading = self._reading(glance)
        if reading is None or self._told is None or self._problem(glance, reading):
            return
        if not self._deal.is_confirmed:
            self.dismiss()
            self._deal.send(reading.command, reading.argument)
            return
        prospect = self._told.foretold.prospect
        assert prospect is not None, "without one there is a problem"
        mid = mid_of(prospect.quote)
        assert mid is not None, "without a quote there is a problem"
        frozen = Frozen(reading.argument, mid, prospect.state)
        self.app.push_screen(
            ConfirmScreen(self.form, reading, frozen, self._told, self._deal), self._answered
        )

    def _answered(self, is_confirmed: bool | None) -> None:  # noqa: FBT001 - Textual's callback
        if is_confirmed:
            self.dismiss()
