"""Settings `hyperliquid.*`: where the venue is, and how we deal with it.

Two routes, `/info` and `/exchange`, and one websocket for everything; no log-in anywhere.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Final

from annotated_types import Ge, Gt, Le

MAINNET_URL: Final = "https://api.hyperliquid.xyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperliquidConfig:
    """Perpetuals of the first exchange; the sandbox and the testnet have other addresses."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    rest_url: str = MAINNET_URL
    """Questions and orders. Anything but the default is signed for the testnet."""
    ws_url: str = "wss://api.hyperliquid.xyz/ws"
    """All streams."""
    ping_s: Annotated[float, Gt(0), Le(50)] = 20.0
    """Between our pings; the venue leaves a line on which it has said nothing for 60 s."""
    silent_after_s: Annotated[float, Gt(0), Le(600)] = 30.0
    """A line without a frame for so long is given up; more than `ping_s`."""
    rules_every_s: Annotated[float, Ge(0), Le(86_400)] = 300.0
    """Between two looks at what the venue lists, for rules that change; 0 never looks again."""
    ca_file: str = ""
    """Certificate that vouches for a sandbox on this machine; elsewhere the machine's own count."""
    open_timeout_s: Annotated[float, Gt(0), Le(60)] = 10.0
    """Seconds a line may take to open."""
    answer_s: Annotated[float, Gt(0), Le(60)] = 5.0
    """Seconds an answer may take; then nobody knows what became of the request."""
    reconnects_per_hour: Annotated[int, Gt(0), Le(3_600)] = 120
    """Times an hour a line may be opened again before it is given up."""
    slippage_bps: Annotated[Decimal, Gt(0), Le(1_000)] = Decimal(100)
    """How far from the touch a market order may fill; the venue knows limits only."""
    expires_after_s: Annotated[float, Ge(0), Le(600)] = 5.0
    """A request that reaches the venue later has no effect, by its clock; 0 asks for no limit."""
    amends: bool = False
    """Change orders in place. Off: cancel and place again, for nobody has written down what an
    amendment of an order means that fills meanwhile."""
    vault: str = ""
    """Address of the vault or sub-account to trade for; empty for the master's own."""

    @property
    def is_mainnet(self) -> bool:
        """What signatures are made for; by the address alone, as the venue's library does it."""
        return self.rest_url.rstrip("/") == MAINNET_URL
