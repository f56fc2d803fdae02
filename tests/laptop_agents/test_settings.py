"""Settings: four homes, one value, and every mistake named at once."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.model.errors import SettingsRefused
from engine.risk.limits import RiskLimits
from laptop_agents.settings import Settings, catalogue, load
from laptop_agents.sources import Flag

CANARY = "c4n4ry-t0ps3cret"
NOWHERE = Path("/nonexistent/profiles")


def typed(*pairs: str, spelled: str = "--set") -> list[Flag]:
    """Write flags the way a person does."""
    return [Flag(spelled, *pair.split("=", 1)) for pair in pairs]


def problems(
    flags: list[Flag] | None = None, environ: dict[str, str] | None = None
) -> tuple[str, ...]:
    """Load what must be refused, and return why."""
    with pytest.raises(SettingsRefused) as refused:
        load(flags or [], environ or {}, profiles=NOWHERE)
    return refused.value.problems


def written(folder: Path, text: str, name: str = "mine.toml") -> str:
    """Write a profile and return its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


PRECEDENCE = [
    # typed, exported, in the profile, value, origin
    (None, None, None, Decimal(2), "default"),
    (None, None, "3", Decimal(3), "profile"),
    (None, "4", None, Decimal(4), "env LAPTOP_AGENTS_RISK__MAX_LOSS_PCT"),
    (None, "4", "3", Decimal(4), "env LAPTOP_AGENTS_RISK__MAX_LOSS_PCT"),
    ("5", None, None, Decimal(5), "--max-loss-pct"),
    ("5", None, "3", Decimal(5), "--max-loss-pct"),
    ("5", "4", None, Decimal(5), "--max-loss-pct"),
    ("5", "4", "3", Decimal(5), "--max-loss-pct"),
]  # fmt: skip


@pytest.mark.parametrize(("flag", "env", "profile", "value", "origin"), PRECEDENCE)
def test_the_strongest_home_wins(
    tmp_path: Path,
    flag: str | None,
    env: str | None,
    profile: str | None,
    value: Decimal,
    origin: str,
) -> None:
    """Command line over environment over profile over default, and the winner is named."""
    text = f"[risk]\nmax_loss_pct = {profile}\n" if profile else ""
    flags = typed(f"profile={written(tmp_path, text)}", spelled="--profile")
    if flag:
        flags += typed(f"risk.max_loss_pct={flag}", spelled="--max-loss-pct")
    environ = {"LAPTOP_AGENTS_RISK__MAX_LOSS_PCT": env} if env else {}

    settings = load(flags, environ, profiles=NOWHERE)

    shown = settings.flat()["risk.max_loss_pct"]
    assert value == settings.risk.max_loss_pct == shown.value
    assert shown.origin.startswith(origin)


def test_homes_merge_below_the_section() -> None:
    """One key from the environment leaves its neighbours to the others."""
    settings = load(
        typed("risk.max_trades=7"), {"LAPTOP_AGENTS_RISK__MAX_LEVERAGE": "1.5"}, profiles=NOWHERE
    )

    assert (7, Decimal("1.5")) == (settings.risk.max_trades, settings.risk.max_leverage)
    assert RiskLimits().max_order_notional == settings.risk.max_order_notional


def test_environment_chooses_the_profile_and_the_flag_overrules_it() -> None:
    """The profile is a setting like any other, but for the profile itself."""
    environ = {"LAPTOP_AGENTS_PROFILE": "scalp"}

    exported = load([], environ, profiles=NOWHERE)
    overruled = load(typed("profile=quoter"), environ, profiles=NOWHERE)

    assert ("scalp", "quoter") == (exported.profile, overruled.profile)
    assert ("quoter", "trend") == exported.agents.enabled
    assert ("quoter",) == overruled.agents.enabled


def test_folders_are_not_settings() -> None:
    """HOME and DATA name places; they are no unknown settings."""
    environ = {"LAPTOP_AGENTS_HOME": "/x", "LAPTOP_AGENTS_DATA": "/y", "OTHER": "z"}

    assert "paper" == load([], environ, profiles=NOWHERE).mode


