"""The terms of an account, as Binance tells them: its key, fees, leverage, limits, clock. Pure.

Each function raises one of `answers.BROKEN` where an answer makes no sense.

Source: the Binance sheet, sections 3, 5, 7 and 8.
"""

from decimal import Decimal
from typing import Annotated, Final

import msgspec

from brokers.binance.answers import ID_MAX, MS_NS, number
from brokers.binance.wire import Milliseconds
from brokers.link.account import FundingReport
from brokers.link.budget import Limit
from engine.model.account import MarginMode
from engine.model.money import BPS
from engine.model.text import sanitize
from engine.venue import MarginTerms

SECONDS: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}
METERS: Final = {"REQUEST_WEIGHT": "used-weight", "ORDERS": "order-count"}
"""Kinds of limits, by what their header is called."""
MODES: Final = {"CROSSED": MarginMode.CROSS, "ISOLATED": MarginMode.ISOLATED}
MODE_WORDS: Final = {mode: word for word, mode in MODES.items()}


class Commission(msgspec.Struct, rename="camel"):
    """What trading costs, as fractions."""

    maker_commission_rate: str
    taker_commission_rate: str


class Setting(msgspec.Struct, rename="camel"):
    """How an instrument is set up."""

    symbol: str
    leverage: Annotated[int, msgspec.Meta(ge=1, le=1_000)]
    margin_type: str = ""


class Permissions(msgspec.Struct, rename="camel"):
    """What a key may do."""

    enable_withdrawals: bool
    enable_futures: bool


class Income(msgspec.Struct):
    """Something that moved a wallet."""

    symbol: str
    income: str
    asset: str
    time: Milliseconds


class _Mode(msgspec.Struct, rename="camel"):
    dual_side_position: bool


class _Key(msgspec.Struct, rename="camel"):
    listen_key: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,256}$")]


class _Time(msgspec.Struct, rename="camel"):
    server_time: Milliseconds


class _Premium(msgspec.Struct, rename="camel"):
    mark_price: str


class _Limit(msgspec.Struct, rename="camel"):
    rate_limit_type: str
    interval: str
    interval_num: Annotated[int, msgspec.Meta(ge=1, le=1_000)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class _Listing(msgspec.Struct, rename="camel"):
    rate_limits: list[_Limit]


permissions: Final = msgspec.json.Decoder(Permissions).decode
_commission: Final = msgspec.json.Decoder(Commission).decode
_settings: Final = msgspec.json.Decoder(list[Setting]).decode
_incomes: Final = msgspec.json.Decoder(list[Income]).decode
_mode: Final = msgspec.json.Decoder(_Mode).decode
_key: Final = msgspec.json.Decoder(_Key).decode
_time: Final = msgspec.json.Decoder(_Time).decode
_premium: Final = msgspec.json.Decoder(_Premium).decode
_listing: Final = msgspec.json.Decoder(_Listing).decode


def fees_bps(body: bytes) -> tuple[Decimal, Decimal]:
    """Return what making and taking cost."""
    told = _commission(body)
    return number(told.maker_commission_rate) * BPS, number(told.taker_commission_rate) * BPS


def margins(body: bytes) -> dict[str, MarginTerms]:
    """Return what positions of each instrument are made with."""
    return {
        one.symbol: MarginTerms(one.symbol, one.leverage, MODES.get(one.margin_type))
        for one in _settings(body)
    }


def fundings(body: bytes, asset: str) -> list[FundingReport]:
    """Return the payments of an asset in a list of them."""
    return [
        FundingReport(sanitize(one.symbol, ID_MAX), number(one.income), one.time * MS_NS)
        for one in _incomes(body)
        if one.asset == asset
    ]


def mark_price(body: bytes) -> Decimal:
    """Return what an instrument is worth, above nothing."""
    price = number(_premium(body).mark_price)
    if price <= 0:
        raise ValueError(f"a price of {price}")
    return price


def is_one_way(body: bytes) -> bool:
    """Whether long and short net."""
    return not _mode(body).dual_side_position


def listen_key(body: bytes) -> str:
    """Return the key of the account's stream."""
    return _key(body).listen_key


def server_time_ms(body: bytes) -> int:
    """Return the venue's time."""
    return _time(body).server_time


def limits_in(body: bytes) -> tuple[Limit, ...]:
    """Return the request limits, named as the headers that count them: `used-weight-1m`."""
    return tuple(
        Limit(
            f"{METERS[one.rate_limit_type]}-{one.interval_num}{one.interval[0].lower()}",
            one.limit,
            float(one.interval_num * SECONDS[one.interval]),
        )
        for one in _listing(body).rate_limits
        if one.rate_limit_type in METERS and one.interval in SECONDS
    )
