"""What reaches a session from outside: the kill file, signals and people's commands.

All only leave a request; the runner puts it to the kernel as an operator command, so that it is
journalled like everything else. A kill file once seen stays seen (reliability.md D2).
"""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from engine.model.events import Operator
from engine.session.kill_files import first_present

KILL_POLL_S: Final = 0.05
"""How often the kill files are looked for; half of the 100 ms promised."""

GRACEFUL: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


ASKED_MAX: Final = 64
"""Commands of people that may wait for the next instant; a further one is refused."""


class Request(NamedTuple):
    """Somebody wants something of the session."""

    command: Operator
    by: str
    argument: str


class Stops:
    """Collects requests; the second signal asks for an end at once."""

    def __init__(self, kill_files: Sequence[Path]) -> None:
        self.kill_files = tuple(kill_files)
        self._paths = tuple(os.fspath(path) for path in kill_files)
        self._requests: deque[Request] = deque(maxlen=16)
        self._asked: deque[Request] = deque()
        self._signals = 0
        self._is_killed = False
        self._task: asyncio.Task[None] | None = None
        self.is_abort = False
        """Set by a second signal: skip the graceful close."""

    def present(self) -> str | None:
        """Return the first kill file that exists, or whose place can't be read; links count."""
        place = first_present(self._paths)
        return None if place is None else self._paths[place]

    def ask(self, request: Request) -> bool:
        """Take a person's command; False when too many wait."""
        if len(self._asked) >= ASKED_MAX:
            return False
        self._asked.append(request)
        return True

    @property
    def is_signaled(self) -> bool:
        """Whether a signal has asked for an end."""
        return self._signals > 0

    @property
    def is_any(self) -> bool:
        """Whether a request waits to be taken."""
        return bool(self._requests or self._asked)

    def take(self) -> Request | None:
        """Return the oldest request, once: kill file and signals before commands."""
        waiting = self._requests or self._asked
        return waiting.popleft() if waiting else None

    def latch(self, path: str) -> None:
        """Take a kill file that was seen, by us or by the sentinel; the first one counts."""
        if not self._is_killed:
            self._is_killed = True
            self._requests.append(Request(Operator.KILL, "kill_file", path))

    def watch(self) -> None:
        """Begin watching, on the running loop."""
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._poll(), name="kill-file")
        for number in GRACEFUL:
            loop.add_signal_handler(number, self._on_signal, number)

    async def _poll(self) -> None:
        while (path := self.present()) is None:
            await asyncio.sleep(KILL_POLL_S)
        self.latch(path)

    def _on_signal(self, number: signal.Signals) -> None:
        self._signals += 1
        self.is_abort = self._signals > 1
        self._requests.append(Request(Operator.SIGNAL, number.name, number.name))

    async def close(self) -> None:
        """Stop watching; signals have their default meaning again."""
        loop = asyncio.get_running_loop()
        for number in GRACEFUL:
            loop.remove_signal_handler(number)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
