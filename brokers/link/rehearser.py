"""Turns what a session asks for into the requests a live one would have sent, and writes them down.

It holds no client and no socket. What live keeps back until a trigger is kept back here too: a stop
is no request until the simulated venue releases it.

Source: reliability.md D5.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from brokers.link.account import NewOrder, OrderRef
from brokers.link.known import TRIGGERED, KnownOrder, KnownOrders
from brokers.link.rehearsal import Outcome, Rehearsal, Touch
from brokers.link.requests_file import Asked
from engine.model.account import MarginMode
from engine.model.client_ids import ClientIds
from engine.model.commands import (
    AmendOrder,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
)
from engine.model.instrument import Instrument
from engine.model.market import Quote
from engine.model.orders import OrderIntent, OrderType, TimeInForce
from engine.model.venue_events import (
    VenueCanceled,
    VenueEvent,
    VenueExpired,
    VenueRejected,
    VenueTriggered,
)
from engine.venue import MarginTerms


class Sheet(Protocol):
    """Where requests are written."""

    def take(self, asked: Asked, outcomes: Iterable[Outcome]) -> None:
        """Write what came of one command, once."""
        ...


class Rehearser:
    """One session's requests."""

    def __init__(
        self,
        rehearsal: Rehearsal,
        instruments: Sequence[Instrument],
        ids: ClientIds,
        sheet: Sheet,
    ) -> None:
        """Begin with nothing asked.

        Args:
            rehearsal: Builds and signs.
            instruments: Of the session.
            ids: What the venue would be told instead of our order ids.
            sheet: Takes what was built.

        """
        self._rehearsal = rehearsal
        self._instruments = {item.symbol: item for item in instruments}
        self._ids = ids
        self._sheet = sheet
        self._waiting = KnownOrders(instruments, ids)
        self._quotes: dict[str, Quote] = {}

    def observe(self, quote: Quote) -> None:
        """Know the market, which some venues' market orders name."""
        self._quotes[quote.symbol] = quote

    def begin(self, ts_ns: int, leverage: int | None, mode: MarginMode | None) -> None:
        """Write down what a session would have set before its start, if anything.

        Raises:
            StateDamaged: It can't be written down.
        """
        if leverage is None and mode is None:
            return
        for symbol in self._instruments:
            outcomes = self._rehearsal.margin(MarginTerms(symbol, leverage or 0, mode))
            self._sheet.take(Asked(ts_ns, f"margin {symbol}"), outcomes)

    def rehearse(self, command: Command) -> None:
        """Write down what a command would have sent.

        Raises:
            StateDamaged: It can't be written down.
        """
        order_id = getattr(command, "order_id", "")
        kind, outcomes = self._outcomes(command, self._waiting.get(order_id))
        if outcomes:
            self._sheet.take(Asked(command.ts_ns, kind, order_id), outcomes)

    def _outcomes(
        self, command: Command, waiting: KnownOrder | None
    ) -> tuple[str, Sequence[Outcome]]:
        if waiting is not None and waiting.is_held:
            return "", ()  # the venue would know nothing of it
        rehearsal = self._rehearsal
        match command:
            case PlaceOrder(order_id=order_id, approved=approved):
                return "place", self._placed(order_id, approved.intent)
            case AmendOrder(order_id=order_id, price=price, qty=qty, approved=approved):
                ref = self._ref(order_id, approved.intent.symbol, approved.intent)
                return "amend", [rehearsal.amend(ref, price, qty)]
            case CancelOrder(order_id=order_id, symbol=symbol):
                return "cancel", [rehearsal.cancel(self._ref(order_id, symbol))]
            case QueryOrder(order_id=order_id, symbol=symbol):
                return "order", [rehearsal.order(self._ref(order_id, symbol))]
            case QueryAccount():
                return "account", rehearsal.account()

    def _placed(self, order_id: str, intent: OrderIntent) -> Sequence[Outcome]:
        if intent.type in TRIGGERED:
            self._waiting.add(order_id, intent)
            return ()
        order = self._order(self._ids.of(order_id), intent)
        return [self._rehearsal.place(order, self._touch(intent.symbol))]

    def hear(self, event: VenueEvent) -> None:
        """Follow what waits for a trigger, and write down what its release would have sent."""
        waiting = self._waiting.get(getattr(event, "order_id", ""))
        if waiting is None or not waiting.is_held:
            return
        match event:
            case VenueTriggered(ts_ns=ts_ns, symbol=symbol, order_id=order_id):
                released = _released(waiting.placed)
                outcome = self._rehearsal.place(released, self._touch(symbol))
                self._sheet.take(Asked(ts_ns, "release", order_id), [outcome])
            case VenueCanceled() | VenueExpired() | VenueRejected():
                pass
            case _:
                return
        waiting.is_held, waiting.is_ended = False, True

    def _touch(self, symbol: str) -> Touch | None:
        quote = self._quotes.get(symbol)
        if quote is None:
            return None
        instrument = self._instruments[symbol]
        return Touch(instrument.price(quote.bid_ticks), instrument.price(quote.ask_ticks))

    def _ref(self, order_id: str, symbol: str, intent: OrderIntent | None = None) -> OrderRef:
        client_id = self._ids.of(order_id)
        order = None if intent is None else self._order(client_id, intent)
        return OrderRef(client_id, "", order, symbol)

    def _order(self, client_id: str, intent: OrderIntent) -> NewOrder:
        return NewOrder(
            client_id,
            self._instruments[intent.symbol],
            intent.side,
            intent.type,
            intent.qty,
            intent.price,
            intent.trigger_price,
            intent.tif,
            intent.post_only,
            intent.reduce_only,
        )

    def snapshot(self) -> bytes:
        """Encode what waits for its trigger."""
        return self._waiting.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Know it again."""
        self._waiting.restore(snapshot)


def _released(order: NewOrder) -> NewOrder:
    """Return what a trigger sends: a market order under the same name."""
    return order._replace(
        type=OrderType.MARKET, price=None, trigger_price=None, tif=TimeInForce.IOC
    )
