"""What must never be seen, and what it belongs to.

Rule: a secret leaves its `Secret` by one word, `reveal`, where it is used; by no other way.

Source: reliability.md F1 and F2.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, NoReturn

SHOWN: Final = "Secret(***)"
TAIL_CHARS: Final = 4


class Secret:
    """A text that shows itself to nobody who does not ask for it by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return it."""
        return self._text

    def __repr__(self) -> str:
        return SHOWN

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("a secret is not written anywhere")


class Credentials(NamedTuple):
    """What an account is opened with."""

    key: str
    secret: Secret
    extra: Mapping[str, str] = MappingProxyType({})

    @property
    def tail(self) -> str:
        """The key's last characters, for people."""
        return self.key[-TAIL_CHARS:]

    def __repr__(self) -> str:
        return f"Credentials(...{self.tail})"
