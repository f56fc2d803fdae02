"""The trading core of every sandbox: one account, matched by the paper venue on a played market.

Rule 1: it is wholly synchronous. What a call or a market event leads to has been told to every
        listener when it returns.
Rule 2: a refusal changes nothing and is a value; it is told as `Kind.REJECTED` and then forgotten.
Rule 3: client ids are unique among open orders only, as at the venues; an ended order's may return.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from brokers.paper.venue import PaperVenue
from brokers.sandbox.archive import Archive
from brokers.sandbox.bookkeeper import Bookkeeper
from brokers.sandbox.exchange_config import ExchangeConfig
from brokers.sandbox.fee_burn import BNBUSDT, PRICE, FeeBurn
from brokers.sandbox.listed import Listed
from brokers.sandbox.market import SandboxMarket, ShownBook
from brokers.sandbox.orders import (
    BalanceRecord,
    FillRecord,
    Kind,
    LeverageTold,
    Listener,
    OrderRecord,
    OrderTold,
    PositionRecord,
    Refusal,
    State,
    Ticket,
    Told,
    Why,
)
from brokers.sandbox.trading_rules import Asked, judge
from engine.model.instrument import Instrument
from engine.model.market import (
    BarHistory,
    Depth,
    FeedEvent,
    FeedStatus,
    Funding,
    Malformed,
    RulesChanged,
)
from engine.model.money import ROUNDED, ZERO
from engine.model.orders import OrderIntent, Side, TimeInForce

__all__ = ["Exchange", "ExchangeConfig"]

TWO: Final = Decimal(2)


class Exchange:
    """One account at one venue; prices and positions of every symbol of its market."""

    def __init__(
        self,
        market: SandboxMarket,
        config: ExchangeConfig | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.config = config or ExchangeConfig()
        self.instruments: Mapping[str, Instrument] = {i.symbol: i for i in market.instruments}
        self.listed = Listed(self.instruments)
        """The rules that orders are held to."""
        self._books: Mapping[str, ShownBook] = market.books
        self._clock_ns, self._now_ns = clock_ns, 0
        self._listeners: list[Listener] = []
        self._fundings: dict[str, Funding] = {}
        self._seen: dict[str, int] = {}
        """Number of the last diff that the venue was shown, by symbol."""
        self.archive = Archive()
        self.burn = FeeBurn(self._bnb_price)
        self._keeper = Bookkeeper(
            self.instruments, self.config, self.archive, self._tell, self.burn
        )
        self._keeper.updated_ns = clock_ns()
        self._venue = PaperVenue(
            market.instruments,
            self.config.paper(),
            self.config.seed,
            self.config.balance,
            self._keeper.take,
        )
        self._door = self._venue.door
        market.listen(self._observe)

    def listen(self, listener: Listener) -> None:
        """Hear everything that happens to the account from now on."""
        self._listeners.append(listener)

    # --- orders --------------------------------------------------------------------------------

    def place(self, ticket: Ticket) -> OrderRecord | Refusal:
        """Take an order in and match it; its record may already have ended."""
        now_ns = self._now()
        intent = _intent(ticket, now_ns)
        refusal = self._judge(ticket) or self._judge_fill(intent)
        if refusal is None:
            before = self.archive.named(ticket.client_id)
            record = self.archive.enter(ticket, now_ns)
            self._door.place(now_ns, str(record.order_id), intent)
            refusal = self._keeper.refusal()
            if refusal is None:
                return record
            self.archive.drop(record, before)
        self._tell_rejected(ticket, refusal, now_ns)
        return refusal

    def expire_at_once(self, ticket: Ticket) -> OrderRecord:
        """Take an order in and end it, untraded: how some venues refuse without refusing."""
        record = self.archive.enter(ticket, self._now())
        self._tell(OrderTold(record.created_ns, Kind.NEW, record))
        record.state, record.reason = State.EXPIRED, Why.POST_ONLY_WOULD_CROSS
        self.archive.end(record)
        self._tell(OrderTold(record.created_ns, Kind.EXPIRED, record))
        return record

    def amend(self, record: OrderRecord, price: Decimal, qty: Decimal) -> Refusal | None:
        """Change price and total quantity; a total that has filled already cancels the order."""
        refusal = self._judge_amend(record, price, qty)
        if refusal is None:
            order_id, requeues = str(record.order_id), self.config.rules.amend_requeues
            self._door.amend(self._now(), order_id, record.symbol, price, qty, requeues=requeues)
            refusal = self._keeper.refusal()
        return refusal

    def cancel(self, record: OrderRecord) -> Refusal | None:
        """Take an order out."""
        self._door.cancel(self._now(), str(record.order_id), record.symbol)
        return self._keeper.refusal()

    def cancel_all(self, symbol: str | None = None) -> Sequence[OrderRecord]:
        """Take every open order out, or those of one symbol; return them."""
        taken = self.archive.open(symbol)
        for record in taken:
            self.cancel(record)
        return taken

    def order(self, *, order_id: int | None = None, client_id: str = "") -> OrderRecord | None:
        """Find an order, open or ended, by the venue's id if given, else by the client's."""
        return self.archive.order(order_id=order_id, client_id=client_id)

    def open_orders(self, symbol: str | None = None) -> Sequence[OrderRecord]:
        """Return the orders that can still fill, oldest first."""
        return self.archive.open(symbol)

    def fills(self, since_ns: int = 0, symbol: str | None = None) -> Sequence[FillRecord]:
        """Return the executions from a time on, oldest first."""
        return self.archive.fills(since_ns, symbol)

    def would_take(self, symbol: str, side: Side, price: Decimal) -> bool:
        """Whether a limit at this price meets the other side's touch."""
        touch = self.touch(symbol)
        return touch is not None and (price >= touch[1] if side is Side.BUY else price <= touch[0])

    # --- account -------------------------------------------------------------------------------

    def positions(self) -> Sequence[PositionRecord]:
        """Return every symbol's position, flat ones too, in the order of the instruments."""
        return [self.position(symbol) for symbol in self.instruments]

    def position(self, symbol: str) -> PositionRecord:
        """Return one symbol's position."""
        held, mark = self._keeper.held[symbol], self.mark(symbol)
        margin = self._venue.margin(symbol)
        liquidation = margin.liquidation_price if margin is not None else None
        return PositionRecord(
            symbol,
            held.qty,
            held.entry_price,
            mark,
            held.unrealized(mark),
            held.leverage,
            held.is_isolated,
            liquidation or ZERO,
            held.updated_ns,
        )

    def balance(self) -> BalanceRecord:
        """Return the account's money at the present marks."""
        keeper = self._keeper
        unrealized = sum(
            (held.unrealized(self.mark(symbol)) for symbol, held in keeper.held.items()), ZERO
        )
        margin = self._door.held_margin()
        return BalanceRecord(keeper.wallet, unrealized, margin, keeper.updated_ns)

    def _bnb_price(self) -> Decimal:
        return self.mark(BNBUSDT) if BNBUSDT in self.instruments else PRICE

    def set_leverage(self, symbol: str, leverage: int) -> Refusal | None:
        """Change a symbol's leverage."""
        instrument = self.instruments.get(symbol)
        if instrument is None:
            return Refusal(Why.UNKNOWN_SYMBOL)
        if not 1 <= leverage <= instrument.max_leverage:
            return Refusal(Why.LEVERAGE, f"1 to {instrument.max_leverage}")
        if not self._door.set_leverage(symbol, leverage):
            return Refusal(Why.MARGIN)
        held = self._keeper.held[symbol]
        held.leverage = leverage
        self._tell(LeverageTold(self._now(), symbol, leverage, held.is_isolated))
        return None

    def set_margin_mode(self, symbol: str, *, is_isolated: bool) -> Refusal | None:
        """Change a symbol's margin mode, which needs it empty."""
        held = self._keeper.held.get(symbol)
        if held is None:
            return Refusal(Why.UNKNOWN_SYMBOL)
        if held.is_isolated is is_isolated:
            return Refusal(Why.SET_ALREADY)
        if self.archive.open(symbol):
            return Refusal(Why.HAS_ORDERS)
        if held.qty:
            return Refusal(Why.HAS_POSITION)
        held.is_isolated = is_isolated
        self._tell(LeverageTold(self._now(), symbol, held.leverage, is_isolated))
        return None

    def transfer(self, amount: Decimal) -> bool:
        """Take money in (positive) or out; False where positions and orders need it."""
        if not self._door.transfer(amount):
            return False
        self._keeper.transfer(amount, self._now())
        return True

    # --- market --------------------------------------------------------------------------------

    def touch(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Return best bid and best ask; None while nobody showed them."""
        book = self._books[symbol]
        if book.quote is not None:
            ticks = book.quote.bid_ticks, book.quote.ask_ticks
        elif book.bids and book.asks:
            ticks = max(book.bids), min(book.asks)
        else:
            return None
        return book.instrument.price(ticks[0]), book.instrument.price(ticks[1])

    def mark(self, symbol: str) -> Decimal:
        """Return the announced mark price, else the mid; 0 while no price is known."""
        funding = self._fundings.get(symbol)
        if funding is not None:
            return funding.mark_price
        touch = self.touch(symbol)
        return ROUNDED.divide(touch[0] + touch[1], TWO) if touch else ZERO

    def funding(self, symbol: str) -> Funding | None:
        """Return the last announcement of mark price and rate."""
        return self._fundings.get(symbol)

    def _observe(self, event: FeedEvent) -> None:
        """Let the market move the account."""
        if (
            isinstance(event, BarHistory | FeedStatus | RulesChanged | Malformed)
            or event.symbol not in self.instruments
        ):
            return
        self._now_ns = max(self._now_ns, event.ts_ns)
        if isinstance(event, Funding) and event.mark_price > 0:
            self._fundings[event.symbol] = event
        if isinstance(event, Depth):
            event = self._followed(event)
        self._venue.advance(self._now_ns)
        self._venue.observe(event)

    def _followed(self, depth: Depth) -> Depth:
        """Return a diff, or the whole ladder where the venue has not seen the one before it."""
        before, self._seen[depth.symbol] = self._seen.get(depth.symbol), depth.last_seq
        if before == depth.prev_seq:
            return depth
        return self._books[depth.symbol].whole(depth.ts_ns)

    def _now(self) -> int:
        """Return the wall time, which does not go back here."""
        self._now_ns = max(self._now_ns + 1, self._clock_ns())
        return self._now_ns

    def _judge(self, ticket: Ticket) -> Refusal | None:
        instrument = self.listed.now.get(ticket.symbol)
        if instrument is None:
            return Refusal(Why.UNKNOWN_SYMBOL)
        if ticket.symbol in self.listed.halted:
            return Refusal(Why.HALTED)
        named = self.archive.order(client_id=ticket.client_id) if ticket.client_id else None
        if named is not None and named.is_open:
            return Refusal(Why.DUPLICATE_ID)
        count = len(self.archive.open(ticket.symbol))
        return judge(Asked(ticket, instrument, self.config.rules, self.mark(ticket.symbol), count))

    def _judge_fill(self, intent: OrderIntent) -> Refusal | None:
        """Refuse a fill-or-kill order that would expire, where the venue does so."""
        if intent.tif is not TimeInForce.FOK or not self.config.rules.refuses_unfillable_fok:
            return None
        return None if self._door.fills_whole(intent) else Refusal(Why.WOULD_NOT_FILL)

    def _judge_amend(self, record: OrderRecord, price: Decimal, qty: Decimal) -> Refusal | None:
        if not record.is_open:
            return Refusal(Why.NOT_FOUND)
        if record.symbol in self.listed.halted:
            return Refusal(Why.HALTED)
        if record.price is None:
            return Refusal(Why.NOT_AMENDABLE)
        if (price, qty) == (record.price, record.qty):
            return Refusal(Why.NOTHING_TO_CHANGE)
        if record.amendments >= self.config.rules.amendments_max:
            return Refusal(Why.TOO_MANY_AMENDMENTS)
        if 0 < qty <= record.filled_qty:
            return None
        ticket = record.ticket._replace(price=price, qty=qty)
        instrument, mark = self.listed.now[record.symbol], self.mark(record.symbol)
        return judge(Asked(ticket, instrument, self.config.rules, mark, 0))

    def _tell_rejected(self, ticket: Ticket, refusal: Refusal, now_ns: int) -> None:
        record = OrderRecord(0, ticket, ticket.qty, ticket.price, now_ns, now_ns)
        record.state, record.reason = State.REJECTED, refusal.why
        self._tell(OrderTold(now_ns, Kind.REJECTED, record))

    def _tell(self, told: Told) -> None:
        for listener in self._listeners:
            listener(told)


def _intent(ticket: Ticket, now_ns: int) -> OrderIntent:
    return OrderIntent(
        now_ns,
        ticket.client_id,
        "",
        ticket.symbol,
        "",
        ticket.side,
        ticket.qty,
        type=ticket.type,
        price=ticket.price,
        trigger_price=ticket.trigger_price,
        tif=ticket.tif,
        post_only=ticket.is_post_only,
        reduce_only=ticket.is_reduce_only,
    )
