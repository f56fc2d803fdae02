"""`laptop-agents sandbox` as a process: what it announces works, its ledger is the venue's truth."""

import contextlib
import hashlib
import hmac
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

from tests.end_to_end.shell import ROOT, SMALL_CAPTURE, Process, needs

PATIENCE_S = 20.0


class Sandbox:
    """A running one, by what it said of itself."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.settings: dict[str, str] = {}
        self.keys: list[tuple[str, str]] = []
        self.faults = ""
        assert process.stdout is not None
        self.head = process.stdout.readline().strip()
        while not self.faults:
            self._take(process.stdout.readline().strip())

    def _take(self, line: str) -> None:
        if line.startswith("binance."):
            name, _, value = line.partition("=")
            self.settings[name] = value
        elif line.startswith("LAPTOP_AGENTS_"):
            key, secret = line.partition("  #")[0].split()
            self.keys.append((key.partition("=")[2], secret.partition("=")[2]))
        else:
            assert line.startswith("faults: "), line
            self.faults = line.removeprefix("faults: ")

    def ask(self, method: str, path: str, **params: object) -> object:
        key, secret = self.keys[0]
        words = urlencode({"timestamp": time.time_ns() // 1_000_000, **params})
        signature = hmac.new(secret.encode(), words.encode(), hashlib.sha256).hexdigest()
        url = f"{self.settings['binance.rest_url']}{path}?{words}&signature={signature}"
        request = urllib.request.Request(  # noqa: S310 - http to loopback
            url, method=method, headers={"X-MBX-APIKEY": key}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE_S) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return json.loads(error.read())

    def until_priced(self) -> Decimal:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            told = self.ask("GET", "/fapi/v1/ticker/bookTicker", symbol="BTCUSDT")
            if Decimal(told["askPrice"]):
                return Decimal(told["askPrice"])
            time.sleep(0.02)
        raise AssertionError("no price")


@contextlib.contextmanager
def running(*words: str) -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "laptop_agents", "sandbox", "binance", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Sandbox(process)
        finally:
            process.send_signal(signal.SIGINT)
            assert 0 == process.wait(PATIENCE_S)


def test_what_it_announces_works_and_the_ledger_is_complete(tmp_path: Path) -> None:
    """Addresses, keys, balance; each order and fill is on the disk when its answer arrives."""
    path = tmp_path / "venue.jsonl"
    with running("--balance", "5000", "--ledger", str(path), "--events-per-s", "100") as sandbox:
        assert "invented prices, no money, loopback only" in sandbox.head
        assert {"binance.rest_url", "binance.public_url", "binance.market_url",
                "binance.private_url", "binance.spot_url"} == set(sandbox.settings)  # fmt: skip
        assert ["sandbox-key", "sandbox-readonly", "sandbox-withdraw"] == [
            key for key, _ in sandbox.keys
        ]
        sandbox.until_priced()
        money = sandbox.ask("GET", "/fapi/v3/balance")
        assert Decimal(5_000) == Decimal(money[0]["balance"])
        order = sandbox.ask(
            "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET",
            quantity="0.002", newClientOrderId="la-1", newOrderRespType="RESULT",
        )  # fmt: skip
        assert "FILLED" == order["status"]
        lines = [json.loads(line) for line in path.read_text().splitlines()]

    assert [("new", "la-1"), ("fill", "la-1")] == [
        (line["kind"], line["client_id"]) for line in lines
    ]
    assert order["orderId"] == lines[0]["order_id"]


@needs(SMALL_CAPTURE)
def test_a_recording_can_be_traded_on() -> None:
    """Its own prices, by the wall clock."""
    with running("--file", str(SMALL_CAPTURE)) as sandbox:
        assert "recorded prices" in sandbox.head
        price = sandbox.until_priced()
        order = sandbox.ask(
            "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET",
            quantity="0.002", newOrderRespType="RESULT",
        )  # fmt: skip
    assert "FILLED" == order["status"]
    assert abs(Decimal(order["avgPrice"]) - price) < price / 100


def test_refusals(tmp_path: Path) -> None:
    """A balance that is none, a ledger that can't be, bars instead of quotes, a file that is not."""
    bars = tmp_path / "BTCUSDT.csv"
    bars.touch()
    for words, code, said in (
        (("--balance", "lots"), 2, "--balance must be an amount above 0"),
        (("--balance", "-1"), 2, "--balance must be an amount above 0"),
        (("--ledger", str(tmp_path / "no" / "such")), 5, "can't write"),
        (("--file", str(bars)), 2, "holds bars"),
        (("--file", str(tmp_path / "none.jsonl")), 5, "file not found"),
    ):
        ending = Process(tmp_path, "sandbox", "binance", *words).end()
        assert (code, True) == (ending.code, said in ending.err), ending.err
