"""Where a key may be kept, the place that counts first: keyring, environment, file, vault."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from engine.model.errors import CredentialsRefused
from engine.session.run_folder import blame, replace_file, sync_folder
from laptop_agents.keyring_box import KeyringBox
from laptop_agents.keys_shape import SHAPES, Half, Kept, credentials_of, decoded, encoded, variable
from laptop_agents.keys_vault import FOLDER, Ask, Vault, held_folder
from laptop_agents.private_file import read_private, refuse_shared_folder

BYTES_MAX: Final = 8 * 1024
"""A key file has some 200."""


class Place(Protocol):
    """Somewhere keys are found."""

    @property
    def name(self) -> str:
        """`keyring`, `environment`, `file` or `vault`."""
        ...

    def read(self, venue: str) -> Kept | None:
        """Return the key of a venue; None where it has none.

        Raises:
            CredentialsRefused: It can't be asked, or what it holds can't be trusted.
        """
        ...

    def where(self, venue: str) -> str:
        """Say where exactly, for people."""
        ...


class Store(Place, Protocol):
    """Somewhere keys can be put."""

    def write(self, venue: str, kept: Kept) -> None:
        """Keep a key in the place of any before.

        Raises:
            CredentialsRefused: It can't be asked, or does not keep it.
            StateDamaged: The disk refuses.
        """
        ...

    def delete(self, venue: str) -> bool:
        """Forget a key; False where there was none.

        Raises:
            LaptopAgentsError: As for `write`.
        """
        ...


class KeyringStore:
    """The desktop's keyring."""

    name = "keyring"

    def __init__(self, box: KeyringBox) -> None:
        self.box = box
        self._trouble: CredentialsRefused | None = None

    @property
    def is_absent(self) -> bool:
        """Whether it could not be asked; a key in it that is none is another matter."""
        return self._trouble is not None

    def read(self, venue: str) -> Kept | None:
        """See `Place`; one that did not answer is not asked again."""
        if self._trouble is not None:
            raise self._trouble
        try:
            text = self.box.read(_entry(venue))
        except CredentialsRefused as error:
            self._trouble = error
            raise
        return None if text is None else decoded(venue, text.encode(), self.where(venue))

    def write(self, venue: str, kept: Kept) -> None:
        """See `Store`; what can't keep a probe is given no key."""
        self.box.prove()
        before = self.box.read(_entry(venue))
        try:
            self.box.write(_entry(venue), encoded(venue, kept).decode())
        except CredentialsRefused:
            if before is not None:
                self.box.write(_entry(venue), before)
            raise

    def delete(self, venue: str) -> bool:
        """See `Store`."""
        return self.box.delete(_entry(venue))

    def where(self, venue: str) -> str:
        """See `Place`."""
        return f"the keyring, entry {_entry(venue)}"


class Environment:
    """Variables of this process."""

    name = "environment"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def has(self, venue: str) -> bool:
        """Whether it holds any half of a venue's key."""
        return any(self._environ.get(variable(venue, half)) for half in SHAPES[venue].halves)

    def read(self, venue: str) -> Kept | None:
        """See `Place`; an empty variable counts as none."""
        if not self.has(venue):
            return None
        names = [variable(venue, half) for half in SHAPES[venue].halves]
        values = [self._environ.get(name, "") for name in names]
        for name, value in zip(names, values, strict=True):
            if not value:
                raise CredentialsRefused(f"the environment has only half a key: set {name} too")
        key, secret = values
        return Kept(credentials_of(venue, key, secret, lambda half: _in_environment(venue, half)))

    def where(self, venue: str) -> str:
        """See `Place`."""
        return " and ".join(variable(venue, half) for half in SHAPES[venue].halves)


class FileStore:
    """`<home>/keys/<venue>.json`, readable to this user alone."""

    name = "file"

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def read(self, venue: str) -> Kept | None:
        """See `Place`."""
        refuse_shared_folder(self._folder)
        content = read_private(self._path(venue), BYTES_MAX)
        if content is None:
            return None
        kept = decoded(venue, content, self.where(venue))
        return kept if kept.kept_at else kept._replace(kept_at=_written(self._path(venue)))

    def write(self, venue: str, kept: Kept) -> None:
        """See `Store`."""
        with held_folder(self._folder), blame(self._path(venue)):
            replace_file(self._path(venue), encoded(venue, kept) + b"\n")

    def delete(self, venue: str) -> bool:
        """See `Store`; also what would not be read for its mode."""
        path = self._path(venue)
        with blame(path):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            sync_folder(self._folder)
        return True

    def where(self, venue: str) -> str:
        """See `Place`."""
        return str(self._path(venue))

    def _path(self, venue: str) -> Path:
        return self._folder / f"{venue}.json"


class VaultStore:
    """`<home>/keys/vault`, sealed with a passphrase."""

    name = "vault"

    def __init__(self, vault: Vault) -> None:
        self.vault = vault

    def read(self, venue: str) -> Kept | None:
        """See `Place`; asks for a passphrase only where there is a vault."""
        content = self.vault.read(venue) if self.vault.exists else None
        return None if content is None else decoded(venue, content, self.where(venue))

    def write(self, venue: str, kept: Kept) -> None:
        """See `Store`."""
        self.vault.write(venue, encoded(venue, kept))

    def delete(self, venue: str) -> bool:
        """See `Store`."""
        return self.vault.delete(venue)

    def where(self, venue: str) -> str:  # noqa: ARG002 - one vault for all
        """See `Place`."""
        return str(self.vault.path)


class Places(NamedTuple):
    """Every place there is."""

    keyring: KeyringStore
    environment: Environment
    file: FileStore
    vault: VaultStore

    @property
    def stores(self) -> Mapping[str, Store]:
        """Those keys can be put into, by name."""
        return {store.name: store for store in (self.keyring, self.file, self.vault)}

    @property
    def ordered(self) -> Sequence[Place]:
        """All, the one that counts first."""
        return self


def places(environ: Mapping[str, str], home: Path, ask: Ask) -> Places:
    """Return every place, none of them asked yet."""
    return Places(
        KeyringStore(KeyringBox()),
        Environment(environ),
        FileStore(home),
        VaultStore(Vault(home, ask)),
    )


def stamp(seconds: float) -> str:
    """Spell a wall time, seconds since 1970."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _written(path: Path) -> str:
    """Return when a file made by hand was last written."""
    return stamp(path.stat().st_mtime)


def _entry(venue: str) -> str:
    return f"venue-{venue}"


def _in_environment(venue: str, half: Half) -> str:
    return f"{variable(venue, half)} of the environment"
