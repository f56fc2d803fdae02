"""What Hyperliquid answers to somebody who only looks at an account. Pure.

Each function raises one of `answers.BROKEN` where an answer makes no sense.

Source: the Hyperliquid sheet, sections 2 and 6; `userNonFundingLedgerUpdates` for the kinds of
payments. A kind that is not in the table is not counted: it stands in what is unexplained.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from brokers.hyperliquid.answers import NAME_MAX, number
from brokers.hyperliquid.wire import Milliseconds
from engine.model.money import ROUNDED, ZERO
from engine.model.sightings import PaymentKind, SeenPayment, SeenPosition
from engine.model.text import sanitize

MS_NS: Final = 1_000_000
ID_MAX: Final = 160


class Position(msgspec.Struct, rename="camel"):
    """What is held of a coin, with its value."""

    coin: str
    szi: str
    position_value: str
    unrealized_pnl: str


class Held(msgspec.Struct):
    """A position, wrapped."""

    position: Position


class Summary(msgspec.Struct, rename="camel"):
    """Money."""

    account_value: str
    total_margin_used: str


class State(msgspec.Struct, rename="camel"):
    """Of `clearinghouseState`."""

    asset_positions: list[Held]
    margin_summary: Summary
    time: Milliseconds

    def positions(self) -> tuple[SeenPosition, ...]:
        """Return the open positions, by coin."""
        told = [_position(held.position) for held in self.asset_positions]
        return tuple(sorted((one for one in told if one.qty), key=lambda one: one.symbol))

    def shape(self) -> dict[str, Decimal]:
        """Return what is held, without prices."""
        return {one.symbol: one.qty for one in self.positions()}

    def balance(self) -> Decimal:
        """Return the money, without unrealised profit."""
        gains = (number(held.position.unrealized_pnl) for held in self.asset_positions)
        return number(self.margin_summary.account_value) - sum(gains, ZERO)

    def free(self) -> Decimal:
        """Return what is left for new positions."""
        money = self.margin_summary
        return number(money.account_value) - number(money.total_margin_used)


class Row(msgspec.Struct):
    """A payment: `userFunding` and `userNonFundingLedgerUpdates`."""

    time: Milliseconds
    hash: str
    delta: dict[str, Any]


state: Final = msgspec.json.Decoder(State).decode
rows: Final = msgspec.json.Decoder(list[Row]).decode


def _position(told: Position) -> SeenPosition:
    qty = number(told.szi)
    mark = ROUNDED.divide(number(told.position_value), abs(qty)) if qty else ZERO
    return SeenPosition(sanitize(told.coin, NAME_MAX), qty, mark, number(told.unrealized_pnl))


def funding(row: Row) -> SeenPayment:
    """Return a settlement's payment; received is positive."""
    coin = sanitize(str(row.delta["coin"]), NAME_MAX)
    amount = number(str(row.delta["usdc"]))
    return SeenPayment(f"{row.time} {coin}", PaymentKind.FUNDING, coin, amount, row.time * MS_NS)


def _is_to(delta: Mapping[str, Any], address: str) -> bool:
    return str(delta.get("destination", "")).lower() == address


def _out(delta: Mapping[str, Any]) -> Decimal:
    return -number(str(delta["usdc"])) - number(str(delta.get("fee", "0")))


def _between(delta: Mapping[str, Any], address: str) -> Decimal:
    return number(str(delta["usdc"])) if _is_to(delta, address) else _out(delta)


def _class(delta: Mapping[str, Any], _: str) -> Decimal:
    return number(str(delta["usdc"])) * (1 if delta["toPerp"] else -1)


AMOUNTS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Decimal]]] = {
    "deposit": lambda delta, _: number(str(delta["usdc"])),
    "withdraw": lambda delta, _: _out(delta),
    "accountClassTransfer": _class,
    "internalTransfer": _between,
    "subAccountTransfer": _between,
    "vaultDeposit": lambda delta, _: _out(delta),
    "vaultWithdraw": lambda delta, _: number(str(delta["netWithdrawnUsd"])),
}
"""What moves the account's money, by the kind of entry; with the account's address."""


def transfers(told: list[Row], address: str) -> list[SeenPayment]:
    """Return what came and went."""
    found = []
    for row in told:
        amount_of = AMOUNTS.get(str(row.delta.get("type", "")))
        if amount_of is not None:
            amount = amount_of(row.delta, address)
            name = f"{row.time} {sanitize(row.hash, ID_MAX)}"
            found.append(SeenPayment(name, PaymentKind.TRANSFER, "", amount, row.time * MS_NS))
    return found
