"""One seed at one venue: instruments, agents, limits, and how far away the venue is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from laptop_agents.sandbox_venues import VENUES
from laptop_agents.settings import Settings, load
from laptop_agents.sources import Flag
from tests.live_simulation.kinds import KINDS
from tests.simulation.swarm import Swarm

EPOCH_NS: Final = 1_790_006_400 * 1_000_000_000
"""A funding boundary at every venue."""
SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
CALM_S: Final = 75
"""The last seconds of a session see no fault begin."""
FADE_S: Final = 20
"""How long the last one may take to pass, and lines to come back."""
CLIMATES: Final = {
    "binance": (("BTCUSDT",), ("SOLUSDT",), ("ETHUSDT", "SOLUSDT")),
    "bitunix": (("BTCUSDT",), ("SOLUSDT",), ("ETHUSDT", "SOLUSDT")),
    "hyperliquid": (("BTC",), ("SOL",), ("ETH", "SOL")),
}

# Each row: a setting and what it may be.
CHOICES: Final[dict[str, tuple[object, ...]]] = {
    "session.policy": ("net", "priority"),
    "session.flatten_on_stop": ("true", "true", "true", "false"),
    "session.on_emergency": ("stop", "hold"),
    "session.debug": ("false", "true"),
    "live.dead_man_s": (0, 20, 60),
    "risk.max_order_notional": (1_000, 2_500),
    "risk.max_position_notional": (1_500, 5_000),
    "risk.max_open_orders": (3, 6, 20),
    "risk.max_open_orders_per_symbol": (2, 10),
    "risk.max_orders_per_minute": (12, 60, 240),
    "risk.max_amends_per_minute": (6, 60, 240),
    "risk.throttle_wait_ms": (0, 250, 2_000),
    "risk.max_slippage_bps": (5, 20),
    "risk.max_loss_pct": (2,),
    "risk.max_session_drawdown_pct": (3,),
    "risk.max_consecutive_losses": (20, "none"),
    "risk.cooldown_s": (2, 10),
    "risk.resume_backoff_s": (0, 1, 5),
    "risk.fan_out": ("instrument", "session"),
    "router.reprice_tolerance_ticks": (0, 2),
    "router.amend_threshold_bps": (0, 25),
    "agents.gambler.act": (0.03, 0.1, 0.3),
    "agents.gambler.order_notional": (150, 400),
    "agents.quoter.half_spread_bps": (0.2, 2),
    "hyperliquid.amends": ("false", "true"),
    "bitunix.login_unit": ("auto",),
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """Everything a seed decides before the first event."""

    venue: str
    seed: int
    minutes: float
    symbols: tuple[str, ...]
    flags: tuple[tuple[str, object], ...]
    start_ns: int
    calm_ns: int
    without: frozenset[str]
    latency_s: float
    """Mean of one way to the venue."""
    disk_s: float
    """Mean of one sync."""
    events_per_s: float
    pays_in_bnb: bool
    """Whether the account pays its fees from another wallet than the one it trades with."""

    def swarm(self) -> Swarm:
        """Return the faults, with fresh dice."""
        return Swarm(self.seed, self.calm_ns, self.without, KINDS)

    def settings(self, at: str) -> Settings:
        """Return the settings of a session at a sandbox that listens there."""
        places = (
            setting.format(at=at, s="").split("=", 1) for setting in VENUES[self.venue].settings
        )
        flags = (*self.flags, *((f"{self.venue}.{name}", place) for name, place in places))
        typed = [Flag("--set", name, str(value)) for name, value in flags]
        return load(typed, {}, profiles=Path("/dev/null"), headless=True)


def make_world(venue: str, seed: int, minutes: float, without: Collection[str] = ()) -> World:
    """Draw a world; kinds in `without` never strike in it, all else stays as it was."""
    rng = Random(f"{seed}:{venue}")
    start_ns = EPOCH_NS - rng.randrange(1, round(minutes * MINUTE_NS))
    symbols = rng.choice(CLIMATES[venue])
    agents = ["gambler", *(name for name in ("trend", "quoter") if rng.random() < 0.6)]
    rng.shuffle(agents)
    chosen = {name: rng.choice(values) for name, values in CHOICES.items()}
    is_meant = partial(_is_meant, agents=agents, venue=venue)
    flags = {name: value for name, value in chosen.items() if is_meant(name)} | {
        "mode": "live",
        "source": venue,
        "symbols": ",".join(symbols),
        "agents.enabled": ",".join(agents),
        "agents.gambler.seed": seed,
        "session.run_id": f"20260921T120000Z-{_letters(seed)}",
        "session.duration_min": minutes,
        "live.unknown_withdraw": "true",
    }
    return World(
        venue, seed, minutes, symbols, tuple(flags.items()), start_ns,
        calm_ns=start_ns + round(minutes * MINUTE_NS) - CALM_S * SECOND_NS,
        without=frozenset(without),
        latency_s=rng.choice((0.001, 0.02, 0.1)),
        disk_s=rng.choice((0.0005, 0.003, 0.02)),
        events_per_s=rng.choice((10.0, 30.0)),
        pays_in_bnb=venue == "binance" and rng.random() < 0.5,
    )  # fmt: skip


def _is_meant(name: str, agents: Sequence[str], venue: str) -> bool:
    room, part = name.split(".")[:2]
    if room in VENUES:
        return room == venue
    return room != "agents" or part in agents


def _letters(seed: int) -> str:
    return "".join(chr(ord("a") + seed // 26**place % 26) for place in range(4))
