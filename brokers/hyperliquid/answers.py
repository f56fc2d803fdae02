"""What Hyperliquid answers and tells of an account, read into words every venue shares. Pure.

Each function raises one of `BROKEN` where an answer makes no sense: then all of it is refused.
Numbers are read from the strings they came as, unknown keys are skipped, unknown words survive.

Source: the Hyperliquid sheet, sections 2, 4 and 6.
"""

from decimal import Decimal
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType, field

from brokers.hyperliquid.parse import TAKERS
from brokers.hyperliquid.refusals import DETAIL_MAX, Ending, ending_of
from brokers.hyperliquid.wire import MS_NS, Identifier, Milliseconds
from brokers.link.account import FillReport, FundingReport, OrderReport
from brokers.link.grid import plain_decimal
from engine.model.account import Liquidity, OtherFee
from engine.model.money import ZERO
from engine.model.text import sanitize
from engine.model.venue_events import Standing, VenueHolding

BROKEN: Final = (msgspec.MsgspecError, ValueError, RecursionError)
NAME_MAX: Final = 64
USDC: Final = "USDC"
FILLS_PAGE: Final = 2_000
"""Fills in one answer at most; so many may be a part."""

Cloid = Annotated[str, Meta(max_length=NAME_MAX)]


class OrderRow(msgspec.Struct, rename="camel", kw_only=True):
    """An order, wherever one is told."""

    coin: str
    side: str
    limit_px: str
    sz: str
    """What is left of it."""
    oid: Identifier
    timestamp: Milliseconds
    orig_sz: str
    cloid: Cloid | None = None
    reduce_only: bool = False


class OrderUpdate(msgspec.Struct, rename="camel"):
    """An order and what became of it."""

    order: OrderRow
    status: str
    status_timestamp: Milliseconds


class StatusAnswer(msgspec.Struct):
    """Of `orderStatus`."""

    status: str
    order: OrderUpdate | None = None


class FillRow(msgspec.Struct, rename="camel", kw_only=True):
    """One of our fills."""

    coin: str
    px: str
    sz: str
    side: str
    time: Milliseconds
    oid: Identifier
    crossed: bool
    fee: str
    tid: Identifier
    fee_token: str = USDC
    cloid: Cloid | None = None


class FillsTold(msgspec.Struct, rename="camel"):
    """Channel `userFills`."""

    fills: list[FillRow]
    is_snapshot: bool = False


class FundingRow(msgspec.Struct):
    """A payment, as `userEvents` tells it."""

    time: Milliseconds
    coin: str
    usdc: str


class EventTold(msgspec.Struct):
    """Channel `user`: what else than fills matters to us."""

    funding: FundingRow | None = None


class Position(msgspec.Struct, rename="camel"):
    """What is held of a coin."""

    coin: str
    szi: str
    unrealized_pnl: str


class Held(msgspec.Struct):
    """A position, wrapped."""

    position: Position


class Summary(msgspec.Struct, rename="camel"):
    """Money."""

    account_value: str


class State(msgspec.Struct, rename="camel"):
    """Of `clearinghouseState`."""

    asset_positions: list[Held]
    margin_summary: Summary
    time: Milliseconds

    def holdings(self) -> tuple[VenueHolding, ...]:
        """Return the open positions."""
        told = [(held.position.coin, number(held.position.szi)) for held in self.asset_positions]
        return tuple(VenueHolding(sanitize(coin, NAME_MAX), qty) for coin, qty in told if qty)

    def balance(self) -> Decimal:
        """Return the money, without unrealised profit."""
        gains = [number(held.position.unrealized_pnl) for held in self.asset_positions]
        return number(self.margin_summary.account_value) - sum(gains, ZERO)


class RoleData(msgspec.Struct, frozen=True):
    """Whose agent it is."""

    user: str = ""
    master: str = ""


class Role(msgspec.Struct):
    """Of `userRole`."""

    role: str
    data: RoleData = RoleData()


class Fees(msgspec.Struct, rename="camel"):
    """Of `userFees`: fractions of notional."""

    user_cross_rate: str
    user_add_rate: str


class RateLimit(msgspec.Struct):
    """Of `userRateLimit`."""

    used: Identifier = field(name="nRequestsUsed")
    cap: Identifier = field(name="nRequestsCap")


class Leverage(msgspec.Struct):
    """Of a coin."""

    value: Annotated[int, Meta(ge=1, le=1_000)]
    type: str = ""


class CoinTerms(msgspec.Struct):
    """Of `activeAssetData`."""

    leverage: Leverage


