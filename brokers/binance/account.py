"""One account at Binance USD-M futures: implements `brokers.link.account.VenueAccount`.

Rule 1: an order leaves once. What may have arrived is `Unclear`, and its client id tells later.
Rule 2: a refusal that may mean "it has happened already" is asked about before it is believed: an
        id that is taken, an order that is gone, an amend that changes nothing or would have crossed
        (Binance cancels the order then).
Rule 3: triggers are not offered: stops live elsewhere at this venue (-4120).

The dead-man switch cancels every order of each of the session's instruments, whoever placed it.

Source: the Binance sheet, sections 5 and 6; reliability.md rows 23-29, 37, 38.
"""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, Self

from brokers.binance import answers, batches, requests, terms
from brokers.binance.answers import BROKEN
from brokers.binance.batches import UNREADABLE
from brokers.binance.caller import Caller
from brokers.binance.config import BinanceConfig
from brokers.binance.faults import (
    DUPLICATE_ID,
    NO_SUCH_ORDER,
    NOTHING_TO_CHANGE,
    SET_ALREADY,
    WOULD_CROSS,
    Fault,
)
from brokers.binance.fees import Fees
from brokers.binance.listener import Listener
from brokers.binance.names import Names
from brokers.binance.outcomes import ended, failed, not_found, of_duplicate, placed
from brokers.binance.payments import Payments
from brokers.binance.survey import Survey
from brokers.link.account import (
    Accepted,
    Facts,
    FillReport,
    FundingReport,
    LineUp,
    NewOrder,
    OrderRef,
    OrderReport,
    Outcome,
    Picture,
    Refused,
    Report,
    Unanswered,
    Unclear,
)
from brokers.link.address import guarded
from brokers.link.secret import Credentials
from brokers.link.together import sayable
from engine.model.instrument import Instrument
from engine.model.orders import Side
from engine.model.venue_events import RejectReason, Standing
from engine.venue import MarginTerms

QUOTE: Final = "USDT"
"""Where no instrument says what profit is paid in."""


def open_account(
    credentials: Credentials, config: BinanceConfig, instruments: Sequence[Instrument]
) -> "BinanceAccount":
    """Return an account that trades some instruments; none where it is only asked for its facts.

    Raises:
        UsageError: An address in the settings is none to send a key to.
    """
    for name in ("rest_url", "spot_url", "private_url"):
        if url := getattr(config, name):
            guarded(f"binance.{name}", url)
    return BinanceAccount(credentials, config, instruments)


