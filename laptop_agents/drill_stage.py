"""A drill's stage: a sandbox and a live session in processes of their own, in a new folder."""

import contextlib
import json
import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

from engine.model.errors import DataUnavailable
from laptop_agents.sentinel import command, environment

SYMBOLS: Final = {"binance": "BTCUSDT", "bitunix": "BTCUSDT", "hyperliquid": "BTC"}
START_S: Final = 20.0
END_S: Final = 60.0
POLL_S: Final = 0.02
OURS: Final = "LAPTOP_AGENTS_"
SETTINGS: Final = (
    "agents.quoter.half_spread_bps=0.5",
    "risk.max_consecutive_losses=1000",
    "live.unknown_withdraw=true",
)
"""A quoter that trades at once; of a sandbox's key everything is known."""


class DrillFailed(Exception):
    """It could not be carried through; the text says where it stuck."""


class Stage:
    """Use it as a context; whatever it started is gone afterwards, the folder is kept."""

    def __init__(self, venue: str) -> None:
        """Make the folder; nothing runs yet."""
        self.venue = venue
        self.folder = Path(tempfile.mkdtemp(prefix="laptop-agents-drill-"))
        self.home = self.folder / "home"
        self.home.mkdir(0o700)
        self.ledger = self.folder / "venue.jsonl"
        self.session: subprocess.Popen[bytes] | None = None
        self._sandbox: subprocess.Popen[bytes] | None = None
        self._words: tuple[str, ...] = ()
        self._keys: Mapping[str, str] = {}
        self._faults = ""

    @property
    def run(self) -> Path:
        """Where the session writes."""
        return self.home / "runs" / "latest"

    def __enter__(self) -> Self:
        """Open the sandbox.

        Raises:
            DataUnavailable: It does not open.
        """
        words = (
            "sandbox", self.venue, "--symbols", SYMBOLS[self.venue], "--events-per-s", "50",
            "--ledger", os.fspath(self.ledger),
        )  # fmt: skip
        told = self.folder / "sandbox.log"
        self._sandbox = self._start(words, told, {})
        until_s = time.monotonic() + START_S
        while "faults: " not in told.read_text():
            if self._sandbox.poll() is not None or time.monotonic() > until_s:
                self.__exit__()
                raise DataUnavailable(f"the sandbox does not open: see {told}")
            time.sleep(POLL_S)
        self._learn(told.read_text().splitlines())
        return self

    def _learn(self, lines: list[str]) -> None:
        """Read what a client has to know; of several keys the first may trade."""
        settings = [line for line in lines if line.startswith(f"{self.venue}.")]
        self._words = tuple(word for line in settings for word in ("--set", line))
        keys: dict[str, str] = {}
        for word in (word for line in lines if line.startswith(OURS) for word in line.split()):
            name, is_key, value = word.partition("=")
            if is_key and name.startswith(OURS):
                keys.setdefault(name, value)
        self._keys = keys
        self._faults = next(line for line in lines if line.startswith("faults: ")).split()[1]

    def __exit__(self, *_: object) -> None:
        """End what still runs."""
        for process in filter(None, (self.session, self._sandbox)):
            if process.poll() is None:
                process.kill() if process is self.session else process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_S)

    def _start(
        self, words: tuple[str, ...], told: Path, surroundings: Mapping[str, str]
    ) -> "subprocess.Popen[bytes]":
        bare = {name: value for name, value in environment().items() if not name.startswith(OURS)}
        with told.open("ab") as file:
            return subprocess.Popen(  # noqa: S603 - ourselves
                [*command("laptop_agents"), *words],
                env={**bare, **surroundings},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    # --- the session ---------------------------------------------------------------------------

    def trade(self, minutes: str) -> None:
        """Start a live session, armed by a token, and wait until it has traded."""
        settings = tuple(word for line in SETTINGS for word in ("--set", line))
        self._live(
            "--mode", "live", "--source", self.venue, "--symbols", SYMBOLS[self.venue],
            "--duration", minutes, *settings, *self._words,
        )  # fmt: skip
        self.until(lambda: len(self.seen("fill")) > 2, START_S + 20, "its first trades")

    def resume(self) -> None:
        """Go on with the session that was interrupted."""
        self._live("--resume")

    def _live(self, *words: str) -> None:
        token = self.home / "arm.token"
        token.unlink(missing_ok=True)
        with os.fdopen(os.open(token, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(f"{self.venue}\n")
        armed = ("--headless", "--yes-live", self.venue, "--arm-token", os.fspath(token), *words)
        surroundings = {**self._keys, f"{OURS}HOME": os.fspath(self.home)}
        self.session = self._start(armed, self.folder / "session.log", surroundings)

    def end(self) -> int:
        """Wait for the session's end, and return its exit code.

        Raises:
            DrillFailed: It does not end.
        """
        assert self.session is not None, "started"
        try:
            return self.session.wait(END_S)
        except subprocess.TimeoutExpired:
            raise DrillFailed(f"the session did not end within {END_S:g} s") from None

    def send(self, number: int) -> None:
        """Send the engine a signal."""
        assert self.session is not None, "started"
        self.session.send_signal(number)

    def until(self, holds: Callable[[], object], seconds: float, what: str) -> float:
        """Wait for something while the session lives, and return how long that took.

        Raises:
            DrillFailed: It does not come, or the session ends before.
        """
        began_s = time.monotonic()
        while not holds():
            if self.session is None or self.session.poll() is not None:
                raise DrillFailed(f"the session ended before {what}")
            if time.monotonic() - began_s > seconds:
                raise DrillFailed(f"waited {seconds:g} s in vain for {what}")
            time.sleep(POLL_S)
        return time.monotonic() - began_s

    # --- the fault, and what is seen of it -----------------------------------------------------

    def strike(self, name: str, **how: object) -> None:
        """Have the sandbox do something wrong.

        Raises:
            DrillFailed: It has no such fault.
        """
        self._ask_faults(f"refused the fault {name}", json.dumps({"name": name, **how}).encode())

    def waiting(self) -> list[str]:
        """Return the faults that have not struck yet.

        Raises:
            DrillFailed: The sandbox does not say.
        """
        told = json.loads(self._ask_faults("does not tell its faults"))
        return [fault["name"] for fault in told["armed"]]

    def _ask_faults(self, else_: str, sent: bytes | None = None) -> bytes:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self._faults, sent, START_S) as answer:
                told: bytes = answer.read()
        except OSError as error:
            raise DrillFailed(f"the sandbox {else_}: {error}") from error
        return told

    def seen(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the whole lines of these types that the journal has so far."""
        return [line for line in _lines(self.run / "events.jsonl") if line["type"] in kinds]

    def told(self, *kinds: str) -> list[dict[str, Any]]:
        """Return what the venue wrote down."""
        return [line for line in _lines(self.ledger) if line["kind"] in kinds]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    yield from map(json.loads, content.rpartition(b"\n")[0].splitlines())