class Resting(msgspec.Struct):
    """It is in the book."""

    oid: Identifier


class Filled(msgspec.Struct, rename="camel"):
    """It has traded."""

    oid: Identifier
    total_sz: str
    avg_px: str


class Element(msgspec.Struct):
    """What became of one element of an action."""

    resting: Resting | None = None
    filled: Filled | None = None
    error: str | None = None


class _Statuses(msgspec.Struct):
    statuses: list[str | Element]


class _Response(msgspec.Struct):
    type: str
    data: _Statuses | None = None


class _Envelope(msgspec.Struct):
    status: str
    response: Raw


class Done(NamedTuple):
    """An action that was carried out, or taken in, as a whole."""

    elements: tuple[str | Element, ...] = ()
    """One for each of its elements; empty where the venue tells none."""


class Failed(NamedTuple):
    """An action that was refused as a whole."""

    text: str
    """In the venue's words, as they came."""


_envelope = msgspec.json.Decoder(_Envelope).decode
_response = msgspec.json.Decoder(_Response).decode
_text = msgspec.json.Decoder(str).decode
order_rows: Final = msgspec.json.Decoder(list[OrderRow]).decode
order_updates: Final = msgspec.json.Decoder(list[OrderUpdate]).decode
order_status: Final = msgspec.json.Decoder(StatusAnswer).decode
fill_rows: Final = msgspec.json.Decoder(list[FillRow]).decode
fills_told: Final = msgspec.json.Decoder(FillsTold).decode
event_told: Final = msgspec.json.Decoder(EventTold).decode
state: Final = msgspec.json.Decoder(State).decode
role: Final = msgspec.json.Decoder(Role).decode
fees: Final = msgspec.json.Decoder(Fees).decode
rate_limit: Final = msgspec.json.Decoder(RateLimit).decode
coin_terms: Final = msgspec.json.Decoder(CoinTerms).decode


def done(body: bytes) -> Done | Failed:
    """Read the answer to an action: good only where it says so of each element."""
    told = _envelope(body)
    if told.status != "ok":
        return Failed(_text(told.response))
    response = _response(told.response)
    return Done(() if response.data is None else tuple(response.data.statuses))


def number(text: str) -> Decimal:
    """Return a signed decimal.

    Raises:
        Refused: It is none.

    """
    size = Decimal(plain_decimal(text.removeprefix("-")))
    return -size if text.startswith("-") else size


def report(row: OrderRow, ending: Ending, at_ms: int, client_id: str, word: str) -> OrderReport:
    """Return how an order stands, by the venue's number it has there."""
    side = TAKERS.get(row.side)
    if side is None:
        raise ValueError("an order of neither side")
    qty, left = number(row.orig_sz), number(row.sz)
    if left > qty:
        raise ValueError("more is left of an order than there was")
    is_filled = ending.standing is Standing.FILLED
    return OrderReport(
        client_id,
        str(row.oid),
        sanitize(row.coin, NAME_MAX),
        side,
        ending.standing,
        qty,
        qty if is_filled else qty - left,
        number(row.limit_px),
        at_ms * MS_NS,
        reason=ending.reason,
        detail="" if ending.standing is Standing.WORKING else sanitize(word, DETAIL_MAX),
    )


def update_report(update: OrderUpdate, client_id: str) -> OrderReport:
    """Return what an update says; `UNANSWERED` for a word nobody knows."""
    ending = ending_of(update.status)
    return report(update.order, ending, update.status_timestamp, client_id, update.status)


def fill_report(row: FillRow, client_id: str) -> FillReport:
    """Return one of our fills; a fee in another token has no price here."""
    side = TAKERS.get(row.side)
    price, qty = number(row.px), number(row.sz)
    if side is None or price <= 0 or qty <= 0:
        raise ValueError("a fill of nothing, or of neither side")
    fee = number(row.fee)
    other: OtherFee | UnsetType = UNSET
    if row.fee_token != USDC and fee:
        fee, other = ZERO, OtherFee(sanitize(row.fee_token, NAME_MAX), fee, None)
    return FillReport(
        client_id,
        str(row.oid),
        sanitize(row.coin, NAME_MAX),
        str(row.tid),
        side,
        price,
        qty,
        fee,
        Liquidity.TAKER if row.crossed else Liquidity.MAKER,
        row.time * MS_NS,
        other,
    )


def funding_report(row: FundingRow) -> FundingReport:
    """Return a payment; received is positive."""
    return FundingReport(sanitize(row.coin, NAME_MAX), number(row.usdc), row.time * MS_NS)
