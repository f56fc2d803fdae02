"""One account at Hyperliquid: implements `brokers.link.account.VenueAccount`.

Rule 1: an order leaves once. What may have arrived is `Unclear`, and its client id tells later:
        after `query_lag_ms`, which covers what may still arrive, even silence is an answer.
Rule 2: status "ok" says nothing: each element of an answer is read.
Rule 3: a refusal that may mean "it has happened already" is asked about before it is believed.
Rule 4: triggers and fill-or-kill are not offered; a market order is an immediate limit, at most
        `slippage_bps` from the touch.

The dead-man switch cancels every order of the account, whoever placed it.

Source: the Hyperliquid sheet, sections 3, 4, 5 and 8; reliability.md rows 23-29.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Final, Self

from brokers.hyperliquid import actions, answers
from brokers.hyperliquid.abilities import capabilities
from brokers.hyperliquid.answers import BROKEN, Done, Element
from brokers.hyperliquid.caller import Caller, Fault
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.dead_man import DeadMan
from brokers.hyperliquid.listener import Listener
from brokers.hyperliquid.names import Names, Succession
from brokers.hyperliquid.payments import Payments
from brokers.hyperliquid.refusals import harmless, reason_of
from brokers.hyperliquid.sign import Signer
from brokers.hyperliquid.survey import Survey
from brokers.hyperliquid.trading import Trading, oid_of
from brokers.hyperliquid.verdicts import (
    UNREADABLE,
    as_answered,
    not_amendable,
    number_of,
    unknown,
)
from brokers.link.account import (
    Accepted,
    Facts,
    FundingReport,
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
from brokers.link.budget import Lane
from brokers.link.secret import Credentials
from engine.model.instrument import Instrument
from engine.model.venue_events import RejectReason, Standing
from engine.venue import Capabilities, MarginTerms

LEAVE_S: Final = 2.0
"""For what is said on the way out."""
PASSING: Final = frozenset(
    {None, RejectReason.VENUE_UNAVAILABLE, RejectReason.RATE_LIMIT, RejectReason.AUTH}
)
"""What is wrong with the line, the moment or the key, not with the wish."""
SUPERSEDED: Final = "it still shows the order as it was before its amendment"
UNKNOWN_OID: Final = "unknownOid"


def open_account(
    credentials: Credentials, config: HyperliquidConfig, instruments: Sequence[Instrument]
) -> "HyperliquidAccount":
    """Return an account that trades some instruments; none where it is only asked for its facts.

    Raises:
        CredentialsRefused: The wallet's key is none.

    """
    signer = Signer(credentials.secret, is_mainnet=config.is_mainnet)
    return HyperliquidAccount(signer, credentials, config, instruments)


class HyperliquidAccount:
    """Speaks for one agent wallet of one master."""

    venue = "hyperliquid"

    def __init__(
        self,
        signer: Signer,
        credentials: Credentials,
        config: HyperliquidConfig,
        instruments: Sequence[Instrument],
    ) -> None:
        self._master, self._tail = credentials.key.lower(), credentials.tail
        self._config = config
        coins = [item.symbol for item in instruments]
        address = config.vault.lower() or self._master
        self._names, self._succession = Names(), Succession()
        self._caller = Caller(signer, address, config)
        self._survey = Survey(self._caller, instruments, self._names, self._succession)
        self._listener = Listener(config, address, coins, self._names, self._succession)
        self._payments = Payments(self._caller)
        self._dead_man = DeadMan()
        self._trading = Trading(
            self._caller,
            self._survey,
            listener=self._listener,
            names=self._names,
            ask=self.order,
            slippage_bps=config.slippage_bps,
        )
        self._capabilities = capabilities(config)

    @property
    def capabilities(self) -> Capabilities:
        """What this venue can do; constant."""
        return self._capabilities

    async def __aenter__(self) -> Self:
        """Open; nothing is sent yet."""
        await self._caller.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        at: TracebackType | None = None,
    ) -> None:
        """Leave the venue; a dead-man switch that guards nothing any more is taken back."""
        if self._dead_man.is_set(self._caller.now_ns()):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_S):
                    await self._take_switch_back()
        await self._caller.__aexit__(kind, error, at)

    # --- reading -------------------------------------------------------------------------------

    async def facts(self) -> Facts:
        """Ask what has to be known before anything is sent.

        Raises:
            DataUnavailable: The venue can't be reached, or makes no sense.
            CredentialsRefused: The wallet may not trade for the address.

        """
        wallet = self._caller.signer.address
        return await self._survey.facts(self._master, self._tail, wallet)

    def begin(self, since_ns: int, funded: Sequence[FundingReport]) -> None:
        """Tell all funding since then that an interrupted run was not told."""
        self._payments.begin(since_ns, funded)

    async def listen(self, take: Callable[[Report], None]) -> None:
        """Hand over what the account's stream tells, at once, until canceled; it comes back."""

        def hear(report: Report) -> None:
            if self._payments.hear(report):
                take(report)

        async with asyncio.TaskGroup() as group:
            group.create_task(self._listener.run(hear))
            group.create_task(self._payments.run(take))

    async def order(self, ref: OrderRef) -> OrderReport | Unanswered:
        """Ask how an order stands; `Standing.NOT_FOUND` where the venue knows none."""
        name: str | int = self._names.cloid(ref.client_id) if ref.client_id else oid_of(ref)
        reply = await self._caller.ask_of_us("orderStatus", oid=name)
        if isinstance(reply, Fault):
            return Unanswered(reply.detail)
        try:
            told = answers.order_status(reply.body)
            if told.order is None:
                is_unknown = told.status == UNKNOWN_OID
                return unknown(ref) if is_unknown else Unanswered(harmless(told.status))
            report = answers.update_report(told.order, ref.client_id)
        except BROKEN:
            return Unanswered(UNREADABLE)
        self._names.learn(report.venue_order_id, ref.client_id)
        if report.standing is Standing.UNANSWERED:
            return Unanswered(f"a status nobody knows: {report.detail}")
        return self._succession.asked(report) or Unanswered(SUPERSEDED)

    async def picture(self, since_ns: int) -> Picture | Unanswered:
        """Ask for the whole account, its fills from a venue time on."""
        return await self._survey.picture(since_ns, lambda: self._listener.fills_heard)

    # --- trading -------------------------------------------------------------------------------

    async def place(self, order: NewOrder) -> Outcome:
        """Place an order, once."""
        (told,) = await self._trading.place([order])
        return told

    async def place_many(self, orders: Sequence[NewOrder]) -> Sequence[Outcome]:
        """Place orders of one coin in one action, each once."""
        return await self._trading.place(orders)

    async def amend(self, ref: OrderRef, price: Decimal, qty: Decimal) -> Outcome:
        """Change price and total quantity: another order takes its place, under the same name.

        Refused for an order that has filled in part: what a total means then is not written down.
        """
        if not self._config.amends or ref.order is None:
            return Refused(RejectReason.INVALID_ORDER, "orders are not amended in place here")
        place = await self._trading.place_of(ref.symbol)
        if isinstance(place, Refused):
            return place
        wished = ref.order._replace(price=price, qty=qty)
        terms = self._trading.terms(wished, place)
        if isinstance(terms, Refused):
            return terms
        standing = await self.order(ref)
        refused = not_amendable(standing)
        if refused is not None:
            return refused
        assert isinstance(standing, OrderReport), "the rest is refused"
        self._succession.begin(ref.client_id, standing.venue_order_id)
        (told,) = await self._trading.act(actions.modify(terms), Lane.PLACE)
        return self._amended(wished, told)

    async def cancel(self, ref: OrderRef) -> Outcome:
        """Take an order out."""
        (told,) = await self._trading.cancel([ref])
        return told

    async def cancel_many(self, refs: Sequence[OrderRef]) -> Sequence[Outcome]:
        """Take orders of one coin out in one action."""
        return await self._trading.cancel(refs)

    async def margin_terms(self) -> Sequence[MarginTerms] | Unanswered:
        """Ask what positions of the session's coins are made with."""
        return await self._survey.margin_terms()

    async def set_margin(
        self,
        held: MarginTerms,  # noqa: ARG002 - one action sets both
        wanted: MarginTerms,
    ) -> Outcome:
        """Have positions of a coin made so."""
        place = await self._trading.place_of(wanted.symbol)
        if isinstance(place, Refused):
            return place
        (told,) = await self._trading.act(actions.margin(place.asset, wanted), Lane.PLACE)
        return told if not isinstance(told, Element) else Unclear(UNREADABLE)

    async def renew(self, ttl_s: float) -> bool:
        """Set the dead-man switch; nothing or less clears it. False where the venue has none."""
        now_ns = self._caller.now_ns()
        action = self._dead_man.due(ttl_s, now_ns)
        if action is not None:
            told = await self._caller.act(action, Lane.CANCEL)
            if isinstance(told, Done):
                self._dead_man.done()
            elif told.reason not in PASSING:
                self._dead_man.refused(now_ns)
        return self._dead_man.is_set(now_ns)

    async def _take_switch_back(self) -> None:
        """Clear the dead-man switch where no order works: that it fires is counted, ten a day."""
        if await self._survey.is_without_orders():
            await self.renew(0.0)

    def _amended(self, wished: NewOrder, told: Element | Outcome) -> Outcome:
        """Say what became of an amendment."""
        client_id = wished.client_id
        if isinstance(told, Unclear):
            return told  # a cancel stays kept back until somebody asks how the order stands
        if isinstance(told, Element) and told.error is not None:
            told = Refused(reason_of(told.error), harmless(told.error))
        if isinstance(told, Refused):
            ended = self._succession.failed(client_id)
            if ended is not None:
                self._listener.tell(ended)
            return told
        number = number_of(told) if isinstance(told, Element) else ""
        if not number:
            return Accepted()  # the stream tells its new number
        carried = self._succession.amended(client_id, number)
        self._names.learn(number, client_id)
        total = wished._replace(qty=wished.qty + carried)
        report = as_answered(total, number, carried, Standing.WORKING, self._caller.now_ns())
        return Accepted(number, report._replace(is_amendment=True))
