"""A secret in every place a user may put one: nothing a session or a crash leaves behind has it.

Hostile text in market data stays one line of JSON, and no control byte reaches a file or terminal.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.brokers.file.captures import stamped, ticker, write
from tests.canary import CANARY, SECRETS, leaks
from tests.end_to_end.shell import ROOT, Run, session

pytestmark = pytest.mark.usefixtures("fresh_interpreters")
EVIL = '\\n{\\"event\\":\\"forged\\"}\\u001b]0;pwned\\u0007\\u009b31m\\u202e\\u2028'
"""As JSON spells it: a line of its own, a title, a color, a reversal."""


def test_a_session_that_ends_well(tmp_path: Path) -> None:
    """With secrets in its environment, a verbose log, a report and evidence of incidents."""
    words = ("-v", "--duration", "3", "--speed", "max", "--set", "mock.faults=disconnect")
    ended = session(tmp_path / "home", *words, **SECRETS)
    asked = [tool(tmp_path / "home", *command) for command in (
        ("audit", "report"), ("audit", "report", "--incident"), ("audit", "why", "--last"),
        ("runs", "show"), ("runs", "export", "-o", str(tmp_path / "capsule")), ("doctor",),
        ("replay", "--set", "agents.quoter.order_notional=600"), ("profiles", "show"),
    )]  # fmt: skip

    assert 0 == ended.code
    assert (ended.run.path / "evidence").is_dir()
    assert [] == list(leaks(tmp_path, ended.out, ended.err, *asked))


def tool(home: Path, *words: str) -> str:
    """Run a sub-command with the secrets in its environment; return all it says."""
    environment = {
        "PATH": os.environ["PATH"],
        "LAPTOP_AGENTS_HOME": str(home),
        "LAPTOP_AGENTS_SOURCE": "mock",
        **SECRETS,
    }
    done = subprocess.run(
        [sys.executable, "-m", "laptop_agents", *words], cwd=ROOT, env=environment,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.stdout + done.stderr


MISPLACED = [
    (("--set", f"risk.max_loss_pct={CANARY}"), {}, ""),
    (("--set", f"venue.api_key={CANARY}"), {}, ""),
    (("--source", CANARY), {}, ""),
    (("--seed", CANARY), {}, ""),
    ((), {"LAPTOP_AGENTS_RISK__MAX_LOSS_PCT": CANARY}, ""),
    ((), {"LAPTOP_AGENTS_BITUNIX__API_KEY": CANARY}, ""),
    (("--profile", "mine"), {}, f'[bitunix]\napi_secret = "{CANARY}"\n'),
    (("--profile", "mine"), {}, f'[risk]\nmax_loss_pct = "{CANARY}"\n'),
    (("--profile", "mine"), {}, f'broken = "{CANARY}\n'),
]


@pytest.mark.parametrize(("words", "environment", "profile"), MISPLACED)
def test_a_secret_in_the_wrong_place(tmp_path: Path, words, environment, profile: str) -> None:
    """It is refused, and not repeated."""
    home = tmp_path / "home"
    (home / "profiles").mkdir(parents=True, mode=0o700)
    if profile:
        (home / "profiles" / "mine.toml").write_text(profile)
    ended = session(home, *words, **environment)
    (home / "profiles" / "mine.toml").unlink(missing_ok=True)

    assert 2 == ended.code
    assert [] == list(leaks(tmp_path, ended.out, ended.err))


CRASHES = {
    # where the bug is, and what stands in for it
    "before the run": "compose.make_feed = boom",
    "in the session": "from engine.session.turn import Turn; Turn.market = boom",
    "in an agent": "from engine.agents.quoter import Quoter; Quoter.on_quote = boom",
    "in evidence": "import engine.session.evidence as e; e.Evidence.write_before = boom",
}


@pytest.mark.parametrize("place", CRASHES)
def test_a_crash_tells_no_secret(tmp_path: Path, place: str) -> None:
    """Not from the message of an exception, nor its causes, nor any local variable.

    What the environment holds is known to log and crash printer in any place of a message; the
    kernel, which has no environment, knows a secret of an agent by how it is named.
    """
    bare = "" if place == "in an agent" else CANARY
    program = f"""
import sys
from laptop_agents import compose
def boom(*_, **__):
    api_key = {CANARY!r}
    try:
        raise KeyError("GET https://x/?signature=" + api_key)
    except KeyError as error:
        raise RuntimeError("refused\\x1b]0;x\\x07 api_key=" + api_key + " {bare}") from error
{CRASHES[place]}
from laptop_agents.__main__ import main
sys.exit(main(["--headless", "--duration", "2", "--speed", "max", "--set", "mock.faults=disconnect"]))
"""
    home = tmp_path / "home"
    environment = {
        "PATH": os.environ["PATH"],
        "LAPTOP_AGENTS_HOME": str(home),
        "LAPTOP_AGENTS_SOURCE": "mock",
        **SECRETS,
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip

    survives = place in ("in an agent", "in evidence")
    assert (0 if survives else 1) == done.returncode, done.stderr
    assert [] == list(leaks(tmp_path, done.stdout, done.stderr))
    assert [] == controls(tmp_path, done.stderr)
    told = b"".join(path.read_bytes() for path in home.rglob("*.log")).decode()
    assert "RuntimeError" in told
    assert "refused" in told


def controls(root: Path, *texts: str) -> list[str]:
    """Return every line that holds what a terminal would obey."""
    files = (path for path in root.rglob("*") if path.is_file() and path.suffix != ".sqlite")
    whole = [*texts, *(path.read_text("utf-8") for path in files)]
    return [
        line for text in whole for line in text.split("\n")
        if not line.replace("\t", "").isprintable()
    ]  # fmt: skip


def test_hostile_market_data_stays_one_line_of_json(tmp_path: Path) -> None:
    """Streams, symbols and payloads with lines, JSON and escapes inside; every line parses."""
    bad = [
        stamped(f'{{"stream":"btcusdt@{EVIL}","data":{{}}}}'),
        stamped(f'{{"stream":"{EVIL}@trade","data":{{"s":"{EVIL}"}}}}'),
        stamped(f'{{"stream":"btcusdt@bookTicker","data":{{"s":"{EVIL}","e":"{EVIL}"}}}}'),
        ticker(bid=f'"{EVIL}"'),
        b'1723161255000000000 {"\x1b[2J":"\xff\xfe"}',
    ]
    lines = [ticker(at=1_723_161_255_000_000_000 + n * 100_000_000) for n in range(50)]
    capture = write(tmp_path / "day.jsonl", *lines[:25], *bad, *lines[25:])
    words = ("--source", f"file:{capture}", "--symbols", "BTCUSDT", "--speed", "max", "-v")
    ended = session(tmp_path / "home", *words)
    run: Run = ended.run

    assert len(bad) <= run.report()["malformed_ticks"]
    assert len(run.raw().splitlines()) == run.report()["journal"]["events"] == len(run.lines())
    for name in ("session.log", "events.jsonl"):
        text = (run.path / name).read_text("utf-8")
        assert all(type(json.loads(line)) is dict for line in text.split("\n")[:-1])
        assert "forged" not in {json.loads(line).get("event") for line in text.split("\n")[:-1]}
    assert [] == controls(tmp_path / "home", ended.out, ended.err)
