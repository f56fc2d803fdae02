"""Bars as Bitunix answers them: newest first, numbers as text or not, nothing flagged. Pure.

Source: the Bitunix sheet, section 3.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, field

from brokers.bitunix import rows
from brokers.bitunix.codes import OK
from brokers.bitunix.requests import PREFIX
from brokers.bitunix.wire import NOTHING
from brokers.link.exchanged import Request
from brokers.link.grid import Refused
from brokers.link.past import LENGTHS, Asked, Kline, Klines

PATH: Final = f"{PREFIX}/market/kline"
Time = Annotated[str, Meta(pattern="^[0-9]{1,13}$")] | Annotated[int, Meta(ge=0, lt=10**13)]


class Row(msgspec.Struct):
    """One bar."""

    time: Time
    open: Raw
    high: Raw
    low: Raw
    close: Raw
    volume: Raw = field(name="baseVol", default=NOTHING)


_bars: Final = msgspec.json.Decoder(list[Row]).decode


def request(asked: Asked) -> Request:
    """Ask for the newest bars of traded prices."""
    query = f"symbol={asked.symbol}&interval={asked.length}&limit={asked.rows}&type=LAST_PRICE"
    return Request("GET", f"{PATH}?{query}", {})


def read(body: bytes) -> Sequence[Kline]:
    """Return the rows of an answer.

    Raises:
        Refused: It has a code other than 0.
    """
    answer = rows.read_answer(body)
    if str(answer.code) != OK:
        raise Refused("malformed", f"{answer.code} {answer.msg or ''}")
    return [
        Kline(
            int(row.time),
            *(_text(raw) for raw in (row.open, row.high, row.low, row.close, row.volume)),
        )
        for row in _bars(answer.data)
    ]


def _text(raw: Raw) -> str:
    """Return a number's own digits; a bar without volume has none."""
    told = bytes(raw).decode()
    return "0" if told == "null" else told.strip('"')


KLINES: Final = Klines(LENGTHS, 200, request, read)