MEANINGS = [
    # key, text, value
    ("agents.enabled", "quoter, trend", ("quoter", "trend")),
    ("symbols", "ETHUSDT,BTCUSDT,", ("ETHUSDT", "BTCUSDT")),
    ("risk.max_loss_pct", "none", None),
    ("risk.max_loss_pct", " 1.50 ", Decimal("1.50")),
    ("risk.max_leverage", "1e1", Decimal(10)),
    ("risk.max_open_orders", "3", 3),
    ("session.speed", "max", "max"),
    ("session.speed", "2.5", 2.5),
    ("session.flatten_on_stop", "no", False),
    ("mock.faults", "", ()),
    ("source", "file:a.jsonl,b.jsonl", "file:a.jsonl,b.jsonl"),
]


@pytest.mark.parametrize(("key", "text", "value"), MEANINGS)
def test_text_means(key: str, text: str, value: object) -> None:
    """Words of a command line or environment reach the type of the setting."""
    by_flag = load(typed(f"{key}={text}"), {}, profiles=NOWHERE).flat()[key]
    variable = "LAPTOP_AGENTS_" + key.replace(".", "__").upper()
    by_env = load([], {variable: text}, profiles=NOWHERE).flat()[key]

    assert (value, "--set") == by_flag
    assert (value, f"env {variable}") == by_env


REFUSALS = [
    # what is set, what is said
    ("risk.max_lossp_pct=1", "unknown setting risk.max_lossp_pct: did you mean risk.max_loss_pct?"),
    ("max_loss_pct=1", "unknown setting max_loss_pct: did you mean risk.max_loss_pct?"),
    ("ris.max_loss_pct=1", "unknown setting ris.max_loss_pct: did you mean risk.max_loss_pct?"),
    ("sorce=mock", "unknown setting sorce: did you mean source?"),
    ("agents.trend.fats=1", "unknown setting agents.trend.fats: did you mean agents.trend.fast?"),
    ("agents.trnd.fast=1", "unknown agent trnd: did you mean trend?"),
    ("agents.enabled=trend,quotr", "unknown agent quotr: did you mean quoter?"),
    ("agents.enabled=trend,trend", "agents.enabled: names something twice"),
    ("agents.enabled=", "agents.enabled: must name at least one"),
    ("risk=1", "risk is a group of settings"),
    ("agents.trend=1", "agents.trend is a group of settings"),
    ("risk.max_loss_pct=0", "risk.max_loss_pct: must be greater than 0"),
    ("risk.max_loss_pct=-1", "risk.max_loss_pct: must be greater than 0"),
    ("risk.max_loss_pct=101", "risk.max_loss_pct: must be at most 100"),
    ("risk.max_loss_pct=", "risk.max_loss_pct: must be a number"),
    ("risk.max_loss_pct=nan", "risk.max_loss_pct: must be a finite number"),
    ("risk.max_loss_pct=1e-99", "risk.max_loss_pct: has too many digits"),
    ("session.starting_balance=Infinity", "session.starting_balance: must be a finite number"),
    ("session.starting_balance=1e9999", "session.starting_balance: has too many digits"),
    ("session.duration_min=inf", "session.duration_min: must be a finite number"),
    ("session.duration_min=0", "session.duration_min: must be greater than 0"),
    ("health.max_cpu_pct=nan", "health.max_cpu_pct: must be a finite number"),
    ("session.seed=1.5", "session.seed: must be a whole number"),
    ("session.seed=-1", "session.seed: must be at least 0"),
    ("session.seed=99999999999999999999", "session.seed: has too many digits"),
    ("session.speed=fast", "session.speed: must be a number or 'max'"),
    ("session.policy=vote", "session.policy: must be 'net' or 'priority'"),
    ("session.flatten_on_stop=maybe", "session.flatten_on_stop: must be true or false"),
    ("session.run_id=a\nb", "session.run_id: must be printable text on one line"),
    ("risk.max_trades=none-such", "risk.max_trades: must be a whole number"),
    ("mode=shadow", "mode: not in this release: use paper, dry-run or live"),
    ("mode=pretend", "mode: must be 'paper'"),
    ("source=ftp", "source: must be bitunix, binance, hyperliquid, mock or file:PATH"),
    ("source=file:", "source: must be bitunix, binance, hyperliquid, mock or file:PATH"),
    ("source=file:a,,b", "source: must be bitunix, binance, hyperliquid, mock or file:PATH"),
    ("symbols=../x", "symbols: a symbol is 1 to 64 letters"),
    ("symbols=.hidden", "symbols: a symbol is 1 to 64 letters"),
    ("symbols=ΒTCUSDT", "symbols: a symbol is 1 to 64 letters"),
    ("symbols=" + "A" * 65, "symbols: a symbol is 1 to 64 letters"),
    ("symbols=A,A", "symbols: names something twice"),
    ("symbols=,", "symbols: must name 1 to 256 symbols"),
    ("mock.faults=gpa", "mock.faults: unknown fault gpa: did you mean gap?"),
    ("profile=scalpp", "profile scalpp does not exist: did you mean scalp?"),
    ("profile=", "profile: must be the name of a profile or a path"),
]


