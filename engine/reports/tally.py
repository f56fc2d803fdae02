"""Counts what passes: fed with a session's records and rare inputs, it knows the report's figures.

Every counter is O(1); lists that could grow without end are cut at `KEPT_MAX` and say how much they
lost. What the tally is not shown it does not count: quotes, trades, bars, depth and timers have no
row in its table and cost one dictionary miss.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from engine.model.account import Fill, Liquidity, OtherFee, Position, RoundTrip
from engine.model.instrument import Instrument
from engine.model.market import FeedStatus, Malformed, ReferenceStatus
from engine.model.money import ZERO
from engine.model.orders import OrderState
from engine.model.records import (
    BreakerTripped,
    ErrorRecord,
    FsmTransition,
    GateVerdict,
    OrderChanged,
    OrderSubmitted,
    RouterDecision,
)
from engine.model.sightings import AccountSeen, AccountUnseen, SimulatedBooks
from engine.model.venue_events import VenueFunding
from engine.reports.gaps import DataGaps
from engine.reports.shadow import ShadowTally
from engine.reports.shadow_schema import ShadowReport
from engine.reports.statistics import RoundTripStatistics

T = TypeVar("T")

KEPT_MAX: Final = 1_000
"""Transitions and breakers kept; a session with more is ill, and the journal has them all."""
SHADOW: Final = "shadow"
KINDS_MAX: Final = 100
"""Kinds of error told apart; further ones count as `other`, so outside text can't fill memory."""

_ACKNOWLEDGED: Final = frozenset(
    {OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED, OrderState.FILLED}
)
_ENDED: Final = {
    state: state.lower()
    for state in (
        OrderState.FILLED,
        OrderState.CANCELED,
        OrderState.REJECTED,
        OrderState.EXPIRED,
        OrderState.DENIED,
    )
}
"""The counter of each final state."""

_Terms = tuple[Decimal | None, Decimal, bool]
"""Price and quantity of an order when it last settled, to tell an amend from a mere answer, and
whether the venue ever accepted it."""


class Share:
    """One symbol's or one agent's part of the session."""

    __slots__ = ("fees", "funding", "gross", "round_trips", "trades", "volume")

    def __init__(self) -> None:
        self.trades = 0
        self.volume = self.fees = self.funding = self.gross = ZERO
        self.round_trips = RoundTripStatistics()

    def fill(self, fill: Fill, notional: Decimal) -> None:
        """Add one execution."""
        self.trades += 1
        self.volume += notional
        self.fees += fill.fee


