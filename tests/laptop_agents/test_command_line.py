"""The program as its users meet it: words in, text and an exit code out."""

import json
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.warm import ran

ROOT = Path(__file__).parents[2]
CANARY = "c4n4ry-t0ps3cret"


class Program:
    """Runs the program in a subprocess with a home of its own and a bare environment."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run to the end."""
        return ran(
            words,
            {
                "PATH": os.environ["PATH"],
                "LAPTOP_AGENTS_HOME": str(self.home),
                "LAPTOP_AGENTS_SOURCE": "mock",
                **environ,
            },
        )


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Return the program with an empty home."""
    return Program(tmp_path / "home")


def test_help_is_cheap_and_has_an_example() -> None:
    """Under 0.3 s of CPU is the contract; 0.1 s is what we hold ourselves to."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "laptop_agents", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert 0 == done.returncode
    assert "laptop-agents --headless --duration" in done.stdout
    assert cpu_s < 0.3


HEAVY = (
    "aiohttp", "asyncio", "keyring", "msgspec", "numpy", "psutil", "pydantic", "pydantic_settings",
    "structlog", "textual", "rich", "uvloop", "websockets", "engine.session", "engine.kernel",
    "brokers", "platformdirs",
)  # fmt: skip


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["profiles", "--help"], ["--what"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    """Help, version and a typing mistake answer before anything is imported."""
    code = (
        "import sys, json; from laptop_agents.__main__ import main\n"
        f"main({words!r}); sys.stderr.write('\\n' + json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    loaded = json.loads(done.stderr.splitlines()[-1])
    assert [] == [name for name in HEAVY if name in loaded]


def test_version(program: Program) -> None:
    """One line: the name and the version."""
    done = program("--version")

    assert (0, "laptop-agents 0.1.0\n") == (done.returncode, done.stdout)


USAGE = [
    # words, said
    (["-v", "-q"], "not allowed with"),
    (["--set", "nonsense"], "--set takes KEY=VALUE"),
    (["--set", "=1"], "--set takes KEY=VALUE"),
    (["--set"], "expected one argument"),
    (["--headles"], "unknown option --headles: did you mean --headless?"),
    (["--resume", "latest"], "no run"),
    (["--replay", "x"], "no run"),
    (["profiles"], "VERB"),
    (["profiles", "shw"], "unknown"),
    (["--headless", "--max-loss-pct", "1", "--set", "risk.max_loss_pct=2"], "conflict"),
    (["--headless", "--seed", "1", "--seed", "2"], "--seed and --seed conflict"),
    (["--headless", "--latency-ms", "1", "--set", "paper.amend_latency_ms=2"], "conflict"),
    (
        ["--headless", "--mode", "live", "--source", "mock"],
        "live needs a source that can be traded",
    ),
    (
        ["--headless", "--mode", "shadow", "--source", "file:x.csv"],
        "shadow needs a source that can be traded on: bitunix, binance, hyperliquid",
    ),
    (
        ["--headless", "--source", "bybit"],
        "must be bitunix, binance, hyperliquid, mock or file:PATH",
    ),
    (["--headless", "--agents", "trnd"], "unknown agent trnd: did you mean trend?"),
    (["--headless", "--set", "risk.max_lossp_pct=1"], "did you mean risk.max_loss_pct?"),
    (["--headless", "--duration", "-1"], "session.duration_min: must be greater than 0"),
    (["--headless", "--duration", "nan"], "session.duration_min: must be a finite number"),
    (["--headless", "--max-loss-pct", "0"], "risk.max_loss_pct: must be greater than 0"),
    (["--headless", "--profile", "nope"], "does not exist"),
    (["--headless", "--kill-file", ""], "--kill-file needs a path"),
    (["--headless", "profiles", "list"], "--headless belongs to a session"),
    (["-q", "doctor"], "-q belongs to a session"),
    (["--seed", "1", "doctor"], "--seed belongs to a session"),
    (["agents", "describe", "trned"], "unknown agent trned: did you mean trend?"),
    (["profiles", "validate", "nope"], "profile nope does not exist"),
    (["profiles", "new", "scalp"], "there is a profile scalp already"),
    (["profiles", "new", "../x"], "a profile's name is"),
    (["profiles", "show", "scalp", "--profile", "quoter"], "conflict"),
    (["completion", "fish"], "unknown"),
]


@pytest.mark.parametrize(("words", "said"), USAGE)
def test_a_mistake_is_one_line_and_exit_2(program: Program, words: list[str], said: str) -> None:
    """Nothing is started, nothing is written, and no traceback is shown."""
    done = program(*words)

    assert 2 == done.returncode
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert "" == done.stdout
    assert not program.home.exists()


def test_all_mistakes_at_once(program: Program) -> None:
    """Flags, environment and profile are judged together, one line each."""
    done = program(
        "--headless", "--mode", "pretend", "--seed", "x", LAPTOP_AGENTS_RISK__MAX_TRADES="0",
        LAPTOP_AGENTS_RISK__MAXTRADES="1", LAPTOP_AGENTS_PROFILE="nope",
    )  # fmt: skip

    assert 2 == done.returncode
    assert 5 == len(done.stderr.splitlines())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        [f"--api-key={CANARY}"],
        ["--api-key", CANARY],
        [f"--headless={CANARY}"],
        ["profiles", CANARY],
        ["--headless", "--set", f"api.key={CANARY}"],
        ["--headless", "--mode", CANARY],
    ],
)
def test_values_are_not_repeated(program: Program, words: list[str]) -> None:
    """A secret typed in the wrong place does not end up in a terminal log."""
    done = program(*words)

    assert 2 == done.returncode
    assert CANARY not in done.stdout + done.stderr