@pytest.mark.parametrize(("pair", "said"), REFUSALS)
def test_refused(pair: str, said: str) -> None:
    """Each mistake is one line that starts with the setting and says what to do."""
    (problem,) = problems(typed(pair))

    assert problem.startswith(said)
    assert "\n" not in problem


@pytest.mark.parametrize("mode", ["live", "dry-run"])
def test_orders_need_a_venue(mode: str) -> None:
    """An invented market has none."""
    (problem,) = problems(typed(f"mode={mode}", "source=mock"))
    assert problem.startswith(f"mode: {mode} needs a source that can be traded on: bitunix")


def test_unknown_environment_names_are_refused() -> None:
    """A misspelt variable would otherwise loosen a limit in silence."""
    said = problems([], {"LAPTOP_AGENTS_RISK__MAX_LOSS": "1", "LAPTOP_AGENTS_mode": "paper"})

    assert said == (
        "unknown setting LAPTOP_AGENTS_RISK__MAX_LOSS: did you mean LAPTOP_AGENTS_RISK__MAX_LOSS_PCT?",
        "unknown setting LAPTOP_AGENTS_mode: did you mean LAPTOP_AGENTS_MODE?",
    )


def test_all_mistakes_of_all_homes_come_at_once(tmp_path: Path) -> None:
    """Nobody has to fix one to see the next, wherever they stand."""
    path = written(tmp_path, "[risk]\nmax_trades = -1\nnonsense = 1\n[agents.trend]\nfast = 'x'\n")
    flags = typed(
        f"profile={path}", "mode=shadow", "agents.enabled=trend,nobody", "session.seed=nan"
    )
    said = problems(flags, {"LAPTOP_AGENTS_MOCK__VOLATILITY": "0", "LAPTOP_AGENTS_X": ""})

    for start in (
        "risk.max_trades:",
        "unknown setting risk.nonsense:",
        "agents.trend.fast:",
        "mode:",
        "unknown agent nobody:",
        "session.seed:",
        "mock.volatility:",
        "unknown setting LAPTOP_AGENTS_X:",
    ):
        assert 1 == sum(problem.startswith(start) for problem in said), start
    assert 8 == len(said)


CONFLICTS = [
    # first, second, are they a conflict?
    (("--max-loss-pct", "risk.max_loss_pct", "1"), ("--set", "risk.max_loss_pct", "2"), True),
    (("--max-loss-pct", "risk.max_loss_pct", "1"), ("--set", "risk.max_loss_pct", "1"), False),
    (("--seed", "session.seed", "1"), ("--seed", "session.seed", "2"), True),
    (("--latency-ms", "paper.submit_latency_ms", "1"), ("--set", "paper.submit_latency_ms", "2"), True),
    (("--latency-ms", "paper.submit_latency_ms", "1"), ("--set", "paper.ack_latency_ms", "2"), False),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "is_conflict"), CONFLICTS)
def test_conflicting_flags(
    first: tuple[str, str, str], second: tuple[str, str, str], is_conflict: bool
) -> None:
    """The same key twice with two values is refused in one line, whichever way it is spelled."""
    flags = [Flag(*first), Flag(*second)]
    if is_conflict:
        assert (f"{first[0]} and {second[0]} conflict: both set {first[1]}",) == problems(flags)
    else:
        load(flags, {}, profiles=NOWHERE)


