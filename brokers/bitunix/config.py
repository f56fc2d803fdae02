"""Settings `bitunix.*`: where the venue is, and what its documents leave open.

What sources disagree on is a switch here, set to what clients that were written against the live
venue do (sheet sections 3, 4 and 7).
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le


@dataclass(frozen=True, slots=True, kw_only=True)
class BitunixConfig:
    """USDT perpetuals; the sandbox has other addresses, a testnet does not exist."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    rest_url: str = "https://fapi.bitunix.com"
    """Instruments and funding rates; orders and account."""
    public_url: str = "wss://fapi.bitunix.com/public/"
    """Market data; the slash at the end belongs to it."""
    private_url: str = "wss://fapi.bitunix.com/private/"
    """What happens to the account."""
    ping_s: Annotated[float, Gt(0), Le(20)] = 5.0
    """Between our pings, which are messages of the venue's own kind."""
    first_push_s: Annotated[float, Gt(0), Le(60)] = 10.0
    """A subscription is never confirmed: a channel that brings nothing for so long was refused."""
    silent_after_s: Annotated[float, Gt(0), Le(600)] = 10.0
    """A market line without a market message for so long is given up."""
    answer_s: Annotated[float, Gt(0), Le(60)] = 5.0
    """Seconds an answer may take; after that nobody knows what became of the request."""
    rules_every_s: Annotated[float, Ge(0), Le(86_400)] = 300.0
    """Between two looks at what the venue lists, for rules that change; 0 never looks again."""
    ca_file: str = ""
    """Certificate that vouches for a sandbox on this machine; elsewhere the machine's own count."""
    open_timeout_s: Annotated[float, Gt(0), Le(60)] = 10.0
    """Seconds a line may take to open, and the venue to greet on it."""
    reconnects_per_hour: Annotated[int, Gt(0), Le(3_600)] = 120
    """Times an hour a line may be opened again before it counts as flapping."""
    funding_poll_s: Annotated[float, Gt(0), Le(3_600)] = 60.0
    """Between two questions for the coming funding rate; the stream tells only the last one."""
    funding_in_percent: bool = True
    """Funding rates are percentage points: 0.01 means 0.01 %. Off: fractions."""
    price_channel: Literal["price", "market_price"] = "price"
    """Name of the channel of mark prices."""
    login_unit: Literal["auto", "s", "ms"] = "auto"
    """Unit of the time that signs a private line; auto takes seconds first, then milliseconds."""
