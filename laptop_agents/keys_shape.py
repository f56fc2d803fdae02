"""What a key to each venue consists of: what its halves are called, and what they look like. Pure.

A new venue is a row in `SHAPES`. No complaint repeats what it complains about.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec

from brokers.link.secret import Credentials, Secret, hide
from engine.model.errors import CredentialsRefused

VAULT_VARIABLE: Final = "LAPTOP_AGENTS_VAULT_PASSPHRASE"
_WORD: Final = re.compile(r"[!-~]{8,256}")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_PRIVATE_KEY: Final = re.compile(r"(0x)?[0-9a-fA-F]{64}")
_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Half(NamedTuple):
    """One of the two texts a key consists of."""

    name: str
    """In a key file."""
    called: str
    """For people."""
    form: re.Pattern[str]
    must: str


class Shape(NamedTuple):
    """A venue's key."""

    key: Half
    secret: Half

    @property
    def halves(self) -> tuple[Half, Half]:
        """In the order in which they are asked for."""
        return self.key, self.secret


_API_KEY: Final = Half("key", "API key", _WORD, "must be 8 to 256 letters, digits and signs")
_API_SECRET: Final = _API_KEY._replace(name="secret", called="API secret")

SHAPES: Final[Mapping[str, Shape]] = {
    "binance": Shape(_API_KEY, _API_SECRET),
    "bitunix": Shape(_API_KEY, _API_SECRET),
    # Hyperliquid sheet, sections 1 and 5: asked by the master's address, signed by an agent wallet.
    "hyperliquid": Shape(
        Half("address", "address of the master account", _ADDRESS, "must be 0x and 40 hex digits"),
        Half("wallet", "private key of the agent wallet", _PRIVATE_KEY, "must be 64 hex digits"),
    ),
}


class Kept(NamedTuple):
    """A key as some place keeps it."""

    credentials: Credentials
    kept_at: str = ""
    """UTC, `2026-11-21T09:00:00Z`; empty where nobody wrote it down."""


def variable(venue: str, half: Half) -> str:
    """Return what the environment calls one half."""
    return f"LAPTOP_AGENTS_{venue}_{half.name}".upper()


VARIABLES: Final = frozenset(
    variable(venue, half) for venue, shape in SHAPES.items() for half in shape.halves
) | {VAULT_VARIABLE}
"""Of the environment; they are no settings."""


def keyless(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for a process that has no use for keys (reliability.md F2)."""
    return {name: value for name, value in environ.items() if name not in VARIABLES}


def credentials_of(venue: str, key: str, secret: str, blame: Callable[[Half], str]) -> Credentials:
    """Make credentials of two texts.

    Args:
        blame: What to call a half that can't be one.

    Raises:
        CredentialsRefused: One of them can't be one.
    """
    shape = SHAPES[venue]
    for half, text in zip(shape.halves, (key, secret), strict=True):
        if half.form.fullmatch(text) is None:
            raise CredentialsRefused(f"{blame(half)} {half.must}")
    hide(key)
    return Credentials(key, Secret(secret))


def encoded(venue: str, kept: Kept) -> bytes:
    """Return what a place keeps, as JSON."""
    shape = SHAPES[venue]
    secret = kept.credentials.secret.reveal()
    return msgspec.json.encode(
        {shape.key.name: kept.credentials.key, shape.secret.name: secret, "kept_at": kept.kept_at}
    )


def decoded(venue: str, content: bytes, where: str) -> Kept:
    """Read what a place keeps; further words in it are ignored.

    Raises:
        CredentialsRefused: It is no key of this venue.
    """
    key, secret = SHAPES[venue].halves
    try:
        table = msgspec.json.decode(content, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        table = {}
    texts = [table.get(half.name) for half in (key, secret)]
    if not all(isinstance(text, str) for text in texts):
        raise CredentialsRefused(
            f'{where} must hold {{"{key.name}": "...", "{secret.name}": "..."}}'
        )
    stamp = str(table.get("kept_at", ""))
    return Kept(
        credentials_of(
            venue, str(texts[0]), str(texts[1]), lambda half: f"{where}: the {half.called}"
        ),
        stamp if _STAMP.fullmatch(stamp) else "",
    )
