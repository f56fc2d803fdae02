"""`keys check` and `keys rotate` against the three sandboxes, each a process of its own.

Keys that will do, that can't trade, that can withdraw, that nobody knows, that are signed wrong.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from brokers.sandbox.hyperliquid_door import AGENT_KEY, MASTER_KEY, Door
from laptop_agents.keys_shape import SHAPES
from tests.end_to_end.warm import Warm, ran

MASTER, AGENT = Door().master, Door().agent
FIT = {
    "binance": ("sandbox-key", "sandbox-secret"),
    "bitunix": ("sandbox-key", "sandbox-secret"),
    "hyperliquid": (MASTER, AGENT_KEY),
}
UNFIT = {
    # venue: key, secret, what is said
    "binance": [
        ("sandbox-readonly", "sandbox-readonly-secret", "it can't trade: allow futures"),
        ("sandbox-withdraw", "sandbox-withdraw-secret", "it can withdraw: make one without"),
        ("sandbox-nobody", "sandbox-secret", "binance does not take the key: -2015"),
        ("sandbox-key", "sandbox-wrong", "binance does not take the key: -1022"),
    ],
    "bitunix": [("sandbox-key", "sandbox-wrong", "bitunix does not take the key ...-key: 10007")],
    "hyperliquid": [
        (MASTER, "0x" + "11" * 32, "is no agent of"),
        (AGENT, AGENT_KEY, "error: "),
        (MASTER, MASTER_KEY, "error: "),
    ],
}
"""Hyperliquid's last is the master's own key: it can move money, an agent's can't."""
RIGHTS = {
    "binance": ("yes", "no"),
    "bitunix": ("not told", "not told"),
    "hyperliquid": ("yes", "no"),
}
"""Trade and withdraw."""


def url_of(process: Warm) -> str:
    for line in process.stdout:
        if told := re.search(r"rest_url=(http://127\.0\.0\.1:\d+)", line):
            return told[1]
    raise AssertionError("it says no address")


class Keys:
    """The command on a home of its own, and an exchange for it to ask.

    One for each test: they count requests, as the venues do.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._exchanges: dict[str, Warm] = {}
        self._urls: dict[str, str] = {}

    def close(self) -> None:
        for process in self._exchanges.values():
            process.terminate()
            process.communicate(timeout=30)

    def file(self, venue: str) -> Path:
        return self._home / "keys" / f"{venue}.json"

    def _url(self, venue: str) -> str:
        if venue not in self._urls:
            self._exchanges[venue] = Warm(("sandbox", venue), {"PATH": os.environ["PATH"]})
            self._urls[venue] = url_of(self._exchanges[venue])
        return self._urls[venue]

    def __call__(self, verb: str, venue: str, *words: str, piped: str = "") -> tuple[int, str]:
        names = ("rest_url", "spot_url") if venue == "binance" else ("rest_url",)
        asks = verb != "set"
        settings = [f"{venue}.{name}={self._url(venue)}" for name in names if asks]
        done = ran(
            ["keys", verb, venue, *words, *(w for one in settings for w in ("--set", one))],
            {"PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(self._home)},
            piped,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    keys = Keys(tmp_path / "home")
    try:
        yield keys
    finally:
        keys.close()


def put(keys: Keys, venue: str, verb: str = "set", *half: str) -> tuple[int, str]:
    words = ("--in", "file") if verb == "set" else ()
    return keys(verb, venue, "--stdin", *words, piped="\n".join((*(half or FIT[venue]), "")))


@pytest.mark.parametrize("venue", SHAPES)
def test_a_key_that_will_do(keys: Keys, venue: str) -> None:
    """Is said to, with what the venue tells of it."""
    put(keys, venue)
    code, said = keys("check", venue)
    trade, withdraw = RIGHTS[venue]

    assert 0 == code, said
    for name, text in (("trade", trade), ("withdraw", withdraw), ("one-way", "yes")):
        assert re.search(rf"^{name} +{text}$", said, re.M), said
    assert re.search(r"^balance +10000", said, re.M), said
    assert re.search(r"^clock offset +[+-]\d{1,2} ms$", said, re.M), said
    assert f"...{FIT[venue][0][-4:]}" in said
    assert FIT[venue][0] not in said


@pytest.mark.parametrize("venue", UNFIT)
def test_a_key_that_will_not_do(keys: Keys, venue: str) -> None:
    """Exit 7 and why; and it does not get into the place of one that will."""
    put(keys, venue)
    kept = keys.file(venue).read_bytes()
    for key, secret, words in UNFIT[venue]:
        code, said = put(keys, venue, "rotate", key, secret)

        assert (7, True) == (code, words in said), said
        assert "note: nothing has changed" in said
        assert secret not in said
        assert kept == keys.file(venue).read_bytes()
    assert 0 == keys("check", venue)[0]
    for key, secret, words in UNFIT[venue]:
        put(keys, venue, "set", key, secret)
        code, said = keys("check", venue)

        assert (7, True) == (code, words in said), said
        assert "Traceback" not in said
        assert secret not in said
