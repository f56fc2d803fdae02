"""The section `shadow` of final_report.json: a real account beside the simulated one.

A figure that can't be known is None, and `unknown` says why; what it would have been is then in
`unexplained`, so that the causes always add up to the gap, to the last digit.
"""

from decimal import Decimal

import msgspec


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Equity over the time between the first and the last look."""

    start: Decimal
    end: Decimal
    change: Decimal


class Causes(msgspec.Struct, frozen=True, kw_only=True):
    """The gap by what made it: the account's part less the simulated one's, quote currency."""

    held: Decimal
    """What was held at the first look moved in price."""
    quantity: Decimal
    """One side traded more than the other, at the simulated prices where it has any."""
    price: Decimal
    """The same quantity at other prices."""
    marks: Decimal
    """What the simulated side holds at the end is valued at the mid, not at the venue's mark."""
    fees: Decimal
    funding: Decimal | None


class AllCauses(msgspec.Struct, frozen=True, kw_only=True):
    """The causes of every symbol, and what belongs to none; their sum is the gap."""

    held: Decimal
    quantity: Decimal
    price: Decimal
    marks: Decimal
    fees: Decimal
    funding: Decimal | None
    transfers: Decimal | None
    other: Decimal | None
    """Rebates, bonuses and the like."""
    unexplained: Decimal
    """The rest: what the venue rounds, and what nobody told."""


class SymbolGap(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's part of the gap: the sum of its causes."""

    gap: Decimal
    causes: Causes
    account_fills: int
    simulated_fills: int
    account_qty: Decimal
    """Held at the end, as the venue says."""
    simulated_qty: Decimal
    unexplained_qty: Decimal
    """By how much the account's position is not what it held and traded since the first look."""


class Looks(msgspec.Struct, frozen=True, kw_only=True):
    """How well the account was seen."""

    count: int
    first_at: str
    last_at: str
    blind: int
    """How often it was lost from sight."""
    blind_s: float
    """For how long, from the last look before to the first one after."""


class OrdersBeside(msgspec.Struct, frozen=True, kw_only=True):
    """The simulated orders against the account as it was last seen."""

    checked: int
    unchecked: int
    """Sent while the account was not seen."""
    would_refuse: dict[str, int]
    """How many the account would not have taken, by reason; an order may have several."""
    fee_difference: Decimal | None
    """What the simulated fills would have cost at the account's rates, less what they did cost."""


class ShadowReport(msgspec.Struct, frozen=True, kw_only=True):
    """The whole section; all but the looks is None where the account was seen less than twice."""

    looks: Looks | None
    account_equity: Moved | None
    simulated_equity: Moved | None
    gap: Decimal | None
    """The account's change less the simulated one's."""
    causes: AllCauses | None
    per_symbol: dict[str, SymbolGap]
    orders: OrdersBeside
    account_orders: int | None
    """Working at the account at the last look."""
    unknown: dict[str, str]
    """Why a figure is None."""
