"""What one agent sees of one instrument, and how it phrases its wishes."""

from decimal import Decimal
from typing import Final

from engine.market.features.spec import FeatureSpec
from engine.market.view import MarketView
from engine.model.money import ZERO
from engine.model.orders import (
    LIMIT,
    MARKET,
    CancelIntent,
    Order,
    OrderIntent,
    OrderType,
    Side,
    TimeInForce,
)

IOC: Final = TimeInForce.IOC


class IntentSequence:
    """The counter behind an agent's intent ids, shared by all its desks."""

    __slots__ = ("agent", "last")

    def __init__(self, agent: str) -> None:
        self.agent = agent
        self.last = 0

    def next_id(self) -> str:
        """Return `<agent>-<n>`, n rising from 1: a pure function of the agent's own history."""
        self.last = number = self.last + 1
        return f"{self.agent}-{number}"


class Desk:
    """The agent's window on one instrument. The kernel writes it, the agent reads it.

    `position`, `entry_price` and `working` are the agent's own: what other agents hold or rest on
    the same instrument is invisible here, so strategies compose without knowing each other.
    """

    __slots__ = (
        "agent",
        "entry_price",
        "instrument",
        "market",
        "now_ns",
        "position",
        "sequence",
        "size_factor",
        "spacing_factor",
        "symbol",
        "working",
    )

    def __init__(self, market: MarketView, sequence: IntentSequence) -> None:
        self.market = market
        """Quotes, book, bars and features."""
        self.instrument = market.instrument
        self.symbol = market.symbol
        self.agent = sequence.agent
        self.sequence = sequence
        self.now_ns = 0
        """Event time of this call."""
        self.position = ZERO
        """Signed quantity from the agent's own fills."""
        self.entry_price: Decimal | None = None
        """Average entry of `position`; None when flat."""
        self.working: dict[str, Order] = {}
        """The agent's live orders by slot."""
        self.size_factor = Decimal(1)
        """The agent's weight, and less while the session is THROTTLED; multiply sizes by it."""
        self.spacing_factor = 1.0
        """Above 1 while the session is THROTTLED; multiply distances by it."""

    def feature(self, name: str, window: int = 0, interval_s: int = 0) -> float | None:
        """Return a declared feature's value, None until warm."""
        return self.market.feature(FeatureSpec(name, window, interval_s))

    def market_order(
        self, side: Side, qty: Decimal, *, slot: str, reason: str, reduce_only: bool = False
    ) -> OrderIntent:
        """Wish to trade `qty` at once at whatever the market offers."""
        return OrderIntent(
            self.now_ns,
            self.sequence.next_id(),
            self.agent,
            self.symbol,
            slot,
            side,
            qty,
            MARKET,
            tif=IOC,
            reduce_only=reduce_only,
            reason=reason,
        )

    def limit_order(
        self,
        side: Side,
        qty: Decimal,
        price: Decimal,
        *,
        slot: str,
        reason: str,
        post_only: bool = False,
        reduce_only: bool = False,
        tif: TimeInForce = TimeInForce.GTC,
    ) -> OrderIntent:
        """Wish to have `qty` working at `price`, a multiple of the tick."""
        return OrderIntent(
            self.now_ns,
            self.sequence.next_id(),
            self.agent,
            self.symbol,
            slot,
            side,
            qty,
            LIMIT,
            price,
            tif=tif,
            post_only=post_only,
            reduce_only=reduce_only,
            reason=reason,
        )

    def triggered_order(
        self,
        kind: OrderType,
        side: Side,
        qty: Decimal,
        *,
        slot: str,
        reason: str,
        trigger_price: Decimal | None = None,
        trail_bps: Decimal | None = None,
    ) -> OrderIntent:
        """Wish to have a reduce-only STOP, TAKE_PROFIT or TRAILING order waiting at the venue."""
        return OrderIntent(
            ts_ns=self.now_ns,
            intent_id=self.sequence.next_id(),
            agent=self.agent,
            symbol=self.symbol,
            slot=slot,
            side=side,
            qty=qty,
            type=kind,
            trigger_price=trigger_price,
            trail_bps=trail_bps,
            reduce_only=True,
            reason=reason,
        )

    def cancel(self, slot: str, reason: str) -> CancelIntent:
        """Wish that nothing works in `slot` any more."""
        return CancelIntent(
            self.now_ns, self.sequence.next_id(), self.agent, self.symbol, slot, reason
        )
