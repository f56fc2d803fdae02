"""Bars as Hyperliquid answers them: a span of time, nothing flagged. Pure.

Source: the Hyperliquid sheet, section 2 (`candleSnapshot`).
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import field

from brokers.hyperliquid.wire import JSON, Milliseconds
from brokers.link.exchanged import Request
from brokers.link.past import LENGTHS, Asked, Kline, Klines

NEVER_HERE: Final = "6h"


class Row(msgspec.Struct):
    """One bar."""

    open_ms: Milliseconds = field(name="t")
    open: str = field(name="o")
    high: str = field(name="h")
    low: str = field(name="l")
    close: str = field(name="c")
    volume: str = field(name="v")


_rows: Final = msgspec.json.Decoder(list[Row]).decode


def request(asked: Asked) -> Request:
    """Ask for the bars that open in a span."""
    span = {"startTime": asked.since_ms, "endTime": asked.until_ms}
    told = {"coin": asked.symbol, "interval": asked.length, **span}
    body = msgspec.json.encode({"type": "candleSnapshot", "req": told})
    return Request("POST", "/info", JSON, body)


def read(body: bytes) -> Sequence[Kline]:
    """Return the rows of an answer."""
    return [Kline(*msgspec.structs.astuple(row)) for row in _rows(body)]


OFFERED: Final = {seconds: name for seconds, name in LENGTHS.items() if name != NEVER_HERE}
KLINES: Final = Klines(OFFERED, 5_000, request, read)
