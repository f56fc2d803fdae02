"""What the conformance suite stands on: an account opened at a real exchange on this machine.

A venue's test gives the suite a `Ground`: the stage that holds the exchange's truth and moves its
market, the menu of what the exchange can do wrong, and the account under test, open on real sockets.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count

from brokers.link.account import (
    FillReport,
    NewOrder,
    OrderRef,
    OrderReport,
    Picture,
    Report,
    VenueAccount,
)
from brokers.sandbox.faults import Fault, Faults
from brokers.sandbox.orders import OrderRecord
from engine.model.instrument import Instrument
from engine.model.orders import OrderType, Side, TimeInForce
from engine.model.venue_events import Standing
from tests.brokers.sandbox.stage import Stage

PATIENCE_S = 20.0
BUY, SELL = Side.BUY, Side.SELL
BID, ASK = 1000, 1001
"""Ticks of the touch at the start."""
QTY = Decimal("0.5")
"""Large enough for any venue's least notional at these prices."""


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.005)


@dataclass
class Ground:
    """One account at one exchange."""

    account: VenueAccount
    stage: Stage
    faults: Faults
    instrument: Instrument
    id_of: Callable[[str], str] = lambda name: name
    """What the exchange calls an order of that client id."""
    place_path: str = ""
    """Of the request that places; for faults that mean no other."""
    place_method: str = ""
    batch_path: str = ""
    """Of the request that places several, where it is another."""
    cancel_path: str = ""
    """Of the request that cancels several, where it is another."""
    burst: int = 20
    """Placements at once that the venue's limits allow."""
    another: Callable[[], VenueAccount] | None = None
    """Opens the account once more, as another client of its owner would."""
    heard: list[Report] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    # --- market --------------------------------------------------------------------------------

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    def quote(self, bid: int = BID, ask: int = ASK, lots: int = 100_000) -> None:
        """Show a touch, in ticks and lots."""
        self.stage.quote(bid, ask, lots, symbol=self.symbol)

    def trade(self, side: Side, ticks: int, qty: Decimal) -> None:
        """Have somebody else trade, taking `side`."""
        self.stage.trade(side, ticks, self.instrument.lots(qty), symbol=self.symbol)

    def meet(self, ticks: int, qty: Decimal) -> None:
        """Have sellers come down to a price with so much, and go again."""
        self.quote(ticks - 5, ticks, self.instrument.lots(qty))
        self.quote()

    def price(self, ticks: int) -> Decimal:
        return self.instrument.price(ticks)

    # --- orders --------------------------------------------------------------------------------

    def limit(self, side: Side = BUY, ticks: int = 990, **changes: object) -> NewOrder:
        """Return an order that rests, unless changed."""
        order = NewOrder(
            f"run1-agent-{next(self._numbers)}", self.instrument, side, OrderType.LIMIT, QTY,
            self.price(ticks), None, TimeInForce.GTC, False, False,
        )  # fmt: skip
        return order._replace(**changes)

    def market(self, side: Side = BUY, **changes: object) -> NewOrder:
        return self.limit(side)._replace(type=OrderType.MARKET, price=None)._replace(**changes)

    def ref(self, order: NewOrder, *, is_remembered: bool = True) -> OrderRef:
        """Name an order; one of an earlier process is not remembered."""
        reports = [report for report in self.told(order) if report.venue_order_id]
        number = reports[-1].venue_order_id if reports else ""
        return OrderRef(order.client_id, number, order if is_remembered else None, self.symbol)

    # --- what was told -------------------------------------------------------------------------

    def told(self, order: NewOrder) -> list[OrderReport]:
        """Return what the stream said of an order."""
        return [
            report
            for report in self.heard
            if isinstance(report, OrderReport) and report.client_id == order.client_id
        ]

    def fills(self) -> list[FillReport]:
        """Return the fills the stream told."""
        return [report for report in self.heard if isinstance(report, FillReport)]

    def of(self, kind: type) -> list[Report]:
        return [report for report in self.heard if isinstance(report, kind)]

    async def stood(self, order: NewOrder, standing: Standing) -> OrderReport:
        """Wait until the stream says that an order stands so."""
        await until(lambda: any(report.standing is standing for report in self.told(order)))
        return next(report for report in self.told(order) if report.standing is standing)

    async def picture(self) -> Picture:
        """Return a whole picture; fills from the beginning."""
        picture = await self.account.picture(0 if not self.stage.is_live else self.began_ns)
        assert isinstance(picture, Picture), picture
        return picture

    began_ns: int = 0

    # --- truth ---------------------------------------------------------------------------------

    def truth(self, order: NewOrder) -> OrderRecord | None:
        """Return what the exchange knows of an order."""
        return self.stage.exchange.order(client_id=self.id_of(order.client_id))

    def open_ids(self) -> list[str]:
        return [record.client_id for record in self.stage.exchange.open_orders()]

    def position(self) -> Decimal:
        return self.stage.exchange.position(self.symbol).qty

    def cap_open_orders(self, most: int) -> None:
        """Let the exchange hold so many orders that work, and no more."""
        exchange = self.stage.exchange
        rules = replace(exchange.config.rules, open_orders_max=most)
        exchange.config = replace(exchange.config, rules=rules)

    def fault(self, name: str, **terms: object) -> None:
        """Have the exchange do something wrong."""
        self.faults.arm(Fault(name, **terms))

    def fault_placing(self, name: str, **terms: object) -> None:
        """Have it do something wrong with the next order."""
        self.fault(name, path=self.place_path, method=self.place_method, **terms)


@contextlib.asynccontextmanager
async def listening(ground: Ground) -> AsyncIterator[Ground]:
    """Listen to the account until the test is done."""
    ground.began_ns = ground.stage.now_ns - 60 * 10**9
    task = asyncio.create_task(ground.account.listen(ground.heard.append))
    try:
        await until(lambda: ground.heard or task.done())
        ground.quote()
        yield ground
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
