"""What Binance answers about an account, read into words every venue shares. Pure.

Each function raises one of `BROKEN` where an answer makes no sense: then all of it is refused.
Numbers are read from the strings they came as, unknown keys are skipped, unknown words survive.

Fees: one paid in another asset than profit (BNB, where the account chose so) counts with its worth,
and does not touch the wallet that is compared with our books: see `fees`.

Source: the Binance sheet, sections 3, 5 and 6.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec
from msgspec import field

from brokers.binance.fees import Fee
from brokers.binance.wire import Identifier, Milliseconds
from brokers.link.account import FillReport, OrderReport
from brokers.link.grid import plain_decimal
from engine.model.account import Liquidity
from engine.model.money import ROUNDED
from engine.model.orders import Side
from engine.model.text import sanitize
from engine.model.venue_events import RejectReason, Standing, VenueHolding

BROKEN: Final = (msgspec.MsgspecError, ValueError, RecursionError)
MS_NS: Final = 1_000_000
ID_MAX: Final = 64
BOTH_SIDES: Final = "BOTH"

STANDINGS: Final = {
    "NEW": Standing.WORKING,
    "PARTIALLY_FILLED": Standing.WORKING,
    "NEW_INSURANCE": Standing.WORKING,
    "NEW_ADL": Standing.WORKING,
    "FILLED": Standing.FILLED,
    "CANCELED": Standing.CANCELED,
    "REJECTED": Standing.REJECTED,
    "EXPIRED": Standing.EXPIRED,
    "EXPIRED_IN_MATCH": Standing.EXPIRED,
}
ENDED_BY_TERMS: Final = frozenset({"EXPIRED"})


class Order(msgspec.Struct, rename="camel"):
    """An order, in any answer that has one."""

    symbol: str
    order_id: Identifier
    client_order_id: str
    side: str
    status: str
    type: str
    time_in_force: str
    price: str
    orig_qty: str
    executed_qty: str
    update_time: Milliseconds
    reduce_only: bool = False
    avg_price: str = "0"


class Trade(msgspec.Struct, rename="camel"):
    """One of our fills."""

    symbol: str
    id: Identifier
    order_id: Identifier
    price: str
    qty: str
    commission: str
    commission_asset: str
    time: Milliseconds
    is_buyer: bool = field(name="buyer")
    is_maker: bool = field(name="maker")


class Position(msgspec.Struct, rename="camel"):
    """A position; with long and short apart there are two of an instrument."""

    symbol: str
    position_amt: str
    position_side: str = BOTH_SIDES


class Wallet(msgspec.Struct):
    """What is held of one asset."""

    asset: str
    balance: str


_order: Final = msgspec.json.Decoder(Order).decode
_orders: Final = msgspec.json.Decoder(list[Order]).decode
trades: Final = msgspec.json.Decoder(list[Trade]).decode
_positions: Final = msgspec.json.Decoder(list[Position]).decode
_wallets: Final = msgspec.json.Decoder(list[Wallet]).decode


def number(text: str) -> Decimal:
    """Read a decimal string, signed or not."""
    digits = Decimal(plain_decimal(text.removeprefix("-")))
    return -digits if text.startswith("-") else digits


def report(body: bytes) -> OrderReport:
    """Return how an order stands; a status nobody knows is `UNANSWERED`."""
    return _report(_order(body))


def reports(body: bytes) -> tuple[OrderReport, ...]:
    """Return how several orders stand."""
    return tuple(_report(told) for told in _orders(body))


def restraints(body: bytes) -> tuple[tuple[OrderReport, bool], ...]:
    """Return how several orders stand, each with whether it can only reduce a position."""
    return tuple((_report(told), told.reduce_only) for told in _orders(body))


def _report(told: Order) -> OrderReport:
    standing = STANDINGS.get(told.status, Standing.UNANSWERED)
    filled = number(told.executed_qty)
    crossed = is_crossing(told.status, told.time_in_force, filled)
    return OrderReport(
        sanitize(told.client_order_id, ID_MAX),
        str(told.order_id),
        sanitize(told.symbol, ID_MAX),
        Side(told.side),
        standing,
        number(told.orig_qty),
        filled,
        number(told.price) or None,
        told.update_time * MS_NS,
        reason=reason_of(standing, is_crossing=crossed),
        detail="" if standing in STANDINGS.values() else sanitize(f"status {told.status}", ID_MAX),
    )


def reason_of(standing: Standing, *, is_crossing: bool) -> RejectReason | None:
    """Return why an order ended, where that is more than its standing says."""
    if is_crossing:
        return RejectReason.POST_ONLY_WOULD_CROSS
    return RejectReason.INVALID_ORDER if standing is Standing.REJECTED else None


def is_crossing(status: str, time_in_force: str, filled: Decimal) -> bool:
    """Whether an order ended because it may only rest and would have traded."""
    return status in ENDED_BY_TERMS and time_in_force == "GTX" and not filled


def fill(told: Trade, client_id: str, fee_of: "FeeOf") -> FillReport:
    """Return one of our fills; the venue names its order by number alone."""
    price, qty = number(told.price), number(told.qty)
    fee = fee_of(told.commission_asset, number(told.commission), ROUNDED.multiply(price, qty))
    return FillReport(
        client_id,
        str(told.order_id),
        sanitize(told.symbol, ID_MAX),
        str(told.id),
        Side.BUY if told.is_buyer else Side.SELL,
        price,
        qty,
        fee.cost,
        Liquidity.MAKER if told.is_maker else Liquidity.TAKER,
        told.time * MS_NS,
        fee.other,
    )


FeeOf = Callable[[str, Decimal, Decimal], Fee]
"""From asset, amount and what was traded to what a fee costs."""


def holdings(body: bytes) -> tuple[VenueHolding, ...]:
    """Return the open positions."""
    told = [(one.symbol, number(one.position_amt)) for one in _positions(body)]
    return tuple(VenueHolding(sanitize(symbol, ID_MAX), qty) for symbol, qty in told if qty)


def balance(body: bytes, asset: str) -> Decimal:
    """Return a wallet's balance, without unrealised profit.

    Raises:
        ValueError: There is no such wallet: the venue tells empty ones too.

    """
    for wallet in _wallets(body):
        if wallet.asset == asset:
            return number(wallet.balance)
    raise ValueError(f"no wallet of {asset}")
