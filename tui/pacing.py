"""How often each pane is painted: by what it shows, how far the terminal is, how fast it takes.

Rule 1: what moves with every quote is painted a few times a second, what a person reads slowly
        once; what is new and grave, and what answers a key, at the next tick.
Rule 2: a terminal that is still taking the frame before gets none, and half as many from then on;
        each `RECOVER_S` without trouble doubles them again.

Source: tui-expectations section 10; its figures are the defaults here.
"""

from typing import Final, NamedTuple

TICK_S: Final = 0.1
"""Between two looks at the session; a frame that is not handed over by the next one is late."""
RECOVER_S: Final = 5.0
HALVE_S: Final = 1.0
"""A terminal that stays behind is given half as much again only after so long."""
FRAMES_PENDING: Final = 2
SLOWDOWN_MAX: Final = 8
LOW: Final = "low"


class Rate(NamedTuple):
    """Paints a second, near and over a network."""

    near_hz: float
    far_hz: float
    is_fast: bool = False
    """Follows quotes: `tui.fps` sets it."""


FAST: Final = Rate(4, 2, is_fast=True)
RATES: Final[dict[str, Rate]] = {
    "tape": Rate(4, 1),
    "log": Rate(4, 1),
    "orders": Rate(2, 1),
    "fills": Rate(2, 1),
    "positions": Rate(2, 1),
    "roundtrips": Rate(2, 1),
    "agents": Rate(2, 1),
    "equity": Rate(1, 0.5),
    "chart": Rate(1, 0.5),
    "risk": Rate(1, 1),
    "health": Rate(1, 1),
    "router": Rate(1, 1),
    "fsm": Rate(1, 1),
}
"""By the id of a pane; the others, quotes and book and the lines around, are `FAST`."""


class Pace:
    """Which panes are due."""

    def __init__(self, fps: int | str = "auto", *, is_far: bool = False) -> None:
        self.fps = fps
        self._is_remote = is_far
        self._painted_s: dict[str, float] = {}
        self._slowdown = 1
        self._changed_s = self._halved_s = 0.0
        self._pending_s: float | None = None

    @property
    def is_far(self) -> bool:
        """Whether every byte counts: the terminal is far away, or a person said so."""
        return self.fps == LOW or (self.fps == "auto" and self._is_remote)

    @property
    def hz(self) -> float:
        """Paints a second of what moves fastest, as things stand."""
        return self._hz(FAST) / self._slowdown

    def _hz(self, rate: Rate) -> float:
        if self.is_far:
            return rate.far_hz
        if rate.is_fast and isinstance(self.fps, int):
            return self.fps
        return rate.near_hz

    def is_due(self, pane: str, now_s: float) -> bool:
        """Say whether a pane is to be painted now, and take it that it is."""
        hz = self._hz(RATES.get(pane, FAST)) / self._slowdown
        painted_s = self._painted_s.get(pane)
        if painted_s is not None and 0 <= now_s - painted_s < 1 / hz - TICK_S / 2:
            return False
        self._painted_s[pane] = now_s
        return True

    def note(self, pending: int, now_s: float) -> bool:
        """Take the frames the terminal has not taken yet, and say whether it may get another."""
        if not pending:
            self._pending_s = None
            if self._slowdown > 1 and now_s - self._changed_s >= RECOVER_S:
                self._slowdown //= 2
                self._changed_s = now_s
            return True
        if self._pending_s is None:
            self._pending_s = now_s
        is_late = pending >= FRAMES_PENDING or now_s - self._pending_s > TICK_S / 2
        if is_late and (self._slowdown == 1 or now_s - self._halved_s >= HALVE_S):
            self._slowdown = min(self._slowdown * 2, SLOWDOWN_MAX)
            self._halved_s = now_s
        if is_late:
            self._changed_s = now_s
        return False


GAP_S: Final = 5.0
"""How far the wall clock runs ahead of the monotonic one before we call it sleep."""


class Wakefulness:
    """Notices that the machine slept: its wall clock went on and its monotonic one did not."""

    def __init__(self) -> None:
        self._ahead_s: float | None = None

    def slept_s(self, wall_s: float, monotonic_s: float) -> float:
        """Return how long it slept since the last look; 0 for anything shorter than a nap."""
        ahead_s = wall_s - monotonic_s
        before_s, self._ahead_s = self._ahead_s, ahead_s
        gap_s = 0.0 if before_s is None else ahead_s - before_s
        return gap_s if gap_s > GAP_S else 0.0
