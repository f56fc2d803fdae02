"""Settings `binance.*`: where the venue is, and how its lines are kept.

Since April 2026 streams are routed: the touch and the depth on one path, prints and mark prices on
another; what asks on the wrong one hears nothing and gets no error.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt, Le


@dataclass(frozen=True, slots=True, kw_only=True)
class BinanceConfig:
    """Public market data of USD-M futures; the sandbox and the demo have other addresses."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    rest_url: str = "https://fapi.binance.com"
    """Instruments, depth snapshots and the venue's clock."""
    public_url: str = "wss://fstream.binance.com/public"
    """Touch and depth."""
    market_url: str = "wss://fstream.binance.com/market"
    """Prints and mark prices."""
    depth_ms: Annotated[int, Gt(0), Le(500)] = 100
    """Between two depth updates: 100, 250 or 500."""
    silent_after_s: Annotated[float, Gt(0), Le(600)] = 10.0
    """A line without a frame for so long is given up."""
    open_timeout_s: Annotated[float, Gt(0), Le(60)] = 10.0
    """Seconds a line may take to open."""
    reconnects_per_hour: Annotated[int, Gt(0), Le(3_600)] = 120
    """Times an hour the lines may be opened again before the feed gives up."""
