"""How each row of the known issues comes about: real commands on real runs.

A provocation gets a `Place` and returns how the program ended and what it said.
"""

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from tests.end_to_end.shell import Process, Run
from tests.end_to_end.test_live_market import free_port, on_binance, sandbox
from tests.end_to_end.test_resume import rechained
from tests.end_to_end.warm import ran
from tests.scripts.test_run_autonomous import BUG

BUSY: Final = ("--speed", "20", "--set", "agents.quoter.half_spread_bps=0.5")
SHORT: Final = ("--headless", "--duration", "0.1", "--speed", "max")
SLOW: Final = (
    "--headless", "--speed", "max", "--seed", "3",
    "--set", "paper.cancel_latency_ms=20000", "--set", "agents.quoter.half_spread_bps=5",
)  # fmt: skip
"""Its cancels take longer than a close may."""


class Said(NamedTuple):
    """How a command ended."""

    code: int
    text: str
    """Both streams."""


class Place(NamedTuple):
    """A home with a run that `ended`, and room for one that `crashed`."""

    home: Path

    def run(self, name: str) -> Path:
        return self.home / "runs" / name

    def does(self, *words: str, **env: str) -> Said:
        surroundings = {
            "PATH": os.environ["PATH"],
            "LAPTOP_AGENTS_HOME": str(self.home),
            "LAPTOP_AGENTS_SOURCE": "mock",
            **env,
        }
        done = ran(words, surroundings, folder=self.home.parent)
        return Said(done.returncode, done.stdout + done.stderr)

    def crashes(self) -> Path:
        """Leave a run that was killed while it traded."""
        words = ("--headless", "-q", "--duration", "0.5", "--set", "session.run_id=crashed")
        running = Process(self.home, *words, *BUSY)
        crashed = Run(self.run("crashed"))
        running.until(lambda: b'"type":"fill"' in crashed.raw())
        running.send(signal.SIGKILL)
        running.end()
        return crashed.path


def kill_file(at: Place) -> Said:
    (at.home / "kill.txt").symlink_to("nowhere")
    return at.does(*SHORT)


def unknown_setting(at: Place) -> Said:
    return at.does(*SHORT, LAPTOP_AGENTS_RISK__MAX_LOS_PCT="1")


def other_users(at: Place) -> Said:
    (at.home / "runs").chmod(0o755)
    said = at.does(*SHORT)
    assert 0o755 == stat.S_IMODE((at.home / "runs").stat().st_mode), "it is not ours to change"
    return said


def no_home(at: Place) -> Said:
    (at.home.parent / "file").touch()
    return at.does(*SHORT, LAPTOP_AGENTS_HOME=str(at.home.parent / "file"))


