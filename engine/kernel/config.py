"""What a kernel is made from, besides instruments, agents and the venue's abilities."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from engine.execution.router import RouterConfig
from engine.market.config import MarketConfig
from engine.risk.limits import RiskLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelConfig:
    """Limits, thresholds and policies of one session."""

    limits: RiskLimits = field(default_factory=RiskLimits)
    market: MarketConfig = field(default_factory=MarketConfig)
    router: RouterConfig = field(default_factory=RouterConfig)
    starting_balance: Decimal = Decimal(10_000)
    policy: str = "net"
    """How the supervisor settles conflicts."""
    priorities: Mapping[str, int] = field(default_factory=dict)
    """Agent to priority, larger wins."""
    flatten_on_stop: bool = True
    holds_emergency: bool = False
    """Whether an emergency waits for a person instead of ending the session."""
    asserts_identity: bool = False
    """Check the books at every step instead of at every timer."""
