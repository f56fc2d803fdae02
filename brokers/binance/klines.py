"""Bars as Binance answers them: rows of twelve, oldest first, the last one still growing. Pure.

Source: the Binance sheet, section 3.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from brokers.binance.wire import Milliseconds
from brokers.link.exchanged import Request
from brokers.link.past import LENGTHS, Asked, Kline, Klines

PATH: Final = "/fapi/v1/klines"
Row = tuple[Milliseconds, str, str, str, str, str, Any, Any, Any, Any, Any, Any]

_rows: Final = msgspec.json.Decoder(list[Row]).decode


def request(asked: Asked) -> Request:
    """Ask for the newest bars."""
    query = f"symbol={asked.symbol}&interval={asked.length}&limit={asked.rows}"
    return Request("GET", f"{PATH}?{query}", {})


def read(body: bytes) -> Sequence[Kline]:
    """Return the rows of an answer."""
    return [Kline(*row[:6]) for row in _rows(body)]


KLINES: Final = Klines(LENGTHS, 1_500, request, read)
