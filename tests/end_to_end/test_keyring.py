"""Keys in a real Secret Service, over a D-Bus: what a Linux desktop has."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canary import CANARY, leaks
from tests.end_to_end.shell import ROOT
from tests.laptop_agents.secret_service import DBUS, SecretService, secret_service

KEY = "public-half-of-old4"
pytestmark = pytest.mark.skipif(DBUS is None, reason="no dbus-daemon on this machine")


class Desktop:
    """A session of a desktop, in which programs run."""

    def __init__(self, address: str, service: SecretService, home: Path) -> None:
        self.service = service
        self._environ = {
            "PATH": os.environ["PATH"],
            "LAPTOP_AGENTS_HOME": str(home),
            "DBUS_SESSION_BUS_ADDRESS": address,
        }

    def __call__(self, *words: str, piped: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "laptop_agents", *words], cwd=ROOT, env=self._environ,
            input=piped, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    with secret_service() as (address, service):
        yield Desktop(address, service, tmp_path / "home")


def test_a_key_lives_in_the_desktop_s_keyring(desktop: Desktop, tmp_path: Path) -> None:
    """Set, seen, replaced and deleted by processes of their own; nothing on the disk."""
    done = desktop("keys", "set", "binance", "--stdin", piped=f"{KEY}\n{CANARY}\n")
    assert "binance ...old4 is kept in the keyring, entry venue-binance\n" == done.stdout, (
        done.stderr
    )
    assert "" == done.stderr
    ((attributes, secret),) = desktop.service.items.values()
    assert ("laptop-agents", "venue-binance") == (attributes["service"], attributes["username"])
    assert CANARY == json.loads(secret)["secret"]

    assert (
        "binance      keyring      ...old4  today         used\n" == desktop("keys", "list").stdout
    )
    checked = desktop("doctor", "--keys").stdout
    assert "ok       keyring    SecretService Keyring: keeps what it is given" in checked
    assert "ok       keys       binance: ...old4 from the keyring, bitunix: none" in checked

    again = ("keys", "rotate", "binance", "--stdin", "--no-check")
    assert 0 == desktop(*again, piped=f"{KEY[:-4]}new4\n{CANARY}\n").returncode
    assert "...new4" in desktop("keys", "list").stdout
    assert 1 == len(desktop.service.items)
    assert 0 == desktop("keys", "delete", "binance").returncode
    assert {} == desktop.service.items
    assert [] == list(leaks(tmp_path))


def test_a_keyring_that_stays_locked_is_given_up(desktop: Desktop) -> None:
    """It waits for its owner to answer a window; we wait five seconds, and leave."""
    desktop.service.is_locked = True
    done = desktop(
        "keys", "set", "binance", "--stdin", "--in", "keyring", piped=f"{KEY}\n{CANARY}\n"
    )

    assert (7, "error: the keyring did not answer within 5 s\n") == (done.returncode, done.stderr)
    assert {} == desktop.service.items
