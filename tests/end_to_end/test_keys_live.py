"""A session that holds a key and trades with it: nothing it leaves behind has it.

However the key is kept, and however it ends: as planned, by a bug that tells everything it knows,
by SIGKILL with the sentinel left to clear up.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.canary import leaks, spellings
from tests.end_to_end.shell import ROOT, Run
from tests.end_to_end.terminal import Terminal
from tests.end_to_end.test_keys import PLACES, WORDS, program
from tests.end_to_end.test_sandbox import Sandbox, running

KEY, SECRET = "sandbox-key", "sandbox-secret"
"""The sandbox takes these; their halves are words of its own."""
PIECES = [form for secret in (KEY, SECRET) for form in spellings(secret)]


def found(root: Path, *texts: str) -> list[str]:
    """Return every trace but those in the key file itself, and halves."""
    (root / "home" / "keys" / "binance.json").unlink(missing_ok=True)
    every = [one for secret in (KEY, SECRET) for one in leaks(root, *texts, secret=secret)]
    return [one for one in every if "hal" not in one.partition(" in ")[0]]


def live(root: Path, venue: Sandbox, *more: str) -> list[str]:
    """Return what starts an armed session; its token counts once."""
    token = root / "token"
    token.write_text("binance\n")
    token.chmod(0o600)
    settings = [word for name, url in venue.settings.items() for word in ("--set", f"{name}={url}")]
    return [
        "--headless", "--mode", "live", "--source", "binance", "--yes-live", "binance",
        "--arm-token", str(token), "-v", *settings, *more,
    ]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_session_that_ends_as_planned(tmp_path: Path, place: str) -> None:
    """With all it can say of itself: journal, log, manifest, report, capsule, stories."""
    home = tmp_path / "home"
    environ = PLACES[place](home, KEY, SECRET)
    with running() as venue:
        venue.until_priced()
        done = program(home, environ, *live(tmp_path, venue, "--duration", "0.05"))
    said = [done.stdout + done.stderr]
    for words in (
        ("runs", "show"), ("runs", "export", "-o", str(tmp_path / "capsule")), ("audit", "verify"),
        ("audit", "report", "--incident"), ("audit", "why", "BTCUSDT"), ("keys", "list"),
    ):  # fmt: skip
        asked = program(home, environ, *words)
        said.append(asked.stdout + asked.stderr)

    assert 0 == done.returncode, done.stderr
    run = Run(home / "runs" / "latest")
    assert run.lines("venue_accepted")
    assert "live" == run.report()["mode"]
    assert (tmp_path / "capsule").stat().st_size
    assert [] == found(tmp_path, *said)


@pytest.mark.parametrize("place", ["file", "vault"])
def test_a_bug_while_it_trades(tmp_path: Path, place: str) -> None:
    """Its message has both halves in every spelling; no variable of the environment has any."""
    home = tmp_path / "home"
    environ = PLACES[place](home, KEY, SECRET)
    code = f"""
import sys
from laptop_agents.__main__ import main
from engine.session.turn import Turn
real, seen = Turn.market, []
def boom(*words, **named):
    seen.append(1)
    if len(seen) < 50:
        return real(*words, **named)
    raise RuntimeError("told " + " and ".join({PIECES!r}))
Turn.market = boom
sys.exit(main(sys.argv[1:]))
"""
    with running() as venue:
        venue.until_priced()
        done = program(home, environ, *live(tmp_path, venue, "--duration", "1"), code=code)
        logs = "".join(path.read_text() for path in home.rglob("*.log"))
        until_cleared(venue)

    assert 1 == done.returncode, done.stderr
    assert logs.count("told [redacted] and [redacted]") >= 2
    assert [] == found(tmp_path, done.stdout, done.stderr)


def until_cleared(venue: Sandbox, seconds: float = 30.0) -> None:
    """Wait until no order of ours works at the venue."""
    deadline = time.monotonic() + seconds
    while venue.ask("GET", "/fapi/v1/openOrders"):
        assert time.monotonic() < deadline, "orders are left"
        time.sleep(0.05)


@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_session_that_is_killed(tmp_path: Path, place: str) -> None:
    """The sentinel gets the key by no argument, no file and no variable, and clears up with it."""
    home = tmp_path / "home"
    environ = PLACES[place](home, KEY, SECRET)
    with running() as venue:
        venue.until_priced()
        engine = subprocess.Popen(
            [sys.executable, "-m", "laptop_agents", *live(tmp_path, venue)],
            cwd=ROOT, env={"PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(home), **environ},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        run = Run(home / "runs" / "latest")
        try:
            deadline = time.monotonic() + 60
            while not (run.exists and run.lines_so_far("venue_accepted")):
                assert engine.poll() is None, engine.communicate()
                assert time.monotonic() < deadline, "it never traded"
                time.sleep(0.02)
            sentinel = run.sentinel("sentinel_started")[-1]["data"]["pid"]
            process = Path("/proc") / str(sentinel)
            whose = [process / "cmdline", process / "environ", Path(f"/proc/{engine.pid}/cmdline")]
            started_with = "".join(path.read_bytes().decode() for path in whose)
        finally:
            engine.send_signal(signal.SIGKILL)
            said = engine.communicate(timeout=30)[1]
        until_cleared(venue)
        deadline = time.monotonic() + 30
        while not run.sentinel("sentinel_ended"):
            assert time.monotonic() < deadline, "the sentinel stays"
            time.sleep(0.05)

    acted = json.dumps(run.sentinel())
    assert "cancel" in acted
    assert [] == found(tmp_path, said, started_with)


def test_a_vault_is_opened_at_the_terminal_that_shows_the_screen(tmp_path: Path) -> None:
    """The engine has none: it gets the passphrase over a pipe, in no argument and no variable."""
    home = tmp_path / "home"
    PLACES["vault"](home, KEY, SECRET)
    with running() as venue:
        venue.until_priced()
        words = [word for word in live(tmp_path, venue) if word not in ("--headless", "-v")]
        at = words.index("--arm-token")
        terminal = Terminal(
            home, *words[:at], *words[at + 2 :], "--duration", "0.1", size=(120, 40)
        )
        terminal.until(lambda text: "passphrase of the vault:" in text)
        terminal.press(f"{WORDS}\r")
        terminal.until(lambda text: "Type binance to arm" in text)
        terminal.press("binance\r")
        terminal.until(lambda text: text.startswith(" LIVE ") and "ACTIVE" in text)
        started_with = ""
        for process in psutil.Process(terminal.process.pid).children(recursive=True):
            folder = Path("/proc") / str(process.pid)
            started_with += f"{(folder / 'cmdline').read_text()}{(folder / 'environ').read_text()}"
        code = terminal.end(60)

    assert 0 == code, terminal.text()
    assert "laptop_agents.sentinel" in started_with
    assert "LAPTOP_AGENTS_VAULT_PASSPHRASE=-" in started_with
    assert terminal.run.lines("venue_accepted")
    assert [] == found(tmp_path, terminal.raw.decode(), started_with)
    assert [] == list(leaks(tmp_path, terminal.raw.decode(), started_with, secret=WORDS))