def held(at: Place) -> Said:
    fd = os.open(at.crashes() / "events.jsonl", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    said = at.does("--headless", "--resume", "crashed")
    os.close(fd)
    return said


def no_line(at: Place) -> Said:
    (at.crashes() / "events.jsonl").write_bytes(b"")
    return at.does("--headless", "--resume", "crashed")


def changed_line(at: Place) -> Said:
    journal = at.crashes() / "events.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"type":"quote"', b'"type":"quota"', 1))
    return at.does("--headless", "--resume", "crashed")


def other_rerun(at: Place) -> Said:
    journal = at.crashes() / "events.jsonl"
    lines = [json.loads(line) for line in journal.read_bytes().splitlines()]
    lines[0]["data"]["settings"]["session.seed"] = 12
    journal.write_bytes(rechained(lines))
    return at.does("--headless", "--resume", "crashed")


def torn_line(at: Place) -> Said:
    with (at.crashes() / "events.jsonl").open("ab") as journal:
        journal.write(b'{"v":1,"seq":9')
    return at.does("--headless", "--resume", "crashed")


def losing_streak(at: Place) -> Said:
    return at.does("--headless", "--duration", "1", *BUSY, "--set", "risk.max_consecutive_losses=2")


def small_limit(at: Place) -> Said:
    return at.does("--headless", "--duration", "0.02", "--set", "health.max_rss_mb=10")


def closed_terminal(at: Place) -> Said:
    words = ("--headless", "--duration", "5", *BUSY)
    program = [sys.executable, "-m", "laptop_agents", *words]
    nohup = subprocess.Popen(
        ["nohup", *program],
        env={
            "PATH": os.environ["PATH"],
            "LAPTOP_AGENTS_HOME": str(at.home),
            "LAPTOP_AGENTS_SOURCE": "mock",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert nohup.stdout is not None
    first = nohup.stdout.readline()  # it runs
    nohup.send_signal(signal.SIGHUP)
    rest, _ = nohup.communicate(timeout=30)
    return Said(nohup.returncode, first + rest)


def quiet(at: Place) -> Said:
    said = at.does(*SHORT, "-q", "--set", "session.run_id=quiet")
    log = at.run("quiet") / "session.log"
    return Said(said.code, "session.log is empty" if not log.stat().st_size else "it is not")


def crashed_then(*words: str) -> Callable[[Place], Said]:
    def provoke(at: Place) -> Said:
        at.crashes()
        return at.does(*words)

    return provoke


def no_inputs(at: Place) -> Said:
    at.does(*SHORT, "--set", "journal.detail=decisions")
    return at.does("replay")


def archived_twice(at: Place) -> Said:
    at.does("runs", "archive", "ended")
    return at.does("runs", "archive", "ended")


def imported_home(at: Place) -> Said:
    at.does("runs", "export", "ended", "-o", str(at.home / "capsule.tar.gz"))
    return at.does("runs", "import", str(at.home / "capsule.tar.gz"))


def live_unsaid(at: Place) -> Said:
    return at.does(*SHORT, "--mode", "live", "--source", "binance")


def live_market(at: Place) -> Said:
    words = ("--headless", "-q", "--duration", "5", "--set", "session.run_id=crashed")
    with sandbox() as (_, urls):
        running = Process(at.home, *words, *on_binance(*urls))
        crashed = Run(at.run("crashed"))
        running.until(lambda: b'"type":"venue_accepted"' in crashed.raw())
        running.send(signal.SIGKILL)
        running.end()
    return at.does("--headless", "--resume", "crashed")


def venue_not_there(at: Place) -> Said:
    nowhere = f"binance.rest_url=http://127.0.0.1:{free_port()}"
    patience = "session.fallback_after_s=0.6"
    return at.does(*SHORT, *on_binance("--set", nowhere, "--set", patience))


def reference_not_there(at: Place) -> Said:
    nowhere = f"bitunix.rest_url=http://127.0.0.1:{free_port()}"
    words = ("reference.source=bitunix", nowhere, "session.fallback_after_s=0.6")
    with sandbox() as (_, urls):
        typed = [part for word in words for part in ("--set", word)]
        return at.does(*SHORT, *on_binance(*urls, *typed))


def bug(at: Place) -> Said:
    (at.home / "sitecustomize.py").write_text(BUG)
    said = at.does(*SHORT, PYTHONPATH=str(at.home))
    assert "ZeroDivisionError" in (at.home / "crash.log").read_text()
    assert "error" == Run(at.run("latest")).report()["stop_reason"]
    return said


def typed(*words: str) -> Callable[[Place], Said]:
    return lambda at: at.does(*words)


PROVOKED: Final = {
    # the symptom, as the document quotes it: how to get there
    "the kill file ... exists, so no session starts": kill_file,
    "unknown setting LAPTOP_AGENTS_": unknown_setting,
    "unknown symbol": typed(*SHORT, "--symbols", "DOGEUSD"),
    "live needs a source that can be traded on": typed(
        *SHORT, "--mode", "live", "--source", "mock"
    ),
    "live sends real orders: say --yes-live": live_unsaid,
    "the reference market: ... can't be reached": reference_not_there,
    "file not found": typed(*SHORT, "--source", "file:nothing.jsonl"),
    "must be absent or an empty folder": typed(*SHORT, "--run-dir", "home/runs/ended"),
    "is open to other users (mode 0755): chmod 700 it first": other_users,
    "can't use the home folder": no_home,
    "attach needs a screen, and": typed("attach", "ended"),
    "there is nothing to resume": typed("--headless", "--resume", "ended"),
    "a resumed run keeps its own settings": typed("--headless", "--resume", "--seed", "3"),
    "can't be reached": live_market,
    "another session is writing run": held,
    "nothing had happened yet": no_line,
    "the line was changed": changed_line,
    "the rerun comes to another": other_rerun,
    "PAUSED (BREAKER_PAUSE:max_consecutive_losses)": losing_streak,
    "going on with the mock market, SIMULATED": venue_not_there,
    "shutdown_deadline (asked for by": typed("--duration", "1", *SLOW),
    "passed its limit": small_limit,
    "of an unfinished last line": torn_line,
    "signal: equity": closed_terminal,
    "session.log": quiet,
    "running": crashed_then("runs", "list"),
    "is not running": typed("pause", "ended"),
    "is running, or was a minute ago": crashed_then("runs", "archive", "crashed"),
    "holds no inputs": no_inputs,
    "no report yet, acknowledged up to": crashed_then("audit", "verify", "crashed"),
    "no intent was refused in this run": typed("audit", "why", "ended", "--last"),
    "exists already": archived_twice,
    "is here already": imported_home,
    "a bug of ours; its trace is in": bug,
}
