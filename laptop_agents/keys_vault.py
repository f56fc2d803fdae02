"""`<home>/keys/vault`: keys under a passphrase, for machines without a keyring to trust.

Source: reliability.md section 0.6; the seal is `engine.session.envelope`.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from engine.model.errors import CredentialsRefused
from engine.session.envelope import Passphrase
from engine.session.run_folder import blame, replace_file, sync_folder
from laptop_agents.checkpoint_key import refuse_weak
from laptop_agents.home import FOLDER_MODE, prepare_home
from laptop_agents.private_file import read_private, refuse_shared_folder

FOLDER: Final = "keys"
PLACE: Final = b"keys/vault"
"""What it is sealed for: no other file of ours opens as a vault."""
BYTES_MAX: Final = 64 * 1024

Ask = Callable[[bool], str]
"""Returns the passphrase; true where it is to be a new one."""


class Vault:
    """Every venue's key in one sealed file."""

    def __init__(self, home: Path, ask: Ask) -> None:
        self.path = home / FOLDER / "vault"
        self._ask = ask
        self._seal: Passphrase | None = None

    @property
    def exists(self) -> bool:
        """Whether anything was ever put into it; asks for no passphrase."""
        return os.path.lexists(self.path)

    def read(self, venue: str) -> bytes | None:
        """Return what is kept for a venue.

        Raises:
            CredentialsRefused: Wrong passphrase, a changed file, or one open to others.
        """
        text = self._content().get(venue)
        return None if text is None else text.encode()

    def write(self, venue: str, content: bytes) -> None:
        """Keep something for a venue.

        Raises:
            CredentialsRefused: As for `read`, or the first passphrase is weak.
            StateDamaged: The disk refuses; what was there before is untouched.
        """
        with held_folder(self.path.parent):
            self._store({**self._content(), venue: content.decode()})

    def delete(self, venue: str) -> bool:
        """Forget what is kept for a venue; False where it is nothing."""
        if not self.exists:
            return False
        with held_folder(self.path.parent):
            content = dict(self._content())
            if content.pop(venue, None) is None:
                return False
            self._store(content)
        return True

    def _content(self) -> Mapping[str, str]:
        refuse_shared_folder(self.path.parent)
        sealed = read_private(self.path, BYTES_MAX)
        if sealed is None:
            return {}
        plain = self._opener(is_new=False).open(sealed, PLACE)
        if plain is None:
            self._seal = None
            raise CredentialsRefused(
                f"the vault {self.path} does not open: wrong passphrase, or the file was changed"
            )
        return msgspec.json.decode(plain, type=dict[str, str])

    def _store(self, content: Mapping[str, str]) -> None:
        seal = self._opener(is_new=not self.exists)
        with blame(self.path):
            if content:
                replace_file(self.path, seal.seal(msgspec.json.encode(content), PLACE))
            else:
                self.path.unlink()
                sync_folder(self.path.parent)

    def _opener(self, *, is_new: bool) -> Passphrase:
        if self._seal is None:
            words = self._ask(is_new)
            if is_new:
                refuse_weak(words, "the vault's passphrase")
            self._seal = Passphrase(words)
        return self._seal


@contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Make the folder of keys and hold it: of two that write at once, the second waits.

    Raises:
        CredentialsRefused: It is open to others.
        StateDamaged: It can't be made.
    """
    prepare_home(folder.parent)
    with blame(folder):
        folder.mkdir(FOLDER_MODE, exist_ok=True)
    refuse_shared_folder(folder)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
