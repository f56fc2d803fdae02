"""The one settings model, and how four homes become one value of it.

Precedence, strongest first: command line, environment `LAPTOP_AGENTS_A__B`, profile file, built-in
default. A section is the dataclass of the room that uses it and is defined there, once. Adding a
field there is all it takes: `--set`, the environment, profiles, the schema and `profiles show`
follow.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    SkipValidation,
    TypeAdapter,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from brokers.binance.config import BinanceConfig
from brokers.bitunix.config import BitunixConfig
from brokers.file.config import FileConfig
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.link.config import LiveConfig, ShadowConfig
from brokers.mock.config import MockConfig
from brokers.paper.config import PaperConfig
from engine.execution.config import SyncConfig
from engine.execution.router import RouterConfig
from engine.market.config import MarketConfig
from engine.model.errors import SettingsRefused
from engine.risk.limits import RiskLimits
from engine.session.config import (
    CheckpointConfig,
    HealthConfig,
    JournalConfig,
    ReferenceConfig,
    RunsConfig,
    SentinelConfig,
    SessionConfig,
)
from laptop_agents.agent_shelf import find_agent, shelf
from laptop_agents.catalogue import Catalogue, closest, is_table, shown
from laptop_agents.provenance import Given, Layer, Setting, merged, origin, strongest
from laptop_agents.refusals import OURS, refusals
from laptop_agents.sources import (
    Flag,
    from_environment,
    from_flags,
    from_profile,
    unknown_agent,
)
from laptop_agents.venues import TRADED
from tui.config import TuiConfig

DEFAULT_PROFILE = "default"
DEFAULT_SOURCE = "bitunix"
"""A session that can't reach it falls back: see `laptop_agents.reaching`."""
HEADLESS_DURATION_MIN = 10.0
FIRST_SYMBOL = "BTCUSDT"
FIRST_COIN = "BTC"
"""Hyperliquid lists coins."""
SYMBOLS_MAX = 256
"""Instruments of one session; each costs a book and its features."""
SYMBOL = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,64}", re.ASCII)
LIVE_SOURCES = ("bitunix", "binance", "hyperliquid")
_OFFERED = ", ".join((*LIVE_SOURCES, "mock"))
SIGNING = ("live", "dry-run", "shadow")
"""Modes with an account at a venue."""


def _source(source: str) -> str:
    kind, _, paths = source.partition(":")
    if source in ("mock", *LIVE_SOURCES) or (
        kind == "file" and all(p.strip() for p in paths.split(","))
    ):
        return source
    raise PydanticCustomError(OURS, f"must be {_OFFERED} or file:PATH[,PATH...]")


def _symbols(symbols: tuple[str, ...]) -> tuple[str, ...]:
    if not 0 < len(symbols) <= SYMBOLS_MAX:
        raise PydanticCustomError(OURS, f"must name 1 to {SYMBOLS_MAX} symbols")
    if not all(SYMBOL.fullmatch(symbol) for symbol in symbols):
        raise PydanticCustomError(
            OURS, "a symbol is 1 to 64 letters, digits, '.', '_' or '-', and starts with no dot"
        )
    return _once(symbols)


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise PydanticCustomError(OURS, "must name at least one")
    if len(set(names)) != len(names):
        raise PydanticCustomError(OURS, "names something twice")
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsConfig:
    """Which strategies run, and how each is tuned."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    enabled: Annotated[tuple[str, ...], AfterValidator(_once)] = ("trend", "quoter")
    """Names in order of priority."""
    params: SkipValidation[Mapping[str, Any]] = dataclasses.field(
        default_factory=lambda: MappingProxyType({})
    )
    """Validated `Params` of every enabled agent, by name."""


class Settings(BaseSettings):
    """Everything a session was told, resolved; immutable."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        validate_default=False,
    )

    mode: Literal["paper", "dry-run", "shadow", "live"] = "paper"
    """How real the orders are: `paper` simulates all of them, `dry-run` also signs what it would
    send, `shadow` looks at a real account beside them, `live` sends them to the source."""
    source: Annotated[str, AfterValidator(_source)] = DEFAULT_SOURCE
    """Market data: `bitunix`, `binance` or `hyperliquid` live, `mock`, or `file:PATH[,PATH...]`."""
    symbols: Annotated[tuple[str, ...], AfterValidator(_symbols)] = ()
    """Instruments; coins on Hyperliquid. Left out: BTCUSDT or BTC, and everything a file holds."""
    profile: str = DEFAULT_PROFILE
    """The profile whose values these are."""

    agents: AgentsConfig = Field(default_factory=AgentsConfig)
    session: SessionConfig = SessionConfig()
    reference: ReferenceConfig = ReferenceConfig()
    risk: RiskLimits = RiskLimits()
    router: RouterConfig = RouterConfig()
    sync: SyncConfig = SyncConfig()
    market: MarketConfig = MarketConfig()
    paper: PaperConfig = PaperConfig()
    mock: MockConfig = MockConfig()
    file: FileConfig = FileConfig()
    bitunix: BitunixConfig = BitunixConfig()
    binance: BinanceConfig = BinanceConfig()
    hyperliquid: HyperliquidConfig = HyperliquidConfig()
    live: LiveConfig = LiveConfig()
    shadow: ShadowConfig = ShadowConfig()
    journal: JournalConfig = JournalConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    health: HealthConfig = HealthConfig()
    sentinel: SentinelConfig = SentinelConfig()
    runs: RunsConfig = RunsConfig()
    tui: TuiConfig = TuiConfig()

    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)

    def flat(self) -> dict[str, Setting]:
        """Return every setting by dotted name with its value and where that came from."""
        return {name: Setting(v, self._origins.get(name, "default")) for name, v in self._values()}

    def _values(self) -> Iterator[tuple[str, object]]:
        for name in Settings.model_fields:
            value = getattr(self, name)
            if isinstance(value, AgentsConfig):
                yield "agents.enabled", value.enabled
                for agent, params in value.params.items():
                    yield from _leaves(f"agents.{agent}", params)
            elif dataclasses.is_dataclass(value):
                yield from _leaves(name, value)
            else:
                yield name, value


