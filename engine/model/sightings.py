"""A real account that is looked at and never acted on, and the simulated books at that instant.

What a shadow session sees of the account is an input like any other, so that its journal holds both
sides of every comparison. All text is sanitised where it was read. Times are the venue's unless
they are called `ts_ns`.
"""

from decimal import Decimal

import msgspec

from engine.model.orders import Side
from engine.model.words import Word


class PaymentKind(Word):
    """Why money moved that no fill tells of."""

    FUNDING = "funding"
    TRANSFER = "transfer"
    """In or out: a deposit, a withdrawal, between accounts of one owner."""
    OTHER = "other"
    """A rebate, a bonus, a cover of the insurance fund."""


class SeenPosition(msgspec.Struct, frozen=True, gc=False):
    """An open position of the account."""

    symbol: str
    qty: Decimal
    """Signed, base units."""
    mark: Decimal
    """Price it is valued at."""
    unrealised: Decimal


class SeenOrder(msgspec.Struct, frozen=True, gc=False):
    """An order that works there."""

    symbol: str
    side: Side
    price: Decimal | None
    qty: Decimal
    """Total."""
    filled_qty: Decimal


class SeenFill(msgspec.Struct, frozen=True, gc=False):
    """An execution on the account, told once."""

    symbol: str
    trade_id: str
    side: Side
    price: Decimal
    qty: Decimal
    fee: Decimal
    """Quote currency, positive is a cost."""
    at_ns: int


class SeenPayment(msgspec.Struct, frozen=True, gc=False):
    """Money that came (positive) or went, told once."""

    payment_id: str
    kind: PaymentKind
    symbol: str
    """Empty where it concerns none."""
    amount: Decimal
    at_ns: int


class SeenTerms(msgspec.Struct, frozen=True, gc=False):
    """What trading one instrument costs the account and ties up; None is not told."""

    symbol: str
    leverage: Decimal | None
    margin_mode: str
    maker_fee_bps: Decimal | None
    taker_fee_bps: Decimal | None


class AccountSeen(msgspec.Struct, frozen=True, gc=False):
    """A look at the account, and what happened on it since the look before.

    The first look of a session is where it begins: what that one tells happened before.
    """

    ts_ns: int
    taken_ns: int
    balance: Decimal
    """Without unrealised profit."""
    free: Decimal | None
    """Left for new positions; None is not told."""
    is_one_way: bool
    positions: tuple[SeenPosition, ...]
    orders: tuple[SeenOrder, ...]
    terms: tuple[SeenTerms, ...]
    fills: tuple[SeenFill, ...]
    payments: tuple[SeenPayment, ...]
    untold: tuple[PaymentKind, ...] = ()
    """Kinds of payments this venue does not list."""


class AccountUnseen(msgspec.Struct, frozen=True, gc=False):
    """The account can't be seen any more; told once, until it is seen again."""

    ts_ns: int
    cause: str


class SimulatedHolding(msgspec.Struct, frozen=True, gc=False):
    """One instrument in the simulated books."""

    symbol: str
    qty: Decimal
    """Signed, base units."""
    mark: Decimal | None
    """Mid; None before the first price."""
    gross: Decimal
    """Realised and unrealised profit of the session."""
    fees: Decimal
    funding: Decimal


class SimulatedBooks(msgspec.Struct, frozen=True, gc=False):
    """The session's own books at the instant of a look at the account."""

    ts_ns: int
    equity: Decimal
    holdings: tuple[SimulatedHolding, ...]
