"""Keys of venues, kept in the environment or a file: nothing that is left behind has any of them.

Commands that use them, sessions that hold them, and bugs in both; and a person who types one.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from laptop_agents.keys_shape import VARIABLES, VAULT_VARIABLE
from laptop_agents.why_process import why
from tests.canary import CANARY, leaks, spelled, spellings
from tests.end_to_end.shell import ROOT, Run
from tests.end_to_end.terminal import Terminal
from tests.end_to_end.warm import ran

KEY = "k3y+/" + CANARY[::-1] + "tail"
WORDS = "correct+horse/battery9staple"
NOWHERE = "binance.rest_url=http://127.0.0.1:9"
"""The port of `discard`, where nobody listens."""
PIECES = [form for secret in (CANARY, KEY) for form in spellings(secret)]
"""What a library may put into the message of an exception."""


def in_environment(home: Path, key: str = KEY, secret: str = CANARY) -> dict[str, str]:
    return {"LAPTOP_AGENTS_BINANCE_KEY": key, "LAPTOP_AGENTS_BINANCE_SECRET": secret}


def in_file(home: Path, key: str = KEY, secret: str = CANARY) -> dict[str, str]:
    folder = home / "keys"
    folder.mkdir(0o700, parents=True)
    path = folder / "binance.json"
    path.write_text(json.dumps({"key": key, "secret": secret}))
    path.chmod(0o600)
    return {}


def in_vault(home: Path, key: str = KEY, secret: str = CANARY) -> dict[str, str]:
    environ = {VAULT_VARIABLE: WORDS}
    words = ("keys", "set", "binance", "--stdin", "--in", "vault")
    done = program(home, environ, *words, piped=f"{key}\n{secret}\n")
    assert 0 == done.returncode, done.stderr
    return environ


PLACES = {"environment": in_environment, "file": in_file, "vault": in_vault}


def program(
    home: Path, environ: dict[str, str], *words: str, piped: str = "", code: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the program, or a program of a few lines around it."""
    env = {"PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(home), **environ}
    if not code:
        return ran(words, env, piped)
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, input=piped, text=True, env=env,
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip


def found(root: Path, *texts: str) -> list[str]:
    """Return every trace of the key, its secret and the passphrase, but for the key file itself."""
    (root / "home" / "keys" / "binance.json").unlink(missing_ok=True)
    return [one for secret in (CANARY, KEY, WORDS) for one in leaks(root, *texts, secret=secret)]


COMMANDS = [
    # what is typed, exit code, said
    (("keys", "list"), 0, "...tail"),
    (("keys", "list", "--json"), 0, '"tail": "tail"'),
    (("keys", "check", "binance", "--set", NOWHERE), 5, "binance can't be reached"),
    (("doctor", "--keys"), 0, "binance: ...tail from the "),
    (("--headless", "--source", "mock", "--duration", "1", "--speed", "max", "-v"), 0, ""),
    (("keys", "rotate", "binance", "--stdin", "--set", NOWHERE), None, "...tail"),
]
KEYLESS = [
    (("runs", "show"), 0, ""),
    (("runs", "export", "-o", "CAPSULE"), 0, ""),
    (("audit", "report", "--incident"), 0, ""),
    (("profiles", "show"), 0, ""),
]
"""They read no key, but may meet one in their environment."""


@pytest.mark.parametrize("place", PLACES)
def test_commands_tell_no_key(tmp_path: Path, place: str) -> None:
    """Each in a process of its own, with the key where it is kept."""
    home = tmp_path / "home"
    environ = PLACES[place](home)
    said = []
    for words, code, expected in COMMANDS + KEYLESS * (place == "environment"):
        typed = [str(tmp_path / "capsule") if word == "CAPSULE" else word for word in words]
        done = program(home, environ, *typed, piped=f"{KEY[:-4]}next\n{CANARY}\n")
        whole = done.stdout + done.stderr
        assert code is None or code == done.returncode, whole
        assert expected in whole or code is None
        said.append(whole)

    assert {"manifest.json", "events.jsonl", "session.log", "final_report.json"} <= {
        path.name for path in (home / "runs" / "latest").iterdir()
    }
    assert [] == found(tmp_path, *said)


BUGS = {
    # where the bug is: what is broken, what is typed
    "in a command": ("keys_check.ASKERS['binance'] = boom", ("keys", "check", "binance")),
    "before the run": ("compose.make_feed = boom", ("--headless",)),
    "in the session": ("from engine.session.turn import Turn; Turn.market = boom", ("--headless",)),
}


@pytest.mark.parametrize(
    ("bug", "place"),
    [
        *((bug, "environment") for bug in BUGS),
        ("in a command", "vault"),
        ("in the session", "file"),
    ],
)
def test_a_bug_tells_no_key(tmp_path: Path, place: str, bug: str) -> None:
    """Not one that puts it into its message in every spelling, with the key in local variables."""
    home = tmp_path / "home"
    environ = PLACES[place](home)
    patch, words = BUGS[bug]
    code = f"""
import os, sys
from pathlib import Path
from laptop_agents import compose, keys_check
from laptop_agents.keys import credentials
from laptop_agents.__main__ import main
found = credentials("binance", os.environ, Path(os.environ["LAPTOP_AGENTS_HOME"]))
def boom(*_, **__):
    held, secret = found.credentials, found.credentials.secret.reveal()
    raise RuntimeError(f"told {{held}} " + " and ".join({PIECES!r}))
{patch}
sys.exit(main([*{words!r}]))
"""
    done = program(home, environ, code=code)
    logs = "".join(path.read_text() for path in home.rglob("*.log"))

    assert 1 == done.returncode, done.stderr
    assert "RuntimeError" in logs
    assert "told Credentials(key=...tail, secret=[redacted]" in logs
    assert [] == found(tmp_path, done.stdout, done.stderr)


def test_a_live_session_s_log_knows_the_key_it_holds(tmp_path: Path) -> None:
    """What a venue echoes is taken out of session.log though the key stands in no variable."""
    home = tmp_path / "home"
    in_file(home)
    code = f"""
import os, sys
from pathlib import Path
from laptop_agents.keys import credentials
from laptop_agents.__main__ import main
from engine.session.record import SessionRecord
credentials("binance", os.environ, Path(os.environ["LAPTOP_AGENTS_HOME"]))
before = SessionRecord.finish
def finish(self, *words):
    self._log.warning("venue_said", detail="wrong key {KEY}")
    return before(self, *words)
SessionRecord.finish = finish
sys.exit(main(["--headless", "--source", "mock", "--duration", "1", "--speed", "max"]))
"""
    done = program(home, {}, code=code)

    assert 0 == done.returncode, done.stderr
    assert (
        "wrong key [redacted]" in (Run(home / "runs" / "latest").path / "session.log").read_text()
    )
    assert [] == found(tmp_path, done.stdout, done.stderr)


def test_a_passphrase_may_come_in_by_the_standard_input(tmp_path: Path) -> None:
    """For services; behind a key that is piped it is the third line."""
    home, environ = tmp_path / "home", {VAULT_VARIABLE: "-"}
    words = ("keys", "set", "binance", "--stdin", "--in", "vault")
    kept = program(home, environ, *words, piped=f"{KEY}\n{CANARY}\n{WORDS}\n")
    listed = program(home, environ, "keys", "list", piped=f"{WORDS}\n")
    wrong = program(home, environ, "keys", "delete", "binance", piped="another one entirely\n")
    none = program(home, environ, "keys", "delete", "binance")

    assert (0, 0, 7, 7) == tuple(done.returncode for done in (kept, listed, wrong, none))
    assert "...tail  today         used" in listed.stdout
    assert "does not open" in wrong.stderr
    assert "does not open" in none.stderr
    assert [] == found(tmp_path, *(one.stdout + one.stderr for one in (kept, listed, wrong, none)))


# A person at a terminal.


def typed_into(terminal: Terminal, *answers: tuple[str, str]) -> None:
    """Wait for each question, then type."""
    for question, answer in answers:
        terminal.until(lambda text, question=question: question in text)
        arguments = Path(f"/proc/{terminal.process.pid}/cmdline").read_bytes().decode()
        assert [] == list(spelled(CANARY, arguments))
        terminal.press(f"{answer}\r")


def test_a_key_that_is_typed_is_not_shown(tmp_path: Path, fresh_interpreters: None) -> None:
    """Not echoed, not in the arguments of the process, and kept under a passphrase typed twice."""
    home = tmp_path / "home"
    terminal = Terminal(home, "keys", "set", "binance")
    typed_into(
        terminal, ("API key:", KEY), ("API secret:", CANARY),
        ("passphrase of the vault:", WORDS), ("the same again:", WORDS),
    )  # fmt: skip

    assert 0 == terminal.end()
    assert "binance ...tail is kept in" in terminal.raw.decode()
    assert [] == found(tmp_path, terminal.raw.decode())
    again = Terminal(home, "keys", "list")
    typed_into(again, ("passphrase of the vault:", WORDS))
    assert 0 == again.end()
    assert "binance      vault        ...tail  today         used" in again.raw.decode()
    assert [] == found(tmp_path, again.raw.decode())


def test_two_passphrases_that_differ_keep_nothing(tmp_path: Path) -> None:
    """Nobody could open that vault again."""
    terminal = Terminal(tmp_path / "home", "keys", "set", "binance")
    typed_into(
        terminal, ("API key:", KEY), ("API secret:", CANARY),
        ("passphrase of the vault:", WORDS), ("the same again:", WORDS + "x"),
    )  # fmt: skip

    assert 7 == terminal.end()
    assert "the two passphrases differ: nothing was kept" in terminal.raw.decode()
    assert not (tmp_path / "home" / "keys" / "vault").exists()


def test_a_prompt_can_be_left(tmp_path: Path) -> None:
    """By Ctrl-C or Ctrl-D; the terminal echoes again, and nothing was kept."""
    for keys, code in (("\x03", 4), ("\x04", 7)):
        terminal = Terminal(tmp_path / "home", "keys", "set", "binance")
        terminal.until(lambda text: "API key:" in text)
        terminal.press(keys)
        assert code == terminal.end()
        assert "Traceback" not in terminal.raw.decode()
    assert not (tmp_path / "home").exists()


def test_piping_is_not_mistaken_for_typing(tmp_path: Path) -> None:
    """On a terminal it would echo."""
    terminal = Terminal(tmp_path / "home", "keys", "set", "binance", "--stdin")

    assert 7 == terminal.end()
    assert "--stdin is for a pipe" in terminal.text()


# Processes that have no use for keys are given none.


def environment_of(pid: int) -> dict[str, str]:
    """What a process was started with, as anybody of this user can read it."""
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def test_the_player_of_a_replay_gets_no_key(tmp_path: Path, fresh_interpreters: None) -> None:
    """It only reads a journal; the screen before it was started with one."""
    home = tmp_path / "home"
    session = ("--headless", "--source", "mock", "--duration", "1", "--speed", "max")
    assert 0 == program(home, {}, *session).returncode
    terminal = Terminal(home, "replay", "--tui", **in_environment(home))
    terminal.until(lambda text: "BTCUSDT" in text)
    (player,) = psutil.Process(terminal.process.pid).children()

    assert KEY == environment_of(terminal.process.pid)["LAPTOP_AGENTS_BINANCE_KEY"]
    assert str(home) == environment_of(player.pid)["LAPTOP_AGENTS_HOME"]
    assert not VARIABLES & set(environment_of(player.pid))
    terminal.press("q")
    assert 0 == terminal.end()


def test_who_asks_why_gets_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nice` runs it, and here tells what it was given."""
    told = tmp_path / "told"
    (tmp_path / "bin").mkdir()
    nice = tmp_path / "bin" / "nice"
    nice.write_text(f"#!/bin/sh\nenv > {told}\n")
    nice.chmod(0o700)
    monkeypatch.setenv("PATH", f"{nice.parent}:{os.environ['PATH']}")
    for name, value in in_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    why(tmp_path, "BTCUSDT")

    assert "PATH=" in told.read_text()
    assert "LAPTOP_AGENTS_BINANCE" not in told.read_text()
