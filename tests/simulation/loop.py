"""An event loop whose time is the session's: nothing in it depends on how fast the machine is."""

import asyncio
from collections.abc import Callable
from typing import Any


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Timers fire by event time; what would run in a thread runs at once, in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s: Callable[[], float] = lambda: 0.0
        self.on_thread_done: Callable[[], None] = lambda: None

    def time(self) -> float:
        return self.now_s()

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except OSError as error:
            future.set_exception(error)
        self.on_thread_done()
        return future
