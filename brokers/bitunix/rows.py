"""Rows of private answers and pushes, as types: whatever may be null, text or number is read so.

Source: sheet sections 5 and 7, with what clients found live: one object where a list is documented,
`NEW_`, BUY for LONG, times as text.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, Generic, Protocol, TypeVar

import msgspec
from msgspec import Raw, field

from brokers.bitunix.wire import NOTHING
from brokers.link.grid import NUMBER_CHARS_MAX, Refused
from engine.model.account import Liquidity, MarginMode
from engine.model.orders import Side
from engine.model.venue_events import Standing

SIDES: Final[Mapping[str, Side]] = {
    "BUY": Side.BUY, "LONG": Side.BUY, "SELL": Side.SELL, "SHORT": Side.SELL,
}  # fmt: skip
STANDINGS: Final[Mapping[str, Standing]] = {
    "INIT": Standing.WORKING,
    "NEW": Standing.WORKING,
    "PART_FILLED": Standing.WORKING,
    "FILLED": Standing.FILLED,
    "CANCELED": Standing.CANCELED,
    "PART_FILLED_CANCELED": Standing.CANCELED,
    "SYSTEM_CANCELED": Standing.CANCELED,
    "EXPIRED": Standing.EXPIRED,
}
MODES: Final[Mapping[str, MarginMode]] = {
    "CROSS": MarginMode.CROSS, "ISOLATION": MarginMode.ISOLATED,
}  # fmt: skip
MODE_WORDS: Final = {mode: word for word, mode in MODES.items()}
INIT: Final = "INIT"
"""Taken in and not yet in the book."""
ROLES: Final[Mapping[str, Liquidity]] = {"MAKER": Liquidity.MAKER, "TAKER": Liquidity.TAKER}

MAGNITUDE_MAX: Final = 18
"""Decimal exponent either way."""

Text = str | int | None


class Answer(msgspec.Struct):
    """Any answer of REST."""

    code: int | str
    data: Raw = NOTHING
    msg: str | None = None


class OrderRow(msgspec.Struct):
    """An order, asked for or pushed."""

    order_id: Text = field(name="orderId", default="")
    client_id: Text = field(name="clientId", default="")
    symbol: str = ""
    side: str = ""
    qty: Raw = NOTHING
    price: Raw = NOTHING
    effect: str | None = None
    reduce_only: bool | None = field(name="reduceOnly", default=None)
    status: str | None = None
    traded: Raw = field(name="tradeQty", default=NOTHING)
    average: Raw = field(name="avgPrice", default=NOTHING)
    created: Text = field(name="ctime", default=None)
    changed: Text = field(name="mtime", default=None)
    fee: Raw = NOTHING
    # In pushes these have other names:
    pushed_status: str | None = field(name="orderStatus", default=None)
    dealt: Raw = field(name="dealAmount", default=NOTHING)
    pushed_average: Raw = field(name="averagePrice", default=NOTHING)


class TradeRow(msgspec.Struct):
    """One execution."""

    trade_id: Text = field(name="tradeId")
    order_id: Text = field(name="orderId")
    symbol: str
    side: str
    qty: Raw
    price: Raw
    fee: Raw = NOTHING
    role: str = field(name="roleType", default="")
    at: Text = field(name="ctime", default=None)


class PositionRow(msgspec.Struct):
    """An open position; its quantity has no sign."""

    position_id: Text = field(name="positionId", default="")
    symbol: str = ""
    side: str = ""
    qty: Raw = NOTHING
    funding: Raw = NOTHING
    entry_value: Raw = field(name="entryValue", default=NOTHING)
    unrealised: Raw = field(name="unrealizedPNL", default=NOTHING)
    created: Text = field(name="ctime", default=None)
    event: str = ""


class AccountRow(msgspec.Struct):
    """Money; wallet = available + frozen + margin."""

    available: Raw
    frozen: Raw = NOTHING
    margin: Raw = NOTHING
    position_mode: str = field(name="positionMode", default="")
    cross_unrealised: Raw = field(name="crossUnrealizedPNL", default=NOTHING)


class LeverageRow(msgspec.Struct):
    """What positions of a symbol are made with."""

    leverage: Raw
    margin_mode: str = field(name="marginMode", default="")


R_co = TypeVar("R_co", covariant=True)


class Page(Protocol[R_co]):
    """One page of anything."""

    @property
    def rows(self) -> Sequence[R_co]:
        """What is on it."""
        ...


class Orders(msgspec.Struct):
    """One page of orders."""

    rows: list[OrderRow] = field(name="orderList")


class Trades(msgspec.Struct):
    """One page of executions."""

    rows: list[TradeRow] = field(name="tradeList")


class Placed(msgspec.Struct):
    """The venue took an order in for processing."""

    order_id: Text = field(name="orderId", default="")
    id: Text = ""
    """The same, in the answer to a batch."""
    client_id: Text = field(name="clientId", default="")


class Failure(msgspec.Struct):
    """An order of a list for which it was not done."""

    order_id: Text = field(name="orderId", default="")
    client_id: Text = field(name="clientId", default="")
    message: str | None = field(name="errorMsg", default="")
    code: Text = field(name="errorCode", default="")


class Batch(msgspec.Struct):
    """What became of a list."""

    done: list[Placed] | None = field(name="successList", default=None)
    failed: list[Failure] | None = field(name="failureList", default=None)


T = TypeVar("T")


class Reader(Generic[T]):
    """Reads `data` that is one object, or a list of them."""

    def __init__(self, kind: type[T]) -> None:
        one_or_more = kind | list[kind] | None  # type: ignore[valid-type]
        self._decode = msgspec.json.Decoder(one_or_more).decode

    def all(self, data: Raw) -> list[T]:
        """Return what is there; null is no answer, for it could stand for anything.

        Raises:
            Refused: It is null.
            msgspec.MsgspecError: It is not of this type.
        """
        told = self._decode(data)
        if told is None:
            raise Refused("malformed", "null")
        return told if isinstance(told, list) else [told]

    def any(self, data: Raw) -> list[T]:
        """Return what is there, where null means that nothing is.

        Raises:
            msgspec.MsgspecError: It is not of this type.
        """
        return [] if bytes(data) == b"null" else self.all(data)


read_answer = msgspec.json.Decoder(Answer).decode
orders = Reader(OrderRow)
positions = Reader(PositionRow)
accounts = Reader(AccountRow)
leverages = Reader(LeverageRow)
order_pages = Reader(Orders)
trade_pages = Reader(Trades)
placed = Reader(Placed)
batches = Reader(Batch)
_number = msgspec.json.Decoder(Decimal | None).decode


def decimal_of(raw: Raw) -> Decimal | None:
    """Return a number; None for null and for no text at all.

    Raises:
        Refused: It is none, not finite, or absurdly long.
    """
    text = bytes(raw)
    if text == b'""':
        return None
    if len(text) > NUMBER_CHARS_MAX:
        raise Refused("malformed", f"a number of {len(text)} characters")
    try:
        number: Decimal | None = _number(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refused("malformed", "a number that is none") from error
    if number is not None and not number.is_finite():
        raise Refused("nan", "a number that is not finite")
    if number and abs(number.adjusted()) > MAGNITUDE_MAX:
        raise Refused("malformed", "a number out of all proportion")
    return number


def needed(raw: Raw) -> Decimal:
    """Return a number that must be there, and not below zero.

    Raises:
        Refused: It is not.
    """
    number = decimal_of(raw)
    if number is None or number < 0:
        raise Refused("malformed", "a number that is missing or below zero")
    return number


def side_of(text: str) -> Side:
    """Return a side, by whichever word.

    Raises:
        Refused: It is none.
    """
    side = SIDES.get(text.strip().upper())
    if side is None:
        raise Refused("malformed", f"no side: {text[:20]!r}")
    return side


def status_of(row: OrderRow) -> str:
    """Return the status as documented; live ones may end in an underscore."""
    return (row.status or row.pushed_status or "").strip().upper().rstrip("_")


def text_of(told: Text) -> str:
    """Return an id as text; empty where there is none."""
    return "" if told is None else str(told)
