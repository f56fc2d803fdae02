"""What a view shows that neither the kernel nor the record of the session knows."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

from engine.venue import Margin


def _nothing(_: str) -> None:
    return None


class Gauges(NamedTuple):
    """Readings of the parts around the session; each answers None where nobody knows."""

    agent_cost_us: Callable[[str], float | None] = _nothing
    """Agent to the p99 of what its answers take, microseconds."""
    queue_ahead: Callable[[str], Decimal | None] = _nothing
    """Order to the quantity that trades before it at its price, as the venue has it."""
    margin: Callable[[str], Margin | None] = _nothing
    """Symbol to what its position ties up, as the venue has it."""
    checkpoint_age_s: Callable[[], float | None] = lambda: None
    """Since the newest whole checkpoint."""


UNMEASURED: Final = Gauges()
"""Nobody reads anything."""
