"""The key to a venue: where it is looked for, and what came of it.

Rule 1: the first place that has one counts. A keyring that can't be trusted is passed over and said
        so; what a person put into a file or the environment and is not right is refused instead.
Rule 2: whoever gets a key also gets to know where it is from.

Source: reliability.md section 0.6, D4.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from brokers.link.secret import Credentials
from engine.model.errors import CredentialsRefused
from laptop_agents.keys_places import Place, Places, places
from laptop_agents.keys_prompt import passphrase
from laptop_agents.keys_shape import SHAPES, Kept


class Found(NamedTuple):
    """A key, and where it is from."""

    credentials: Credentials
    origin: str
    """`keyring`, `environment`, `file` or `vault`."""
    where: str
    """The same exactly, for people."""
    passed_over: str = ""
    """Why the keyring was not asked; empty where it was."""


class Seen(NamedTuple):
    """What one place has of a venue, or why it can't be said."""

    place: Place
    kept: Kept | None
    trouble: str = ""


def credentials(venue: str, environ: Mapping[str, str], home: Path) -> Found:
    """Return the key of a venue.

    Raises:
        CredentialsRefused: There is none, or the first one found can't be used.
    """
    found = find(venue, places(environ, home, passphrase(environ)))
    if found is None:
        raise CredentialsRefused(missing(venue))
    return found


def find(venue: str, among: Places) -> Found | None:
    """Return the key that counts, None where there is none.

    Raises:
        CredentialsRefused: The first one found can't be used.
    """
    passed_over = ""
    for place in among.ordered:
        try:
            kept = place.read(venue)
        except CredentialsRefused as error:
            if place is not among.keyring or not among.keyring.is_absent:
                raise
            passed_over = str(error)
            continue
        if kept is not None:
            return Found(kept.credentials, place.name, place.where(venue), passed_over)
    return None


def survey(venue: str, among: Places) -> list[Seen]:
    """Return what every place has of a venue; no trouble of one hides another."""
    seen = []
    for place in among.ordered:
        try:
            seen.append(Seen(place, place.read(venue)))
        except CredentialsRefused as error:
            seen.append(Seen(place, None, str(error)))
    return seen


def missing(venue: str) -> str:
    """Say that there is no key, and what to do."""
    assert venue in SHAPES, "a venue without keys"
    return f"no key for {venue}: run `laptop-agents keys set {venue}`, see docs/KEYS.md"
