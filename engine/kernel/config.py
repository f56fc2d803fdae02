"""What a kernel is made from, besides instruments, agents and the venue's abilities."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from engine.execution.config import SyncConfig
from engine.execution.router import RouterConfig
from engine.market.config import MarketConfig
from engine.risk.lifecycle import LifecyclePolicy
from engine.risk.limits import RiskLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelConfig:
    """Limits, thresholds and policies of one session."""

    limits: RiskLimits = field(default_factory=RiskLimits)
    market: MarketConfig = field(default_factory=MarketConfig)
    router: RouterConfig = field(default_factory=RouterConfig)
    sync: SyncConfig = field(default_factory=SyncConfig)
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


def lifecycle_policy(config: KernelConfig, symbols: Iterable[str]) -> LifecyclePolicy:
    """Return what the lifecycle needs to know of the config."""
    limits = config.limits
    return LifecyclePolicy(
        symbols=tuple(symbols),
        fan_out=limits.fan_out,
        resume_backoff_ns=round(limits.resume_backoff_s * 1e9),
        flatten_on_journal_failure=limits.flatten_on_journal_failure,
        flatten_on_stop=config.flatten_on_stop,
        on_emergency="hold" if config.holds_emergency else "stop",
    )
