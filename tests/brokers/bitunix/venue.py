"""A Bitunix sandbox whose market moves only when told, and an account on it; prices in ticks."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal

from aiohttp import web

from brokers.bitunix.account import BitunixAccount, open_account
from brokers.bitunix.config import BitunixConfig
from brokers.link.account import (
    FillReport,
    FundingReport,
    LineUp,
    NewOrder,
    OrderRef,
    OrderReport,
    Report,
)
from brokers.link.secret import Credentials, Secret
from brokers.sandbox.bitunix import RULES, BitunixSandbox
from brokers.sandbox.exchange import Exchange, ExchangeConfig
from brokers.sandbox.market import SandboxMarket
from engine.model.market import Depth, Funding, Levels, Quote, Trade
from engine.model.orders import OrderType, Side, TimeInForce
from tests.brokers.sandbox.stage import BUY, LOT, SELL, TICK, Silent, instrument

SYMBOLS = ("BTCUSDT", "ETHUSDT")
KEY = Credentials("sandbox-key", Secret("sandbox-secret"))
READ_ONLY = Credentials("sandbox-readonly", Secret("sandbox-readonly-secret"))
WRONG = Credentials("sandbox-key", Secret("not-the-secret"))
PATIENCE_S = 20.0
ITEMS = {symbol: instrument(symbol) for symbol in SYMBOLS}
QUICK = {"ping_s": 0.5, "open_timeout_s": 2.0, "silent_after_s": 5.0, "reconnects_per_hour": 3_600}


class Venue:
    """BTCUSDT and ETHUSDT at 1000 by 1001 ticks, a balance of 10,000."""

    def __init__(self, login_units: frozenset[str]) -> None:
        self.market = SandboxMarket(Silent(list(ITEMS.values())))
        self.exchange = Exchange(self.market, ExchangeConfig(rules=RULES))
        self.sandbox = BitunixSandbox(self.market, self.exchange, login_units)
        self.requests: list[web.Request] = []
        self.port = 0
        for symbol in SYMBOLS:
            self.quote(symbol=symbol)

    def config(self, **fields: object) -> BitunixConfig:
        at = f"127.0.0.1:{self.port}"
        return BitunixConfig(
            rest_url=f"http://{at}", public_url=f"ws://{at}/public/",
            private_url=f"ws://{at}/private/", **{**QUICK, **fields},
        )  # fmt: skip

    def quote(
        self, bid: int = 1000, ask: int = 1001, lots: int = 10, *, symbol: str = "BTCUSDT"
    ) -> None:
        now_ns = time.time_ns()
        self.market.show(Quote(now_ns, symbol, bid, lots, ask, lots, now_ns))

    def depth(self, bids: Levels, asks: Levels, *, symbol: str = "BTCUSDT") -> None:
        self.market.show(Depth(time.time_ns(), symbol, bids, asks, is_snapshot=True))

    def trade(self, side: Side, ticks: int, lots: int, *, symbol: str = "BTCUSDT") -> None:
        now_ns = time.time_ns()
        self.market.show(Trade(now_ns, symbol, ticks, lots, side, 1, now_ns))

    def funding(self, mark: str, rate: str, next_ns: int, *, symbol: str = "BTCUSDT") -> None:
        now_ns = time.time_ns()
        self.market.show(Funding(now_ns, symbol, Decimal(mark), Decimal(rate), next_ns, now_ns))

    def kill_lines(self) -> None:
        for line in list(self.sandbox.private.teller.lines):
            line.outbox.is_behind = True
            line.offer(b"{}")

    def asked_for(self, path: str) -> int:
        return sum(request.path.endswith(path) for request in self.requests)


BOTH = frozenset({"s", "ms"})
Middleware = Callable[..., object]


@contextlib.asynccontextmanager
async def venue(login_units: frozenset[str] = BOTH, *strikes: Middleware) -> AsyncIterator[Venue]:
    """Run one until the test is done; `strikes` stand before its doors."""
    running = Venue(login_units)

    @web.middleware
    async def seen(request: web.Request, handler: Callable[..., object]) -> object:
        running.requests.append(request)
        return await handler(request)

    running.sandbox.app.middlewares.extend([seen, *strikes])
    runner = web.AppRunner(running.sandbox.app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.port = runner.addresses[0][1]
    try:
        yield running
    finally:
        await runner.cleanup()


class Told:
    """An account, and everything its stream has told."""

    def __init__(self, account: BitunixAccount) -> None:
        self.account = account
        self.reports: list[Report] = []

    def of(self, kind: type) -> list:
        return [report for report in self.reports if isinstance(report, kind)]

    def orders(self, client_id: str) -> list[OrderReport]:
        return [report for report in self.of(OrderReport) if report.client_id == client_id]

    def fills(self, client_id: str) -> list[FillReport]:
        return [report for report in self.of(FillReport) if report.client_id == client_id]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def account(
    at: Venue, credentials: Credentials = KEY, **fields: object
) -> AsyncIterator[BitunixAccount]:
    """Open an account that does not listen."""
    async with open_account(credentials, at.config(**fields), list(ITEMS.values())) as opened:
        yield opened


@contextlib.asynccontextmanager
async def told(
    at: Venue, credentials: Credentials = KEY, since_ns: int | None = None,
    funded: Sequence[FundingReport] = (), **fields: object,
) -> AsyncIterator[Told]:  # fmt: skip
    """Open an account and listen to it, from before its first line is up."""
    async with account(at, credentials, **fields) as opened:
        if since_ns is not None:
            opened.begin(since_ns, funded)
        hearing = Told(opened)
        listening = asyncio.create_task(opened.listen(hearing.reports.append))
        try:
            await hearing.until(lambda: hearing.of(LineUp) or listening.done())
            yield hearing
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def order(
    client_id: str, side: Side, lots: int, ticks: int = 0, *, symbol: str = "BTCUSDT",
    tif: TimeInForce = TimeInForce.GTC, is_post_only: bool = False, is_reduce_only: bool = False,
    kind: OrderType | None = None,
) -> NewOrder:  # fmt: skip
    """An order; a limit where it has a price."""
    kind = kind or (OrderType.LIMIT if ticks else OrderType.MARKET)
    price = ticks * TICK if ticks else None
    return NewOrder(
        client_id, ITEMS[symbol], side, kind, lots * LOT, price, None, tif, is_post_only,
        is_reduce_only,
    )  # fmt: skip


def ref(placed: NewOrder, venue_order_id: str = "") -> OrderRef:
    """How to name it."""
    return OrderRef(placed.client_id, venue_order_id, placed, placed.instrument.symbol)


__all__ = ["BUY", "LOT", "SELL", "TICK"]
