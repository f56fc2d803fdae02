"""An account on the sandbox for tests, and everything its stream has told."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal

from brokers.hyperliquid.account import HyperliquidAccount, open_account
from brokers.hyperliquid.config import HyperliquidConfig
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
from brokers.sandbox.hyperliquid_door import AGENT_KEY
from engine.model.instrument import Instrument
from engine.model.orders import OrderType, Side, TimeInForce
from tests.brokers.hyperliquid.exchange import PATIENCE_S, Exchange

BUY, SELL = Side.BUY, Side.SELL


def credentials(venue: Exchange, key: str = AGENT_KEY, address: str = "") -> Credentials:
    return Credentials(address or venue.sandbox.door.master, Secret(key))


class Trader:
    """One account, its stream heard."""

    def __init__(self, venue: Exchange, account: HyperliquidAccount) -> None:
        self.venue = venue
        self.account = account
        self.reports: list[Report] = []
        self._count = 0

    def instrument(self, coin: str = "BTC") -> Instrument:
        return self.venue.core.instruments[coin]

    def new_id(self) -> str:
        self._count += 1
        ids = self.account.capabilities.ids_of("20261121T090000Z-test")
        return ids.of(f"quoter-{self._count}")

    def far(self, share: str, coin: str = "BTC") -> Decimal:
        """Return a price so far from the mark, on the grid."""
        tick = self.instrument(coin).tick_size
        return (self.venue.core.mark(coin) * Decimal(share) // tick) * tick

    def limit(self, side: Side, qty: str, price: Decimal, coin: str = "BTC", **kw) -> NewOrder:
        plain = NewOrder(
            self.new_id(), self.instrument(coin), side, OrderType.LIMIT, Decimal(qty), price,
            None, TimeInForce.GTC, False, False,
        )  # fmt: skip
        return plain._replace(**kw)

    def market(self, side: Side, qty: str, coin: str = "BTC", **kw) -> NewOrder:
        plain = self.limit(side, qty, Decimal(1), coin)
        return plain._replace(type=OrderType.MARKET, price=None, tif=TimeInForce.IOC, **kw)

    def of(self, kind: type) -> list:
        return [report for report in self.reports if isinstance(report, kind)]

    def orders(self, order: NewOrder) -> list[OrderReport]:
        return [report for report in self.of(OrderReport) if report.client_id == order.client_id]

    def fills(self, order: NewOrder) -> list[FillReport]:
        return [report for report in self.of(FillReport) if report.client_id == order.client_id]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await asyncio.sleep(0.005)


def ref(order: NewOrder, number: str = "") -> OrderRef:
    return OrderRef(order.client_id, number, order, order.instrument.symbol)


@contextlib.asynccontextmanager
async def trader(
    venue: Exchange, config: HyperliquidConfig | None = None, *, since_ns: int | None = None,
    funded: Sequence[FundingReport] = (), **changed,
) -> AsyncIterator[Trader]:  # fmt: skip
    """Open an account and listen to it until the test is done."""
    config = dataclasses.replace(config or venue.config, **changed)
    instruments = tuple(venue.core.instruments.values())
    async with open_account(credentials(venue), config, instruments) as account:
        trading = Trader(venue, account)
        if since_ns is not None:
            account.begin(since_ns, funded)
        listening = asyncio.create_task(account.listen(trading.reports.append))
        try:
            await trading.until(lambda: trading.of(LineUp))
            yield trading
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
