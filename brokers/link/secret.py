"""Keys to a venue, in types that show nothing of them.

Rule 1: what is secret leaves a `Secret` by `reveal()` and by no other way: no text, copy to disk or
        between processes, and no picture of local variables has it.
Rule 2: a process remembers what it holds, so that logs and crash reports can take it out of text
        that somebody else put it into (reliability.md F2): `held()`.
"""

import hmac
from collections import deque
from collections.abc import Mapping
from typing import Final, NamedTuple, NoReturn, Self

from engine.model.text import Redactor, sanitize

HIDDEN: Final = "Secret(***)"
TAIL: Final = 4
"""Characters of a key that may be shown: enough to tell two apart, useless to guess the rest."""
HELD_MAX: Final = 256
"""Values remembered; a session holds a handful, and only a loop would make more."""
_held: Final[deque[str]] = deque(maxlen=HELD_MAX)


class Secret:
    """A text that is used and never shown."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value
        _remember(value)

    def reveal(self) -> str:
        """Return the text, for a signature or the place it is kept in."""
        return self.__value

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, _: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        """Compare in a time that says nothing of where two differ."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret is not written down")

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a secret is not written down")


class Credentials(NamedTuple):
    """What an account is reached with; the public half is not shown in full either."""

    key: str
    """The API key; at Hyperliquid the address of the master account."""
    secret: Secret
    """What requests are signed with; at Hyperliquid the private key of the agent wallet."""
    extra: Mapping[str, str] = {}
    """What a venue wants beyond that, none of it secret."""

    @property
    def tail(self) -> str:
        """The key's last characters, for people."""
        return self.key[-TAIL:]

    def __repr__(self) -> str:
        return f"Credentials(key=...{self.tail}, secret={HIDDEN})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self


def held() -> tuple[str, ...]:
    """Return every text this process has kept as a secret, for filters of what is written."""
    return tuple(_held)


def hide(value: str) -> None:
    """Have a text that is no secret by itself kept out of logs all the same: an API key."""
    _remember(value)


def told(text: str, limit: int = 200) -> str:
    """Return what a venue said, fit for a journal: one that echoes a key is not repeated.

    Args:
        limit: Characters of it that are kept.

    Source: reliability.md rows 106, 109.
    """
    return sanitize(Redactor(held()).text(text), limit)


def _remember(value: str) -> None:
    """Keep a value once; a hexadecimal key is written with and without its prefix."""
    for form in (value, value.removeprefix("0x")):
        if form and form not in _held:
            _held.append(form)
