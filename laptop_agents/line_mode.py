"""Line mode: a session told and commanded line by line, for screen readers and pipes.

Rule 1: every line is whole, labelled and printed once; nothing is drawn over.
Rule 2: a command is a word of the command line, `pause` as in `laptop-agents pause`; what came of
        it is a line beginning with `command`.
Rule 3: whoever closes the input only stops commanding; the lines go on.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from threading import Lock, Thread
from typing import Final, NamedTuple, TextIO

from engine.model.errors import SessionUnreachable
from engine.model.events import Operator
from engine.session.control.client import Connection
from engine.session.control.docket import PATIENCE_S
from engine.session.control.views import View
from engine.session.control.words import ARGUMENT_MAX, Farewell, Welcome
from engine.session.sanitize import sanitize
from laptop_agents.control_words import outcome_line, status_lines

WATCHER: Final = "watcher"
"""It takes no controls: what is typed goes the way of the command line."""
OWNER: Final = "screen"
"""It is missed when it is lost, as any screen with the controls."""
SENDER: Final = "cli"
"""What is typed is its own intention, as at a shell."""
SILENCE_S: Final = 5.0
"""A session sends ten views a second; one that sends none for so long is in trouble."""
WAIT_S: Final = PATIENCE_S + 2.0
"""The session answers within its own patience; this is for one that hangs."""
TYPED_MAX: Final = 200
"""Characters of a command; what is longer is refused whole."""

Say = Callable[[str], None]


class Typed(NamedTuple):
    """A command as typed."""

    operator: Operator
    argument: str = ""


WORDS: Final[Mapping[str, Typed]] = {
    "pause": Typed(Operator.PAUSE),
    "resume": Typed(Operator.RESUME),
    "reduce-only": Typed(Operator.REDUCE_ONLY),
    "flatten": Typed(Operator.FLATTEN),
    "stop": Typed(Operator.STOP),
    "kill": Typed(Operator.KILL),
    "reset RESET": Typed(Operator.RESET, "RESET"),
}
OF_AGENTS: Final[Mapping[str, Operator]] = {
    "pause": Operator.PAUSE_AGENT,
    "resume": Operator.RESUME_AGENT,
    "weight": Operator.WEIGH_AGENT,
}
STATUS, DETACH, HELP = "status", "detach", "help"
HELP_LINES: Final = (
    f"commands: {', '.join(WORDS)}",
    "commands: agents pause NAME, agents resume NAME, agents weight NAME 0.5",
    f"commands: {STATUS}, {DETACH} (the session goes on), {HELP}",
)


def parsed(line: str) -> Typed | str:
    """Return what a line asks of the session, one of our own words, or why it is neither."""
    words = line.split()
    if line in (STATUS, DETACH, HELP):
        return line
    if line in WORDS:
        return WORDS[line]
    if words[0] == "agents" and len(words) > 2 and words[1] in OF_AGENTS:
        has_weight = words[1] == "weight"
        if len(words) == (4 if has_weight else 3):
            return Typed(OF_AGENTS[words[1]], "=".join(words[2:])[:ARGUMENT_MAX])
    return f"command unknown: {sanitize(line, 40)}: {HELP} lists what there is"


class LineMode:
    """Tells one session and passes on what is typed."""

    def __init__(self, folder: Path, out: TextIO, client: str, sender: str) -> None:
        """Tell of a run.

        Args:
            client: The kind of client that watches.
            sender: The kind of client that commands are sent as; the session limits some.
        """
        self._folder = folder
        self._client = client
        self._sender = sender
        self._out = out
        self._lock = Lock()
        self._newest: tuple[Welcome, View] | None = None
        self.is_detached = False
        """A person said they leave; the session goes on."""

    def say(self, text: str) -> None:
        """Print a line, whole, whichever thread it comes from."""
        with self._lock:
            self._out.write(f"{text}\n")
            self._out.flush()

    def heed(self, commands: TextIO) -> None:
        """Take commands from a stream, on a thread of our own, until it ends."""
        Thread(target=self._read, args=(commands,), name="typed", daemon=True).start()

    def _read(self, commands: TextIO) -> None:
        with suppress(OSError, ValueError):  # a terminal that hung up, a stream that was closed
            self._follow(commands)

    def _follow(self, commands: TextIO) -> None:
        while text := commands.readline(TYPED_MAX):
            if not text.endswith("\n") and len(text) >= TYPED_MAX:
                while (rest := commands.readline(TYPED_MAX)) and not rest.endswith("\n"):
                    pass
                self.say(f"command refused: longer than {TYPED_MAX} characters")
            elif text.strip():
                self._do(" ".join(text.split()))

    def _do(self, text: str) -> None:
        wanted = parsed(text)
        own: Mapping[str, Callable[[], Sequence[str]]] = {
            STATUS: self._status,
            DETACH: self._detach,
            HELP: lambda: HELP_LINES,
        }
        if isinstance(wanted, str):
            for line in own.get(wanted, lambda: (wanted,))():
                self.say(line)
            return
        self.say(f"command {sanitize(text)}: sent")
        self.say(f"command {sanitize(text)}: {self._asked(wanted)}")

    def _asked(self, wanted: Typed) -> str:
        try:
            with Connection.open(self._folder, self._sender) as connection:
                outcome = connection.ask(wanted.operator, wanted.argument, within_s=WAIT_S)
        except SessionUnreachable as error:
            return f"unconfirmed: {sanitize(str(error), 300)}"
        return outcome_line(outcome) if outcome else f"unconfirmed: no answer in {WAIT_S:g} s"

    def _status(self) -> Sequence[str]:
        newest = self._newest
        return status_lines(*newest) if newest else ("nothing is known of the session yet",)

    def _detach(self) -> Sequence[str]:
        self.is_detached = True
        return (f"detached: laptop-agents attach --plain {self._folder.name} comes back",)

    def tell(self) -> None:
        """Print a line for each change until the session ends, or a person leaves.

        Raises:
            SessionUnreachable: It went silent or broke off.
        """
        from tui.plain import lines  # noqa: PLC0415 - its panes bring Textual

        before: View | None = None
        with Connection.open(self._folder, self._client, wants_views=True) as connection:
            self.say(introduction(connection.welcome))
            for word in connection.views(within_s=SILENCE_S):
                if self.is_detached:
                    connection.leave()
                    return
                if isinstance(word, Farewell):
                    return
                for line in lines(before, word):
                    self.say(line)
                before, self._newest = word, (connection.welcome, word)
        raise SessionUnreachable(f"run {self._folder.name} sent no view for {SILENCE_S:g} s")


def introduction(welcome: Welcome) -> str:
    """Return the first line: the mode, whether prices are invented, which run, from where."""
    simulated = " SIMULATED" if welcome.is_simulated else ""
    return sanitize(f"{welcome.mode.upper()}{simulated} run {welcome.run_id} on {welcome.source}")


def told(folder: Path, client: str = WATCHER, sender: str = SENDER) -> LineMode:
    """Tell a session on this process's own output and heed its input."""
    mode = LineMode(folder, sys.stdout, client, sender)
    if sys.stdin is not None:
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        mode.heed(sys.stdin)
    mode.tell()
    return mode
