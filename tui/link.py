"""The screen's end of the control socket: one thread that reads, one a command.

Rule 1: the newest view wins; there is one slot and no queue, so a slow screen never falls behind.
Rule 2: nothing here touches a widget. The app looks in when it wants to paint, and is told of the
        outcome of a command by a callback on a thread of ours.
Rule 3: whoever breaks the connection, we come back, until the session says farewell or its pid is
        gone from the socket for good.
"""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final, NamedTuple, Protocol

from engine.model.errors import SessionUnreachable
from engine.model.events import Operator
from engine.session.control.client import Connection
from engine.session.control.views import View
from engine.session.control.words import Farewell, Outcome, Welcome
from engine.session.sanitize import sanitize
from tui.lookahead import Lookahead, Question
from tui.readonly import SCREEN, WATCHER, barred

CLOSE_S: Final = 1.5
"""How long taking leave of a session may hold up the end of the screen."""
VIEW_WAIT_S: Final = 2.0
"""A session that sends no view for so long is asked anew."""
RETRY_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Between attempts to connect; the last one for ever."""
ANSWER_S: Final = 12.0
"""The session answers within its own patience of 10 s; this is for one that hangs."""
MODE_MAX: Final = 10
"""Characters of a mode; ours have seven at most."""
ASKS_MAX: Final = 4
"""Commands under way at once; a further one is refused here."""


class Glance(NamedTuple):
    """What is known of the session at this moment."""

    view: View | None = None
    age_s: float = 0.0
    """Since the newest view arrived, or since the start; by the monotonic clock."""
    welcome: Welcome | None = None
    farewell: Farewell | None = None
    trouble: str = ""
    """Why there is no connection; empty while there is one."""
    client: str = SCREEN
    """What kind of screen this is, of those that `tui.readonly` knows."""

    @property
    def is_watcher(self) -> bool:
        """This screen never sends."""
        return self.client == WATCHER

    @property
    def mode(self) -> str:
        """The mode of the session in capitals; empty while it is not known."""
        return "" if self.welcome is None else sanitize(self.welcome.mode.upper(), MODE_MAX)


class Answer(NamedTuple):
    """What became of a command."""

    command: Operator
    argument: str
    outcome: Outcome | None
    """None where nobody said."""
    trouble: str = ""
    """Why it is not known."""


Done = Callable[[Answer], None]
"""Called once, on another thread."""


class Source(Protocol):
    """Where views come from and commands go."""

    def glance(self) -> Glance:
        """Return what is known now; never waits."""

    def ask(self, command: Operator, argument: str, done: Done) -> bool:
        """Give a command; False when too many are under way."""

    def consider(self, question: Question) -> None:
        """Look ahead at an order, in place of whatever was not looked ahead at yet."""


class Link:
    """Follows one run's session."""

    def __init__(self, folder: Path, client: str = SCREEN) -> None:
        self._folder = folder
        self._client = client
        self._began_s = time.monotonic()
        self._glance = Glance(client=client)
        self._lookahead = Lookahead(folder, self._client)
        self._is_lost = False
        self._seen_s = self._began_s
        self._closing = Event()
        self._asks = 0
        self._lock = Lock()
        self._thread = Thread(target=self._follow, name="screen-link", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self, *, is_lost: bool = False) -> None:
        """Stop following; commands under way go on.

        Args:
            is_lost: The terminal is gone, nobody left: the session shall treat it so.
        """
        self._is_lost = is_lost
        self._closing.set()
        self._lookahead.close()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def glance(self) -> Glance:
        """Return what is known now."""
        return self._glance._replace(age_s=time.monotonic() - self._seen_s)

    def ask(self, command: Operator, argument: str, done: Done) -> bool:
        """Give a command over a connection of its own, on a thread of its own."""
        if why := barred(self._client, command):
            done(Answer(command, argument, None, why))
            return True
        with self._lock:
            if self._asks >= ASKS_MAX:
                return False
            self._asks += 1
        Thread(target=self._tell, args=(command, argument, done), daemon=True).start()
        return True

    def consider(self, question: Question) -> None:
        """Look ahead at an order."""
        self._lookahead.ask(question)

    def _tell(self, command: Operator, argument: str, done: Done) -> None:
        try:
            with Connection.open(self._folder, self._client) as connection:
                outcome = connection.ask(command, argument, within_s=ANSWER_S)
            silent = "" if outcome else f"no answer within {ANSWER_S:g} s"
            answer = Answer(command, argument, outcome, silent)
        except SessionUnreachable as error:
            answer = Answer(command, argument, None, str(error))
        with self._lock:
            self._asks -= 1
        done(answer)

    def _follow(self) -> None:
        attempt = 0
        while not self._closing.is_set() and self._glance.farewell is None:
            before = self._glance.view
            try:
                self._watch()
            except SessionUnreachable as error:
                self._glance = self._glance._replace(trouble=str(error))
            attempt = 0 if self._glance.view is not before else attempt + 1
            self._closing.wait(RETRY_S[min(attempt, len(RETRY_S) - 1)])

    def _watch(self) -> None:
        with Connection.open(self._folder, self._client, wants_views=True) as connection:
            self._glance = self._glance._replace(welcome=connection.welcome, trouble="")
            for word in connection.views(within_s=VIEW_WAIT_S):
                if self._closing.is_set():
                    if not self._is_lost:
                        connection.leave()
                    return
                self._take(word)
        if self._glance.farewell is None:
            silence = f"the session sent no view for {VIEW_WAIT_S:g} s"
            self._glance = self._glance._replace(trouble=silence)

    def _take(self, word: View | Farewell) -> None:
        if isinstance(word, Farewell):
            self._glance = self._glance._replace(farewell=word)
            return
        self._glance = self._glance._replace(view=word)
        self._seen_s = time.monotonic()
