"""Looks at a whole account at Hyperliquid: what it is, and how it stands. Only reads.

Rule 1: a look of which one part failed, or made no sense, is no look at all (reliability.md A9).
Rule 2: the parts are asked for one after the other, positions first and last. Where these differ,
        or the account's stream has told a fill meanwhile, it moved, and is looked at again.
Rule 3: an account is asked for by the master's address. Where somebody gives the agent's, every
        answer is empty and none an error, so who is whose is asked first.

Source: the Hyperliquid sheet, sections 2, 5 and 7; domain.md section 6.
"""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeVar

from brokers.hyperliquid import answers
from brokers.hyperliquid.answers import BROKEN, FILLS_PAGE, FillRow, Role, State
from brokers.hyperliquid.caller import Fault, Inquirer
from brokers.hyperliquid.listing import Place, places
from brokers.hyperliquid.names import Names, Succession
from brokers.hyperliquid.refusals import WORDS
from brokers.link.account import Facts, FillReport, OrderReport, Picture, Unanswered
from brokers.link.rest import Reply
from engine.model.account import MarginMode
from engine.model.errors import CredentialsRefused, DataUnavailable
from engine.model.instrument import Instrument
from engine.model.venue_events import RejectReason
from engine.venue import MarginTerms

LOOKS_MAX: Final = 3
"""Looks at an account that moves; each weighs 44."""
PAGES_MAX: Final = 10
"""Of fills in one look: 20,000."""
ASKED_MAX: Final = 20
"""Coins whose leverage is asked for; each weighs 20 of 1,200 a minute."""
MODES: Final = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
COUNT_EVERY_S: Final = 300.0
MS_NS: Final = 1_000_000
AGENT, MISSING = "agent", "missing"
BPS: Final = 4
"""Fees are told as fractions."""
SHOWN: Final = 6
"""Characters of an address at either end, for people."""

T = TypeVar("T")