class LayerSource(PydanticBaseSettingsSource):
    """A layer of ours as a source of pydantic-settings, which merges them by precedence."""

    def __init__(self, layer: Layer) -> None:
        super().__init__(Settings)
        self.tree = layer.nested()
        agents = self.tree.get("agents", {})
        # Parameters of agents are validated apart, by the types their agents declare.
        self.tree["agents"] = {key: agents[key] for key in ("enabled",) if key in agents}

    def get_field_value(
        self,
        field: FieldInfo,  # noqa: ARG002 - the interface of a source
        field_name: str,
    ) -> tuple[Any, str, bool]:
        """Return one top-level value; our own `__call__` has no use for it."""
        return self.tree.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return everything this layer has."""
        return self.tree


def sections() -> dict[str, type]:
    """Return prefix to dataclass of every section but the agents' parameters."""
    kinds = {name: field.annotation for name, field in Settings.model_fields.items()}
    return {
        name: kind
        for name, kind in kinds.items()
        if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind is not AgentsConfig
    }


def catalogue() -> Catalogue:
    """Return all settings there are, those of every installed agent included."""
    inside = sections()
    alone = {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if name not in inside and name != "agents"
    }
    alone["agents.enabled"] = tuple[str, ...]
    return Catalogue(alone, inside, {name: agent.Params for name, agent in shelf().items()})


def load(
    flags: Iterable[Flag] = (),
    environ: Mapping[str, str] = MappingProxyType({}),
    *,
    profiles: Path,
    headless: bool = False,
) -> Settings:
    """Resolve the four homes into one value.

    Args:
        profiles: The folder of the user's own profiles; it need not exist.
        headless: Whether a session without a duration gets the headless default.

    Raises:
        SettingsRefused: With every problem of every home at once.
    """
    known = catalogue()
    typed, exported = from_flags(flags, known), from_environment(environ, known)
    chosen = strongest((typed, exported), "profile")
    name = DEFAULT_PROFILE if chosen is None else str(chosen.value)
    stated = [typed, exported, from_profile(name, profiles, known)]
    layers = [*stated, _fallback(stated, headless=headless)]
    problems = [problem for layer in layers for problem in layer.problems]
    settings = _validate(layers, problems)
    if settings is not None:
        problems += _live_faults(settings, layers)
        problems += _reference_faults(settings, layers)
    if settings is None or problems:
        raise SettingsRefused(tuple(dict.fromkeys(problems)))
    settings._origins = MappingProxyType({n: origin(layers, n) for n in _names(known, layers)})
    return settings


def _names(known: Catalogue, layers: Sequence[Layer]) -> Iterator[str]:
    """Yield every setting there is, and what stands in tables."""
    yield from known.keys
    yield from (n for layer in layers for n in layer.given if n not in known.keys)


