"""Looks at a whole account at Binance: what it is, and how it stands. Only reads.

Rule 1: a look of which one part failed, or made no sense, is no look at all (reliability.md A9).
Rule 2: the parts are asked for at once. Where something filled meanwhile, by the account's stream,
        they need not fit together and are asked for again, once: the syncer confirms by a second
        picture anyway, and looking is most of what an account weighs.
Rule 3: fills are followed page by page until one is empty, for nobody promises how long a page is.
        One that repeats itself, and more than anyone should need, are failures (row 44).

Source: the Binance sheet, section 5; domain.md section 6.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Final, TypeVar

from brokers.binance import answers, requests, terms
from brokers.binance.answers import BROKEN, MS_NS, Trade
from brokers.binance.caller import NO_ROOM, Inquirer
from brokers.binance.faults import NO_SUCH_ORDER, Fault
from brokers.binance.fees import Fees
from brokers.binance.names import Names
from brokers.binance.requests import Call
from brokers.binance.working import WorkingOrders
from brokers.link.account import Facts, FillReport, Picture, Unanswered
from engine.model.errors import CredentialsRefused, DataUnavailable
from engine.model.venue_events import RejectReason
from engine.venue import MarginTerms

LOOKS_MAX: Final = 2
"""Looks at an account that fills; each weighs 10 and 6 an instrument, two a minute 40 more."""
PAGES_MAX: Final = 20
"""Of fills of one instrument in one look: 20,000."""
STRANGERS_MAX: Final = 50
"""Orders whose names are asked for in one look."""
WINDOW_MS: Final = 7 * 86_400_000 - 60_000
"""Fills between two times are told for a week at most."""

PRICES_S: Final = 1.0
"""How long prices of what fees are paid in may hold up a look."""

T = TypeVar("T")


class NotWhole(Exception):
    """A part of a look is missing."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.detail)


