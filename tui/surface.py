"""What a screen runs on, and why it closed: what its caller and the app tell each other."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tui.config import TuiConfig
from tui.story import Asked, nobody

if TYPE_CHECKING:
    from tui.app import Workstation


class Ending(NamedTuple):
    """Why the screen closed."""

    how: str
    """`ended`, `detached`, `died` (the engine, without a farewell) or `signal`."""
    detail: str = ""


class SettingLine(NamedTuple):
    """One setting of the run as the overlay of settings shows it."""

    name: str
    value: str
    origin: str
    meaning: str = ""
    """What it is, its unit first."""
    range: str = ""
    """What may stand there."""


class Surface(NamedTuple):
    """How the screen shall look and what it runs on."""

    palette_name: str = "safe-dark"
    is_ascii: bool = False
    is_far: bool = False
    """The terminal is at the other end of a network: paint half as often."""
    config: TuiConfig = TuiConfig()
    """The settings of whoever looks."""
    is_palette_asked: bool = False
    """Somebody named the palette; otherwise the one of last time is worn."""
    memory: Path | None = None
    """Where the arrangement is kept; None keeps none."""
    clipboard: Path | None = None
    """Where copies are appended too."""
    settings: Callable[[], Sequence[SettingLine]] = tuple
    """Reads the run's settings, when somebody opens them."""
    keep_bug: Callable[[Exception], str] = lambda _: ""
    """Writes the trace of a bug down once and says where."""
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