WRONG_TYPES = [
    # TOML, said
    ("[risk]\nmax_loss_pct = true", "risk.max_loss_pct: must not be true or false"),
    ("[risk]\nmax_loss_pct = [1]", "risk.max_loss_pct: must be a number"),
    ("[risk]\nmax_loss_pct = 2020-01-01", "risk.max_loss_pct: must be a number"),
    ("[risk]\nmax_open_orders = true", "risk.max_open_orders: must not be true or false"),
    ("[risk]\nmax_open_orders = 1.5", "risk.max_open_orders: must be a whole number"),
    ("[risk]\nmax_open_orders = inf", "risk.max_open_orders: must be a finite number"),
    ("[risk.max_loss_pct]\nx = 1", "risk.max_loss_pct: must be a value, not a table"),
    ("[session]\npolicy = 3", "session.policy: must be 'net' or 'priority'"),
    ("risk = 3", "risk is a group of settings"),
    ("symbols = [1, 2]", "symbols: must be text"),
    ("symbols = 5", "symbols: must be a list"),
    ("[agents]\nenabled = [1]", "agents.enabled: must be text"),
    ("agents = ['trend']", "agents is a group of settings"),
    ("[agents.nobody]\nfast = 1", "unknown agent nobody"),
    ("[agents.nobody]", "unknown setting agents.nobody"),
    ("[strange]\ndeep = 1", "unknown setting strange.deep"),
    ("[strange]", "unknown setting strange"),
    ('"risk.max_loss_pct" = 1', "risk.max_loss_pct: a name in quotes can't hold a dot"),
    ("profile = 'scalp'", "profile: a profile can't name another one"),
    ("mode = 'live'\nsource = 'mock'", "mode: live needs a source that can be traded on"),
]


@pytest.mark.parametrize(("text", "said"), WRONG_TYPES)
def test_wrong_types_in_a_profile(tmp_path: Path, text: str, said: str) -> None:
    """A file can say more than text can, and is judged as closely."""
    (problem,) = problems(typed(f"profile={written(tmp_path, text)}"))

    assert problem.startswith(said)


def test_decimals_are_exact(tmp_path: Path) -> None:
    """Every digit of a number in a file counts, also past what a binary float holds."""
    exact = "1.00000000000000001"
    toml = written(tmp_path, f"[risk]\nmax_loss_pct = {exact}\n")
    jsonl = written(tmp_path, f'{{"risk": {{"max_loss_pct": {exact}}}}}', "mine.json")

    for path in (toml, jsonl):
        settings = load(typed(f"profile={path}"), {}, profiles=NOWHERE)
        assert exact == str(settings.risk.max_loss_pct)


SECRETS = [
    # a secret in a wrong place
    (typed(f"risk.max_loss_pct={CANARY}"), {}),
    (typed(f"session.policy={CANARY}"), {}),
    (typed(f"source={CANARY}"), {}),
    (typed(f"api.key={CANARY}"), {}),
    (typed(f"symbols={CANARY}/"), {}),
    (typed(f"risk={CANARY}"), {}),
    ([], {"LAPTOP_AGENTS_API_KEY": CANARY}),
    ([], {"LAPTOP_AGENTS_MODE": CANARY}),
    ([], {"LAPTOP_AGENTS_AGENTS__TREND__FAST": CANARY}),
]


@pytest.mark.parametrize(("flags", "environ"), SECRETS)
def test_no_value_is_ever_repeated(flags: list[Flag], environ: dict[str, str]) -> None:
    """A refused value may be a secret that slipped into the wrong place."""
    assert CANARY not in "\n".join(problems(flags, environ))


def test_no_value_of_a_profile_is_ever_repeated(tmp_path: Path) -> None:
    """Neither by us nor by the parser of the file."""
    for text in (f"key = '{CANARY}'", f"key = {CANARY}", f"[risk]\nmax_trades = '{CANARY}'"):
        said = "\n".join(problems(typed(f"profile={written(tmp_path, text)}")))
        assert CANARY not in said


def test_settings_are_immutable() -> None:
    """Nothing changes them after the start."""
    settings = load([], {}, profiles=NOWHERE)

    with pytest.raises(ValidationError):
        settings.mode = "live"
    with pytest.raises(AttributeError):
        settings.risk.max_loss_pct = None  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.agents.params["trend"] = None  # type: ignore[index]


