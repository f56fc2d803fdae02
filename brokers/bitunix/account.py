"""One Bitunix account: implements `brokers.link.account.VenueAccount`.

Rule 1: an acknowledgement is no proof. An order is in the book when the private line, or a question
        for it, says so; the same for a cancel.
Rule 2: there is no dead-man switch: whoever stops must cancel.

Source: sheet sections 5 to 8.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final, Self, TypeVar

from brokers.bitunix import requests
from brokers.bitunix.answers import Said, refusal, to_cancel, to_placement
from brokers.bitunix.batches import to_cancels, to_placements
from brokers.bitunix.caller import Answer, Caller
from brokers.bitunix.clock import SecondsClock
from brokers.bitunix.codes import BAD_KEY, OK
from brokers.bitunix.config import BitunixConfig
from brokers.bitunix.deals import Deals
from brokers.bitunix.listener import Listener, Questions
from brokers.bitunix.memory import Memory
from brokers.bitunix.requests import (
    CAPABILITIES,
    NONCE_BYTES,
    Scribe,
    cancellation,
    placement,
    placements,
)
from brokers.bitunix.survey import Survey
from brokers.link.account import (
    Accepted,
    Facts,
    FillReport,
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
from brokers.link.address import guarded
from brokers.link.budget import Lane
from brokers.link.rest import Rest, RestConfig
from brokers.link.secret import Credentials
from brokers.link.together import sayable
from brokers.link.trust import trusted
from engine.model.errors import CredentialsRefused, DataUnavailable
from engine.model.instrument import Instrument
from engine.model.orders import OrderType
from engine.model.venue_events import RejectReason, Standing
from engine.venue import Capabilities, MarginTerms

ONE_WAY: Final = "ONE_WAY"
T = TypeVar("T")


def open_account(
    credentials: Credentials, config: BitunixConfig, instruments: Sequence[Instrument]
) -> "BitunixAccount":
    """Prepare an account; nothing is sent yet.

    Raises:
        UsageError: An address in the settings is none to send a key to.
    """
    for name in ("rest_url", "private_url"):
        guarded(f"bitunix.{name}", getattr(config, name))
    return BitunixAccount(credentials, config, instruments)


class BitunixAccount:
    """A one-way account in USDT."""

    venue = "bitunix"

    def __init__(
        self, credentials: Credentials, config: BitunixConfig, instruments: Sequence[Instrument]
    ) -> None:
        self._tail = credentials.tail
        self._symbols = tuple(item.symbol for item in instruments)
        at_once = RestConfig(base_url=config.rest_url, answer_s=config.answer_s)
        tls = trusted(self.venue, config)
        self._rests = {
            lane: Rest(replace(at_once, stays_warm=lane.is_urgent), tls) for lane in Lane
        }
        self._clock = SecondsClock()
        self._caller = Caller(self._rests, self._clock)
        self._scribe = Scribe(
            credentials, self._caller.now_ms, lambda: secrets.token_hex(NONCE_BYTES)
        )
        self._memory = Memory()
        self._deals = Deals()
        self._survey = Survey(self._caller, self._scribe, self._memory)
        questions = Questions(self._executions, self._survey.held)
        self._listener = Listener(config, self._scribe, self._memory, self._deals, questions)

    @property
    def capabilities(self) -> Capabilities:
        """What this venue can do; constant."""
        return CAPABILITIES

    async def __aenter__(self) -> Self:
        """Open; nothing is sent yet."""
        for rest in self._rests.values():
            await rest.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the venue."""
        for rest in self._rests.values():
            await rest.__aexit__(None, None, None)

    # --- asking --------------------------------------------------------------------------------

    async def facts(self) -> Facts:
        """Ask what has to be known before anything is sent.

        The venue tells nothing of a key's permissions and of fees; a key that may read is taken for
        one that may trade until an order shows otherwise (20011).

        Raises:
            DataUnavailable: The venue can't be reached, or makes no sense.
            CredentialsRefused: It does not take the key.
        """
        await self._knock()
        account = _surely(await self._survey.account())
        balance = _surely(await self._survey.balance())
        positions = _surely(await self._survey.positions())
        working = _surely(await self._survey.working())
        margin = _surely(await self._survey.margin_terms(self._symbols))
        return Facts(
            tail=self._tail,
            balance=balance,
            positions=positions,
            open_orders=len(working),
            can_trade=True,
            can_withdraw=None,
            is_one_way=account.position_mode.upper() == ONE_WAY,
            maker_fee_bps=None,
            taker_fee_bps=None,
            leverage=Decimal(max((one.leverage for one in margin), default=1)),
            clock_offset_ns=self._clock.offset_ns,
            margin=margin,
        )

    async def _knock(self) -> None:
        """Ask for the account once, to tell a key that is not taken from a venue that is away."""
        answer = await self._caller.read(
            self._scribe, requests.ACCOUNT, {"marginCoin": requests.COIN}
        )
        if isinstance(answer, Said) and answer.code in BAD_KEY:
            said = f"{answer.code} {answer.message}".strip()
            raise CredentialsRefused(f"bitunix does not take the key ...{self._tail}: {said}")

    async def order(self, ref: OrderRef) -> OrderReport | Unanswered:
        """Ask how an order stands; `Standing.NOT_FOUND` where the venue knows none."""
        return await self._survey.order(ref)

    async def picture(self, since_ns: int) -> Picture | Unanswered:
        """Ask for the whole account, its fills from a venue time on."""
        told = await self._survey.picture(since_ns)
        if isinstance(told, Unanswered):
            return told
        return told._replace(fills=tuple(self._deals.known(told.fills)))

    async def _executions(self, report: OrderReport) -> list[FillReport] | None:
        told = await self._survey.fills({"orderId": report.venue_order_id, "symbol": report.symbol})
        if isinstance(told, Unanswered):
            return None
        return [fill for fill in told if fill.venue_order_id == report.venue_order_id]

    def begin(self, since_ns: int, funded: Sequence[FundingReport]) -> None:
        """Tell no payment again that an interrupted run was told."""
        self._listener.begin(since_ns, funded)

    async def listen(self, take: Callable[[Report], None]) -> None:
        """Hand over what the account's stream tells, at once, until canceled; it comes back."""
        await self._listener.run(take)

    # --- doing ---------------------------------------------------------------------------------

    async def place(self, order: NewOrder) -> Outcome:
        """Place an order, once; the name of one that exists already is asked about."""
        if refused := _lacks(order):
            return refused
        self._memory.place(order, self._caller.now_ms() * 1_000_000)
        lane = Lane.of_order(is_reducing=order.is_reduce_only)
        answer = await self._caller.do(self._scribe, requests.PLACE, placement(order), lane)
        told = to_placement(answer) if isinstance(answer, Said) else answer
        return await self._placed(order, told)

    async def place_many(self, orders: Sequence[NewOrder]) -> Sequence[Outcome]:
        """Place several orders of one instrument in one request, each once."""
        return await sayable(orders, _lacks, self._place_many)

    async def _place_many(self, orders: Sequence[NewOrder]) -> Sequence[Outcome]:
        for order in orders:
            self._memory.place(order, self._caller.now_ms() * 1_000_000)
        lane = Lane.of_order(is_reducing=all(order.is_reduce_only for order in orders))
        answer = await self._caller.do(self._scribe, requests.BATCH, placements(orders), lane)
        names = [order.client_id for order in orders]
        told: Sequence[Outcome] = (
            to_placements(answer, names) if isinstance(answer, Said) else [answer] * len(names)
        )
        each = zip(orders, told, strict=True)
        return await asyncio.gather(*(self._placed(*one) for one in each))

    async def _placed(self, order: NewOrder, told: Outcome) -> Outcome:
        if isinstance(told, Refused) and told.reason is RejectReason.DUPLICATE_CLIENT_ID:
            return await self._already(order, told)
        if isinstance(told, Accepted):
            self._memory.learn(order.client_id, told.venue_order_id)
        return told

    async def _already(self, order: NewOrder, refused: Refused) -> Outcome:
        """Take a duplicate for success where the order at the venue is this one."""
        ref = OrderRef(order.client_id, "", order, order.instrument.symbol)
        told = await self._survey.order(ref)
        if isinstance(told, Unanswered) or told.standing is Standing.NOT_FOUND:
            return Unclear(f"its name is taken, by what could not be found: {refused.detail}")
        is_same = (told.symbol, told.side, told.qty, told.price) == (
            order.instrument.symbol, order.side, order.qty, order.price,
        )  # fmt: skip
        return Accepted(told.venue_order_id, told) if is_same else refused

    async def amend(
        self,
        ref: OrderRef,  # noqa: ARG002 - of the contract
        price: Decimal,  # noqa: ARG002 - of the contract
        qty: Decimal,  # noqa: ARG002 - of the contract
    ) -> Outcome:
        """Refuse: an order is canceled and placed anew here."""
        return Refused(RejectReason.INVALID_ORDER, "not changed in place")

    async def cancel(self, ref: OrderRef) -> Outcome:
        """Take an order out."""
        self._memory.ask_cancel(ref.client_id)
        answer = await self._cancel([ref])
        return to_cancel(answer) if isinstance(answer, Said) else answer

    async def cancel_many(self, refs: Sequence[OrderRef]) -> Sequence[Outcome]:
        """Take several orders of one instrument out in one request."""
        for ref in refs:
            self._memory.ask_cancel(ref.client_id)
        answer = await self._cancel(refs)
        return to_cancels(answer, refs) if isinstance(answer, Said) else [answer] * len(refs)

    async def _cancel(self, refs: Sequence[OrderRef]) -> Answer:
        return await self._caller.do(
            self._scribe, requests.CANCEL, cancellation(*refs), Lane.CANCEL
        )

    async def margin_terms(self) -> Sequence[MarginTerms] | Unanswered:
        """Ask what positions of the session's instruments are made with."""
        return await self._survey.margin_terms(self._symbols)

    async def set_margin(self, held: MarginTerms, wanted: MarginTerms) -> Outcome:
        """Have positions of an instrument made so; its mode first, which needs it empty."""
        deeds = []
        if wanted.mode is not None and wanted.mode is not held.mode:
            deeds.append((requests.SET_MODE, requests.margin_mode(wanted)))
        if wanted.leverage != held.leverage:
            deeds.append((requests.SET_LEVERAGE, requests.leverage(wanted)))
        for path, body in deeds:
            answer = await self._caller.do(self._scribe, path, body, Lane.PLACE)
            if not isinstance(answer, Said):
                return answer
            if answer.code != OK:
                return refusal(answer)
        return Accepted()

    async def renew(self, ttl_s: float) -> bool:  # noqa: ARG002 - there is no switch to set
        """Set no dead-man switch: the venue has none."""
        return False


def _lacks(order: NewOrder) -> Refused | None:
    if order.type in (OrderType.LIMIT, OrderType.MARKET):
        return None
    return Refused(RejectReason.INVALID_ORDER, f"no {order.type.value} orders here")


def _surely(told: T | Unanswered) -> T:
    if isinstance(told, Unanswered):
        raise DataUnavailable(f"bitunix does not tell: {told.cause}")
    return told
