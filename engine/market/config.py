"""Settings `market.*`: what counts as believable data, and which bars to build."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketConfig:
    """Thresholds of the quality filter (reliability.md E1-E3) and the bar windows."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    max_jump_bps: Annotated[float, Gt(0)] = 200.0
    """A price further than this from the last good one is out of band."""
    jump_confirmations: Annotated[int, Gt(0)] = 5
    """Consecutive agreeing out-of-band messages after which the new level is believed."""
    max_event_lag_ms: Annotated[int, Gt(0)] = 5_000
    """Venue-to-engine delay above the session's smallest, past which a message is stale."""
    allow_locked: bool = False
    """Whether bid == ask is a market or a flaw."""
    bar_window: Annotated[int, Gt(0)] = 200
    """Closed bars kept per interval."""
    book_levels: Annotated[int, Ge(1)] = 1_000
    """Levels kept per side; deeper ones are forgotten."""
