"""Threads of a process whose time is virtual: there are none, what they would do is done at once.

A real one is somewhere else each time: half of a file written when the process dies, or none of it.
"""

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any, NoReturn


class ThreadAtOnce:
    """Has run when `start` returns."""

    def __init__(self, *, target: Callable[[], object], name: str) -> None:
        self._target = target
        self.name = name

    def start(self) -> None:
        self._target()

    def is_alive(self) -> bool:
        return False

    def join(self) -> None:
        """Return: it is over."""


class PoolAtOnce(concurrent.futures.Executor):
    """Has done what it was given when `submit` returns."""

    def __init__(self, max_workers: int, thread_name_prefix: str) -> None:
        """Take what a real one takes."""

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **how: Any
    ) -> "concurrent.futures.Future[Any]":
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            future.set_result(fn(*args, **how))
        except Exception as error:  # noqa: BLE001 - a thread hands on whatever was raised
            future.set_exception(error)
        return future


def install() -> None:
    """Stand where threads stood, for all that is imported from now on; refuse real ones."""
    threading.Thread = ThreadAtOnce  # type: ignore[assignment, misc]
    concurrent.futures.ThreadPoolExecutor = PoolAtOnce  # type: ignore[assignment, misc]
    threading._start_new_thread = _refused  # type: ignore[attr-defined]


def _refused(*_: object) -> NoReturn:
    raise AssertionError("a real thread where time is virtual: no two runs would be the same")
