"""Our client ids in the venue's 128 bits, and back. Pure.

The engine derives an id of `la` and twenty letters of base 32 (`engine.execution.ids`): 100 bits.
They fit behind a tag of 28 bits, so that an order's id can be read off it by any later process and
no table has to survive a crash; what lacks the tag was placed by somebody else. Any other text is
hashed, and known again only by who asked for it.

Source: the Hyperliquid sheet, section 4.
"""

import hashlib
import re
from typing import Final

LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
PREFIX: Final = "la"
DIGEST_CHARS: Final = 20
CLIENT_ID_MAX: Final = len(PREFIX) + DIGEST_CHARS
TAG: Final = "1a9e271"
"""Seven hexadecimal digits before twenty-five."""
BITS: Final = 5
DIGITS: Final = DIGEST_CHARS * BITS // 4

_OURS: Final = re.compile(f"{PREFIX}([{LETTERS}]{{{DIGEST_CHARS}}})")
_WIRE: Final = re.compile(f"0x{TAG}([0-9a-f]{{{DIGITS}}})")
_VALUES: Final = {letter: value for value, letter in enumerate(LETTERS)}


def cloid_of(client_id: str) -> str:
    """Return what the venue is told: 0x and 32 hexadecimal digits."""
    ours = _OURS.fullmatch(client_id)
    if ours is None:
        return f"0x{hashlib.sha256(client_id.encode()).hexdigest()[:32]}"
    number = 0
    for letter in ours[1]:
        number = number << BITS | _VALUES[letter]
    return f"0x{TAG}{number:0{DIGITS}x}"


def client_id_of(cloid: str) -> str | None:
    """Return the id an order was derived from; None where it can't be read off."""
    ours = _WIRE.fullmatch(cloid)
    if ours is None:
        return None
    number = int(ours[1], 16)
    places = range(BITS * (DIGEST_CHARS - 1), -1, -BITS)
    return PREFIX + "".join(LETTERS[number >> place & 31] for place in places)
