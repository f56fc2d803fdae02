"""Our client ids in the venue's 128 bits, and back. Pure.

Any later process must read off an order whose it is, so that no table has to survive a crash. Two
shapes of id are written so that they can be read again, told apart by their first three bits:

- 5: the id of a run as sessions name it, `20261121T092816Z-xbrk`, and behind it the engine's order
  id, at most 14 characters: 30 bits of seconds, 21 of letters, 74 of text;
- 6: any short id: at most 23 characters, 125 bits of text.

Together that is every id of `engine.model.client_ids` with the limits given here, but those of a
run that somebody gave a long name of his own. What fits neither is hashed, and known again only by
who asked for it.

Source: the Hyperliquid sheet, section 4 (cloid).
"""

import hashlib
import re
from calendar import timegm
from datetime import UTC, datetime
from string import ascii_lowercase, digits
from typing import Final

CLIENT_ID_MAX: Final = 36
SYMBOLS: Final = ascii_lowercase + digits + "_-"
CLIENT_ID_ALPHABET: Final = SYMBOLS + "TZ"
"""The two capitals are those of a run's time."""
BASE: Final = len(SYMBOLS) + 1
"""0 stands for nothing and ends a text."""
BASE_36: Final = digits + ascii_lowercase
OF_RUN, SHORT = 5, 6
SHAPE_BITS, TIME_BITS, MARK_BITS, ORDER_BITS = 3, 30, 21, 74
MARK_CHARS, ORDER_CHARS, SHORT_CHARS = 4, 14, 23
BITS: Final = 128
TEXT_BITS: Final = BITS - SHAPE_BITS
EPOCH: Final = timegm((2025, 1, 1, 0, 0, 0))
STAMP: Final = "%Y%m%dT%H%M%SZ"

_RUN: Final = re.compile(
    rf"(\d{{8}}T\d{{6}}Z)-([{BASE_36}]{{{MARK_CHARS}}})-([{SYMBOLS}]{{1,{ORDER_CHARS}}})"
)
_SHORT: Final = re.compile(f"[{SYMBOLS}]{{1,{SHORT_CHARS}}}")
_WIRE: Final = re.compile("0x[0-9a-f]{32}")
_VALUES: Final = {symbol: value for value, symbol in enumerate(SYMBOLS, start=1)}


def cloid_of(client_id: str) -> str:
    """Return what the venue is told: 0x and 32 hexadecimal digits."""
    number = _run_number(client_id)
    if number is None and _SHORT.fullmatch(client_id):
        number = SHORT << TEXT_BITS | _number(client_id)
    if number is None:
        digest = hashlib.sha256(client_id.encode("utf-8", "surrogatepass")).digest()
        number = int.from_bytes(digest[:16], "big") >> SHAPE_BITS
    return f"0x{number:032x}"


def client_id_of(cloid: str) -> str | None:
    """Return the id an order was given; None where it can't be read off."""
    if not _WIRE.fullmatch(cloid):
        return None
    number = int(cloid, 16)
    shape, rest = number >> TEXT_BITS, number & (1 << TEXT_BITS) - 1
    if shape == OF_RUN:
        return _run_text(rest)
    return _text(rest) if shape == SHORT else None


def _run_number(client_id: str) -> int | None:
    shaped = _RUN.fullmatch(client_id)
    if shaped is None:
        return None
    stamp, mark, order_id = shaped.groups()
    try:
        seconds = int(datetime.strptime(stamp, STAMP).replace(tzinfo=UTC).timestamp()) - EPOCH
    except ValueError:
        return None
    if not 0 <= seconds < 1 << TIME_BITS:
        return None
    number = OF_RUN << TIME_BITS | seconds
    number = number << MARK_BITS | int(mark, 36)
    return number << ORDER_BITS | _number(order_id)


def _run_text(number: int) -> str | None:
    order_id = _text(number & (1 << ORDER_BITS) - 1)
    mark = number >> ORDER_BITS & (1 << MARK_BITS) - 1
    seconds = number >> ORDER_BITS + MARK_BITS
    if order_id is None or mark >= len(BASE_36) ** MARK_CHARS:
        return None
    letters = "".join(BASE_36[mark // 36**place % 36] for place in range(MARK_CHARS - 1, -1, -1))
    stamp = datetime.fromtimestamp(EPOCH + seconds, UTC).strftime(STAMP)
    return f"{stamp}-{letters}-{order_id}"


def _number(text: str) -> int:
    """Return a text as a number, its first character the lowest digit."""
    number = 0
    for symbol in reversed(text):
        number = number * BASE + _VALUES[symbol]
    return number


def _text(number: int) -> str | None:
    """Return the text of a number; None where it is nobody's."""
    symbols = []
    while number:
        number, value = divmod(number, BASE)
        if not value:
            return None
        symbols.append(SYMBOLS[value - 1])
    return "".join(symbols) or None
