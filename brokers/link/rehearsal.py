"""What a venue's requests would be: built and signed as live does it, by what can't send anything.

A room `brokers.<venue>.rehearsal` offers `open_rehearsal`. It imports no client, no stream and no
socket, which the project's import contracts hold it to (reliability.md D5).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

from brokers.link.account import NewOrder, OrderRef, Refused
from brokers.link.exchanged import Request
from engine.venue import Capabilities, MarginTerms


class Rehearsed(NamedTuple):
    """One request as it would have left."""

    request: Request
    hidden: tuple[str, ...]
    """What of it nobody may read: the key and the signature, as they stand in its text."""


class Touch(NamedTuple):
    """Best prices of an instrument."""

    bid: Decimal
    ask: Decimal


Outcome = Rehearsed | Refused
"""Refused is what live would have refused before it sends."""


class Rehearsal(Protocol):
    """One account's requests, signed with its key; pure but for the clock and numbers used once."""

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do; constant."""
        ...

    def place(self, order: NewOrder, touch: Touch | None) -> Outcome:
        """Place an order.

        Args:
            order: Of a kind the venue may have.
            touch: The market, where it is known: some venues have no market orders.

        """
        ...

    def amend(self, ref: OrderRef, price: Decimal, qty: Decimal) -> Outcome:
        """Change price and total quantity."""
        ...

    def cancel(self, ref: OrderRef) -> Outcome:
        """Take an order out."""
        ...

    def order(self, ref: OrderRef) -> Outcome:
        """Ask how an order stands."""
        ...

    def margin(self, wanted: MarginTerms) -> Sequence[Outcome]:
        """Have positions of an instrument made so; a dry run does not know what there is."""
        ...

    def account(self) -> Sequence[Rehearsed]:
        """Ask for positions, working orders and balance; what follows hangs on the answers."""
        ...
