"""One seed, one world: instruments, agents, market, limits near what trading touches."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from laptop_agents.settings import Settings, load
from laptop_agents.sources import Flag
from tests.simulation.swarm import Swarm

EPOCH_NS: Final = 1_700_006_400 * 1_000_000_000
"""A funding boundary."""
MINUTE_NS: Final = 60_000_000_000
DAY_NS: Final = 24 * 60 * MINUTE_NS
CALM_S: Final = 75
"""The liveness phase: the last seconds of a session see no fault."""
CLIMATES: Final = (
    ("BTCUSDT",),
    ("SOLUSDT",),
    ("ETHUSDT", "SOLUSDT"),
    ("BTCUSDT", "ETHUSDT", "XRPUSDT"),
)
HOSTILE: Final = ("raiser", "liar", "racer", "giant")

# Each row: a setting and what it may be. Limits stand near what trading touches, or far from it.
CHOICES: Final[dict[str, tuple[object, ...]]] = {
    "session.policy": ("net", "priority"),
    "session.flatten_on_stop": ("true", "true", "true", "false"),
    "session.on_emergency": ("stop", "hold"),
    "session.debug": ("false", "false", "true"),
    "mock.events_per_s": (4, 6, 8),
    "mock.volatility": (0.3, 0.8, 1.5),
    "mock.depth_levels": (3, 10),
    "paper.submit_latency_ms": (0, 20, 100),
    "paper.ack_latency_ms": (0, 10, 100),
    "paper.cancel_latency_ms": (0, 20, 200),
    "paper.amend_latency_ms": (0, 20),
    "paper.fill_latency_ms": (0, 10, 100),
    "paper.maker_model": ("queue", "touch"),
    "paper.taker_model": ("book", "touch"),
    "risk.max_order_notional": (1_000, 2_500),
    "risk.max_position_notional": (1_500, 5_000),
    "risk.max_gross_notional": (2_000, 10_000),
    "risk.max_net_notional": (2_000, 10_000),
    "risk.max_open_orders": (3, 6, 20),
    "risk.max_open_orders_per_symbol": (2, 10),
    "risk.max_orders_per_minute": (12, 60, 240),
    "risk.max_amends_per_minute": (6, 60, 240),
    "risk.max_cancels_per_minute": (1, 3, 600),
    "risk.throttle_wait_ms": (0, 250, 2_000),
    "risk.max_slippage_bps": (5, 20),
    "risk.max_spread_bps": (8, 20),
    "risk.max_quote_age_ms": (500, 2_000),
    "risk.max_loss_pct": (0.2, 2, 2),
    "risk.max_session_drawdown_pct": (0.3, 3, 3),
    "risk.max_consecutive_losses": (3, 20, "none"),
    "risk.consecutive_losses_action": ("pause", "pause", "pause", "reduce_only", "halt"),
    "risk.max_loss_per_round_trip": (1, "none", "none"),
    "risk.max_trades": (200, "none", "none", "none", "none"),
    "risk.max_errors_per_minute": (3, 10, "none"),
    "risk.max_rejects_per_minute": (3, 20),
    "risk.cooldown_s": (2, 10),
    "risk.max_feed_lag_s": (2.5, 5),
    "risk.resume_backoff_s": (0, 1, 5),
    "risk.fan_out": ("instrument", "session"),
    "risk.flatten_on_journal_failure": ("true", "false"),
    "router.reprice_tolerance_ticks": (0, 2),
    "router.amend_threshold_bps": (0, 25),
    "journal.flush_ms": (20, 200, 2_000),
    "agents.gambler.act": (0.03, 0.1, 0.3),
    "agents.gambler.order_notional": (150, 400),
    "agents.quoter.half_spread_bps": (0.2, 2),
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """Everything a seed decides before the first event."""

    seed: int
    settings: Settings
    start_ns: int
    calm_ns: int
    batch: int
    """Events of the feed that arrive together."""
    without: frozenset[str]
    hostile: tuple[str, ...]

    def swarm(self) -> Swarm:
        """Return the faults, with fresh dice: every life of a session meets the same."""
        return Swarm(self.seed, self.calm_ns, self.without)


def make_world(seed: int, minutes: float, without: Collection[str] = ()) -> World:
    """Draw a world; kinds in `without` never strike in it, all else stays as it was."""
    rng = Random(f"{seed}:world")
    before_ns = rng.randrange(1, 20 * MINUTE_NS)
    start_ns = EPOCH_NS + DAY_NS * rng.randrange(300) - before_ns
    symbols = rng.choice(CLIMATES)
    agents = ["gambler", *(name for name in ("trend", "quoter") if rng.random() < 0.6)]
    hostile = [name for name in HOSTILE if rng.random() < 0.25 and f"agent.{name}" not in without]
    chosen = {name: rng.choice(values) for name, values in CHOICES.items()}
    after = {f"agents.{name}.after": rng.randrange(20, 600) for name in HOSTILE}
    batch = rng.choice((1, 4, 16, 64))
    rng.shuffle(agents)
    flags = chosen | {name: value for name, value in after.items() if name.split(".")[1] in hostile}
    flags |= {
        "source": "mock",
        "symbols": ",".join(symbols),
        "agents.enabled": ",".join((*agents, *hostile)),
        "agents.gambler.seed": seed,
        "session.seed": seed,
        "session.start_ns": start_ns,
        "session.run_id": f"seed-{seed}",
        "session.speed": "max",
        "session.duration_min": minutes,
    }
    is_meant = partial(_is_meant, agents=(*agents, *hostile))
    typed = [Flag("--set", name, str(value)) for name, value in flags.items() if is_meant(name)]
    settings = load(typed, {}, profiles=Path("/dev/null"), headless=True)
    calm_ns = start_ns + int(minutes * MINUTE_NS) - CALM_S * 1_000_000_000
    return World(seed, settings, start_ns, calm_ns, batch, frozenset(without), tuple(hostile))


def _is_meant(name: str, agents: Collection[str]) -> bool:
    parts = name.split(".")
    return parts[0] != "agents" or parts[1] == "enabled" or parts[1] in agents
