"""Looks ahead at orders over a connection of its own: one thread, one slot, the newest question.

Rule 1: a question that nobody waits for any more is not asked: typing never makes a queue.
Rule 2: nothing here touches a widget; an answer arrives on this thread.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Condition, Thread
from typing import Final, NamedTuple

from engine.model.errors import SessionUnreachable
from engine.model.events import Operator
from engine.session.control.client import Connection
from engine.session.control.words import Foretold

ANSWER_S: Final = 2.0
"""The session answers between two steps; this is for one that hangs."""
PACE_S: Final = 0.05
"""Between two questions: as fast as a person types, far below what a session turns away."""
IDLE_S: Final = 10.0
"""After so long without a question the connection is given back."""


class Question(NamedTuple):
    """What to look ahead at, and who wants to know."""

    command: Operator
    argument: str
    seen: Callable[[Foretold], None]
    """Called on this module's thread."""


class Lookahead:
    """Asks one session."""

    def __init__(self, folder: Path, client: str) -> None:
        self._folder = folder
        self._client = client
        self._question: Question | None = None
        self._turn = Condition()
        self._thread: Thread | None = None
        self._is_closing = False
        self._connection: Connection | None = None

    def ask(self, question: Question) -> None:
        """Ask in place of whatever has not been asked yet."""
        with self._turn:
            self._question = question
            if self._thread is None:
                self._thread = Thread(target=self._work, name="screen-lookahead", daemon=True)
                self._thread.start()
            self._turn.notify()

    def close(self) -> None:
        """Ask no more."""
        with self._turn:
            self._is_closing = True
            self._turn.notify()

    def _work(self) -> None:
        while not self._is_closing:
            question = self._next()
            if question is None:
                self._hang_up()
                continue
            question.seen(self._answer(question))
            with self._turn:
                self._turn.wait_for(lambda: self._is_closing, PACE_S)
        self._hang_up()

    def _next(self) -> Question | None:
        """Wait for a question; None after a while without."""
        with self._turn:
            self._turn.wait_for(lambda: self._is_closing or self._question is not None, IDLE_S)
            question, self._question = self._question, None
        return question

    def _answer(self, question: Question) -> Foretold:
        flaw = f"no answer from the session within {ANSWER_S:g} s"
        try:
            if self._connection is None:
                self._connection = Connection.open(self._folder, self._client)
            seen = self._connection.consider(question.command, question.argument, within_s=ANSWER_S)
        except SessionUnreachable as error:
            seen, flaw = None, str(error)
        if seen is None:
            self._hang_up()
        return seen or Foretold(ask_id=0, argument=question.argument, flaw=flaw)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