def _fallback(layers: Sequence[Layer], *, headless: bool) -> Layer:
    """Return the defaults that depend on other settings."""
    given: dict[str, Given] = {}
    source = strongest(layers, "source")
    name = DEFAULT_SOURCE if source is None else str(source.value)
    if name in ("mock", *LIVE_SOURCES):
        first = FIRST_COIN if name == "hyperliquid" else FIRST_SYMBOL
        given["symbols"] = Given((first,), f"default of {name}")
    if headless:
        given["session.duration_min"] = Given(HEADLESS_DURATION_MIN, "default of --headless")
    return Layer(given)


def _validate(layers: Sequence[Layer], problems: list[str]) -> Settings | None:
    """Build the model; what is wrong is added to `problems`."""
    try:
        settings = _merge(layers)
    except ValidationError as error:
        problems += refusals(error, layers)
        settings = None
    names = _enabled(layers)
    spoken_of = {n.split(".")[1] for la in layers for n in la.given if n.startswith("agents.")}
    params: dict[str, Any] = {}
    for name in dict.fromkeys((*names, *sorted(spoken_of - {"enabled"}))):
        params |= _agent_params(layers, name, problems)
    if settings is None:
        return None
    problems += _unknown_faults(settings, layers)
    agents = dataclasses.replace(
        settings.agents, params=MappingProxyType({n: params[n] for n in names if n in params})
    )
    return settings.model_copy(update={"agents": agents})


def _merge(layers: Sequence[Layer]) -> Settings:
    sources = tuple(LayerSource(layer) for layer in layers)
    # By name at run time: the signature that type checkers derive for a model has fields only.
    build: dict[str, Any] = {"_build_sources": (sources, {})}
    return Settings(**build)


def _unknown_faults(settings: Settings, layers: Sequence[Layer]) -> list[str]:
    """Refuse a misspelt drill here rather than in the middle of the start."""
    if not settings.mock.faults:
        return []
    from brokers.mock.faults import FAULTS  # noqa: PLC0415 - most sessions run without

    where = origin(layers, "mock.faults")
    return [
        f"mock.faults: unknown fault {shown(name)}: did you mean {closest(name, list(FAULTS))}?"
        f" ({where})"
        for name in settings.mock.faults
        if name not in FAULTS
    ]


def _live_faults(settings: Settings, layers: Sequence[Layer]) -> list[str]:
    """Refuse what no account can trade (reliability.md D4, D5)."""
    if settings.mode not in SIGNING:
        return []
    faults = []
    if settings.source not in TRADED:
        faults.append(
            f"mode: {settings.mode} needs a source that can be traded on: {', '.join(TRADED)}"
        )
    where = origin(layers, "mode")
    if settings.mode == "live" and where.startswith("env "):
        faults.append(f"mode: live is never taken from the environment alone ({where})")
    return faults


def _reference_faults(settings: Settings, layers: Sequence[Layer]) -> list[str]:
    """Refuse a second market that could not be held against the first."""
    faults = [
        f"reference.symbols: {shown(pair)} is not OURS=THEIRS"
        f" ({origin(layers, 'reference.symbols')})"
        for pair in settings.reference.symbols
        if not all(SYMBOL.fullmatch(name) for name in (*pair.split("=", 1), "")[:2])
    ]
    source = settings.reference.source
    if source is None:
        return faults
    where = origin(layers, "reference.source")
    if settings.source not in LIVE_SOURCES:
        faults.append(f"reference.source: needs a session on a live source ({where})")
    elif settings.source == source:
        faults.append(f"reference.source: {source} is the session's own market ({where})")
    return faults


def _enabled(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Return the agents asked for, also when other settings are too wrong to build the model."""
    given = strongest(layers, "agents.enabled")
    if given is None:
        return AgentsConfig().enabled
    names = given.value if isinstance(given.value, list | tuple) else ()
    return tuple(name for name in names if isinstance(name, str))


def _agent_params(layers: Sequence[Layer], name: str, problems: list[str]) -> dict[str, Any]:
    """Validate the parameters of one agent by the type it declares; empty when that fails."""
    if name not in shelf():
        where = origin(layers, "agents.enabled")
        problems.append(f"{unknown_agent(name, tuple(shelf()))} ({where})")
        return {}
    prefix = f"agents.{name}"
    adapter: TypeAdapter[Any] = TypeAdapter(find_agent(name).Params)
    try:
        return {name: adapter.validate_python(merged(layers, prefix))}
    except ValidationError as error:
        problems += refusals(error, layers, prefix)
        return {}


def _leaves(prefix: str, section: Any) -> Iterator[tuple[str, object]]:
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        if is_table(field.type):
            yield from ((f"{prefix}.{field.name}.{name}", text) for name, text in value.items())
        else:
            yield f"{prefix}.{field.name}", value
