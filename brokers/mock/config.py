"""Settings `mock.*`: the invented market."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt, Le


@dataclass(frozen=True, slots=True, kw_only=True)
class MockConfig:
    """Rates and volatility of the generator; start prices stand in `brokers.mock.universe`."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    events_per_s: Annotated[float, Gt(0), Le(20_000)] = 20.0
    """Mean market messages per second and symbol, all kinds together, in the calm regime."""
    volatility: Annotated[float, Gt(0)] = 0.6
    """Annualised volatility of the calm regime, fraction."""
    depth_levels: Annotated[int, Gt(0), Le(100)] = 10
    """Levels a side in depth snapshots."""
    faults: tuple[str, ...] = ()
    """Names of injected faults, see `brokers.mock.faults`."""