class NotWhole(Exception):
    """A part of a look is missing."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.detail)


class Survey:
    """Looks at one account."""

    def __init__(
        self,
        caller: Inquirer,
        instruments: Sequence[Instrument],
        names: Names,
        succession: Succession,
    ) -> None:
        self._caller = caller
        self._instruments = tuple(instruments)
        self._names = names
        self._succession = succession
        self._counted_s = -COUNT_EVERY_S
        """Monotonic."""

    # --- facts ---------------------------------------------------------------------------------

    async def facts(self, master: str, tail: str, wallet: str) -> Facts:
        """Ask what has to be known before anything is sent.

        Args:
            master: Address whose wallet or agent signs.
            tail: Of it.
            wallet: Address of what signs; the master's where nothing does.

        Raises:
            DataUnavailable: The venue can't be reached, or makes no sense.
            CredentialsRefused: The wallet may not trade for the address.

        """
        try:
            is_master = await self._identified(master, wallet)
            return await self._facts(tail, is_master=is_master)
        except NotWhole as missing:
            fault = missing.fault
            kind = CredentialsRefused if fault.reason is RejectReason.AUTH else DataUnavailable
            raise kind(f"hyperliquid does not answer: {fault.detail}") from None

    async def _identified(self, master: str, wallet: str) -> bool:
        """Check who is whose; return whether the wallet is the master's own.

        Raises:
            CredentialsRefused: The wallet may not trade for the address, or that is an agent's.

        """
        theirs = await self._role(master)
        if theirs.role == AGENT:
            raise CredentialsRefused(
                f"{_short(master)} is the address of an agent wallet, of which the venue shows"
                f" nothing: give the master's, {_short(theirs.data.user)}"
            )
        if theirs.role == MISSING:
            raise CredentialsRefused(
                f"hyperliquid knows no account {_short(master)}: is it the master's address, and"
                " of this chain (mainnet or testnet)?"
            )
        if wallet == master:
            return True
        ours = await self._role(wallet)
        if ours.role != AGENT or ours.data.user.lower() != master:
            raise CredentialsRefused(
                f"the wallet {_short(wallet)} is no agent of {_short(master)}:"
                " approve it there, or give its master's address"
            )
        return False

    async def _role(self, address: str) -> Role:
        return parsed(await self._caller.ask("userRole", user=address), answers.role)

    async def _facts(self, tail: str, *, is_master: bool) -> Facts:
        state = await self._state()
        orders = await self.orders()
        fees = parsed(await self._caller.ask_of_us("userFees"), answers.fees)
        await self.learn_allowance()
        margin = await self._margin()
        largest = max((item.max_leverage for item in self._instruments), default=1)
        return Facts(
            tail,
            state.balance(),
            state.holdings(),
            len(orders),
            can_trade=True,
            can_withdraw=is_master,
            is_one_way=True,
            maker_fee_bps=answers.number(fees.user_add_rate).scaleb(BPS),
            taker_fee_bps=answers.number(fees.user_cross_rate).scaleb(BPS),
            leverage=Decimal(max((one.leverage for one in margin), default=largest)),
            clock_offset_ns=self._caller.offset_ns,
            margin=margin,
        )

    async def places(self) -> dict[str, Place]:
        """Return every coin's number.

        Raises:
            NotWhole: It can't be had.

        """
        return parsed(await self._caller.ask("meta"), places)

    async def learn_allowance(self) -> None:
        """Take over how many requests the venue has counted.

        Raises:
            NotWhole: It can't be had.

        """
        told = parsed(await self._caller.ask_of_us("userRateLimit"), answers.rate_limit)
        self._caller.allowance.learn(told.used, told.cap)
        self._counted_s = time.monotonic()

    async def margin_terms(self) -> tuple[MarginTerms, ...] | Unanswered:
        """Ask what positions of the session's coins are made with."""
        try:
            return await self._margin()
        except NotWhole as missing:
            return Unanswered(missing.fault.detail)

    async def _margin(self) -> tuple[MarginTerms, ...]:
        """Return each coin's terms; none where there are too many coins to ask for."""
        if len(self._instruments) > ASKED_MAX:
            return ()
        found = []
        for item in self._instruments:
            reply = await self._caller.ask_of_us("activeAssetData", coin=item.symbol)
            told = parsed(reply, answers.coin_terms).leverage
            found.append(MarginTerms(item.symbol, told.value, MODES.get(told.type)))
        return tuple(found)

    async def is_without_orders(self) -> bool:
        """Whether no order of the account works; False where that can't be told."""
        try:
            return not await self.orders()
        except NotWhole:
            return False

    # --- picture -------------------------------------------------------------------------------

    async def picture(self, since_ns: int, moves: Callable[[], int]) -> Picture | Unanswered:
        """Ask for the whole account.

        Args:
            since_ns: Venue time of the first fill wanted.
            moves: Counts the fills that the account's stream has told so far.

        """
        try:
            await self._keep_count()
            for _ in range(LOOKS_MAX):
                before = moves()
                seen = await self._look(since_ns)
                if seen is not None and moves() == before:
                    return seen
        except NotWhole as missing:
            return Unanswered(missing.fault.detail)
        return Unanswered("the account moves all the time") if seen is None else seen

    async def _keep_count(self) -> None:
        """Compare our count of requests with the venue's where that was long ago."""
        if time.monotonic() - self._counted_s >= COUNT_EVERY_S:
            await self.learn_allowance()

    async def _look(self, since_ns: int) -> Picture | None:
        """Look once; None where the positions moved meanwhile."""
        first = await self._state()
        orders = await self.orders()
        fills = await self.fills(since_ns // MS_NS)
        last = await self._state()
        if first.holdings() != last.holdings():
            return None
        return Picture(first.time * MS_NS, last.holdings(), orders, fills, last.balance())

    async def _state(self) -> State:
        reply = await self._caller.ask_of_us("clearinghouseState")
        state = parsed(reply, answers.state)
        assert isinstance(reply, Reply), "parsed"
        self._caller.compare_clocks(reply, state.time)
        return state

    async def orders(self) -> tuple[OrderReport, ...]:
        """Return what works.

        Raises:
            NotWhole: It can't be had.

        """
        rows = parsed(await self._caller.ask_of_us("frontendOpenOrders"), answers.order_rows)
        try:
            reports = [
                answers.report(
                    row,
                    WORDS["open"],
                    row.timestamp,
                    self._names.of(row.oid, row.cloid),
                    "open",
                )
                for row in rows
            ]
        except BROKEN:
            raise NotWhole(Fault(None, "orders that can't be read")) from None
        heard = [self._succession.hear(report) for report in reports]
        return tuple(report for report in heard if report is not None)

    async def fills(self, since_ms: int) -> tuple[FillReport, ...]:
        """Return the fills since a time, oldest first.

        Raises:
            NotWhole: They can't all be had.

        """
        found: dict[int, FillRow] = {}
        start_ms = since_ms
        for _ in range(PAGES_MAX):
            reply = await self._caller.ask_of_us("userFillsByTime", startTime=start_ms)
            page = parsed(reply, answers.fill_rows)
            before = len(found)
            found |= {row.tid: row for row in page}
            if len(page) < FILLS_PAGE:
                return self._reported(list(found.values()))
            if len(found) == before:
                break
            start_ms = max(row.time for row in page)
        raise NotWhole(Fault(None, "more fills than can be fetched"))

    def _reported(self, rows: list[FillRow]) -> tuple[FillReport, ...]:
        try:
            reports = [answers.fill_report(row, self._names.of(row.oid, row.cloid)) for row in rows]
        except BROKEN:
            raise NotWhole(Fault(None, "fills that can't be read")) from None
        return tuple(sorted(reports, key=lambda one: (one.at_ns, int(one.trade_id))))


def parsed(told: Reply | Fault, parse: Callable[[bytes], T]) -> T:
    """Read an answer.

    Raises:
        NotWhole: It is none, or makes no sense.
    """
    if isinstance(told, Fault):
        raise NotWhole(told)
    try:
        return parse(told.body)
    except (*BROKEN, DataUnavailable):
        raise NotWhole(Fault(None, "an answer that can't be read")) from None


def _short(address: str) -> str:
    return f"{address[:SHOWN]}...{address[-4:]}"
