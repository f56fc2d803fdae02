"""Settings `live.*` and `shadow.*`: what holds at any real venue."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le

from engine.model.account import MarginMode


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConfig:
    """When a live session may begin, and what keeps its account safe meanwhile."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    arm_ttl_s: Annotated[int, Gt(0), Le(604_800)] = 43_200
    """Seconds after which an armed session takes no new risk."""
    dead_man_s: Annotated[float, Ge(0), Le(3_600)] = 60.0
    """The venue cancels every order if the session is silent for so long; 0 asks for none."""
    clock_off_max_ms: Annotated[int, Gt(0), Le(60_000)] = 1_000
    """Largest difference between this machine's clock and the venue's."""
    unknown_withdraw: bool = False
    """Whether a key may trade of which the venue does not say whether it can withdraw."""
    leverage: Annotated[int, Ge(1), Le(1_000)] | None = None
    """Leverage that the venue is told for each instrument; null leaves what it has."""
    margin_mode: MarginMode | None = None
    """Margin mode that the venue is told for each instrument; null leaves what it has."""
    margin_every_s: Annotated[float, Ge(1), Le(86_400)] | None = 60.0
    """Seconds until the venue is asked again whether another hand changed either, six for each
    instrument at least; null asks only after an order was refused for want of margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowConfig:
    """How a shadow session looks at the real account."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    look_every_s: Annotated[float, Ge(1), Le(3_600)] = 15.0
    """Seconds from one look at the account to the next; each counts against the venue's limits."""
