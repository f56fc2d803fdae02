"""`laptop-agents doctor --keys`: is there a keyring to trust, and which venues have a key.

The keyring is proved with something worth nothing; nothing else is written, and nothing asked.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from engine.model.errors import CredentialsRefused
from laptop_agents.keyring_box import KeyringBox
from laptop_agents.keys_list import Row, rows
from laptop_agents.keys_places import places
from laptop_agents.keys_prompt import passphrase
from laptop_agents.keys_shape import SHAPES


class Verdict(NamedTuple):
    """What was found, and whether a person should see to it."""

    is_well: bool
    text: str


def keyring_verdict() -> Verdict:
    """Prove the keyring."""
    box = KeyringBox()
    try:
        box.prove()
        return Verdict(True, f"{box.backend}: keeps what it is given")
    except CredentialsRefused as error:
        return Verdict(False, str(error))


def venues_verdict(environ: Mapping[str, str], home: Path) -> Verdict:
    """Say for each venue whether it has a key, and where."""
    found = list(rows(places(environ, home, passphrase(environ, may_ask=False))))
    used = {row.venue: row for row in found if row.is_used}
    words = [f"{venue}: {_key(used.get(venue))}" for venue in SHAPES]
    # What is wrong with the keyring is said by its own check.
    troubles = dict.fromkeys(row.trouble for row in found if _is_in_the_way(row))
    return Verdict(not troubles, "; ".join([", ".join(words), *troubles]))


def _key(row: Row | None) -> str:
    return "none" if row is None else f"...{row.tail} from the {row.origin}"


def _is_in_the_way(row: Row) -> bool:
    return bool(row.trouble) and row.origin != "keyring"
