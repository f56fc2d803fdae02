"""What may end a session from outside: the kill file and signals.

Both only leave a request; the runner puts it to the kernel as an operator command, so that it is
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

KILL_POLL_S: Final = 0.05
"""How often the kill files are looked for; half of the 100 ms promised."""

GRACEFUL: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Request(NamedTuple):
    """Somebody wants the session to end."""

    command: Operator
    by: str
    argument: str


class Stops:
    """Collects requests to end; the second signal asks for an end at once."""

    def __init__(self, kill_files: Sequence[Path]) -> None:
        self._kill_files = tuple(os.fspath(path) for path in kill_files)
        self._requests: deque[Request] = deque(maxlen=16)
        self._signals = 0
        self._task: asyncio.Task[None] | None = None
        self.is_abort = False
        """Set by a second signal: skip the graceful close."""

    def present(self) -> str | None:
        """Return the first kill file that exists, or whose place can't be read; links count."""
        for path in self._kill_files:
            try:
                os.lstat(path)
            except FileNotFoundError:
                continue
            except OSError:
                return path
            return path
        return None

    @property
    def is_signaled(self) -> bool:
        """Whether a signal has asked for an end."""
        return self._signals > 0

    def take(self) -> Request | None:
        """Return the oldest request, once."""
        return self._requests.popleft() if self._requests else None

    def watch(self) -> None:
        """Begin watching, on the running loop."""
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._poll(), name="kill-file")
        for number in GRACEFUL:
            loop.add_signal_handler(number, self._on_signal, number)

    async def _poll(self) -> None:
        while (path := self.present()) is None:
            await asyncio.sleep(KILL_POLL_S)
        self._requests.append(Request(Operator.KILL, "kill_file", path))

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
