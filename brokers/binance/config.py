"""Settings `binance.*`: where the venue is, and how its lines are kept.

Since April 2026 streams are routed: the touch and the depth on one path, prints and mark prices on
another; what asks on the wrong one hears nothing and gets no error.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le


@dataclass(frozen=True, slots=True, kw_only=True)
class BinanceConfig:
    """USD-M futures; the sandbox and the demo have other addresses."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    rest_url: str = "https://fapi.binance.com"
    """Instruments, depth snapshots and the venue's clock."""
    public_url: str = "wss://fstream.binance.com/public"
    """Touch and depth."""
    market_url: str = "wss://fstream.binance.com/market"
    """Prints and mark prices."""
    private_url: str = "wss://fstream.binance.com/private"
    """The account's own stream."""
    spot_url: str = "https://api.binance.com"
    """Where a key's permissions are told; empty where nobody does: then withdrawing is unknown."""
    recv_window_ms: Annotated[int, Ge(100), Le(60_000)] = 5_000
    """How old a signed request may be when it arrives."""
    answer_s: Annotated[float, Gt(0), Le(60)] = 5.0
    """Seconds a request may take; then nobody knows what came of it."""
    keep_alive_s: Annotated[float, Gt(0), Le(3_000)] = 1_800.0
    """Between two renewals of the account stream's key, which lives an hour."""
    retries_overload: bool = False
    """Whether an order that was refused for overload is sent once more. The venue's page says that
    it was not executed, which nobody has seen: by default such an order is asked after first."""
    depth_ms: Annotated[int, Gt(0), Le(500)] = 100
    """Between two depth updates: 100, 250 or 500."""
    silent_after_s: Annotated[float, Gt(0), Le(600)] = 10.0
    """A line without a frame for so long is given up."""
    ping_s: Annotated[float, Gt(0), Le(60)] = 20.0
    """Between our pings; a line that leaves one unanswered for as long is given up."""
    rules_every_s: Annotated[float, Ge(0), Le(86_400)] = 300.0
    """Between two looks at what the venue lists, for rules that change; 0 never looks again."""
    ca_file: str = ""
    """Certificate that vouches for a sandbox on this machine; elsewhere the machine's own count."""
    open_timeout_s: Annotated[float, Gt(0), Le(60)] = 10.0
    """Seconds a line may take to open."""
    reconnects_per_hour: Annotated[int, Gt(0), Le(3_600)] = 120
    """Times an hour the lines may be opened again before the feed gives up."""
