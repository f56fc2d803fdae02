"""What the paper venue's answers mean for a sandbox's records: one function for each of them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Protocol

from brokers.sandbox.archive import Archive
from brokers.sandbox.fee_burn import FeeBurn
from brokers.sandbox.holdings import Held
from brokers.sandbox.orders import (
    FillRecord,
    FundingTold,
    Kind,
    MoneyTold,
    OrderRecord,
    OrderTold,
    Refusal,
    State,
    Ticket,
    Told,
    TransferTold,
    Why,
)
from engine.model.account import Liquidity
from engine.model.instrument import Instrument
from engine.model.orders import OrderType
from engine.model.venue_events import (
    RejectReason,
    VenueAccepted,
    VenueAmended,
    VenueAmendRejected,
    VenueCanceled,
    VenueCancelRejected,
    VenueEvent,
    VenueExpired,
    VenueFill,
    VenueFunding,
    VenueRejected,
    VenueTriggered,
)

WHY: Final[Mapping[RejectReason, Why]] = {
    RejectReason.INSUFFICIENT_BALANCE: Why.MARGIN,
    RejectReason.ORDER_NOT_FOUND: Why.NOT_FOUND,
    RejectReason.POST_ONLY_WOULD_CROSS: Why.POST_ONLY_WOULD_CROSS,
    RejectReason.REDUCE_ONLY_REJECTED: Why.REDUCE_ONLY,
    RejectReason.DUPLICATE_CLIENT_ID: Why.DUPLICATE_ID,
    RejectReason.NO_LIQUIDITY: Why.NO_PRICE,
}
"""What else the paper venue says is a defect of the order."""


class AccountTerms(Protocol):
    """What an account starts with."""

    @property
    def balance(self) -> Decimal:
        """Money, quote currency."""
        ...

    @property
    def leverage(self) -> int:
        """Of every symbol."""
        ...


class Bookkeeper:
    """Sink of the paper venue: keeps records, wallet and positions, and tells what changed."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        terms: AccountTerms,
        archive: Archive,
        tell: Callable[[Told], None],
        burn: FeeBurn,
    ) -> None:
        self.wallet = terms.balance
        self.held = {
            symbol: Held(item, min(terms.leverage, item.max_leverage))
            for symbol, item in instruments.items()
        }
        self.updated_ns = 0
        self._archive = archive
        self._tell = tell
        self._burn = burn
        self._refusal: Refusal | None = None
        self._trades = self._transfers = 0
        self._now_ns = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            VenueAccepted: self._accepted,
            VenueRejected: self._refused,
            VenueAmended: self._amended,
            VenueAmendRejected: self._refused,
            VenueCanceled: self._canceled,
            VenueCancelRejected: self._cancel_refused,
            VenueExpired: self._expired,
            VenueTriggered: self._triggered,
            VenueFill: self._filled,
            VenueFunding: self._funded,
        }

    def take(self, event: VenueEvent) -> None:
        """Book one answer; the account's time never goes back, whatever the market's does."""
        self._now_ns = max(self._now_ns, event.ts_ns)
        self._handlers[type(event)](event)

    def transfer(self, amount: Decimal, at_ns: int) -> None:
        """Book money that came in or went out."""
        self._now_ns = max(self._now_ns, at_ns)
        self.wallet += amount
        self.updated_ns = self._now_ns
        self._transfers += 1
        self._tell(TransferTold(self._now_ns, amount, self._transfers))

    def refusal(self) -> Refusal | None:
        """Return the refusal that the last request met, once."""
        refusal, self._refusal = self._refusal, None
        return refusal

    def _record(self, order_id: str) -> OrderRecord:
        record = self._archive.order(order_id=int(order_id))
        assert record is not None, "the paper venue knows only what was entered"
        return record

    def _accepted(self, event: VenueAccepted) -> None:
        self._changed(Kind.NEW, self._record(event.order_id))

    def _refused(self, event: VenueRejected | VenueAmendRejected) -> None:
        self._refusal = Refusal(WHY.get(event.reason, Why.INVALID), event.detail)

    def _cancel_refused(self, _: VenueCancelRejected) -> None:
        self._refusal = Refusal(Why.NOT_FOUND)

    def _amended(self, event: VenueAmended) -> None:
        record = self._record(event.order_id)
        record.price, record.qty = event.price, event.qty
        record.amendments += 1
        self._changed(Kind.AMENDED, record)

    def _canceled(self, event: VenueCanceled) -> None:
        self._ended(self._record(event.order_id), State.CANCELED, Kind.CANCELED)

    def _expired(self, event: VenueExpired) -> None:
        record = self._record(event.order_id)
        record.reason = event.reason
        self._ended(record, State.EXPIRED, Kind.EXPIRED)

    def _triggered(self, event: VenueTriggered) -> None:
        record = self._record(event.order_id)
        record.is_triggered = True
        self._changed(Kind.TRIGGERED, record)

    def _filled(self, event: VenueFill) -> None:
        record = self._filling(event)
        held = self.held[event.symbol]
        realized = held.take(event.side, event.price, event.qty)
        held.updated_ns = self.updated_ns = self._now_ns
        fee = self._burn.charge(event.fee)
        change = realized if fee.asset else realized - fee.amount
        self.wallet += change
        record.filled_qty += event.qty
        record.cost += event.price * event.qty
        self._trades += 1
        fill = FillRecord(
            self._trades,
            record.order_id,
            record.client_id,
            event.symbol,
            event.side,
            event.price,
            event.qty,
            fee.amount,
            realized,
            event.liquidity is Liquidity.MAKER,
            self._now_ns,
            fee.asset,
        )
        self._archive.add(fill)
        is_done = record.filled_qty == record.qty
        record.state = State.FILLED if is_done else State.PARTIALLY_FILLED
        if is_done:
            self._archive.end(record)
        self._changed(Kind.FILLED, record, fill)
        self._tell(MoneyTold(self._now_ns, event.symbol, change))

    def _filling(self, event: VenueFill) -> OrderRecord:
        """Return the order that fills; a liquidation's is made up for each of its fills."""
        if event.order_id.isdigit():
            return self._record(event.order_id)
        name = f"autoclose-{event.order_id}-{self._trades + 1}"
        ticket = Ticket(event.symbol, event.side, OrderType.MARKET, event.qty, client_id=name)
        record = self._archive.enter(ticket, self._now_ns)
        record.is_forced = True
        self._changed(Kind.NEW, record)
        return record

    def _funded(self, event: VenueFunding) -> None:
        self.wallet += event.amount
        self.held[event.symbol].updated_ns = self.updated_ns = self._now_ns
        self._tell(FundingTold(self._now_ns, event.symbol, event.amount, event.rate))

    def _ended(self, record: OrderRecord, state: State, kind: Kind) -> None:
        record.state = state
        self._archive.end(record)
        self._changed(kind, record)

    def _changed(self, kind: Kind, record: OrderRecord, fill: FillRecord | None = None) -> None:
        record.updated_ns = self._now_ns
        self._tell(OrderTold(self._now_ns, kind, record, fill))
