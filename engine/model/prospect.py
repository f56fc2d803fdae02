"""The look ahead at an order nobody has given yet, as a screen gets it. Money is quote currency."""

from decimal import Decimal

import msgspec

from engine.model.orders import Side


class LimitReading(msgspec.Struct, frozen=True):
    """One rule of the gate, as it would judge the order."""

    name: str
    setting: str
    limit: str
    reading: str
    passed: bool | None
    """None where the rule has no say."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate would say now, and the router do."""

    is_approved: bool
    rule: str = ""
    """The first that refuses, with its setting, limit and reading; empty where none does."""
    setting: str = ""
    limit: str = ""
    reading: str = ""
    route: str
    readings: tuple[LimitReading, ...]
    crosses: tuple[str, ...]
    """Own resting orders it would trade with."""


class QuoteSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The quote it is judged by, and the limits on trusting it."""

    bid: Decimal | None
    ask: Decimal | None
    age_ms: int | None
    """None where no price was ever seen."""
    max_age_ms: int
    max_deviation_bps: Decimal | None


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What it would cost, as far as the known book says."""

    price: Decimal | None
    """Its limit or trigger, else the touch."""
    notional: Decimal
    taken_qty: Decimal
    """What would trade at once; the rest would wait, or be dropped where it can't."""
    unseen_qty: Decimal
    """Of that, what the known book does not show."""
    slippage_bps: Decimal | None
    """Expected, of what trades at once, against mid; None where nothing does."""
    worst_slippage_bps: Decimal | None
    """At the last level it reaches."""
    worst_price: Decimal | None
    fee: Decimal
    """Expected; negative is a rebate."""
    worst_fee: Decimal


class After(msgspec.Struct, frozen=True, kw_only=True):
    """The account once all of it has filled."""

    position_before: Decimal
    """Net, signed, as the two that follow."""
    position: Decimal
    own: Decimal
    """The operator's share of it."""
    equity: Decimal
    """Less the expected fee and slippage."""
    margin: Decimal
    """Initial margin of all positions."""
    liquidation_price: Decimal | None
    """None where no price would liquidate the account."""


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """An order's future, as far as it can be known."""

    symbol: str
    side: Side
    qty: Decimal
    """As it would be judged: an exit is cut to what it may close."""
    state: str
    verdict: Verdict
    quote: QuoteSeen
    costs: Costs
    after: After
