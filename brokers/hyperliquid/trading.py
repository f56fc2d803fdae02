"""Orders into and out of Hyperliquid's book: some in one action, and what became of each.

Rule 1: status "ok" says nothing: each element of an answer is read, and where there are not as many
        as were asked for, nothing is known of any.
Rule 2: a refusal that may mean "it has happened already" is asked about before it is believed.

Source: the Hyperliquid sheet, sections 3, 4 and 8; reliability.md rows 23-29.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from brokers.hyperliquid import actions, answers
from brokers.hyperliquid.actions import OrderTerms
from brokers.hyperliquid.answers import BROKEN, Element
from brokers.hyperliquid.caller import Caller, Fault
from brokers.hyperliquid.listener import Listener
from brokers.hyperliquid.listing import Place
from brokers.hyperliquid.names import Names
from brokers.hyperliquid.refusals import UNMATCHED, harmless, reason_of
from brokers.hyperliquid.sign import Action
from brokers.hyperliquid.survey import NotWhole, Survey
from brokers.hyperliquid.terms import Touch, needs_touch, order_terms
from brokers.hyperliquid.verdicts import (
    UNREADABLE,
    failed,
    gone,
    number_of,
    placed,
    same_as,
    unmatched,
)
from brokers.hyperliquid.wire import Ladder
from brokers.link.account import (
    Accepted,
    NewOrder,
    OrderRef,
    OrderReport,
    Outcome,
    Refused,
    Unanswered,
    Unclear,
)
from brokers.link.budget import Lane
from brokers.link.together import sayable
from engine.model.venue_events import RejectReason

Ask = Callable[[OrderRef], Awaitable[OrderReport | Unanswered]]

_ladder: Final = msgspec.json.Decoder(Ladder).decode


class Trading:
    """Acts for one account."""

    def __init__(
        self,
        caller: Caller,
        survey: Survey,
        *,
        listener: Listener,
        names: Names,
        ask: Ask,
        slippage_bps: Decimal,
    ) -> None:
        """Take over what reaches the venue.

        Args:
            caller: Asks.
            survey: Knows what is listed.
            listener: Knows the touch.
            names: What orders are called there.
            ask: Finds out how an order stands.
            slippage_bps: How far from the touch a market order may fill.

        """
        self._caller = caller
        self._survey = survey
        self._listener = listener
        self._names = names
        self._ask = ask
        self._slippage_bps = slippage_bps
        self._places: dict[str, Place] = {}

    async def place(self, orders: Sequence[NewOrder]) -> Sequence[Outcome]:
        """Place orders of one coin, each once."""
        coin = orders[0].instrument.symbol
        place = await self.place_of(coin)
        if isinstance(place, Refused):
            return [place] * len(orders)
        touch = await self._touch(coin) if any(map(needs_touch, orders)) else None
        terms = {order.client_id: self.terms(order, place, touch) for order in orders}

        def lacks(order: NewOrder) -> Refused | None:
            told = terms[order.client_id]
            return told if isinstance(told, Refused) else None

        return await sayable(orders, lacks, lambda some: self._place(some, terms))

    def terms(
        self, order: NewOrder, place: Place, touch: Touch | None = None
    ) -> OrderTerms | Refused:
        """Return an order as it is sent."""
        cloid = self._names.cloid(order.client_id)
        return order_terms(order, place, cloid, touch, self._slippage_bps)

    async def _place(
        self, orders: Sequence[NewOrder], terms: Mapping[str, OrderTerms | Refused]
    ) -> Sequence[Outcome]:
        said = [terms[order.client_id] for order in orders]
        action = actions.place(*(one for one in said if isinstance(one, OrderTerms)))
        lane = Lane.of_order(is_reducing=all(order.is_reduce_only for order in orders))
        told = zip(orders, await self.act(action, lane), strict=True)
        return await asyncio.gather(*(self._placed(*one) for one in told))

    async def _placed(self, order: NewOrder, told: Element | Outcome) -> Outcome:
        if not isinstance(told, Element):
            return told
        if told.error is not None:
            return await self._not_placed(order, told.error)
        self._names.learn(number_of(told), order.client_id)
        return placed(order, told, self._caller.now_ns())

    async def _not_placed(self, order: NewOrder, text: str) -> Outcome:
        if UNMATCHED in text.lower():
            return unmatched(order, self._caller.now_ns())
        reason = reason_of(text)
        if reason is RejectReason.DUPLICATE_CLIENT_ID:
            ref = OrderRef(order.client_id, "", order, order.instrument.symbol)
            return same_as(order, await self._ask(ref), text)
        return Refused(reason, harmless(text))

    async def cancel(self, refs: Sequence[OrderRef]) -> Sequence[Outcome]:
        """Take orders of one coin out: ours by name, a stranger's by its number."""
        place = await self.place_of(refs[0].symbol)
        if isinstance(place, Refused):
            return [place] * len(refs)
        if all(ref.client_id for ref in refs):
            cloids = [self._names.cloid(ref.client_id) for ref in refs]
            action = actions.cancel(place.asset, *cloids)
        else:
            action = actions.cancel_by_oid(place.asset, *map(oid_of, refs))
        told = zip(refs, await self.act(action, Lane.CANCEL), strict=True)
        return await asyncio.gather(*(self._canceled(*one) for one in told))

    async def _canceled(self, ref: OrderRef, told: Element | Outcome) -> Outcome:
        if not isinstance(told, Element):
            return told
        if told.error is None:
            return Accepted(ref.venue_order_id)
        reason = reason_of(told.error)
        if reason is not RejectReason.ORDER_NOT_FOUND:
            return Refused(reason, harmless(told.error))
        return gone(await self._ask(ref), told.error)

    async def act(self, action: Action, lane: Lane) -> Sequence[Element | Outcome]:
        """Have something done; return what became of each of its elements."""
        count = actions.count(action)
        told = await self._caller.act(action, lane)
        if isinstance(told, Fault):
            return [failed(told)] * count
        if not told.elements:
            return [Accepted()] * count
        if len(told.elements) != count:
            return [Unclear(UNREADABLE)] * count
        return [Element() if isinstance(one, str) else one for one in told.elements]

    async def place_of(self, coin: str) -> Place | Refused:
        """Return where a coin stands in the venue's list."""
        if not self._places:
            try:
                self._places = await self._survey.places()
            except NotWhole as missing:
                return Refused(RejectReason.VENUE_UNAVAILABLE, missing.fault.detail)
        place = self._places.get(coin)
        if place is None:
            return Refused(RejectReason.INVALID_ORDER, f"the venue lists no {harmless(coin)}")
        return place

    async def _touch(self, coin: str) -> Touch | None:
        """Return the best prices: as the line tells them, else as they are asked for."""
        touch = self._listener.touch(coin)
        if touch is not None:
            return touch
        reply = await self._caller.ask("l2Book", coin=coin)
        if isinstance(reply, Fault):
            return None
        try:
            bids, asks = _ladder(reply.body).sides
            return Touch(answers.number(bids[0].price), answers.number(asks[0].price))
        except (*BROKEN, IndexError):
            return None


def oid_of(ref: OrderRef) -> int:
    """Return the venue's number of an order of somebody else; 0, which none has, without one."""
    return int(ref.venue_order_id) if ref.venue_order_id.isdecimal() else 0