def test_headless_has_a_duration_of_its_own() -> None:
    """Ten minutes when nobody said otherwise, and `none` is a way to say otherwise."""
    default = load([], {}, profiles=NOWHERE, headless=True)
    endless = load(typed("session.duration_min=none"), {}, profiles=NOWHERE, headless=True)

    assert 10.0 == default.session.duration_min
    assert endless.session.duration_min is None
    assert load([], {}, profiles=NOWHERE).session.duration_min is None


def test_symbols_left_out_depend_on_the_source() -> None:
    """BTCUSDT from mock, everything a file holds."""
    assert ("BTCUSDT",) == load([], {}, profiles=NOWHERE).symbols
    assert () == load(typed("source=file:x.jsonl"), {}, profiles=NOWHERE).symbols


def test_flat_names_every_setting_once() -> None:
    """What `profiles show` and the manifest print is the whole catalogue of the enabled agents."""
    flat = load([], {}, profiles=NOWHERE).flat()

    assert set(flat) == {
        name
        for name in catalogue().keys
        if not name.startswith("agents.") or name.split(".")[1] in ("enabled", "trend", "quoter")
    }
    assert all(setting.origin for setting in flat.values())


def test_agents_keep_their_order_and_get_their_parameters() -> None:
    """The first is the one with priority; each has validated parameters, set or default."""
    settings = load(
        typed("agents.enabled=quoter,trend", "agents.trend.fast=8"), {}, profiles=NOWHERE
    )

    assert ("quoter", "trend") == settings.agents.enabled == tuple(settings.agents.params)
    assert 8 == settings.agents.params["trend"].fast


def test_parameters_of_agents_follow_the_same_precedence(tmp_path: Path) -> None:
    """They are validated apart from the model, and merged by the same rule."""
    path = written(tmp_path, "[agents.trend]\nfast = 2\nslow = 30\nlong_only = true\n")
    settings = load(
        typed(f"profile={path}", "agents.trend.fast=4"),
        {"LAPTOP_AGENTS_AGENTS__TREND__FAST": "3", "LAPTOP_AGENTS_AGENTS__TREND__SLOW": "20"},
        profiles=NOWHERE,
    )

    trend = settings.agents.params["trend"]
    assert (4, 20, True) == (trend.fast, trend.slow, trend.long_only)


def test_parameters_that_contradict_each_other(tmp_path: Path) -> None:
    """The agent's own words reach the user, with the home that caused them."""
    (problem,) = problems(typed("agents.trend.fast=50"))

    assert problem.startswith("agents.trend: fast")
    assert problem.endswith("(--set)")


def test_unknown_names_are_bounded(tmp_path: Path) -> None:
    """A file of a hundred thousand mistakes costs one screen of text and little time."""
    text = "".join(f"k{n} = 1\n" for n in range(80_000))

    said = problems(typed(f"profile={written(tmp_path, text)}"))

    assert len(said) < 50


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
names = st.sampled_from(
    ["risk", "agents", "trend", "max_loss_pct", "mock", "faults", "symbols", "enabled", "mode"]
) | st.text(max_size=8)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def outcome(flags: list[Flag]) -> Settings | tuple[str, ...]:
    """Load, and return what came of it."""
    try:
        return load(flags, {}, profiles=NOWHERE)
    except SettingsRefused as refused:
        return refused.problems


def is_in_order(result: Settings | tuple[str, ...]) -> bool:
    """Settings, or at least one problem, each a printable line."""
    if isinstance(result, Settings):
        return True
    return bool(result) and all(problem.isprintable() for problem in result)


@given(st.dictionaries(names, trees, max_size=4))
def test_any_tree_is_accepted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, tree: object
) -> None:
    """No JSON file makes anything but settings or a list of printable problems."""
    path = written(tmp_path_factory.getbasetemp(), json.dumps(tree), "junk.json")

    assert is_in_order(outcome(typed(f"profile={path}")))


@given(st.dictionaries(st.sampled_from(sorted(catalogue().keys)), st.text(max_size=12), max_size=6))
def test_any_text_is_accepted_or_refused(values: dict[str, str]) -> None:
    """No text under any known name makes a traceback."""
    assert is_in_order(outcome([Flag("--set", *pair) for pair in values.items()]))
