"""With what checkpoints are encrypted, as `checkpoint.encryption` says.

A key that can't be had at the start refuses the session (exit 7): who asked for encryption must not
get plain files. At a resume the same key opens the files; without it the run can be resumed all the
same, from its journal alone.
"""

import base64
import secrets
from pathlib import Path
from typing import Final

from engine.model.errors import CredentialsRefused
from engine.session.config import CheckpointConfig
from engine.session.envelope import KEY_BYTES, Envelope, Keyed, Passphrase, Plain
from laptop_agents.keyring_box import KeyringBox
from laptop_agents.private_file import read_private

NAME: Final = "checkpoint-key"
PASSPHRASE_MIN: Final = 12
"""Characters; a shorter one is found by trying."""
PASSPHRASE_MAX: Final = 1024
PASSPHRASE_BYTES_MAX: Final = 4 * PASSPHRASE_MAX


def envelope_of(config: CheckpointConfig) -> Envelope:
    """Return what seals and opens the checkpoints of a session.

    Raises:
        CredentialsRefused: The key is missing, weak, or open to others.
    """
    if config.encryption == "file":
        return Passphrase(_passphrase(Path(config.key_file).expanduser()))
    return Keyed(_from_keyring(KeyringBox())) if config.encryption == "keyring" else Plain()


def _from_keyring(box: KeyringBox) -> bytes:
    """Return this user's key, made on first use."""
    kept = box.read(NAME)
    if kept is None:
        kept = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        box.write(NAME, kept)
    try:
        key = base64.b64decode(kept, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise CredentialsRefused(f"the keyring's {NAME} is not a key: delete it to have a new one")
    return key


def _passphrase(path: Path) -> str:
    try:
        content = read_private(path.resolve(), PASSPHRASE_BYTES_MAX)
        words = (content or b"").decode().strip()
    except UnicodeDecodeError as error:
        raise CredentialsRefused(f"{path} holds no text") from error
    if content is None:
        raise CredentialsRefused(f"can't read the key file {path}")
    refuse_weak(words, f"the passphrase in {path}")
    return words


def refuse_weak(words: str, called: str) -> None:
    """Refuse a passphrase that can be guessed.

    Raises:
        CredentialsRefused: It can.
    """
    if not PASSPHRASE_MIN <= len(words) <= PASSPHRASE_MAX:
        raise CredentialsRefused(
            f"{called} must have {PASSPHRASE_MIN} to {PASSPHRASE_MAX} characters"
        )
