"""Secrets on their way in: typed unseen, or piped; never from the command line.

What can't be read unseen is not read: a program without a terminal is told what else to do.

Source: reliability.md row 110.
"""

import getpass
import sys
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from brokers.link.secret import Credentials, Secret
from engine.model.errors import CredentialsRefused
from laptop_agents.keys_shape import SHAPES, VAULT_VARIABLE, Half, credentials_of

LINE_MAX: Final = 1_024
"""Bytes of one piped line."""


def typed(venue: str, *, is_piped: bool) -> Credentials:
    """Return the key somebody types or pipes.

    Raises:
        CredentialsRefused: There is no terminal, or it can't be a key.
    """
    take = _piped if is_piped else _asked
    key, secret = (take(half) for half in SHAPES[venue].halves)
    return credentials_of(venue, key, secret, lambda half: f"the {half.called}")


def passphrase(environ: Mapping[str, str], *, may_ask: bool = True) -> Callable[[bool], str]:
    """Return what finds the vault's passphrase: in the environment, else by asking for it.

    `-` there stands for the first line of the standard input.
    """

    def ask(is_new: bool) -> str:  # noqa: FBT001 - a callback with one argument
        known = environ.get(VAULT_VARIABLE, "")
        if known == ON_STDIN:
            return _first_line().reveal()
        if not known and not may_ask:
            raise CredentialsRefused(VAULT)
        words = Secret(known or _unseen("passphrase of the vault: ", VAULT))
        if not known:
            if is_new and _unseen("the same again: ", VAULT) != words.reveal():
                raise CredentialsRefused("the two passphrases differ: nothing was kept")
            _typed.append(words)
        return words.reveal()

    return ask


def typed_passphrase() -> Secret | None:
    """Return what a person typed in this process, for another one of ours without a terminal."""
    return _typed[-1] if _typed else None


@cache
def _first_line() -> Secret:
    """Read it once: who asks again gets the same."""
    try:
        return Secret(sys.stdin.buffer.readline(LINE_MAX).decode().rstrip("\r\n"))
    except UnicodeDecodeError:
        raise CredentialsRefused("what came in is no text") from None


_typed: Final[deque[Secret]] = deque(maxlen=1)
ON_STDIN: Final = "-"
VAULT: Final = f"the vault needs its passphrase: set {VAULT_VARIABLE}, or use a terminal"
KEYS: Final = "no terminal to ask on: pipe the two lines, and say --stdin"


def _asked(half: Half) -> str:
    return _unseen(f"{half.called}: ", KEYS).strip()


def _unseen(prompt: str, otherwise: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would go on and echo
        try:
            return getpass.getpass(prompt)
        except (getpass.GetPassWarning, EOFError, OSError):
            raise CredentialsRefused(otherwise) from None
        except UnicodeDecodeError:
            raise CredentialsRefused("what was typed is no text") from None


def _piped(half: Half) -> str:
    """Read bytes: what a decoder complains about it would quote."""
    if sys.stdin.isatty():
        raise CredentialsRefused("--stdin is for a pipe: leave it out to be asked unseen")
    line = sys.stdin.buffer.readline(LINE_MAX)
    try:
        return line.decode("ascii").strip()
    except UnicodeDecodeError:
        raise CredentialsRefused(f"the {half.called} {half.must}") from None
