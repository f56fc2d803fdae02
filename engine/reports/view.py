"""The session as seen from outside, once a second: what heartbeats, metrics and the report show.

The kernel's owner fills a `SessionView`; nobody downstream computes money again. The identity
`equity = starting_balance + realised - fees + funding + unrealised` holds in every view, exactly.
"""

from decimal import Decimal

import msgspec


class PositionView(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One instrument's position and what it is worth."""

    symbol: str
    qty: Decimal
    """Signed, base currency."""
    entry_price: Decimal | None
    """Average entry; None if flat."""
    mark: Decimal | None
    """Price it is valued at; None before the first quote."""
    unrealised: Decimal


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a person or a script may want to know this second; money in quote currency."""

    ts_ns: int
    state: str
    equity: Decimal
    balance: Decimal
    """`starting_balance + realised - fees + funding`: the equity without open positions."""
    realised: Decimal
    unrealised: Decimal
    fees: Decimal
    """Positive is a cost."""
    funding: Decimal
    """Signed, received is positive."""
    peak_equity: Decimal
    drawdown_pct: Decimal
    """Fall from `peak_equity` in percent of it, 0 to 100."""
    open_orders: int
    fills: int
    """Executions so far."""
    positions: tuple[PositionView, ...]
    """Every instrument of the session, flat ones too, in the order of `--symbols`."""
    reasons: tuple[str, ...] = ()
    """Why the session is not simply trading; empty when all is well."""
    events: int = 0
    """Inputs the kernel has seen so far."""
    remaining_s: float | None = None
    """Until the planned end; None when there is none."""
    progress: float | None = None
    """Share of the planned duration, 0 to 1; None when there is none."""
    is_simulated: bool = False
    """Prices are invented: shown as SIMULATED everywhere."""

    @property
    def starting_balance(self) -> Decimal:
        """What the session began with, from the identity."""
        return self.balance - self.realised + self.fees - self.funding

    @property
    def pnl(self) -> Decimal:
        """Everything won or lost so far, after fees and funding."""
        return self.equity - self.starting_balance
