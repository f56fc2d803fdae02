"""What a ticket and its confirmation need of the screen they stand on."""

from collections.abc import Callable
from typing import NamedTuple

from engine.model.events import Operator
from tui.link import Source
from tui.theme import Palette


class Deal(NamedTuple):
    """The session, the clock, the colors, and the one way to send."""

    source: Source
    clock: Callable[[], float]
    """Monotonic seconds."""
    palette: Palette
    send: Callable[[Operator, str], None]
    is_confirmed: bool = True
    """Whether an order asks once more before it is sent."""
