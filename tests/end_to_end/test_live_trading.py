"""Live sessions in real processes against each sandbox: real requests, real streams, no money.

What the venue itself wrote down is held against the journal: that is the proof, whatever happened
in between.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest

from brokers.link.account import Accepted
from brokers.link.secret import Credentials, Secret
from engine.model.instrument import Instrument
from laptop_agents.settings import Flag, load
from laptop_agents.venues import open_account
from tests.end_to_end.shell import PROGRAM, Process
from tests.end_to_end.terminal import Terminal
from tests.end_to_end.warm import Warm

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

    def live(self, home: Path, *words: str, program: Sequence[str] = PROGRAM) -> Process:
        """A live session that is armed; the token is used up by it."""
        token = home / "arm.token"
        token.unlink(missing_ok=True)
        with os.fdopen(os.open(token, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(f"{self.venue}\n")
        return Process(
            home, "--headless", "--yes-live", self.venue, "--arm-token", str(token), *words,
            program=program, **self.surroundings,
        )  # fmt: skip

    def start(
        self, home: Path, minutes: str, *words: str, program: Sequence[str] = PROGRAM
    ) -> Process:
        return self.live(
            home, "--mode", "live", "--source", self.venue, "--symbols", VENUES[self.venue],
            "--duration", minutes, "--set", "agents.quoter.half_spread_bps=0.5",
            "--set", "risk.max_consecutive_losses=1000", "--set", "live.unknown_withdraw=true",
            "--set", "live.leverage=3", "--set", "live.margin_mode=isolated",
            *self.words, *words, program=program,
        )  # fmt: skip

    async def break_it(self, name: str, **how: object) -> None:
        asked = {"name": name, **how}
        async with (
            aiohttp.ClientSession() as client,
            client.post(self.faults, json=asked) as answer,
        ):
            assert 200 == answer.status, await answer.text()

    async def set_leverage(self, run: Any, leverage: int) -> None:
        """As another client of the owner would; Bitunix takes it once no order rests."""
        (began,) = run.lines_so_far("session_started")
        instruments = msgspec.convert(began["data"]["instruments"], list[Instrument], strict=False)
        flags = [Flag("--set", *word.split("=", 1)) for word in self.words[1::2]]
        settings = load([Flag("--set", "source", self.venue), *flags], {}, profiles=Path("none"))
        names = sorted(self.surroundings)  # ..._ADDRESS, _WALLET; ..._KEY, _SECRET
        name, secret = (self.surroundings[one] for one in names)
        credentials = Credentials(name, Secret(secret))
        async with open_account(self.venue, credentials, settings, instruments) as account:
            (held,) = await account.margin_terms()
            wanted = msgspec.structs.replace(held, leverage=leverage)
            async with asyncio.timeout(PATIENCE_S):
                while not isinstance(await account.set_margin(held, wanted), Accepted):
                    await asyncio.sleep(0.25)


@contextlib.contextmanager
def exchange(venue: str, folder: Path, *options: str) -> Iterator[Exchange]:
    """A running sandbox and what it announces."""
    ledger = folder / "venue.jsonl"
    words = (
        "sandbox", venue, "--symbols", VENUES[venue], "--events-per-s", "50",
        "--ledger", str(ledger), *options,
    )  # fmt: skip
    process = Warm(words, {"PATH": os.environ["PATH"]}, says=False)
    said: list[str] = []
    while not said or not said[-1].startswith("faults: "):
        said.append(process.stdout.readline().strip())
        assert said[-1], said
    prefix = f"LAPTOP_AGENTS_{venue.upper()}_"
    leads = [word for line in said if line.startswith(f"{venue}.") for word in ("--set", line)]
    told = dict(line.split("=", 1) for line in said if line.startswith(prefix) and " " not in line)
    key = {prefix + name: value for name, value in KEYS[venue].items()} or told
    try:
        yield Exchange(venue, tuple(leads), key, said[-1].removeprefix("faults: "), ledger)
    finally:
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(PATIENCE_S)
        process.close()


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


def margins(lines: Callable[[str], list[dict[str, Any]]]) -> list[tuple[Any, ...]]:
    """Return what a run was told of leverage and margin mode: what they are, and what they were."""
    return [tuple(line["data"].values()) for line in lines("venue_margin")]


@pytest.fixture(params=VENUES)
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Exchange]:
    with exchange(request.param, tmp_path) as opened:
        yield opened


def assert_the_sentinel_has_its_key_by_a_pipe_alone(process: Process, there: Exchange) -> None:
    """Not in its arguments, its surroundings, or a file it has open."""
    (started,) = process.run.sentinel("sentinel_started")
    folder = Path(f"/proc/{started['data']['pid']}")
    said = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
    files = [link.resolve() for link in (folder / "fd").iterdir()]
    said += b"".join(path.read_bytes() for path in files if path.is_file())
    assert started["data"]["has_key"]
    assert b"laptop_agents.sentinel" in said
    assert [] == [name for name, value in there.surroundings.items() if value.encode() in said]
    assert [] == [name for name in there.surroundings if name.encode() in said]


@pytest.mark.timeout(180)
async def test_a_live_session_survives_what_can_happen(there: Exchange, tmp_path: Path) -> None:
    """Lines that break, answers that never come, kill -9, another hand at the leverage, resume.

    Then flat, and ledger == journal. On the way, its sentinel is looked at.
    """
    process = there.start(tmp_path, "0.5")
    process.until_trading()
    assert_the_sentinel_has_its_key_by_a_pipe_alone(process, there)
    await there.break_it("kill_streams")
    await there.break_it("accept_then_timeout", times=1)
    time.sleep(8)
    assert process.is_running()
    process.send(signal.SIGKILL)
    process._process.communicate()
    await there.set_leverage(process.run, 5)
    ending = there.live(tmp_path, "--resume").end()

    assert 0 == ending.code, ending.err
    report = ending.run.report()
    assert ("live", False, []) == (report["mode"], report["simulated"], report["positions_at_end"])
    assert 3 < agree(there, ending.run)
    assert 1 == len(ending.run.lines("session_resumed"))
    margin = {"symbol": VENUES[there.venue], "leverage": 3, "mode": "isolated"}
    assert [[margin]] == [line["data"]["margin"] for line in ending.run.lines("session_started")]
    set_there = [(line["leverage"], line["margin_mode"]) for line in there.wrote("leverage")]
    assert [(3, "isolated"), (5, "isolated")] == set_there[-2:]
    assert [(VENUES[there.venue], 5, "isolated", 3, "isolated")] == margins(ending.run.lines)
    assert {"arm"} <= {line["data"]["command"] for line in ending.run.lines("operator_command")}
    again = Process(tmp_path, "replay").end()
    assert (0, True) == (again.code, "identical" in again.out), again.out + again.err
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    secrets = [v for n, v in there.surroundings.items() if n.endswith(("SECRET", "WALLET"))]
    assert secrets
    assert not [secret for secret in secrets if secret.encode() in kept]


async def test_another_hand_at_the_leverage_is_told_once_and_replays(tmp_path: Path) -> None:
    """Row 47: while it trades, within seconds, to whoever looks on; the resume does not tell it."""
    with exchange("binance", tmp_path) as there:
        process = there.start(tmp_path, "0.3", "--set", "live.margin_every_s=1")
        process.until_trading()
        await there.set_leverage(process.run, 5)
        process.until(lambda: bool(margins(process.run.lines_so_far)))
        process.send(signal.SIGKILL)
        process._process.communicate()
        ending = there.live(tmp_path, "--resume").end()
    assert 0 == ending.code, ending.err
    assert [("BTCUSDT", 5, "isolated", 3, "isolated")] == margins(ending.run.lines)
    said = "BTCUSDT: positions are made with 5x, isolated, at the venue now; it was 3x, isolated"
    assert [True] == [
        line["data"]["message"].startswith(said)
        for line in ending.run.lines("alert")
        if line["data"]["kind"] == "venue_margin"
    ]
    again = Process(tmp_path, "replay").end()
    assert (0, True) == (again.code, "identical" in again.out), again.out + again.err


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
        words += ("--set", "live.leverage=3")
        asked = [
            Terminal(tmp_path, *words, "--duration", "0.1", size=(120, 40), **there.surroundings)
            for _ in range(2)
        ]
        for terminal in asked:
            stake = terminal.until(lambda text: "Type binance to arm" in text)
            assert "worst loss 200.00 (2%)" in stake
            assert "BTCUSDT 5x cross -> 3x cross" in stake
        refused, agreed = asked
        refused.press("bitunix\n")
        assert 7 == refused.end()
        assert "not armed: nothing was sent" in refused.text()
        assert [] == there.wrote("leverage"), "the account is as it was"
        agreed.press("binance\n")
        agreed.until(lambda text: text.startswith(" LIVE ") and "ACTIVE" in text)
        assert 0 == agreed.end(60)
        assert [3] == [line["leverage"] for line in there.wrote("leverage")]
        assert [] == list(tmp_path.glob("*.token"))
        assert agree(there, agreed.run) is not None
        assert 1 == len(list((tmp_path / "runs").glob("2*")))


GRAPHED = ("tests.end_to_end.graphed", "--")
TRADING = re.compile(
    r"brokers\.(binance|bitunix|hyperliquid)\.(account|asker|caller|emergency|sign)\."
    r"|brokers\.link\.(broker|orders|reports|secret)\."
)
"""Classes without which nothing can be signed or sent."""


def held(home: Path) -> set[str]:
    """What there was to send with at the end of a session that listed it."""
    return {name for name in (home / "classes").read_text().splitlines() if TRADING.match(name)}


@pytest.mark.timeout(120)
def test_only_a_live_session_holds_what_could_send(there: Exchange, tmp_path: Path) -> None:
    """The object graph of a paper session on the same market, with the same key at hand (D5)."""
    paper, live = tmp_path / "paper", tmp_path / "live"
    paper.mkdir()
    live.mkdir()
    words = ("--source", there.venue, "--symbols", VENUES[there.venue], "--duration", "0.05")
    simulated = Process(
        paper, "--headless", *words, *there.words, program=GRAPHED, **there.surroundings
    ).end()
    assert 0 == simulated.code, simulated.err
    assert "paper" == simulated.run.report()["mode"]
    assert set() == held(paper)
    assert "brokers.paper.venue.PaperVenue" in (paper / "classes").read_text().splitlines()
    modules = (paper / "modules").read_text().splitlines()
    assert ["brokers.link.secret"] == [name for name in modules if TRADING.match(f"{name}.")]

    real = there.start(live, "0.05", program=GRAPHED).end()
    assert 0 == real.code, real.err
    assert {"brokers.link.broker.LiveBroker", "brokers.link.secret.Secret"} <= held(live)
    assert any(name.endswith("Account") for name in held(live))
    assert "brokers.paper.venue.PaperVenue" not in (live / "classes").read_text().splitlines()
