"""Live sessions in real processes against each sandbox: real requests, real streams, no money.

What the venue itself wrote down is held against the journal: that is the proof, whatever happened
in between.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from tests.end_to_end.shell import ROOT, Process
from tests.end_to_end.terminal import Terminal

PATIENCE_S = 30.0
VENUES = {"binance": "BTCUSDT", "bitunix": "BTCUSDT", "hyperliquid": "BTC"}
KEYS = {
    "binance": {"KEY": "sandbox-key", "SECRET": "sandbox-secret"},
    "bitunix": {"KEY": "sandbox-key", "SECRET": "sandbox-secret"},
    "hyperliquid": {},
}


class Exchange(NamedTuple):
    """A sandbox in a process of its own."""

    venue: str
    words: tuple[str, ...]
    """Settings that lead there."""
    surroundings: Mapping[str, str]
    """The key to it."""
    faults: str
    ledger: Path

    def wrote(self, kind: str) -> list[dict[str, Any]]:
        lines = map(json.loads, self.ledger.read_text().splitlines())
        return [line for line in lines if line["kind"] == kind]

    def live(self, home: Path, *words: str) -> Process:
        """A live session that is armed; the token is used up by it."""
        token = home / "arm.token"
        token.unlink(missing_ok=True)
        with os.fdopen(os.open(token, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(f"{self.venue}\n")
        return Process(
            home, "--headless", "--yes-live", self.venue, "--arm-token", str(token), *words,
            **self.surroundings,
        )  # fmt: skip

    def start(self, home: Path, minutes: str, *words: str) -> Process:
        return self.live(
            home, "--mode", "live", "--source", self.venue, "--symbols", VENUES[self.venue],
            "--duration", minutes, "--set", "agents.quoter.half_spread_bps=0.5",
            "--set", "risk.max_consecutive_losses=1000", "--set", "live.unknown_withdraw=true",
            *self.words, *words,
        )  # fmt: skip

    async def break_it(self, name: str, **how: object) -> None:
        asked = {"name": name, **how}
        async with (
            aiohttp.ClientSession() as client,
            client.post(self.faults, json=asked) as answer,
        ):
            assert 200 == answer.status, await answer.text()


@contextlib.contextmanager
def exchange(venue: str, folder: Path) -> Iterator[Exchange]:
    """A running sandbox and what it announces."""
    ledger = folder / "venue.jsonl"
    command = [
        sys.executable, "-m", "laptop_agents", "sandbox", venue, "--symbols", VENUES[venue],
        "--events-per-s", "50", "--ledger", str(ledger),
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said: list[str] = []
    while not said or not said[-1].startswith("faults: "):
        said.append(process.stdout.readline().strip())
        assert said[-1], said
    prefix = f"LAPTOP_AGENTS_{venue.upper()}_"
    words = [word for line in said if line.startswith(f"{venue}.") for word in ("--set", line)]
    told = dict(line.split("=", 1) for line in said if line.startswith(prefix) and " " not in line)
    key = {prefix + name: value for name, value in KEYS[venue].items()} or told
    try:
        yield Exchange(venue, tuple(words), key, said[-1].removeprefix("faults: "), ledger)
    finally:
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(PATIENCE_S)
        process.stdout.close()


def agree(there: Exchange, run: Any) -> int:
    """Hold the venue's fills against the journal's, and return how many there are."""
    theirs = {
        (str(line["trade_id"]), Decimal(line["fill_price"]), Decimal(line["fill_qty"]))
        for line in there.wrote("fill")
    }
    ours = [
        (line["data"]["trade_id"], Decimal(line["data"]["price"]), Decimal(line["data"]["qty"]))
        for line in run.lines("fill")
    ]
    assert sorted(theirs) == sorted(ours)
    return len(ours)


@pytest.fixture(params=VENUES)
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Exchange]:
    with exchange(request.param, tmp_path) as opened:
        yield opened


@pytest.mark.timeout(180)
async def test_a_live_session_survives_what_can_happen(there: Exchange, tmp_path: Path) -> None:
    """Lines that break, answers that never come, kill -9 and resume; then flat, ledger == journal."""
    process = there.start(tmp_path, "0.5")
    process.until_trading()
    await there.break_it("kill_streams")
    await there.break_it("accept_then_timeout", times=1)
    time.sleep(8)
    assert process.is_running()
    process.send(signal.SIGKILL)
    process._process.communicate()
    ending = there.live(tmp_path, "--resume").end()

    assert 0 == ending.code, ending.err
    report = ending.run.report()
    assert ("live", False, []) == (report["mode"], report["simulated"], report["positions_at_end"])
    assert 3 < agree(there, ending.run)
    assert 1 == len(ending.run.lines("session_resumed"))
    assert {"arm"} <= {line["data"]["command"] for line in ending.run.lines("operator_command")}
    again = Process(tmp_path, "replay").end()
    assert (0, True) == (again.code, "identical" in again.out), again.out + again.err
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    secrets = [v for n, v in there.surroundings.items() if n.endswith(("SECRET", "WALLET"))]
    assert secrets
    assert not [secret for secret in secrets if secret.encode() in kept]


def test_a_kill_file_leaves_nothing_behind(there: Exchange, tmp_path: Path) -> None:
    """Orders canceled and the position closed at the venue, within the second; over for good."""
    process = there.start(tmp_path, "1")
    process.until(lambda: len(process.run.lines_so_far("fill")) > 2)
    (tmp_path / "kill.txt").touch()
    ending = process.end()

    assert 4 == ending.code
    report = ending.run.report()
    assert [] == report["positions_at_end"]
    assert agree(there, ending.run)
    (tmp_path / "kill.txt").unlink()
    refused = there.live(tmp_path, "--resume").end()
    assert 2 == refused.code


def test_arming_at_a_terminal(tmp_path: Path) -> None:
    """The venue's name typed under what is at stake; another word leaves, and nothing was sent."""
    with exchange("binance", tmp_path) as there:
        words = ("--mode", "live", "--source", "binance", "--yes-live", "binance", *there.words)
        asked = [
            Terminal(tmp_path, *words, "--duration", "0.1", size=(120, 40), **there.surroundings)
            for _ in range(2)
        ]
        for terminal, answer in zip(asked, ("bitunix\n", "binance\n"), strict=True):
            stake = terminal.until(lambda text: "Type binance to arm" in text)
            assert "worst loss 200.00 (2%)" in stake
            terminal.press(answer)
        refused, agreed = asked
        assert 7 == refused.end()
        assert "not armed: nothing was sent" in refused.text()
        agreed.until(lambda text: text.startswith(" LIVE ") and "ACTIVE" in text)
        assert 0 == agreed.end(60)
        assert [] == list(tmp_path.glob("*.token"))
        assert agree(there, agreed.run) is not None
        assert 1 == len(list((tmp_path / "runs").glob("2*")))
