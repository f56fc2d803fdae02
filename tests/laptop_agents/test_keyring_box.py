"""A keyring is trusted as far as it proves itself, and never waited for in vain."""

import subprocess
import sys
from collections.abc import Iterator

import keyring
import keyring.backends.chainer
import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend

from engine.model.errors import CredentialsRefused
from laptop_agents import keyring_box
from laptop_agents.keyring_box import KeyringBox
from tests.end_to_end.shell import ROOT
from tests.laptop_agents.keyrings import Vault, trusted


@pytest.fixture
def vault() -> Iterator[Vault]:
    with trusted(Vault()) as vault:
        yield vault


def test_a_keyring_that_keeps_is_proved(vault: Vault) -> None:
    """And nothing of the proof is left in it."""
    KeyringBox().prove()

    assert {} == vault.kept
    assert "keyrings Vault" == KeyringBox().backend


@pytest.mark.parametrize(
    ("fault", "reason"), [("forgets", "give back"), ("keeps_for_ever", "let go")]
)
def test_one_that_does_not_keep_is_refused(vault: Vault, fault: str, reason: str) -> None:
    """It accepts and gives nothing back, or never forgets."""
    setattr(vault, fault, True)
    with pytest.raises(CredentialsRefused, match=reason):
        KeyringBox().prove()


def test_delete_says_whether_there_was_one(vault: Vault) -> None:
    """What was not there is no error."""
    box = KeyringBox()
    box.write("a", "value")

    assert box.delete("a")
    assert not box.delete("a")


class Plain(KeyringBackend):
    """Stands for every backend nobody put on the list."""

    priority = 9  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        raise AssertionError("asked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError("asked")


class Chain(keyring.backends.chainer.ChainerBackend):
    """One that would pass a secret on to the first of these."""

    backends = (Plain(), Vault())  # type: ignore[assignment]


@pytest.mark.parametrize(
    "backend",
    [keyring.backends.fail.Keyring(), keyring.backends.null.Keyring(), Plain(), Chain()],
)
def test_what_is_not_on_the_list_is_not_asked(vault: Vault, backend: KeyringBackend) -> None:
    """The failing one, the forgetful one, one in plain text, a chain that begins with it."""
    keyring.set_keyring(backend)
    for call in (KeyringBox().prove, lambda: KeyringBox().read("a"), lambda: KeyringBox().backend):
        with pytest.raises(CredentialsRefused, match="no keyring to trust"):
            call()


def test_a_broken_one_is_refused_in_one_line(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises; what that says is not repeated."""

    def broken(*_: str) -> str:
        raise OSError("a message with a secret in it")

    monkeypatch.setattr(vault, "get_password", broken)
    with pytest.raises(CredentialsRefused) as caught:
        KeyringBox().read("a")
    assert "the keyring can't be used: OSError" == str(caught.value)


def test_the_program_ends_though_a_keyring_hangs() -> None:
    """The interpreter waits for threads of pools before it leaves; this one is none."""
    words = [sys.executable, "-m", "tests.laptop_agents.keyrings"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)

    assert "the keyring did not answer within 0.05 s" == done.stdout


def test_the_list_holds_no_backend_that_writes_plain_text() -> None:
    """Desktops' own stores, and nothing of `keyrings.alt` (reliability.md 0.6)."""
    assert not [name for name in keyring_box.TRUSTED if "alt" in name or "file" in name.lower()]
