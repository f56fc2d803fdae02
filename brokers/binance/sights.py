"""What Binance answers to somebody who only looks at an account. Pure.

Each function raises one of `answers.BROKEN` where an answer makes no sense.

Source: the Binance sheet, section 5; `GET /fapi/v1/income` for the kinds of payments.
"""

from decimal import Decimal
from typing import Final

import msgspec

from brokers.binance.answers import BOTH_SIDES, ID_MAX, MS_NS, Trade, number
from brokers.binance.answers import fill as fill_of
from brokers.binance.fees import Fees
from brokers.binance.wire import Identifier, Milliseconds
from brokers.link.account import OrderReport
from engine.model.sightings import (
    PaymentKind,
    SeenFill,
    SeenOrder,
    SeenPayment,
    SeenPosition,
)
from engine.model.text import sanitize

IN_FILLS: Final = frozenset({"REALIZED_PNL", "COMMISSION"})
"""What every fill tells already."""
KINDS: Final = {
    "FUNDING_FEE": PaymentKind.FUNDING,
    "TRANSFER": PaymentKind.TRANSFER,
    "INTERNAL_TRANSFER": PaymentKind.TRANSFER,
    "CROSS_COLLATERAL_TRANSFER": PaymentKind.TRANSFER,
    "COIN_SWAP_DEPOSIT": PaymentKind.TRANSFER,
    "COIN_SWAP_WITHDRAW": PaymentKind.TRANSFER,
    "STRATEGY_UMFUTURES_TRANSFER": PaymentKind.TRANSFER,
}
"""Every other kind is `OTHER`: a word nobody knows is still money."""


class Position(msgspec.Struct, rename="camel"):
    """A position with its value."""

    symbol: str
    position_amt: str
    mark_price: str
    un_realized_profit: str
    position_side: str = BOTH_SIDES


class Wallet(msgspec.Struct, rename="camel"):
    """One asset's wallet."""

    asset: str
    balance: str
    available_balance: str


class Income(msgspec.Struct, rename="camel"):
    """Something that moved a wallet."""

    symbol: str
    income_type: str
    income: str
    asset: str
    time: Milliseconds
    tran_id: Identifier


_positions: Final = msgspec.json.Decoder(list[Position]).decode
_wallets: Final = msgspec.json.Decoder(list[Wallet]).decode
incomes: Final = msgspec.json.Decoder(list[Income]).decode


def positions(body: bytes) -> tuple[SeenPosition, ...]:
    """Return what is listed, by symbol and side: open positions, and flat ones with orders."""
    return tuple(
        SeenPosition(
            sanitize(one.symbol, ID_MAX),
            number(one.position_amt),
            number(one.mark_price),
            number(one.un_realized_profit),
        )
        for one in sorted(_positions(body), key=lambda one: (one.symbol, one.position_side))
    )


def wallet(body: bytes, asset: str) -> tuple[Decimal, Decimal]:
    """Return a wallet's balance without unrealised profit, and what is free of it.

    Raises:
        ValueError: There is no such wallet: the venue tells empty ones too.

    """
    for one in _wallets(body):
        if one.asset == asset:
            return number(one.balance), number(one.available_balance)
    raise ValueError(f"no wallet of {asset}")


def order(report: OrderReport) -> SeenOrder:
    """Return a working order."""
    return SeenOrder(report.symbol, report.side, report.price, report.qty, report.filled_qty)


def fill(trade: Trade, quote: str) -> SeenFill:
    """Return an execution; a fee paid in another asset moves another wallet and is not in it."""
    told = fill_of(trade, "", Fees(quote).of)
    return SeenFill(
        told.symbol, told.trade_id, told.side, told.price, told.qty, told.fee, told.at_ns
    )


def payments(rows: list[Income], asset: str) -> tuple[SeenPayment, ...]:
    """Return what moved a wallet and no fill tells of."""
    return tuple(
        SeenPayment(
            f"{sanitize(one.income_type, ID_MAX)} {one.tran_id} {sanitize(one.symbol, ID_MAX)}",
            KINDS.get(one.income_type, PaymentKind.OTHER),
            sanitize(one.symbol, ID_MAX),
            number(one.income),
            one.time * MS_NS,
        )
        for one in rows
        if one.asset == asset and one.income_type not in IN_FILLS
    )
