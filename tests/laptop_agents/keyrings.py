"""A desktop's keyring in memory, and how it becomes the one in use."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from laptop_agents import keyring_box


class Vault(KeyringBackend):
    """Keeps what it is given, or misbehaves as told."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.forgets = False
        self.keeps_for_ever = False
        self.hangs = threading.Event()
        self.hangs.set()
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self.hangs.wait()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgets:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError("no such entry")
        if not self.keeps_for_ever:
            del self.kept[service, username]


@contextmanager
def trusted(vault: Vault) -> Iterator[Vault]:
    """Make it the one in use, and this module's backend one to trust."""
    before, names = keyring.get_keyring(), keyring_box.TRUSTED
    keyring_box.TRUSTED = frozenset({__name__})  # type: ignore[misc]
    keyring.set_keyring(vault)
    try:
        yield vault
    finally:
        vault.hangs.set()
        keyring.set_keyring(before)
        keyring_box.TRUSTED = names  # type: ignore[misc]


def main() -> None:
    """Ask one that hangs, and leave: for a test of the leaving."""
    vault = Vault()
    vault.hangs.clear()
    keyring_box.ANSWER_S = 0.05  # type: ignore[misc]
    keyring_box.TRUSTED = frozenset({__name__})  # type: ignore[misc]
    keyring.set_keyring(vault)
    try:
        keyring_box.KeyringBox().read("x")
    except keyring_box.CredentialsRefused as error:
        sys.stdout.write(str(error))


if __name__ == "__main__":
    main()
