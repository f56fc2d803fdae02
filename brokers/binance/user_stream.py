"""What the account's stream of Binance tells, read into words every venue shares. Pure.

Rule 1: a fill is told by `ORDER_TRADE_UPDATE` alone; `TRADE_LITE` repeats it and is left out.
Rule 2: an event nobody knows is skipped. One that can't be read is `BROKEN`: something happened and
        nobody knows what, so the line must start over and the account be asked.
Rule 3: orders the venue placed by force (liquidation, deleveraging, settlement) are called
        `liquidation-<number>`, as the engine calls them.

Funding in cross margin names no instrument: it is read with an empty symbol, see `payments`.

Source: the Binance sheet, section 7.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec
from msgspec import field

from brokers.binance.answers import (
    ID_MAX,
    MS_NS,
    STANDINGS,
    FeeOf,
    is_crossing,
    number,
    reason_of,
)
from brokers.binance.wire import Identifier, Milliseconds
from brokers.link.account import FillReport, FundingReport, OrderReport, Report
from engine.model.account import Liquidity
from engine.model.money import ROUNDED
from engine.model.orders import Side
from engine.model.text import sanitize
from engine.model.venue_events import Standing

FORCED: Final = ("autoclose-", "adl_autoclose", "settlement_autoclose-")
"""How client ids begin that nobody chose."""
LIQUIDATION: Final = "liquidation-"
AMENDED: Final = "AMENDMENT"
FUNDING: Final = "FUNDING_FEE"
COIN_MARGINED: Final = 2
"""`st` of another product's events, which travel on the same line."""


class Told(NamedTuple):
    """What one message says."""

    reports: tuple[Report, ...] = ()
    is_key_gone: bool = False
    """The line will say nothing more: it needs a new key."""
    event: str = ""
    """Its kind, in the venue's words."""


class _Head(msgspec.Struct):
    event: str = field(name="e")
    product: int = field(name="st", default=1)


class _Order(msgspec.Struct):
    symbol: str = field(name="s")
    client_id: str = field(name="c")
    side: str = field(name="S")
    time_in_force: str = field(name="f")
    qty: str = field(name="q")
    price: str = field(name="p")
    execution: str = field(name="x")
    status: str = field(name="X")
    number: Identifier = field(name="i")
    last_qty: str = field(name="l")
    filled: str = field(name="z")
    last_price: str = field(name="L")
    at_ms: Milliseconds = field(name="T")
    trade_id: Identifier = field(name="t")
    is_maker: bool = field(name="m")
    fee_asset: str | None = field(name="N", default=None)
    fee: str | None = field(name="n", default=None)


class _OrderUpdate(msgspec.Struct):
    order: _Order = field(name="o")


class _WalletChange(msgspec.Struct):
    asset: str = field(name="a")
    change: str = field(name="bc")


class _PositionChange(msgspec.Struct):
    symbol: str = field(name="s")


class _Account(msgspec.Struct):
    reason: str = field(name="m", default="")
    wallets: list[_WalletChange] = field(name="B", default_factory=list)
    positions: list[_PositionChange] = field(name="P", default_factory=list)


class _AccountUpdate(msgspec.Struct):
    account: _Account = field(name="a")
    at_ms: Milliseconds = field(name="T")


_head: Final = msgspec.json.Decoder(_Head).decode
_order_update: Final = msgspec.json.Decoder(_OrderUpdate).decode
_account_update: Final = msgspec.json.Decoder(_AccountUpdate).decode


def read(data: bytes, quote: str, fee_of: FeeOf) -> Told:
    """Read one message.

    Args:
        data: As it came.
        quote: The asset that profit is paid in.
        fee_of: What a fee costs in it.

    Raises:
        One of `answers.BROKEN`: It can't be read.

    """
    head = _head(data)
    if head.event == "listenKeyExpired":
        return Told(is_key_gone=True, event=head.event)
    reader = READERS.get(head.event)
    if reader is None or head.product == COIN_MARGINED:
        return Told(event=sanitize(head.event, ID_MAX))
    return Told(reader(data, quote, fee_of), event=head.event)


def _of_order(data: bytes, _: str, fee_of: FeeOf) -> tuple[Report, ...]:
    """Return an execution, where there was one, before how the order stands now."""
    told = _order_update(data).order
    standing = _standing_of(told)
    if not number(told.last_qty) or not told.trade_id:
        return (standing,)
    return (_fill_of(told, fee_of), standing)


def _standing_of(told: _Order) -> OrderReport:
    standing = STANDINGS.get(told.status, Standing.UNANSWERED)
    filled = number(told.filled)
    crossed = is_crossing(told.status, told.time_in_force, filled)
    return OrderReport(
        _name_of(told),
        str(told.number),
        sanitize(told.symbol, ID_MAX),
        Side(told.side),
        standing,
        number(told.qty),
        filled,
        number(told.price) or None,
        told.at_ms * MS_NS,
        is_amendment=told.execution == AMENDED,
        reason=reason_of(standing, is_crossing=crossed),
        detail=sanitize(f"{told.execution} {told.status}", ID_MAX),
    )


def _fill_of(told: _Order, fee_of: FeeOf) -> FillReport:
    price, qty = number(told.last_price), number(told.last_qty)
    traded = ROUNDED.multiply(price, qty)
    fee = fee_of(told.fee_asset or "", number(told.fee or "0"), traded)
    return FillReport(
        _name_of(told),
        str(told.number),
        sanitize(told.symbol, ID_MAX),
        str(told.trade_id),
        Side(told.side),
        price,
        qty,
        fee.cost,
        Liquidity.MAKER if told.is_maker else Liquidity.TAKER,
        told.at_ms * MS_NS,
        fee.other,
    )


def _name_of(told: _Order) -> str:
    if told.client_id.startswith(FORCED):
        return f"{LIQUIDATION}{told.number}"
    return sanitize(told.client_id, ID_MAX)


def _of_account(data: bytes, quote: str, _: FeeOf) -> tuple[Report, ...]:
    """Return funding; what else moves a wallet is told by orders, or found in a picture."""
    update = _account_update(data)
    if update.account.reason != FUNDING:
        return ()
    symbols = {one.symbol for one in update.account.positions}
    symbol = sanitize(symbols.pop(), ID_MAX) if len(symbols) == 1 else ""
    return tuple(
        FundingReport(symbol, number(wallet.change), update.at_ms * MS_NS)
        for wallet in update.account.wallets
        if wallet.asset == quote
    )


READERS: Final[dict[str, Callable[[bytes, str, FeeOf], tuple[Report, ...]]]] = {
    "ORDER_TRADE_UPDATE": _of_order,
    "ACCOUNT_UPDATE": _of_account,
}
"""Events that tell something; a new one is one more row."""
