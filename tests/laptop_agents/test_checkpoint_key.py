"""Who asked for encryption gets it or is refused; no keyring is believed unproven."""

from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend

from engine.model.errors import CredentialsRefused
from engine.session.config import CheckpointConfig
from engine.session.envelope import Keyed, Passphrase, Plain
from laptop_agents import keyring_box
from laptop_agents.checkpoint_key import envelope_of
from tests.laptop_agents.keyrings import Vault, trusted

PLACE = b"run/checkpoint"


@pytest.fixture
def vault() -> Iterator[Vault]:
    """Make a keyring in memory the trusted one."""
    with trusted(Vault()) as vault:
        yield vault


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "words"
    path.write_text("correct horse battery\n")
    path.chmod(0o600)
    return path


def keyed() -> CheckpointConfig:
    return CheckpointConfig(encryption="keyring")


def worded(path: Path) -> CheckpointConfig:
    return CheckpointConfig(encryption="file", key_file=str(path))


def test_none_is_plain() -> None:
    """And asks no keyring."""
    assert isinstance(envelope_of(CheckpointConfig()), Plain)


def test_the_key_is_made_once_and_kept(vault: Vault) -> None:
    """A later session opens what an earlier one sealed."""
    first, second = envelope_of(keyed()), envelope_of(keyed())

    assert isinstance(first, Keyed)
    assert second.open(first.seal(b"state", PLACE), PLACE) == b"state"
    assert [("laptop-agents", "checkpoint-key")] == list(vault.kept)


@pytest.mark.parametrize(
    "backend", [keyring.backends.fail.Keyring(), keyring.backends.null.Keyring()]
)
def test_untrusted_backends_are_refused(backend: KeyringBackend) -> None:
    """Without a desktop, or switched off by one variable: said at once, with the remedy."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        with pytest.raises(CredentialsRefused, match="key file"):
            envelope_of(keyed())
    finally:
        keyring.set_keyring(before)


def test_a_keyring_that_forgets_is_refused(vault: Vault) -> None:
    """It accepts, and gives nothing back."""
    vault.forgets = True
    with pytest.raises(CredentialsRefused, match="give back"):
        envelope_of(keyed())


def test_a_keyring_that_hangs_is_given_up(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked one may wait for its owner for ever."""
    monkeypatch.setattr(keyring_box, "ANSWER_S", 0.05)
    vault.hangs.clear()
    with pytest.raises(CredentialsRefused, match="did not answer"):
        envelope_of(keyed())


def test_a_key_that_is_none_is_refused(vault: Vault) -> None:
    """Something else under our name."""
    vault.kept["laptop-agents", "checkpoint-key"] = "c2hvcnQ="
    with pytest.raises(CredentialsRefused, match="not a key"):
        envelope_of(keyed())


def test_a_passphrase_comes_from_a_file_of_its_own(key_file: Path) -> None:
    """Read without its newline."""
    sealed = envelope_of(worded(key_file)).seal(b"state", PLACE)

    assert Passphrase("correct horse battery").open(sealed, PLACE) == b"state"


def test_a_key_file_must_be_private_and_long_enough(key_file: Path) -> None:
    """Readable by others, too short, absent: exit 7, one line that says what to do."""
    for mode, words, reason in (
        (0o640, "correct horse battery", "chmod 600"),
        (0o600, "short", "12 to 1024"),
    ):
        key_file.write_text(words)
        key_file.chmod(mode)
        with pytest.raises(CredentialsRefused, match=reason):
            envelope_of(worded(key_file))
    key_file.unlink()
    with pytest.raises(CredentialsRefused, match="can't read"):
        envelope_of(worded(key_file))
