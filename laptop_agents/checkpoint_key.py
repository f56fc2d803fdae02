"""With what checkpoints are encrypted, as `checkpoint.encryption` says.

A key that can't be had at the start refuses the session (exit 7): who asked for encryption must not
get plain files. At a resume the same key opens the files; without it the run can be resumed all the
same, from its journal alone.
"""

import base64
import secrets
import stat
from pathlib import Path
from typing import Final

from engine.model.errors import CredentialsRefused
from engine.session.config import CheckpointConfig
from engine.session.envelope import KEY_BYTES, Envelope, Keyed, Passphrase, Plain
from laptop_agents.keyring_box import KeyringBox

NAME: Final = "checkpoint-key"
PASSPHRASE_MIN: Final = 12
"""Characters; a shorter one is found by trying."""
PASSPHRASE_MAX: Final = 1024


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
        status = path.stat()
        words = path.read_text(encoding="utf-8").strip() if stat.S_ISREG(status.st_mode) else ""
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsRefused(f"can't read the key file {path}") from error
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CredentialsRefused(f"{path} is open to other users: chmod 600 it first")
    if not PASSPHRASE_MIN <= len(words) <= PASSPHRASE_MAX:
        raise CredentialsRefused(
            f"the passphrase in {path} must have {PASSPHRASE_MIN} to {PASSPHRASE_MAX} characters"
        )
    return words
