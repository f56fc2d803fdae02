"""Dead-man switches: what a client set to be canceled unless it comes back in time."""

import asyncio
from collections.abc import Callable


class DeadMan:
    """One timer for each key, a symbol or the whole account; it really fires."""

    def __init__(self, fire: Callable[[str], object]) -> None:
        self._fire = fire
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def set(self, key: str, seconds: float) -> None:
        """Start a timer over; 0 stops it."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if seconds > 0:
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(seconds, self._fired, key)

    def fire_all(self) -> None:
        """Let every timer that is set fire now."""
        for key in list(self._timers):
            self._timers[key].cancel()
            self._fired(key)

    def stop(self) -> None:
        """Forget every timer."""
        for key in list(self._timers):
            self.set(key, 0.0)

    def _fired(self, key: str) -> None:
        self._timers.pop(key, None)
        self._fire(key)
