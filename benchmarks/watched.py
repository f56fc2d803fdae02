"""A session that tells of its own loop: `python -m benchmarks.watched FILE [OPTION ...]`.

Runs laptop-agents with its options. A task of its loop asks to be woken every `BEAT_S` and notes
how much later it was; once a second one JSON line goes to FILE: the moment, those delays, the tasks
that live, and what nobody caught.
"""

import asyncio
import json
import sys
import threading
from collections.abc import Coroutine
from pathlib import Path
from time import monotonic
from typing import Any, Final

from laptop_agents import __main__, running

BEAT_S: Final = 0.01
BEATS: Final = 100
"""Of each line."""


class Watch:
    """Counts what went wrong and notes how late the loop is."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._uncaught = 0
        threading.excepthook = lambda _: self._count()
        sys.unraisablehook = lambda _: self._count()

    async def session(self, main: Coroutine[Any, Any, str]) -> str:
        """Run a session beside the task that watches its loop."""
        asyncio.get_running_loop().set_exception_handler(lambda *_: self._count())
        watching = asyncio.create_task(self._watch())
        try:
            return await main
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        with self._file.open("w", buffering=1) as file:
            while True:
                late_ms = [await _late_ms() for _ in range(BEATS)]
                word = {
                    "at_s": monotonic(),
                    "late_ms": late_ms,
                    "tasks": len(asyncio.all_tasks()),
                    "uncaught": self._uncaught,
                }
                file.write(json.dumps(word) + "\n")

    def _count(self) -> None:
        self._uncaught += 1


async def _late_ms() -> float:
    due_s = monotonic() + BEAT_S
    await asyncio.sleep(BEAT_S)
    return round((monotonic() - due_s) * 1_000, 2)


def main(words: list[str]) -> int:
    """Wire the watch in and run the program."""
    file, *rest = words
    watch, run_loop = Watch(Path(file)), running.run_loop
    running.run_loop = lambda main: run_loop(watch.session(main))
    return __main__.main(rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
