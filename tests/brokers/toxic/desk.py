"""A live broker whose account reaches its exchange through two proxies: requests, and its line.

Everything is real but the wire: the adapter, the sandbox, and `LiveBroker` between the adapter and
a session that is played by the test.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from aiohttp import web

from brokers.binance.account import open_account as open_binance
from brokers.binance.config import BinanceConfig
from brokers.bitunix.account import open_account as open_bitunix
from brokers.bitunix.config import BitunixConfig
from brokers.hyperliquid.account import open_account as open_hyperliquid
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.link.account import FillReport, LineUp, Report, VenueAccount
from brokers.link.broker import LiveBroker
from brokers.link.secret import Credentials, Secret
from brokers.sandbox import binance, bitunix
from brokers.sandbox.certificate import Identity
from brokers.sandbox.faults import Fault, Faults
from brokers.sandbox.hyperliquid import HyperliquidSandbox
from brokers.sandbox.hyperliquid_door import AGENT_KEY
from brokers.sandbox.orders import OrderTold
from engine.model.commands import CancelOrder, PlaceOrder, QueryAccount, QueryOrder
from engine.model.instrument import Instrument
from engine.model.orders import Approved, Side
from engine.model.venue_events import (
    Standing,
    VenueAccepted,
    VenueCanceled,
    VenueEvent,
    VenueFill,
    VenueOrderStatus,
    VenueSnapshot,
    VenueStatus,
)
from tests.brokers.proxy import Proxy
from tests.brokers.sandbox.stage import Stage
from tests.engine.factories import intent

PATIENCE_S: Final = 20.0
ANSWER_S: Final = 1.0
CALM_S: Final = 5.0
"""Between signs of life where nothing is to be found out by their absence."""
QUICK_S: Final = 0.3
RUN: Final = "20261121T070000Z-abcd"
QTY: Final = Decimal("0.5")
SIGNED: Final = Credentials("sandbox-key", Secret("sandbox-secret"))


class Legs(NamedTuple):
    """What lies between us and a venue."""

    rest: Proxy
    line: Proxy
    ca_file: str
    """Empty where nothing is encrypted."""

    def http(self) -> str:
        return f"http{'s' if self.ca_file else ''}://127.0.0.1:{self.rest.port}"

    def ws(self, path: str) -> str:
        return f"ws{'s' if self.ca_file else ''}://127.0.0.1:{self.line.port}{path}"

    def proxies(self) -> tuple[Proxy, Proxy]:
        return self.rest, self.line


class Sandbox(NamedTuple):
    """An exchange that is not served yet."""

    stage: Stage
    app: web.Application
    faults: Faults
    open: Callable[[Legs, float], VenueAccount]
    """An account there; the second is how soon a silent line is given up."""
    placing: bytes
    """What every request has that places an order, and no other."""


def _binance() -> Sandbox:
    stage = Stage(is_live=True, rules=binance.RULES)
    sandbox = binance.BinanceSandbox(stage.market, stage.exchange)

    def opened(legs: Legs, patience_s: float) -> VenueAccount:
        config = BinanceConfig(
            ca_file=legs.ca_file, rest_url=legs.http(), spot_url=legs.http(), private_url=legs.ws("/private"),
            public_url=legs.ws("/public"), market_url=legs.ws("/market"),
            answer_s=ANSWER_S, ping_s=patience_s, reconnects_per_hour=3_600,
        )  # fmt: skip
        return open_binance(SIGNED, config, _traded(stage))

    return Sandbox(stage, sandbox.app, sandbox.faults, opened, b"POST /fapi/v1/order HTTP")


def _bitunix() -> Sandbox:
    stage = Stage(is_live=True, rules=bitunix.RULES)
    sandbox = bitunix.BitunixSandbox(stage.market, stage.exchange)

    def opened(legs: Legs, patience_s: float) -> VenueAccount:
        config = BitunixConfig(
            ca_file=legs.ca_file, rest_url=legs.http(), private_url=legs.ws("/private/"),
            public_url=legs.ws("/public/"), answer_s=ANSWER_S,
            ping_s=patience_s / 2, silent_after_s=patience_s, reconnects_per_hour=3_600,
        )  # fmt: skip
        return open_bitunix(SIGNED, config, _traded(stage))

    return Sandbox(
        stage, sandbox.app, sandbox.faults, opened, b"POST /api/v1/futures/trade/place_order "
    )


def _hyperliquid() -> Sandbox:
    stage = Stage(is_live=True)
    sandbox = HyperliquidSandbox(stage.market, stage.exchange)
    wallet = Credentials(sandbox.door.master, Secret(AGENT_KEY))

    def opened(legs: Legs, patience_s: float) -> VenueAccount:
        config = HyperliquidConfig(
            ca_file=legs.ca_file, rest_url=legs.http(), ws_url=legs.ws("/ws"), answer_s=ANSWER_S, ping_s=patience_s / 2,
            silent_after_s=2 * patience_s, reconnects_per_hour=3_600,
        )  # fmt: skip
        return open_hyperliquid(wallet, config, _traded(stage))

    return Sandbox(stage, sandbox.app, sandbox.faults, opened, b'"type":"order"')


def _traded(stage: Stage) -> tuple[Instrument, ...]:
    return (stage.exchange.instruments["BTCUSDT"],)


VENUES: Final = {"binance": _binance, "bitunix": _bitunix, "hyperliquid": _hyperliquid}


@dataclass
class Desk:
    """The session's side of a broker, and the exchange's truth."""

    broker: LiveBroker
    sandbox: Sandbox
    legs: Legs
    told: list[VenueEvent]
    heard: list[Report]
    """What the account's line said, before anybody judged it."""
    began_ns: int = field(default_factory=time.time_ns)

    # --- what is told --------------------------------------------------------------------------

    async def until(self, holds: Callable[[], object]) -> None:
        """Take what has come until something holds."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.broker.advance(time.time_ns())
                self.broker.beat(time.time_ns())
                if holds():
                    return
                await asyncio.sleep(0.005)

    def of(self, *kinds: type) -> list:
        return [event for event in self.told if isinstance(event, kinds)]

    def about(self, order_id: str, *kinds: type) -> list:
        return [event for event in self.of(*kinds) if event.order_id == order_id]

    def breaks(self) -> int:
        return sum(not status.is_up for status in self.of(VenueStatus))

    def streamed(self) -> Decimal:
        """How much was told to have filled by the line alone."""
        fills = {one.trade_id: one.qty for one in self.heard if isinstance(one, FillReport)}
        return sum(fills.values(), Decimal(0))

    def is_up(self) -> bool:
        statuses = self.of(VenueStatus)
        return not statuses or statuses[-1].is_up

    def fills(self) -> dict[str, VenueFill]:
        """Every execution that was told, on whatever way; one told twice is the same."""
        told: dict[str, VenueFill] = {}
        pictured = [fill for picture in self.of(VenueSnapshot) for fill in picture.fills]
        for one in [*self.of(VenueFill), *pictured]:
            same = timeless(one)
            assert told.setdefault(one.trade_id, same) == same
        return told

    async def warm(self) -> None:
        """Trade once in the clear, so that connections are open and listings are known."""
        order = self.place(0)
        await self.until(lambda: self.about(order, VenueAccepted))
        self.cancel(order)
        await self.until(lambda: self.about(order, VenueCanceled))
        self.sandbox.stage.told.clear()

    def filled(self) -> Decimal:
        return sum((fill.qty for fill in self.fills().values()), Decimal(0))

    # --- what is asked -------------------------------------------------------------------------

    def place(self, number: int, ticks: int = 990, side: Side = Side.BUY) -> str:
        """Send a limit order; its id."""
        price = self.sandbox.stage.exchange.instruments["BTCUSDT"].price(ticks)
        wish = intent(number, symbol="BTCUSDT", side=side, qty=QTY, price=price)
        self.broker.submit([PlaceOrder(time.time_ns(), wish.intent_id, Approved(wish))])
        return wish.intent_id

    def cancel(self, order_id: str) -> None:
        self.broker.submit([CancelOrder(time.time_ns(), order_id, "BTCUSDT")])

    async def asked(self, order_id: str) -> VenueOrderStatus:
        """Ask how an order stands until somebody answers, as the engine does."""
        question = QueryOrder(time.time_ns(), order_id, "BTCUSDT")
        while True:
            status = await self._answered(question, VenueOrderStatus)
            if status.standing is not Standing.UNANSWERED:
                return status

    async def looked(self) -> VenueSnapshot:
        """Ask for the whole account until it comes whole."""
        question = QueryAccount(time.time_ns(), self.began_ns)
        while True:
            snapshot = await self._answered(question, VenueSnapshot)
            if not snapshot.failure:
                return snapshot

    async def _answered(self, question: QueryOrder | QueryAccount, kind: type) -> VenueEvent:
        before = len(self.of(kind))
        self.broker.submit([question])
        await self.until(lambda: len(self.of(kind)) > before)
        return self.of(kind)[-1]

    # --- the truth -----------------------------------------------------------------------------

    def fault(self, name: str, **terms: object) -> None:
        self.sandbox.faults.arm(Fault(name, **terms))

    def quote(self) -> None:
        self.sandbox.stage.quote(1000, 1001, 100_000)

    def meet(self, ticks: int, qty: Decimal) -> None:
        """Have sellers come down to a price with so much, and go again."""
        lots = self.sandbox.stage.exchange.instruments["BTCUSDT"].lots(qty)
        self.sandbox.stage.quote(ticks - 5, ticks, lots)
        self.quote()

    def working(self) -> int:
        return len(self.sandbox.stage.exchange.open_orders())

    def entered(self) -> list[str]:
        """Client ids of the orders that ever came in."""
        told = self.sandbox.stage.told
        return [
            one.order.client_id for one in told if isinstance(one, OrderTold) and one.kind == "new"
        ]

    def placements(self) -> int:
        """How many requests to place an order were written, whatever became of them."""
        said = self.legs.rest.said or []
        return sum(bytes(one).count(self.sandbox.placing) for one in said) - 1  # the warm one

    def position(self) -> Decimal:
        return self.sandbox.stage.exchange.position("BTCUSDT").qty


def timeless(fill: VenueFill) -> VenueFill:
    """Return it without the time it was told at."""
    return VenueFill(0, *[getattr(fill, name) for name in fill.__struct_fields__[1:]])


def tapped(account: VenueAccount) -> tuple[VenueAccount, list[Report]]:
    """Return an account and what its line tells from now on."""
    heard: list[Report] = []
    listen = account.listen

    async def both(take: Callable[[Report], None]) -> None:
        await listen(lambda report: (heard.append(report), take(report)))

    account.listen = both
    return account, heard


@contextlib.asynccontextmanager
async def served(app: web.Application, identity: Identity | None = None) -> AsyncIterator[int]:
    """A sandbox on loopback; its port."""
    tls = None if identity is None else identity.serving()
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def desk(
    venue: str, patience_s: float = CALM_S, identity: Identity | None = None
) -> AsyncIterator[Desk]:
    """A broker at a venue's sandbox, its line open; `patience_s` until a silent one is given up."""
    sandbox = VENUES[venue]()
    told: list[VenueEvent] = []
    async with served(sandbox.app, identity) as port, Proxy(port) as rest, Proxy(port) as line:
        legs = Legs(rest, line, "" if identity is None else str(identity.certificate))
        rest.said = []
        account, heard = tapped(sandbox.open(legs, patience_s))
        broker = LiveBroker(
            account, _traded(sandbox.stage), told.append,
            ids=account.capabilities.ids_of(RUN), now_ns=time.time_ns, wake=lambda: None,
        )  # fmt: skip
        async with broker:
            await account.facts()
            broker.go_live(time.time_ns() - 60 * 10**9)
            found = Desk(broker, sandbox, legs, told, heard)
            await found.until(lambda: any(isinstance(one, LineUp) for one in heard))
            found.quote()
            await found.warm()
            yield found
