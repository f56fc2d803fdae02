"""Looks at one account at Hyperliquid and can do nothing to it: implements `AccountReader`.

Everything is asked by address, so no key is needed and none is kept: there is nothing here that
could sign.

Rule 1: a look of which one part failed is none (reliability.md A9).
Rule 2: positions are asked for first and last; where they differ it is looked again.
Rule 3: the lists of fills and payments are what weighs here. They are left out while money and
        positions stand still, but for the first looks at that: a list may lag behind.

Source: the Hyperliquid sheet, sections 2, 5 and 7.
"""

import time
from collections.abc import Sequence
from decimal import Decimal
from types import TracebackType
from typing import Final, Self

from brokers.hyperliquid import answers, sights
from brokers.hyperliquid.caller import Fault, Inquirer
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.names import Names, Succession
from brokers.hyperliquid.payments import listed
from brokers.hyperliquid.sights import State
from brokers.hyperliquid.survey import NotWhole, Survey, parsed
from brokers.link.account import Facts, FillReport, OrderReport, Unanswered
from brokers.link.reading import MARGIN_NS, seen_terms
from brokers.link.rest import Reply
from brokers.link.secret import Credentials
from engine.model.instrument import Instrument
from engine.model.sightings import (
    AccountSeen,
    PaymentKind,
    SeenFill,
    SeenOrder,
    SeenPayment,
    SeenTerms,
)

MS_NS: Final = 1_000_000
BPS: Final = 4
"""Fees are told as fractions."""
LOOKS_MAX: Final = 3
TERMS_EVERY_S: Final = 300.0
STILL: Final = 2
"""Looks at an account that stands still after which its lists are left out."""


def open_reader(
    credentials: Credentials, config: HyperliquidConfig, instruments: Sequence[Instrument]
) -> "HyperliquidReader":
    """Return an account that can be looked at; of the key only the address is used."""
    return HyperliquidReader(credentials.key.lower(), credentials.tail, config, instruments)


class HyperliquidReader:
    """Looks at what one address has."""

    venue = "hyperliquid"

    def __init__(
        self, master: str, tail: str, config: HyperliquidConfig, instruments: Sequence[Instrument]
    ) -> None:
        self._master, self._tail = master, tail
        self._coins = tuple(item.symbol for item in instruments)
        self._inquirer = Inquirer(config.vault.lower() or master, config)
        self._survey = Survey(self._inquirer, instruments, Names(), Succession())
        self._terms: tuple[SeenTerms, ...] = ()
        self._terms_s = -TERMS_EVERY_S
        """Monotonic."""
        self._stood: tuple[Decimal, dict[str, Decimal]] | None = None
        """Money and positions at the look before."""
        self._still = 0
        """Looks since they moved."""
        self._unasked_ms: int | None = None
        """From when on the lists were left out."""

    async def __aenter__(self) -> Self:
        """Open; nothing is asked yet."""
        await self._inquirer.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        at: TracebackType | None = None,
    ) -> None:
        """Leave the venue."""
        await self._inquirer.__aexit__(kind, error, at)

    async def facts(self) -> Facts:
        """Ask what has to be known before a session begins; raises as the contract says."""
        facts = await self._survey.facts(self._master, self._tail, wallet=self._master)
        return facts._replace(can_trade=False, can_withdraw=False)  # nothing here can sign

    async def look(self, since_ns: int | None) -> AccountSeen | Unanswered:
        """Look at the whole account; all of it or nothing."""
        since_ms = (self._inquirer.now_ns() - MARGIN_NS if since_ns is None else since_ns) // MS_NS
        try:
            await self._learn_terms()
            for _ in range(LOOKS_MAX):
                first = await self._state()
                orders = await self._survey.orders()
                lists = await self._lists(first, since_ms)
                last = await self._state()
                if first.shape() == last.shape():
                    return self._seen(first, last, orders, lists)
        except NotWhole as missing:
            return Unanswered(missing.fault.detail)
        return Unanswered("the account moves")

    def _seen(
        self,
        first: State,
        last: State,
        orders: Sequence[OrderReport],
        lists: tuple[Sequence[FillReport], Sequence[SeenPayment]],
    ) -> AccountSeen:
        fills, payments = lists
        return AccountSeen(
            ts_ns=0,
            taken_ns=first.time * MS_NS,
            balance=last.balance(),
            free=last.free(),
            is_one_way=True,
            positions=last.positions(),
            orders=tuple(
                SeenOrder(one.symbol, one.side, one.price, one.qty, one.filled_qty)
                for one in orders
            ),
            terms=self._terms,
            fills=tuple(
                SeenFill(one.symbol, one.trade_id, one.side, one.price, one.qty, one.fee, one.at_ns)
                for one in fills
            ),
            payments=tuple(payments),
            untold=(PaymentKind.OTHER,),
        )

    async def _state(self) -> State:
        reply = await self._inquirer.ask_of_us("clearinghouseState")
        state = parsed(reply, sights.state)
        assert isinstance(reply, Reply), "parsed"
        self._inquirer.compare_clocks(reply, state.time)
        return state

    async def _lists(
        self, now: State, since_ms: int
    ) -> tuple[Sequence[FillReport], Sequence[SeenPayment]]:
        """Return fills and payments since a time; none where nothing can have happened."""
        stands = now.balance(), now.shape()
        still = self._still + 1 if stands == self._stood else 0
        if self._unasked_ms is not None:
            since_ms = min(since_ms, self._unasked_ms)
        if still >= STILL:
            self._unasked_ms = since_ms
            return (), ()
        told = await self._survey.fills(since_ms), await self._payments(since_ms)
        self._stood, self._still, self._unasked_ms = stands, still, None
        return told

    async def _payments(self, since_ms: int) -> list[SeenPayment]:
        funding = [
            sights.funding(row) for row in await listed(self._inquirer, "userFunding", since_ms)
        ]
        moved = await listed(self._inquirer, "userNonFundingLedgerUpdates", since_ms)
        return funding + sights.transfers(moved, self._inquirer.address)

    async def _learn_terms(self) -> None:
        now_s = time.monotonic()
        if now_s - self._terms_s < TERMS_EVERY_S:
            return
        fees = parsed(await self._inquirer.ask_of_us("userFees"), answers.fees)
        rates = (answers.number(one) for one in (fees.user_add_rate, fees.user_cross_rate))
        maker, taker = (rate.scaleb(BPS) for rate in rates)
        margins = await self._survey.margin_terms()
        if isinstance(margins, Unanswered):
            raise NotWhole(Fault(None, margins.cause))
        told = {one.symbol: one for one in margins}
        self._terms = tuple(seen_terms(one, told.get(one), maker, taker) for one in self._coins)
        self._terms_s = now_s
