"""The danger menu: `ctrl+x` or `!`, then within five seconds one of four keys. All lower risk.

Rule 1: any other key disarms, so do enter, the mouse and time; nothing is sent then.
Rule 2: the menu opens over everything, dialogs and text fields too, and shows the mode.
"""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Click, Key
from textual.widgets import Static

from engine.model.events import Operator
from tui.dialogs.modal import Modal

ARMED_S: Final = 5.0
BEAT_S: Final = 0.25
BAR: Final = 20
GUARD_S: Final = 0.3
"""A dialog takes no key for so long: one may have been on its way to what was there before."""

CHOICES: Final = {
    # key: command, what it does
    "k": (Operator.KILL, "KILL: cancel all, close all, end in EMERGENCY"),
    "f": (Operator.FLATTEN, "FLATTEN ALL: cancel all, close every position, then pause"),
    "c": (Operator.CANCEL_ALL, "CANCEL ALL orders, those that protect too, then pause"),
    "r": (Operator.REDUCE_ONLY, "REDUCE-ONLY: positions shrink and never grow"),
}

Choices = Mapping[str, tuple[Operator, str]]


class DangerMenu(Modal[Operator | None]):
    """Armed for five seconds; returns the chosen command, or None."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        mode: str,
        clock: Callable[[], float] = time.monotonic,
        choices: Choices = MappingProxyType(CHOICES),
        *,
        is_guarded: bool = False,
    ) -> None:
        """Arm the menu.

        Args:
            choices: Key to command and what it does; each key differs from the one that arms.
            is_guarded: Whether keys are passed over for a moment: where one letter arms, the next
                may have been typed in the same breath.
        """
        super().__init__()
        self._mode = mode
        self._clock = clock
        self._choices = choices
        self._from_s = clock() + (GUARD_S if is_guarded else 0.0)
        self._until_s = clock() + ARMED_S

    def compose(self) -> ComposeResult:
        """Lay out the box."""
        yield Static(self._text(), id="box", markup=False)

    def on_mount(self) -> None:
        """Count down."""
        self.set_interval(BEAT_S, self.beat)

    def beat(self) -> None:
        """Show what is left of the time, and disarm at its end."""
        if self._clock() >= self._until_s:
            self.dismiss(None)
        else:
            self.query_one("#box", Static).update(self._text())

    def on_key(self, event: Key) -> None:
        """Take the second key: one of four, in time; any other disarms."""
        event.stop()
        event.prevent_default()
        if self._clock() < self._from_s:
            return
        chosen = self._choices.get(event.key)
        in_time = self._clock() < self._until_s
        self.dismiss(chosen[0] if chosen and in_time else None)

    def on_click(self, event: Click) -> None:
        """Disarm: the mouse alone sends nothing."""
        event.stop()
        self.dismiss(None)

    def _text(self) -> str:
        left = max(0.0, self._until_s - self._clock())
        full = round(BAR * left / ARMED_S)
        rows = [f" {key}  {what}" for key, (_, what) in self._choices.items()]
        head = f"DANGER  {self._mode}  armed {left:3.1f} s  {'#' * full}{'.' * (BAR - full)}"
        return "\n".join([head, "", *rows, "", "any other key disarms"])
