"""Looks at one account at Binance and can do nothing to it: implements `AccountReader`.

Rule 1: a look of which one part failed is none (reliability.md A9).
Rule 2: positions are asked for first and last; where they differ, somebody traded meanwhile, and it
        is looked again: balance and positions must belong together.
Rule 3: fills are told by instrument. Asked for are the session's, those that were ever held, and
        those that the list of payments names: nobody can trade there without a fee.
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Final, Self

from brokers.binance import answers, requests, sights, terms
from brokers.binance.answers import BROKEN, MS_NS, Trade
from brokers.binance.caller import Inquirer
from brokers.binance.config import BinanceConfig
from brokers.binance.faults import Fault
from brokers.binance.fees import Fees
from brokers.binance.names import Names
from brokers.binance.sights import Income
from brokers.binance.survey import NotWhole, Survey
from brokers.link.account import Facts, OrderReport, Unanswered
from brokers.link.address import guarded
from brokers.link.reading import MARGIN_NS, seen_terms
from brokers.link.secret import Credentials
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.sightings import AccountSeen, SeenFill, SeenPosition, SeenTerms

QUOTE: Final = "USDT"
LOOKS_MAX: Final = 3
PAGES_MAX: Final = 10
TERMS_EVERY_S: Final = 300.0
"""Leverage, fees and the like weigh much and change seldom."""


def open_reader(
    credentials: Credentials, config: BinanceConfig, instruments: Sequence[Instrument]
) -> "BinanceReader":
    """Return an account that can be looked at.

    Raises:
        UsageError: An address in the settings is none to send a key to.
    """
    for name in ("rest_url", "spot_url"):
        if url := getattr(config, name):
            guarded(f"binance.{name}", url)
    return BinanceReader(credentials, config, instruments)


class BinanceReader:
    """Looks with one key, which need not be allowed to do more."""

    venue = "binance"

    def __init__(
        self, credentials: Credentials, config: BinanceConfig, instruments: Sequence[Instrument]
    ) -> None:
        self._tail = credentials.tail
        self._asks_spot = bool(config.spot_url)
        self._ours = tuple(item.symbol for item in instruments)
        self._symbols = dict.fromkeys(self._ours)
        """Whose fills are asked for."""
        self._quote = instruments[0].settlement if instruments else QUOTE
        self._inquirer = Inquirer(credentials, config)
        self._survey = Survey(self._inquirer, self._ours, Names(), Fees(self._quote))
        self._terms: tuple[SeenTerms, ...] = ()
        self._is_one_way = True
        self._terms_s = -TERMS_EVERY_S
        """Monotonic."""

    async def __aenter__(self) -> Self:
        """Open; nothing is asked yet."""
        await self._inquirer.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the venue."""
        await self._inquirer.__aexit__(None, None, None)

    async def facts(self) -> Facts:
        """Ask what has to be known before a session begins; raises as the contract says."""
        return await self._survey.facts(self._tail, asks_spot=self._asks_spot)

    async def look(self, since_ns: int | None) -> AccountSeen | Unanswered:
        """Look at the whole account; all of it or nothing."""
        await self._inquirer.keep_time()
        since_ms = (self._inquirer.now_ns() - MARGIN_NS if since_ns is None else since_ns) // MS_NS
        try:
            await self._learn_terms()
            for _ in range(LOOKS_MAX):
                before = await self._positions()
                seen = await self._look(since_ms, before)
                if _quantities(await self._positions()) == _quantities(before):
                    return seen
        except NotWhole as missing:
            return Unanswered(missing.fault.detail)
        return Unanswered("the account moves")

    async def _positions(self) -> tuple[SeenPosition, ...]:
        return await self._survey.read(requests.positions(), sights.positions)

    async def _look(self, since_ms: int, positions: tuple[SeenPosition, ...]) -> AccountSeen:
        taken_ns = self._inquirer.now_ns()
        orders, (balance, free), incomes = await asyncio.gather(
            self._orders(dict.fromkeys(one.symbol for one in positions)),
            self._survey.read(requests.balances(), self._wallet),
            self._incomes(since_ms),
        )
        positions = tuple(one for one in positions if one.qty)
        held = [one.symbol for one in positions]
        self._symbols |= dict.fromkeys([*held, *(one.symbol for one in incomes if one.symbol)])
        trades = [
            await self._survey.trades(symbol, since_ms, taken_ns // MS_NS)
            for symbol in self._symbols
        ]
        fills = [_seen(trade, self._quote) for some in trades for trade in some]
        return AccountSeen(
            ts_ns=0,
            taken_ns=taken_ns,
            balance=balance,
            free=free,
            is_one_way=self._is_one_way,
            positions=positions,
            orders=tuple(map(sights.order, orders)),
            terms=self._terms,
            fills=tuple(sorted(fills, key=lambda one: (one.at_ns, int(one.trade_id)))),
            payments=sights.payments(incomes, self._quote),
        )

    async def _orders(self, listed: Collection[str]) -> tuple[OrderReport, ...]:
        """Return what works; the list of positions names every instrument with an order."""
        if len(listed) > requests.open_orders().weight:
            return await self._survey.read(requests.open_orders(), answers.reports)
        calls = map(requests.open_orders, listed)
        told = await asyncio.gather(*(self._survey.read(c, answers.reports) for c in calls))
        return tuple(order for some in told for order in some)

    async def _incomes(self, since_ms: int) -> list[Income]:
        """Return what moved the wallet since a time, page by page."""
        found: dict[tuple[str, int | str, str], Income] = {}
        for _ in range(PAGES_MAX):
            page = await self._survey.read(requests.payments(since_ms), sights.incomes)
            before = len(found)
            found |= {(one.income_type, one.tran_id, one.symbol): one for one in page}
            if len(page) < requests.TRADES_MAX:
                return list(found.values())
            if len(found) == before:
                break
            since_ms = max(one.time for one in page)
        raise NotWhole(Fault(None, "more payments than can be fetched"))

    async def _learn_terms(self) -> None:
        now_s = time.monotonic()
        if now_s - self._terms_s < TERMS_EVERY_S:
            return
        self._is_one_way = await self._survey.read(requests.position_mode(), terms.is_one_way)
        settings = await self._survey.read(requests.symbol_settings(), terms.margins)
        told = []
        for symbol in self._ours:
            maker, taker = await self._survey.read(requests.commission(symbol), terms.fees_bps)
            told.append(seen_terms(symbol, settings.get(symbol), maker, taker))
        self._terms, self._terms_s = tuple(told), now_s

    def _wallet(self, body: bytes) -> tuple[Decimal, Decimal]:
        return sights.wallet(body, self._quote)


def _seen(trade: Trade, quote: str) -> SeenFill:
    try:
        return sights.fill(trade, quote)
    except BROKEN:
        raise NotWhole(Fault(None, "a fill that can't be read")) from None


def _quantities(positions: Sequence[SeenPosition]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for one in positions:
        sums[one.symbol] = sums.get(one.symbol, ZERO) + one.qty
    return {symbol: qty for symbol, qty in sums.items() if qty}