class Survey:
    """Looks at one account."""

    def __init__(self, caller: Inquirer, symbols: Sequence[str], names: Names, fees: Fees) -> None:
        self._caller = caller
        self._symbols = tuple(symbols)
        self._names = names
        self._fees = fees
        self._working = WorkingOrders(symbols)

    # --- facts ---------------------------------------------------------------------------------

    async def facts(self, tail: str, *, asks_spot: bool) -> Facts:
        """Ask what has to be known before anything is sent.

        Args:
            tail: Of the key.
            asks_spot: Whether somebody tells what the key may do.

        Raises:
            DataUnavailable: The venue can't be reached, or makes no sense.
            CredentialsRefused: It does not take the key.

        """
        try:
            return await self._facts(tail, asks_spot=asks_spot)
        except NotWhole as missing:
            fault = missing.fault
            kind = CredentialsRefused if fault.reason is RejectReason.AUTH else DataUnavailable
            does = "does not take the key" if kind is CredentialsRefused else "does not answer"
            raise kind(f"binance {does}: {fault.detail}") from None

    async def _facts(self, tail: str, *, asks_spot: bool) -> Facts:
        for learn in (self._caller.compare_clocks, self._caller.learn_limits):
            if (fault := await learn()) is not None:
                raise NotWhole(fault)
        allowed = None
        if asks_spot:
            allowed = await self.read(requests.permissions(), terms.permissions, of_spot=True)
        positions, balance, orders, one_way, margin = await asyncio.gather(
            self.read(requests.positions(), answers.holdings),
            self.read(requests.balances(), self._wallet),
            self.read(requests.open_orders(), answers.reports),
            self.read(requests.position_mode(), terms.is_one_way),
            self._margin(),
        )
        fees = await asyncio.gather(
            *(self.read(requests.commission(one), terms.fees_bps) for one in self._symbols)
        )
        return Facts(
            tail,
            balance,
            positions,
            len(orders),
            can_trade=True if allowed is None else allowed.enable_futures,
            can_withdraw=None if allowed is None else allowed.enable_withdrawals,
            is_one_way=one_way,
            maker_fee_bps=max((maker for maker, _ in fees), default=None),
            taker_fee_bps=max((taker for _, taker in fees), default=None),
            leverage=Decimal(max((one.leverage for one in margin), default=1)),
            clock_offset_ns=self._caller.offset_ns,
            margin=margin,
        )

    async def margin_terms(self) -> tuple[MarginTerms, ...] | Unanswered:
        """Ask what positions of the session's instruments are made with."""
        try:
            return await self._margin()
        except NotWhole as missing:
            return Unanswered(missing.fault.detail)

    async def _margin(self) -> tuple[MarginTerms, ...]:
        told = await self.read(requests.symbol_settings(), terms.margins)
        return tuple(told[symbol] for symbol in self._symbols if symbol in told)

    # --- picture -------------------------------------------------------------------------------

    async def picture(self, since_ns: int, moves: Callable[[], int]) -> Picture | Unanswered:
        """Ask for the whole account.

        Args:
            since_ns: Venue time of the first fill wanted.
            moves: Counts the fills the account's stream has told so far.

        """
        await self._caller.keep_time()
        try:
            for _ in range(LOOKS_MAX):
                before = moves()
                seen = await self._look(since_ns)
                if moves() == before:
                    break
        except NotWhole as missing:
            fault = missing.fault
            return Unanswered(fault.detail, is_denied=fault.reason is RejectReason.AUTH)
        return seen

    async def _look(self, since_ns: int) -> Picture:
        taken_ns = self._caller.now_ns()
        start_ms, now_ms = since_ns // MS_NS, taken_ns // MS_NS
        if not await self._caller.has_room_for(self._questions(start_ms)):
            raise NotWhole(Fault(RejectReason.RATE_LIMIT, NO_ROOM))
        (positions, orders, balance), trades, _ = await asyncio.gather(
            asyncio.gather(
                self.read(requests.positions(), answers.holdings),
                self._working.ask(lambda call: self.read(call, answers.reports)),
                self.read(requests.balances(), self._wallet),
            ),
            asyncio.gather(*(self.trades(one, start_ms, now_ms) for one in self._symbols)),
            self.learn_prices(),
        )
        for order in orders:
            self._names.learn(order)
        fills = await self._fills([trade for some in trades for trade in some])
        return Picture(taken_ns, positions, orders, fills, balance)

    def _questions(self, since_ms: int) -> list[Call]:
        """Return what a look asks at least."""
        trades = [requests.trades_since(one, since_ms, None) for one in self._symbols]
        return [requests.positions(), requests.open_orders(), requests.balances(), *trades]

    async def trades(self, symbol: str, since_ms: int, now_ms: int) -> list[Trade]:
        """Return an instrument's fills since a time, by number.

        Raises:
            NotWhole: They can't all be had.

        """
        found: dict[int, Trade] = {}
        start_ms = since_ms
        for _ in range(PAGES_MAX):
            page = await self._page(symbol, start_ms, now_ms, max(found, default=0))
            if not page and (found or start_ms + WINDOW_MS >= now_ms):
                return list(found.values())
            if page and max(trade.id for trade in page) <= max(found, default=-1):
                raise NotWhole(Fault(None, "a page of fills that repeats itself"))
            found |= {trade.id: trade for trade in page}
            start_ms += WINDOW_MS
        raise NotWhole(Fault(None, f"more than {PAGES_MAX} pages of fills"))

    async def _page(self, symbol: str, start_ms: int, now_ms: int, last_id: int) -> list[Trade]:
        """Return what follows a fill; before the first one, what a week from a time on has."""
        call = requests.trades_from(symbol, last_id + 1)
        if not last_id:
            end_ms = start_ms + WINDOW_MS
            call = requests.trades_since(symbol, start_ms, end_ms if end_ms < now_ms else None)
        return await self.read(call, answers.trades)

    async def _fills(self, trades: list[Trade]) -> tuple[FillReport, ...]:
        """Return fills with the names of their orders, oldest first."""
        numbers = dict.fromkeys((one.symbol, str(one.order_id)) for one in trades)
        unnamed = [number for number in numbers if self._names.of(*number) is None]
        if len(unnamed) > STRANGERS_MAX:
            raise NotWhole(Fault(None, f"fills of more than {STRANGERS_MAX} unknown orders"))
        await asyncio.gather(*(self._name(*key) for key in unnamed))
        fills = [self._fill(one) for one in trades]
        return tuple(sorted(fills, key=lambda fill: (fill.at_ns, int(fill.trade_id))))

    def _fill(self, trade: Trade) -> FillReport:
        name = self._names.of(trade.symbol, str(trade.order_id)) or ""
        try:
            return answers.fill(trade, name, self._fees.of)
        except BROKEN:
            raise NotWhole(Fault(None, "a fill that can't be read")) from None

    async def _name(self, symbol: str, venue_order_id: str) -> None:
        """Ask what an order is called; one the venue has forgotten has no name."""
        told = await self._caller.ask(requests.order_numbered(symbol, venue_order_id))
        if isinstance(told, Fault):
            if told.code != NO_SUCH_ORDER:
                raise NotWhole(told)
            return
        self._names.learn(_parsed(told, answers.report))

    async def learn_prices(self) -> None:
        """Ask what fees of other assets are worth; where nobody says in time, old prices stay."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PRICES_S):
                await asyncio.gather(*map(self._learn_price, self._fees.assets))

    async def _learn_price(self, asset: str) -> None:
        with suppress(NotWhole):
            call = requests.mark_price(self._fees.symbol(asset))
            self._fees.learn(asset, await self.read(call, terms.mark_price))

    def _wallet(self, body: bytes) -> Decimal:
        return answers.balance(body, self._fees.quote)

    async def read(self, call: Call, parse: Callable[[bytes], T], *, of_spot: bool = False) -> T:
        """Put a question and read its answer.

        Raises:
            NotWhole: It failed, or makes no sense.

        """
        told = await self._caller.ask(call, of_spot=of_spot)
        if isinstance(told, Fault):
            raise NotWhole(told)
        return _parsed(told, parse)


def _parsed(body: bytes, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(body)
    except BROKEN:
        raise NotWhole(Fault(None, "an answer that can't be read")) from None
