"""A session as a real process on a home of its own, and what it left behind."""

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import zstandard

from tests.canary import CANARY, SECRETS, spelled
from tests.end_to_end.warm import Warm, may_be_warm

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LAPTOP_AGENTS_DATA", ROOT / ".." / "shared" / "data")).resolve()
CAPTURE = DATA / "raw" / "binance_usdm_btcusdt_20240808.jsonl.gz"
SMALL_CAPTURE = DATA / "raw" / "binance_usdm_btcusdt_20240718.jsonl.gz"
OTHER_CAPTURE = DATA / "raw" / "binance_usdm_ethusdt_20240718.jsonl.gz"
START = "1700000000123456789"


PROGRAM = ("laptop_agents",)


def with_faults(*faults: str) -> tuple[str, ...]:
    """The program with faults in its parts, see `tests.end_to_end.faulty`."""
    return ("tests.end_to_end.faulty", *faults, "--")


def needs(*paths: Path) -> pytest.MarkDecorator:
    """Skip, visibly, where recorded data is absent."""
    gone = [str(path) for path in paths if not path.exists()]
    return pytest.mark.skipif(bool(gone), reason=f"no recorded data: {', '.join(gone)}")


class Ending(NamedTuple):
    """How a process ended."""

    code: int
    out: str
    err: str
    run: "Run"


class Run:
    """A run's folder, read with nothing but the standard library."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        return self.path.is_dir()

    def raw(self) -> bytes:
        return (self.path / "events.jsonl").read_bytes()

    def whole(self) -> bytes:
        """All lines, sealed segments first; of a run that is not being written."""
        unpack = zstandard.ZstdDecompressor().stream_reader
        packed = sorted(self.path.glob("events-*.zst"))
        return b"".join(unpack(path.read_bytes()).read() for path in packed) + self.raw()

    def lines(self, *names: str) -> list[dict[str, Any]]:
        return _named(self.whole(), names)

    def lines_so_far(self, *names: str) -> list[dict[str, Any]]:
        """Whole lines of a run that is being written, and has one segment."""
        return _named(self.raw().rpartition(b"\n")[0], names)

    def report(self) -> dict[str, Any]:
        text = (self.path / "final_report.json").read_text()
        return json.loads(text, parse_float=Decimal, parse_int=Decimal)

    def ledger(self) -> list[dict[str, Any]]:
        """Return what the paper venue's ledger holds; blank lines are free places."""
        text = (self.path / "venue.ledger").read_text()
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    def working(self) -> list[str]:
        return [x["order_id"] for x in self.ledger() if x.get("state") == "working"]

    def held(self) -> dict[str, Decimal]:
        return {x["symbol"]: Decimal(x["qty"]) for x in self.ledger() if "exit_price" in x}

    def sentinel(self, *names: str) -> list[dict[str, Any]]:
        content = (self.path / "sentinel.jsonl").read_bytes()
        found = (json.loads(line) for line in content.splitlines())
        return [line for line in found if not names or line["type"] in names]

    def metrics(self) -> list[dict[str, str]]:
        with (self.path / "metrics.csv").open() as file:
            return list(csv.DictReader(file))


def _named(content: bytes, names: Sequence[str]) -> list[dict[str, Any]]:
    named = [f'"type":"{name}"'.encode() for name in names] or [b""]
    likely = (line for line in content.splitlines() if any(n in line for n in named))
    return [line for line in map(json.loads, likely) if not names or line["type"] in names]


def copied_run(run: Run, folder: Path) -> Run:
    """Copy what a run left behind; a socket that nobody answers is no part of it."""
    shutil.copytree(run.path, folder, symlinks=True, ignore=shutil.ignore_patterns("control.sock"))
    return Run(folder)


class Process:
    """A session that is running."""

    def __init__(
        self, home: Path, *words: str, program: Sequence[str] = PROGRAM, **env: str
    ) -> None:
        self.home = home
        surroundings = {
            "PATH": os.environ["PATH"],
            "LAPTOP_AGENTS_HOME": str(home),
            "LAPTOP_AGENTS_SOURCE": "mock",
            **SECRETS,
            **env,
        }
        self._process: Warm | subprocess.Popen[str]
        if program == PROGRAM and may_be_warm(env):
            self._process = Warm(words, surroundings)
        else:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *program, *words],
                cwd=ROOT,
                env=surroundings,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    @property
    def run(self) -> Run:
        return Run(self.home / "runs" / "latest")

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def until(self, holds: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait for something, at most so long, and not past the process's own end."""
        deadline = time.monotonic() + seconds
        while True:
            began = time.monotonic()
            if _is_true(holds):
                return
            assert time.monotonic() < deadline, "waited in vain"
            assert self.is_running(), f"it ended: {self._process.communicate()}"
            # Who looks must leave the processor to whom it waits for.
            time.sleep(max(0.01, 3 * (time.monotonic() - began)))

    def until_lines(self, count: int, seconds: float = 60.0) -> None:
        """Wait for so many lines; each is read once, however long the journal is by then."""
        at = lines = 0

        def are_there() -> bool:
            nonlocal at, lines
            with (self.run.path / "events.jsonl").open("rb") as journal:
                journal.seek(at)
                new = journal.read()
            at, lines = at + len(new), lines + new.count(b"\n")
            return lines >= count

        self.until(are_there, seconds)

    def until_trading(self) -> None:
        """Until it has written a heartbeat and has an order at the venue."""
        self.until(lambda: b'"type":"venue_accepted"' in self.run.raw())

    def mapped(self) -> bytes:
        """What the process has open of ours or has loaded natively: that it has begun."""
        text = Path(f"/proc/{self._process.pid}/maps").read_bytes()
        return text + (b"laptop_agents" if b"_signal" in text or b"msgspec" in text else b"")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, seconds: float = 60.0) -> Ending:
        """Wait for the end; no trace ever reaches a person."""
        try:
            out, err = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise
        assert "Traceback" not in err
        assert "Traceback" not in out
        assert [] == list(spelled(CANARY, out, err))
        return Ending(self._process.returncode, out, err, self.run)


def _is_true(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except FileNotFoundError:
        return False


def session(home: Path, *words: str, seconds: float = 60.0, **env: str) -> Ending:
    """Run a headless session to its end."""
    return Process(home, "--headless", *words, **env).end(seconds)


def break_in_chain(content: bytes) -> int | None:
    """Return the number of the first bad line, by the words of interface.md; None if all count."""
    prev = "0" * 64
    if content and not content.endswith(b"\n"):
        return content.count(b"\n") + 1
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        read = json.loads(line)
        keys = ["v", "seq", "ts", "type", "data", "prev", "hash"]
        bare = line[: line.rindex(b',"hash":"')] + b"}"
        is_whole = hashlib.sha256(bare).hexdigest() == read["hash"]
        if not (list(read) == keys and is_whole and read["prev"] == prev and read["seq"] == number):
            return number
        prev = read["hash"]
    return None