class Tally:
    """Everything the final report counts, while it happens."""

    def __init__(
        self,
        symbols: Iterable[str] = (),
        agents: Iterable[str] = (),
        instruments: Iterable[Instrument] = (),
    ) -> None:
        self.trades = 0
        self.volume = ZERO
        """Traded notional, quote currency."""
        self.round_trips = RoundTripStatistics()
        self.other_fees: dict[str, OtherFee] = {}
        """Sums of what was not paid in quote currency, by asset; a part of the fees."""
        self.by_symbol: dict[str, Share] = {symbol: Share() for symbol in symbols}
        self.by_agent: dict[str, Share] = {agent: Share() for agent in agents}
        self.orders: Counter[str] = Counter()
        self.blocked: Counter[str] = Counter()
        self.routed: Counter[tuple[str, str]] = Counter()
        """Of the router, by decision and reason."""
        self.spread = self.slippage = ZERO
        """Quote currency won against the mids orders were decided at, by making and by taking; a
        fill without such a mid is in neither."""
        self.errors: Counter[str] = Counter()
        self.gaps = DataGaps()
        self.state = ""
        """Where the last transition led; empty before the first."""
        self.transitions: list[FsmTransition] = []
        self.breakers: list[BreakerTripped] = []
        instruments = tuple(instruments)
        self._multipliers = {i.symbol: i.multiplier for i in instruments if i.multiplier != 1}
        self._instruments = instruments
        self.shadow: ShadowTally | None = None
        """From the first time a real account was looked at, or could not be."""
        self._working: dict[str, _Terms] = {}
        self._rows = self._table()

    def counts(self, kind: type) -> bool:
        """Whether events of this type have a row."""
        return kind in self._rows

    def see(self, event: msgspec.Struct) -> None:
        """Count one record or input."""
        self.follow((event,))

    def follow(self, events: Sequence[msgspec.Struct]) -> None:
        """Count records and inputs; a type without a row is none of our business."""
        for event, row in zip(events, map(self._rows.get, map(type, events)), strict=True):
            if row is not None:
                row(event)

    def _table(self) -> dict[type, Callable[..., None]]:
        return {
            Fill: self._fill,
            RoundTrip: self._round_trip,
            Position: self._position,
            VenueFunding: self._funding,
            GateVerdict: self._verdict,
            RouterDecision: self._route,
            OrderSubmitted: self._submitted,
            OrderChanged: self._changed,
            FsmTransition: self._transition,
            BreakerTripped: self._breaker,
            ErrorRecord: self._error,
            Malformed: self.gaps.malformed,
            FeedStatus: self.gaps.status,
            ReferenceStatus: self.gaps.status,
            AccountSeen: self._account_seen,
            AccountUnseen: self._account_unseen,
            SimulatedBooks: self._books,
        }

    def beside(self, mode: str, ended_ns: int) -> ShadowReport | msgspec.UnsetType:
        """Return what lies between a real account and ours; unset where nobody looks at one."""
        if mode != SHADOW and self.shadow is None:
            return msgspec.UNSET
        return self._beside().report(ended_ns)

    def _beside(self) -> ShadowTally:
        if self.shadow is None:
            self.shadow = ShadowTally(self._instruments)
        return self.shadow

    def _account_seen(self, seen: AccountSeen) -> None:
        self._beside().seen(seen)

    def _account_unseen(self, lost: AccountUnseen) -> None:
        self._beside().unseen(lost)

    def _books(self, books: SimulatedBooks) -> None:
        self._beside().books(books)

    def _fill(self, fill: Fill) -> None:
        units = fill.qty * self._multipliers.get(fill.symbol, 1)
        notional = fill.price * units
        if fill.arrival_mid is not None:
            edge = (fill.arrival_mid - fill.price) * units * fill.side.sign
            if fill.liquidity is Liquidity.MAKER:
                self.spread += edge
            else:
                self.slippage += edge
        self.trades += 1
        self.volume += notional
        if fill.other_fee:
            self._other_fee(fill.other_fee)
        _share(self.by_symbol, fill.symbol).fill(fill, notional)
        _share(self.by_agent, fill.agent).fill(fill, notional)
        if self.shadow is not None:
            self.shadow.fill(fill)

    def _other_fee(self, fee: OtherFee) -> None:
        if fee.asset not in self.other_fees and len(self.other_fees) >= KINDS_MAX:
            self.errors["report_fees_dropped"] += 1
            return
        known = self.other_fees.get(fee.asset) or OtherFee(fee.asset, ZERO, ZERO)
        worth = (known.worth or ZERO) + (fee.worth or ZERO)
        self.other_fees[fee.asset] = OtherFee(fee.asset, known.amount + fee.amount, worth)

    def _round_trip(self, trip: RoundTrip) -> None:
        self.round_trips.add(trip)
        _share(self.by_symbol, trip.symbol).round_trips.add(trip)
        agent = _share(self.by_agent, trip.agent)
        agent.round_trips.add(trip)
        agent.gross += trip.gross_pnl
        agent.funding += trip.funding

    def _position(self, position: Position) -> None:
        # Realised is cumulative for the symbol: the last record is the sum.
        _share(self.by_symbol, position.symbol).gross = position.realised

    def _funding(self, funding: VenueFunding) -> None:
        _share(self.by_symbol, funding.symbol).funding += funding.amount

    def _verdict(self, verdict: GateVerdict) -> None:
        if not verdict.is_approved and not verdict.is_waiting:
            self.blocked[verdict.rule] += 1

    def _route(self, routed: RouterDecision) -> None:
        self.routed[routed.decision, routed.reason] += 1

    def _submitted(self, order: OrderSubmitted) -> None:
        self.orders["submitted"] += 1
        self._working[order.order_id] = order.price, order.qty, False
        if self.shadow is not None:
            self.shadow.orders.submitted(order)

    def _changed(self, change: OrderChanged) -> None:
        if self.shadow is not None:
            self.shadow.orders.changed(change)
        state, order_id = change.state, change.order_id
        before = self._working.get(order_id)
        if before is None:  # denied before it was sent, or changed again after its end
            return
        if state in _ACKNOWLEDGED:
            now = self._working[order_id] = change.price, change.qty, True
            if not before[2]:
                self.orders["accepted"] += 1
            elif now != before:
                self.orders["amended"] += 1
        ended = _ENDED.get(state)
        if ended is not None:
            del self._working[order_id]
            self.orders[ended] += 1

    def _transition(self, transition: FsmTransition) -> None:
        self.state = transition.to_state
        self._keep(self.transitions, transition, "report_transitions_dropped")

    def _breaker(self, breaker: BreakerTripped) -> None:
        self._keep(self.breakers, breaker, "report_breakers_dropped")

    def _keep(self, kept: list[T], event: T, dropped: str) -> None:
        if len(kept) < KEPT_MAX:
            kept.append(event)
        else:
            self.errors[dropped] += 1

    def _error(self, error: ErrorRecord) -> None:
        known = error.kind in self.errors or len(self.errors) < KINDS_MAX
        self.errors[error.kind if known else "other"] += 1


def _share(shares: dict[str, Share], name: str) -> Share:
    share = shares.get(name)
    if share is None:
        share = shares[name] = Share()
    return share
