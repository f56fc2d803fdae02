"""What a screen runs on, and why it closed: what its caller and the app tell each other."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from tui.why import Asked, nobody

if TYPE_CHECKING:
    from tui.app import Workstation

LOOK_S: Final = 0.25
LOOK_SLOW_S: Final = 0.5
"""Where every byte goes over a network."""


class Ending(NamedTuple):
    """Why the screen closed."""

    how: str
    """`ended`, `detached`, `died` (the engine, without a farewell) or `signal`."""
    detail: str = ""


class Surface(NamedTuple):
    """How the screen shall look and what it runs on."""

    palette_name: str = "safe-dark"
    is_ascii: bool = False
    is_slow: bool = False
    """The terminal is far away: paint half as often."""
    is_owner: bool = False
    """The engine was started for this screen: quitting is about the session too."""
    is_alive: Callable[[], bool] = lambda: True
    """Whether the engine's process exists, as far as its owner knows."""
    at_start: Callable[["Workstation"], None] = lambda _: None
    """Called once the screen is up, on its loop."""
    why: Asked = nobody
    """Asks the journal why; called on a thread."""
    wall_ns: Callable[[], int] = time.time_ns
    monotonic_s: Callable[[], float] = time.monotonic

    @property
    def look_s(self) -> float:
        """Seconds between two looks at the session."""
        return LOOK_SLOW_S if self.is_slow else LOOK_S
