"""What we have: fills, positions, round trips; and what stands behind them."""

from decimal import Decimal

import msgspec

from engine.model.orders import Side
from engine.model.words import Word


class Liquidity(Word):
    """Whether a fill added to or took from the book."""

    MAKER = "MAKER"
    TAKER = "TAKER"


class MarginMode(Word):
    """What stands behind a position."""

    CROSS = "cross"
    """The whole account."""
    ISOLATED = "isolated"
    """What was set aside for it."""


class OtherFee(msgspec.Struct, frozen=True, gc=False):
    """A fee that was taken from another wallet than the one our books are held against."""

    asset: str
    amount: Decimal
    worth: Decimal | None
    """Quote currency, by the price known when it was told, and in the fill's `fee`; None where none
    was: the fee is 0 then."""


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One execution of one of our orders, booked once."""

    ts_ns: int
    order_id: str
    agent: str
    symbol: str
    trade_id: str
    side: Side
    price: Decimal
    qty: Decimal
    fee: Decimal
    """Quote currency, positive is a cost."""
    liquidity: Liquidity
    arrival_mid: Decimal | None = None
    is_late: bool = False
    """Booked after the order had been reported canceled or expired."""
    other_fee: OtherFee | msgspec.UnsetType = msgspec.UNSET
    """Where it was paid in another asset; `fee` is what that was worth."""


class Position(msgspec.Struct, frozen=True, gc=False):
    """Signed quantity with average entry, as journalled after each change."""

    ts_ns: int
    symbol: str
    qty: Decimal
    entry_price: Decimal | None
    """Average entry, rounded to 28 digits; the ledger keeps exact cost. None if flat."""
    realised: Decimal
    fees: Decimal
    funding: Decimal


class RoundTrip(msgspec.Struct, frozen=True, gc=False):
    """One cycle from flat to flat, or to the flip that closes it (domain.md section 7)."""

    ts_ns: int
    symbol: str
    agent: str
    side: Side
    opened_ns: int
    duration_s: float
    entry_price: Decimal
    exit_price: Decimal
    qty: Decimal
    """Quantity entered over the cycle, all of it exited again."""
    peak_qty: Decimal
    gross_pnl: Decimal
    maker_fees: Decimal
    taker_fees: Decimal
    funding: Decimal
    net_pnl: Decimal
    slippage: Decimal
    """Quote currency lost against the arrival mids of its orders; positive is a cost."""
    mae: Decimal
    """Worst mark-to-market loss while open, quote currency, zero or negative."""
    mfe: Decimal
    """Best mark-to-market gain while open, quote currency, zero or positive."""
    fills: int
    order_ids: tuple[str, ...]
    """The first orders that caused it, see `engine.portfolio.round_trips.ORDER_IDS_MAX`."""
