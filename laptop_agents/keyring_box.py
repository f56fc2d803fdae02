"""The operating system's keyring, trusted only as far as it proves itself.

`keyring` falls back to backends that fail, forget, or write plain text (reliability.md 0.6).
Here a backend counts if it is on the list, gives back what it was given, and answers in time.
"""

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, TypeVar

from engine.model.errors import CredentialsRefused

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "laptop-agents"
PROBE: Final = "probe"
ANSWER_S: Final = 5.0
"""Longest wait for a keyring: one that is locked may ask its owner, in a window nobody sees."""

TRUSTED: Final = frozenset(
    {
        "keyring.backends.SecretService",
        "keyring.backends.kwallet",
        "keyring.backends.libsecret",
        "keyring.backends.macOS",
        "keyring.backends.Windows",
    }
)
"""Modules whose keyrings encrypt what they are given."""

T = TypeVar("T")


class KeyringBox:
    """Reads and writes the program's own secrets."""

    def read(self, name: str) -> str | None:
        """Return a secret, None where there is none.

        Raises:
            CredentialsRefused: The keyring is absent, not trusted, or does not answer.
        """
        return _in_time(lambda: _trusted().get_password(SERVICE, name))

    @property
    def backend(self) -> str:
        """The class that keeps them, for people.

        Raises:
            CredentialsRefused: As for `read`.
        """
        module, _, name = _in_time(lambda: _called(_trusted())).rpartition(".")
        return f"{module.rpartition('.')[2]} {name}"

    def prove(self) -> None:
        """Write, read, compare and delete something that is worth nothing.

        Raises:
            CredentialsRefused: As for `read`, or it keeps nothing, or keeps it for ever.
        """
        self.write(PROBE, secrets.token_hex())
        if not self.delete(PROBE) or self.read(PROBE) is not None:
            raise CredentialsRefused("the keyring does not let go of what it was given")

    def delete(self, name: str) -> bool:
        """Forget a secret; False where there was none.

        Raises:
            CredentialsRefused: As for `read`.
        """
        if self.read(name) is None:
            return False
        _in_time(lambda: _trusted().delete_password(SERVICE, name))
        return True

    def write(self, name: str, secret: str) -> None:
        """Keep a secret, and make sure that it was kept.

        Raises:
            CredentialsRefused: As for `read`, or it gave back something else.
        """
        _in_time(lambda: _trusted().set_password(SERVICE, name, secret))
        kept = self.read(name)
        if kept is None or not secrets.compare_digest(kept, secret):
            raise CredentialsRefused("the keyring does not give back what it was given")


def _trusted() -> "KeyringBackend":
    """Return the backend in use, or refuse it; of a chain the first one counts."""
    import keyring  # noqa: PLC0415 - slow to load, and looks for a desktop

    chosen = keyring.get_keyring()
    backend = next(iter(getattr(chosen, "backends", ())), chosen)
    module = type(backend).__module__
    if module not in TRUSTED:
        raise CredentialsRefused(
            f"no keyring to trust: {module} is not one that encrypts; install or unlock the"
            " desktop's keyring, or use a key file"
        )
    return backend


def _called(backend: "KeyringBackend") -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _in_time(call: Callable[[], T]) -> T:
    """Run in a thread: a keyring may hang for as long as it likes, also past our own end.

    The thread is no worker of a pool: the interpreter waits for those before it leaves.
    """
    answer: Future[T] = Future()
    threading.Thread(target=_into, args=(answer, call), name="keyring", daemon=True).start()
    try:
        return answer.result(timeout=ANSWER_S)
    except TimeoutError as error:
        raise CredentialsRefused(f"the keyring did not answer within {ANSWER_S:g} s") from error
    except CredentialsRefused:
        raise
    except Exception as error:
        raise CredentialsRefused(f"the keyring can't be used: {type(error).__name__}") from error


def _into(answer: "Future[T]", call: Callable[[], T]) -> None:
    try:
        answer.set_result(call())
    except BaseException as error:  # noqa: BLE001 - raised again where the answer is waited for
        answer.set_exception(error)
