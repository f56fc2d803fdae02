"""What a shadow session counts of both sides, and how both stand at the instant of a look."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from engine.model.money import ZERO
from engine.model.orders import Side
from engine.model.sightings import AccountSeen, PaymentKind, SimulatedBooks, SimulatedHolding

NOTHING_HELD: Final = SimulatedHolding("", ZERO, None, ZERO, ZERO, ZERO)


@dataclass(slots=True)
class Traded:
    """What one side bought and sold of one symbol."""

    qty: dict[Side, Decimal] = field(default_factory=lambda: dict.fromkeys(Side, ZERO))
    value: dict[Side, Decimal] = field(default_factory=lambda: dict.fromkeys(Side, ZERO))
    fees: Decimal = ZERO
    fills: int = 0
    last_price: Decimal | None = None

    def add(self, side: Side, price: Decimal, qty: Decimal, fee: Decimal) -> None:
        """Count one execution; quantity in base units."""
        self.qty[side] += qty
        self.value[side] += price * qty
        self.fees += fee
        self.fills += 1
        self.last_price = price

    def gain(self, side: Side, mark: Decimal) -> Decimal:
        """Return what buying, or selling, has brought at a price."""
        return side.sign * (self.qty[side] * mark - self.value[side])

    @property
    def net(self) -> Decimal:
        """Signed quantity."""
        return self.qty[Side.BUY] - self.qty[Side.SELL]


@dataclass(slots=True)
class Counted:
    """What was counted of both sides since the first look."""

    account: dict[str, Traded] = field(default_factory=dict)
    simulated: dict[str, Traded] = field(default_factory=dict)
    paid: dict[PaymentKind, dict[str, Decimal]] = field(
        default_factory=lambda: {kind: {} for kind in PaymentKind}
    )
    """By symbol."""


class Look(NamedTuple):
    """Both sides at one instant."""

    seen: AccountSeen
    books: SimulatedBooks

    @property
    def equity(self) -> Decimal:
        """Of the account."""
        return self.seen.balance + sum((one.unrealised for one in self.seen.positions), ZERO)

    def held(self, symbol: str) -> Decimal:
        """Return the account's position; with long and short apart, their sum."""
        return sum((one.qty for one in self.seen.positions if one.symbol == symbol), ZERO)

    def mark(self, symbol: str) -> Decimal | None:
        """Return the venue's mark; None of what the account does not hold."""
        marks = (one.mark for one in self.seen.positions if one.symbol == symbol)
        return next(marks, None)

    def ours(self, symbol: str) -> SimulatedHolding:
        """Return the simulated side of a symbol."""
        found = (one for one in self.books.holdings if one.symbol == symbol)
        return next(found, NOTHING_HELD)