class BinanceAccount:
    """Speaks for one key."""

    venue = "binance"
    capabilities = requests.CAPABILITIES

    def __init__(
        self, credentials: Credentials, config: BinanceConfig, instruments: Sequence[Instrument]
    ) -> None:
        self._tail = credentials.tail
        self._config = config
        self._symbols = tuple(item.symbol for item in instruments)
        quote = instruments[0].settlement if instruments else QUOTE
        fees = Fees(quote)
        self._names = Names()
        self._fills_heard = 0
        self._caller = Caller(credentials, config)
        self._listener = Listener(self._caller, config, quote, fees.of)
        self._payments = Payments(self._caller, self._symbols, quote)
        self._survey = Survey(self._caller, self._symbols, self._names, fees)

    async def __aenter__(self) -> Self:
        """Open; nothing is sent yet."""
        await self._caller.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the venue."""
        await self._caller.__aexit__(None, None, None)

    # --- reading -------------------------------------------------------------------------------

    async def facts(self) -> Facts:
        """Ask what has to be known before anything is sent; raises as the contract says."""
        return await self._survey.facts(self._tail, asks_spot=bool(self._config.spot_url))

    def begin(
        self,
        since_ns: int,
        funded: Sequence[FundingReport],
    ) -> None:
        """Need none of it: the list of income has the time of each settlement."""

    async def listen(self, take: Callable[[Report], None]) -> None:
        """Hand over what the account's stream tells, at once, until canceled; it comes back."""

        def hear(report: Report) -> None:
            match report:
                case FillReport():
                    self._fills_heard += 1
                case OrderReport():
                    self._names.learn(report)
                case LineUp():
                    self._payments.look()
                case FundingReport():
                    self._payments.await_payment(report)
                    return
            take(report)

        self._payments.begin(self._caller.now_ns())
        await self._survey.learn_prices()  # before the first fill is told
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listener.run(hear))
            group.create_task(self._payments.run(take))

    async def order(self, ref: OrderRef) -> OrderReport | Unanswered:
        """Ask how an order stands; `Standing.NOT_FOUND` where the venue knows none."""
        call = requests.order(ref.symbol, ref.client_id)
        if not ref.client_id:
            call = requests.order_numbered(ref.symbol, ref.venue_order_id)
        told = await self._caller.ask(call)
        if isinstance(told, Fault):
            return not_found(ref) if told.code == NO_SUCH_ORDER else Unanswered(told.detail)
        report = self._parsed(told)
        if report is None or report.standing is Standing.UNANSWERED:
            return Unanswered(UNREADABLE if report is None else report.detail)
        return report

    async def picture(self, since_ns: int) -> Picture | Unanswered:
        """Ask for the whole account, its fills from a venue time on."""
        self._payments.begin(since_ns)
        return await self._survey.picture(since_ns, lambda: self._fills_heard)

    # --- trading -------------------------------------------------------------------------------

    async def place(self, order: NewOrder) -> Outcome:
        """Place an order, once."""
        if refused := _lacks(order):
            return refused
        return await self._placement(order, await self._caller.ask(requests.place(order)))

    async def place_many(self, orders: Sequence[NewOrder]) -> Sequence[Outcome]:
        """Place several orders in one request, each once."""
        return await sayable(orders, _lacks, self._place_many)

    async def _place_many(self, orders: Sequence[NewOrder]) -> Sequence[Outcome]:
        told = await self._caller.ask(batches.place_many(orders))
        each = zip(orders, batches.split(told, len(orders)), strict=True)
        return await asyncio.gather(*(self._placement(*one) for one in each))

    async def _placement(self, order: NewOrder, told: bytes | Fault) -> Outcome:
        if isinstance(told, Fault):
            is_taken = told.code == DUPLICATE_ID
            return await self._same_as(order) if is_taken else failed(told)
        report = self._parsed(told)
        return Unclear(UNREADABLE) if report is None else placed(report)

    async def amend(self, ref: OrderRef, price: Decimal, qty: Decimal) -> Outcome:
        """Change price and total quantity; goes to the back of the queue."""
        side = await self._side_of(ref)
        if not isinstance(side, Side):
            return side
        told = await self._caller.ask(requests.amend(ref.symbol, ref.client_id, side, price, qty))
        if isinstance(told, Fault):
            return await self._not_amended(ref, told, price, qty)
        report = self._parsed(told)
        if report is None or report.standing is Standing.UNANSWERED:
            return Unclear(UNREADABLE)
        is_working = report.standing is Standing.WORKING
        return Accepted(report.venue_order_id, report._replace(is_amendment=is_working))

    async def cancel(self, ref: OrderRef) -> Outcome:
        """Take an order out."""
        told = await self._caller.ask(requests.cancel(ref.symbol, ref.client_id))
        return await self._cancellation(ref, told)

    async def cancel_many(self, refs: Sequence[OrderRef]) -> Sequence[Outcome]:
        """Take several orders of one instrument out in one request."""
        names = [ref.client_id for ref in refs]
        told = await self._caller.ask(batches.cancel_many(refs[0].symbol, names))
        each = zip(refs, batches.split(told, len(refs)), strict=True)
        return await asyncio.gather(*(self._cancellation(*one) for one in each))

    async def _cancellation(self, ref: OrderRef, told: bytes | Fault) -> Outcome:
        if isinstance(told, Fault):
            is_gone = told.reason is RejectReason.ORDER_NOT_FOUND
            return await self._gone(ref, told) if is_gone else failed(told)
        report = self._parsed(told)
        if report is None or report.standing is Standing.UNANSWERED:
            return Unclear(UNREADABLE)
        return Accepted(report.venue_order_id, report)

    async def margin_terms(self) -> Sequence[MarginTerms] | Unanswered:
        """Ask what positions of the session's instruments are made with."""
        return await self._survey.margin_terms()

    async def set_margin(self, held: MarginTerms, wanted: MarginTerms) -> Outcome:
        """Have positions of an instrument made so; its mode first, which needs it empty."""
        calls = []
        if wanted.mode is not None and wanted.mode is not held.mode:
            calls.append(requests.set_margin_mode(wanted.symbol, terms.MODE_WORDS[wanted.mode]))
        if wanted.leverage != held.leverage:
            calls.append(requests.set_leverage(wanted.symbol, wanted.leverage))
        for call in calls:
            told = await self._caller.ask(call)
            if isinstance(told, Fault) and told.code != SET_ALREADY:
                return failed(told)
        return Accepted()

    async def renew(self, ttl_s: float) -> bool:
        """Set the dead-man switch of each instrument; False unless all of them are set."""
        ttl_ms = max(0, round(ttl_s * 1_000))
        calls = [requests.count_down(symbol, ttl_ms) for symbol in self._symbols]
        told = await asyncio.gather(*map(self._caller.ask, calls))
        return bool(told) and not any(isinstance(one, Fault) for one in told)

    # --- what a refusal means ------------------------------------------------------------------

    async def _same_as(self, order: NewOrder) -> Outcome:
        """Say what became of an order whose id is taken: by itself, most likely (row 27)."""
        symbol = order.instrument.symbol
        report = await self.order(OrderRef(order.client_id, "", order, symbol))
        if isinstance(report, Unanswered) or report.standing is Standing.NOT_FOUND:
            return Unclear("its client id is taken, and the order can't be read")
        return of_duplicate(order, report)

    async def _not_amended(
        self, ref: OrderRef, fault: Fault, price: Decimal, qty: Decimal
    ) -> Outcome:
        is_gone = fault.reason is RejectReason.ORDER_NOT_FOUND
        if not is_gone and fault.code not in (NOTHING_TO_CHANGE, WOULD_CROSS):
            return failed(fault)
        report = await self.order(ref)
        if isinstance(report, Unanswered):
            return Unclear(report.cause)
        if report.standing is Standing.WORKING and not is_gone:
            is_as_wished = (report.price, report.qty) == (price, qty)
            if fault.code == NOTHING_TO_CHANGE and is_as_wished:
                return Accepted(report.venue_order_id, report._replace(is_amendment=True))
            return failed(fault)
        if fault.code == WOULD_CROSS:
            report = report._replace(reason=RejectReason.POST_ONLY_WOULD_CROSS)
        return ended(report, fault)

    async def _gone(self, ref: OrderRef, fault: Fault) -> Outcome:
        report = await self.order(ref)
        return Unclear(report.cause) if isinstance(report, Unanswered) else ended(report, fault)

    async def _side_of(self, ref: OrderRef) -> Side | Refused:
        """Return an order's side, which an amend has to name; nothing is changed by asking."""
        if ref.order is not None:
            return ref.order.side
        report = await self.order(ref)
        if isinstance(report, Unanswered):
            return Refused(RejectReason.VENUE_UNAVAILABLE, report.cause)
        if report.standing is not Standing.WORKING:
            return Refused(RejectReason.ORDER_NOT_FOUND, f"it is {report.standing}")
        return report.side

    def _parsed(self, body: bytes) -> OrderReport | None:
        try:
            report = answers.report(body)
        except BROKEN:
            return None
        self._names.learn(report)
        return report


def _lacks(order: NewOrder) -> Refused | None:
    lacking = requests.lacks(order)
    return Refused(RejectReason.INVALID_ORDER, lacking) if lacking else None