def test_an_unusable_home_is_exit_6(program: Program) -> None:
    """State that can't be written is told in one line before anything starts."""
    program.home.parent.mkdir(exist_ok=True)
    program.home.write_text("a file")

    for words in (["--headless", "--duration", "0.001"], ["profiles", "new", "mine"]):
        done = program(*words)
        assert 6 == done.returncode
        assert done.stderr.startswith("error: can't use the home folder")
        assert 1 == len(done.stderr.splitlines())
    assert 6 == program("doctor").returncode


def test_profiles_show_names_the_origins(program: Program) -> None:
    """Each resolved setting with its value and the home it came from; also as JSON."""
    words = ("profiles", "show", "--profile", "scalp", "--max-loss-pct", "0.5")
    text = program(*words, LAPTOP_AGENTS_SESSION__SEED="9").stdout
    table = json.loads(program("--json", *words, LAPTOP_AGENTS_SESSION__SEED="9").stdout)

    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in text.splitlines()}
    assert ["0.5", "--max-loss-pct"] == rows["risk.max_loss_pct"]
    assert ["9", "env LAPTOP_AGENTS_SESSION__SEED"] == rows["session.seed"]
    assert ["100.0", "profile scalp"] == rows["mock.events_per_s"]
    assert ["none", "default"] == rows["risk.max_trades"]
    assert {"value": "0.5", "origin": "--max-loss-pct"} == table["risk.max_loss_pct"]
    assert list(rows) == list(table)


def test_profiles_show_takes_settings_before_and_after_its_name(program: Program) -> None:
    """`laptop-agents --seed 5 profiles show --speed 2` means both."""
    table = json.loads(program("--seed", "5", "profiles", "show", "--speed", "2", "--json").stdout)

    assert [5, 2.0] == [table["session.seed"]["value"], table["session.speed"]["value"]]


def test_profiles_new_writes_a_private_copy_that_works(program: Program) -> None:
    """From `new` to `list`, `validate` and `show` without a further step."""
    made = program("profiles", "new", "mine", "--from", "quoter")
    path = Path(made.stdout.strip())

    assert program.home / "profiles" / "mine.toml" == path
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)
    assert "mine" in program("profiles", "list").stdout
    assert "mine: ok\n" == program("profiles", "validate", "mine").stdout
    assert "profile mine" in program("profiles", "show", "mine").stdout
    assert 2 == program("profiles", "new", "mine").returncode


def test_profiles_validate_reports_every_profile(program: Program, tmp_path: Path) -> None:
    """All problems of all named files, and the exit code 2."""
    bad = tmp_path / "bad.toml"
    bad.write_text("[risk]\nmax_trades = 0\nmax_trade = 1\n")

    done = program("profiles", "validate", "scalp", str(bad))

    assert 2 == done.returncode
    assert 2 == len(done.stderr.splitlines())
    assert 0 == program("profiles", "validate").returncode


def test_schema_explains_every_setting(program: Program) -> None:
    """Units and meanings reach the editor from the strings under the fields."""
    schema = json.loads(program("profiles", "schema").stdout)

    limits = schema["$defs"]["RiskLimits"]["properties"]
    agents = schema["$defs"]["AgentsConfig"]["properties"]
    assert all(spec.get("description") for spec in limits.values())
    assert {"enabled", "trend", "quoter"} <= set(agents)
    assert "profile" not in schema["properties"]
    assert False is schema["$defs"]["RiskLimits"]["additionalProperties"]


def test_agents_list_and_describe(program: Program) -> None:
    """What can run, what it needs, and what can be tuned, by the name `--set` takes."""
    listed = [row["name"] for row in json.loads(program("agents", "list", "--json").stdout)]
    told = json.loads(program("agents", "describe", "trend", "--json").stdout)

    assert {"trend", "quoter"} <= set(listed)
    assert "agents.trend.fast" in [setting["name"] for setting in told["settings"]]
    assert all(setting["description"] for setting in told["settings"])
    assert "agents.trend.fast" in program("agents", "describe", "trend").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(program: Program, shell: str) -> None:
    """The script knows the options and the sub-commands, and the shell can read it."""
    script = program("completion", shell).stdout

    assert "--max-loss-pct" in script
    assert "profiles" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_a_closed_reader_is_no_error(program: Program) -> None:
    """`| head -1` ends the program quietly, also when the reader is gone before the first line."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "laptop_agents", "profiles", "schema"],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "LAPTOP_AGENTS_HOME": str(program.home),
                "LAPTOP_AGENTS_SOURCE": "mock",
            },
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writer)

    assert (0, b"") == (done.returncode, done.stderr)
