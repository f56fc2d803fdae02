"""What Binance refuses with, and whether it can have had an effect all the same. Pure.

A code that is not in the table is a plain refusal where the status says so (4xx), and otherwise an
outcome that nobody knows.

Source: the Binance sheet, sections 8 and 9; reliability.md A3, rows 23-31.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from engine.model.text import sanitize
from engine.model.venue_events import RejectReason as R

DETAIL_MAX: Final = 120
OK: Final = 200
TOO_MANY, BANNED, OVERLOADED_STATUS = 429, 418, 503
SERVER_ERRORS: Final = 500

NO_SUCH_ORDER, CANCEL_REJECTED = -2013, -2011
DUPLICATE_ID, NOTHING_TO_CHANGE, WOULD_CROSS = -4116, -5027, -5022
SET_ALREADY: Final = -4046
"""What was to be changed is as it was to be."""
KEY_GONE: Final = -1125
OVERLOADED: Final = -1008
"""Not executed, says the venue's page; nobody has seen it: see `BinanceConfig`."""
LATE: Final = frozenset({-1021, -5028})
"""Our time stamp was outside the window: surely not executed."""

CODES: Final[Mapping[int, R | None]] = {
    -1002: R.AUTH, -1022: R.AUTH, -2014: R.AUTH, -2015: R.AUTH, -1099: R.AUTH, -2017: R.AUTH,
    -1021: R.CLOCK_SKEW, -5028: R.CLOCK_SKEW,
    -1003: R.RATE_LIMIT, -1015: R.RATE_LIMIT, -5041: R.RATE_LIMIT,
    -2018: R.INSUFFICIENT_BALANCE, -2019: R.INSUFFICIENT_BALANCE, -2024: R.INSUFFICIENT_BALANCE,
    -2027: R.INSUFFICIENT_BALANCE, -2028: R.INSUFFICIENT_BALANCE,
    -1013: R.INVALID_ORDER, -1102: R.INVALID_ORDER, -1106: R.INVALID_ORDER,
    -1111: R.INVALID_ORDER, -1115: R.INVALID_ORDER, -1116: R.INVALID_ORDER,
    -1121: R.INVALID_ORDER, -2010: R.INVALID_ORDER, -2025: R.INVALID_ORDER,
    -2026: R.INVALID_ORDER, -4003: R.INVALID_ORDER, -4005: R.INVALID_ORDER,
    -4014: R.INVALID_ORDER, -4015: R.INVALID_ORDER, -4024: R.INVALID_ORDER,
    -4131: R.INVALID_ORDER, -4061: R.INVALID_ORDER, -4120: R.INVALID_ORDER,
    -4164: R.INVALID_ORDER, -5025: R.INVALID_ORDER, -5026: R.INVALID_ORDER,
    NOTHING_TO_CHANGE: R.INVALID_ORDER, -5047: R.INVALID_ORDER,
    NO_SUCH_ORDER: R.ORDER_NOT_FOUND, CANCEL_REJECTED: R.ORDER_NOT_FOUND,
    WOULD_CROSS: R.POST_ONLY_WOULD_CROSS,
    -5021: R.NO_LIQUIDITY,
    -2022: R.REDUCE_ONLY_REJECTED, -4118: R.REDUCE_ONLY_REJECTED,
    DUPLICATE_ID: R.DUPLICATE_CLIENT_ID,
    -1000: None, -1001: None, -1006: None, -1007: None, OVERLOADED: None,
    -1016: R.VENUE_UNAVAILABLE,
}  # fmt: skip
"""None is an outcome that nobody knows."""

STATUSES: Final[Mapping[int, R]] = {
    401: R.AUTH, 403: R.AUTH, 451: R.AUTH, TOO_MANY: R.RATE_LIMIT, BANNED: R.RATE_LIMIT,
}  # fmt: skip
"""What was refused before anybody looked at it, whatever the answer says."""

PHRASES: Final = (
    ("insufficient", R.INSUFFICIENT_BALANCE),
    ("immediately match", R.POST_ONLY_WOULD_CROSS),
    ("reduceonly", R.REDUCE_ONLY_REJECTED),
    ("duplicate", R.DUPLICATE_CLIENT_ID),
)
"""How to tell what -2010 means; it means anything."""
GENERIC: Final = -2010


class Fault(NamedTuple):
    """A request that did not do what it should."""

    reason: R | None
    """None where it may have had an effect."""
    detail: str
    code: int = 0
    """The venue's; 0 where it named none."""
    status: int = 0
    """Of the answer; 0 where there was none."""

    @property
    def is_overload(self) -> bool:
        """Whether the venue was too busy to take it."""
        return self.code == OVERLOADED or (
            self.status == OVERLOADED_STATUS and "service unavailable" in self.detail.lower()
        )


class _Said(msgspec.Struct):
    code: int = 0
    msg: str = ""


_decode = msgspec.json.Decoder(_Said).decode


def fault_in(status: int, body: bytes) -> Fault | None:
    """Return what an answer complains of; None where it is a good one, as far as this shows."""
    said = _said(body)
    if status == OK and said.code >= 0:
        return None
    text = said.msg if said.code else body[:DETAIL_MAX].decode("utf-8", "replace")
    told = sanitize(f"{said.code or status}: {text}", DETAIL_MAX)
    return Fault(_reason(status, said), told, said.code, status)


def _said(body: bytes) -> _Said:
    try:
        return _decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _Said()


def _reason(status: int, said: _Said) -> R | None:
    if said.code == GENERIC:
        text = said.msg.lower().replace(" only", "only")
        return next((reason for phrase, reason in PHRASES if phrase in text), R.INVALID_ORDER)
    if status in STATUSES and said.code not in CODES:
        return STATUSES[status]
    if said.code in CODES:
        return CODES[said.code]
    is_plain_refusal = said.code < 0 and status < SERVER_ERRORS
    return R.INVALID_ORDER if is_plain_refusal else None
