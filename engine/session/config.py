"""Settings `session`, `reference`, `journal`, `checkpoint`, `health`, `sentinel`, `runs`."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

_STRICT: dict[str, object] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """How long, how fast, with what money, and how it ends."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    duration_min: Annotated[float, Gt(0)] | None = None
    """Minutes until a planned end; event time for mock and file sources. None: until stopped."""
    starting_balance: Annotated[Decimal, Gt(0)] = Decimal(10_000)
    """Quote currency."""
    seed: Annotated[int, Ge(0)] = 1
    """Seeds the mock market, simulated latency and nothing else."""
    speed: Annotated[float, Gt(0)] | Literal["max"] = 1.0
    """Event seconds per wall second for mock, file and replay sources."""
    policy: Literal["net", "priority"] = "net"
    """How the supervisor settles opposite wishes of several agents."""
    flatten_on_stop: bool = True
    """Whether a planned end closes positions."""
    on_emergency: Literal["stop", "hold"] = "stop"
    """After an emergency is flat: end the session, or wait for a person."""
    on_screen_lost: Literal["continue", "stop"] = "continue"
    """When the screen that has the controls is gone without having left: trade on, or end the
    session gracefully once it has been gone for five seconds."""
    watch_only: bool = False
    """Whether screens may only watch; commands then come from the command line."""
    close_deadline_s: Annotated[float, Gt(0), Le(60)] = 5.0
    """Longest graceful close."""
    fallback_after_s: Annotated[float, Ge(0), Le(600)] = 5.0
    """How long a paper session tries to reach its venue before it goes on with `mock`, marked
    SIMULATED."""
    warm_up: bool = True
    """Whether a live source is asked for past bars of the lengths agents read, so that averages of
    them are warm at once."""
    run_id: str | None = None
    """Pins the run id (tests, byte-identical reruns); None derives one from time and entropy."""
    start_ns: Annotated[int, Ge(0)] | None = None
    """Pins the start of simulated time; None is the wall clock."""
    debug: bool = False
    """Assert the books' identity at every event instead of at every timer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceConfig:
    """A second market, which ours is held against: see `risk.max_basis_deviation_bps`."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    source: Literal["bitunix", "binance", "hyperliquid"] | None = None
    """Another live venue than the session's; nothing is traded there. None watches none."""
    symbols: tuple[str, ...] = ()
    """`OURS=THEIRS` where theirs is not the perpetual of the same coin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalConfig:
    """How much of a session is written down, and how fast it reaches the disk."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    detail: Literal["inputs", "decisions", "orders"] = "inputs"
    """`inputs` writes everything, so that the journal alone replays; `decisions` leaves out market
    data, answers and timers; `orders` keeps orders, fills, positions and states only."""
    flush_ms: Annotated[int, Gt(0)] = 50
    """Longest time a line waits in memory."""
    sync: Literal["live", "batched"] = "batched"
    """`live`: no order leaves before its line is on the disk; `batched`: every `sync_ms`, which a
    crash of the program survives and a power cut may shorten."""
    sync_ms: Annotated[int, Gt(0)] = 1_000
    """Longest time between two syncs."""
    commit_wait_ms: Annotated[int, Gt(0), Le(200)] = 100
    """Longest time an order waits for its line, on the wall clock. Then it is refused, and no new
    risk is taken (DISK_SLOW) until the disk keeps up. Shorter than the grace for a kill file."""
    segment_mb: Annotated[int, Gt(0), Le(4_096)] = 256
    """Size from which `events.jsonl` is closed, packed as a segment, and a new one begun."""
    reserve_mb: Annotated[float, Ge(0)] = 100.0
    """Free space below which no new risk is taken: the session is DEGRADED until there is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointConfig:
    """How often the whole state is kept, so that a resume has less to rerun."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    every_s: Annotated[float, Ge(1)] = 10.0
    """Wall seconds between two checkpoints; they are caches, and cost nothing but a file."""
    encryption: Literal["none", "keyring", "file"] = "none"
    """Whose key encrypts checkpoints: the system keyring's, or a passphrase's; none leaves them
    readable for the user alone, as the journal is."""
    key_file: str = ""
    """File of mode 0600 that holds a passphrase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthConfig:
    """Limits of the process itself; passing one raises an alert, falling back clears it."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    max_rss_mb: Annotated[float, Gt(0)] = 500.0
    """Resident memory."""
    max_cpu_pct: Annotated[float, Gt(0)] = 95.0
    """Share of one core, averaged over the heartbeat interval."""
    min_disk_mb: Annotated[float, Ge(0)] = 200.0
    """Free space where the run folder lives."""
    max_loop_lag_ms: Annotated[float, Gt(0)] = 100.0
    """How late the loop woke the heartbeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelConfig:
    """The process that stops an engine which can't stop itself; none at `session.speed=max`."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    enabled: bool = True
    """Whether a session on the wall clock is guarded."""
    grace_s: Annotated[float, Gt(0), Le(0.6)] = 0.25
    """How long the engine may take to obey a kill file before it is killed; the promise is 1 s."""
    deaf_after_s: Annotated[float, Gt(0), Le(3_600)] = 5.0
    """Silence of the engine's decision loop after which it is killed, its orders canceled and its
    positions closed."""
    on_crash: Literal["keep", "cancel"] = "keep"
    """When the engine dies without a kill: `keep` orders for the resume, since a simulated venue
    stands still with its engine, or `cancel` those that add risk at once."""
    ready_s: Annotated[float, Gt(0), Le(60)] = 10.0
    """How long it may take to start; without it no session does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsConfig:
    """Which runs are kept; only `runs clean` deletes any, and only when told to."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    keep_days: Annotated[float, Ge(0)] | None = None
    """Runs that ended longer ago may go. None: `runs clean` must be told."""
    keep_count: Annotated[int, Ge(0)] = 0
    """The newest runs stay at any age."""
