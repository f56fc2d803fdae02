"""A question with lettered answers: what quitting and resuming ask.

Rule 1: enter, space and key repeat answer nothing; escape always leaves things as they are.
Rule 2: no key counts within `GUARD_S` of opening: it was meant for what was there before.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from textual.app import ComposeResult
from textual.events import Key
from textual.widgets import Static

from tui.danger import GUARD_S
from tui.dialogs.modal import Modal


class Question(NamedTuple):
    """What is asked, and the answers by key."""

    title: str
    facts: Sequence[str]
    answers: Mapping[str, str]
    """Key to what it does; escape stays and needs no entry."""


class QuestionDialog(Modal[str]):
    """Returns the key of the answer; empty for staying."""

    def __init__(self, question: Question, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._question = question
        self._clock = clock
        self._from_s = clock() + GUARD_S

    def compose(self) -> ComposeResult:
        """Lay out the box."""
        question = self._question
        answers = [f" {key}  {what}" for key, what in question.answers.items()]
        lines = [question.title, "", *question.facts, "", *answers, " esc  stay"]
        yield Static("\n".join(lines), id="box", markup=False)

    def on_key(self, event: Key) -> None:
        """Take an answer."""
        event.stop()
        event.prevent_default()
        if self._clock() < self._from_s:
            return
        if event.key in self._question.answers:
            self.dismiss(event.key)
        elif event.key == "escape":
            self.dismiss("")
