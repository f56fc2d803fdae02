"""A live broker before an account that follows a script; answers as short words."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Self

from brokers.link.account import Accepted, FillReport, OrderReport, Picture, Report
from brokers.link.broker import NOTHING_HELD, LiveBroker
from brokers.link.terms import Held
from engine.model.account import Liquidity
from engine.model.commands import AmendOrder, CancelOrder, PlaceOrder, QueryAccount, QueryOrder
from engine.model.market import Quote
from engine.model.orders import Approved, OrderIntent, OrderType
from engine.model.venue_events import Standing, VenueEvent
from engine.venue import Capabilities
from tests.engine.factories import BTC, BUY, ETH, D, instrument, intent

RUN = "20260101-000000-abcd"
START_NS = 1_700_000_000_000_000_000
STOP = {"type": OrderType.STOP, "price": None}
CAN = Capabilities(
    can_amend_price=True, can_amend_qty=True, amend_down_keeps_queue=True, has_triggers=False,
    client_id_max=64, client_id_alphabet="abcdefghijklmnopqrstuvwxyz0123456789-",
)  # fmt: skip


class Account:
    """Answers what it is told to, or when it is told to."""

    venue = "scripted"
    capabilities = CAN

    def __init__(self) -> None:
        self.asked: list[tuple[str, object]] = []
        self.script: dict[str, list[object]] = defaultdict(list)
        """Answers still to come; a future is one that is awaited, an exception is raised."""
        self.tell: Callable[[Report], None] | None = None
        self.is_open = False
        self.ends_listening = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.is_open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.is_open = False

    async def listen(self, take: Callable[[Report], None]) -> None:
        self.tell = take
        await self.ends_listening.wait()

    async def _answer(self, name: str, about: object, default: object) -> object:
        self.asked.append((name, about))
        answer = self.script[name].pop(0) if self.script[name] else default
        if isinstance(answer, asyncio.Future):
            answer = await answer
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def begin(self, since_ns: int, funded: object) -> None:
        self.begun = since_ns, funded

    async def place(self, order: object) -> object:
        return await self._answer("place", order, Accepted("v1"))

    async def amend(self, ref: object, price: Decimal, qty: Decimal) -> object:
        return await self._answer("amend", (ref, price, qty), Accepted())

    async def cancel(self, ref: object) -> object:
        return await self._answer("cancel", ref, Accepted())

    async def margin_terms(self) -> object:
        return await self._answer("margin_terms", None, ())

    async def set_margin(self, held: object, wanted: object) -> object:
        return await self._answer("set_margin", (held, wanted), Accepted())

    async def place_many(self, orders: object) -> object:
        return await self._answer("place_many", orders, None)

    async def cancel_many(self, refs: object) -> object:
        return await self._answer("cancel_many", refs, None)

    async def order(self, ref: object) -> object:
        return await self._answer("order", ref, report(standing=Standing.NOT_FOUND))

    async def picture(self, since_ns: int) -> object:
        return await self._answer("picture", since_ns, Picture(START_NS, (), (), (), D(1)))

    async def renew(self, ttl_s: float) -> bool:
        return bool(await self._answer("renew", ttl_s, True))

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


def client(order_id: str = "a-1", run: str = RUN) -> str:
    return CAN.ids_of(run).of(order_id)


def report(order_id: str = "a-1", **changes: object) -> OrderReport:
    fields: dict = {
        "client_id": client(order_id), "venue_order_id": "v1", "symbol": BTC, "side": BUY,
        "standing": Standing.WORKING, "qty": D(1), "filled_qty": D(0), "price": D("1000.0"),
        "at_ns": START_NS,
    }  # fmt: skip
    return OrderReport(**(fields | changes))


def done(order_id: str = "a-1", qty: str = "1", **changes: object) -> FillReport:
    fields: dict = {
        "client_id": client(order_id), "venue_order_id": "v1", "symbol": BTC, "trade_id": "t1",
        "side": BUY, "price": D("1000.0"), "qty": D(qty), "fee": D("0.1"),
        "liquidity": Liquidity.MAKER, "at_ns": START_NS,
    }  # fmt: skip
    return FillReport(**(fields | changes))


class Desk:
    """One broker, its account, and a clock that only moves when told."""

    def __init__(
        self,
        *,
        dead_man_s: float | None = None,
        can: Capabilities = CAN,
        margin: Held = NOTHING_HELD,
    ) -> None:
        self.account = Account()
        self.account.capabilities = can
        self.now_ns = START_NS
        self.told: list[VenueEvent] = []
        self.wakes = 0
        self.broker = LiveBroker(
            self.account,  # type: ignore[arg-type]  # its answers are the script's
            [instrument(), instrument(ETH)],
            self.told.append,
            ids=CAN.ids_of(RUN),
            now_ns=lambda: self.now_ns,
            wake=self._wake,
            dead_man_s=dead_man_s,
            margin=margin,
        )

    def _wake(self) -> None:
        self.wakes += 1

    async def __aenter__(self) -> Self:
        await self.broker.__aenter__()
        self.broker.go_live(START_NS)
        await settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.broker.__aexit__(None, None, None)

    def script(self, name: str, *answers: object) -> None:
        self.account.script[name] += answers

    def later(self, name: str) -> "asyncio.Future[object]":
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.script(name, answer)
        return answer

    async def place(self, number: int = 1, **changes: object) -> list[str]:
        self.broker.submit([placing(intent(number, **changes))])
        return await self.words()

    async def amend(self, price: str, qty: str, number: int = 1) -> list[str]:
        wish = Approved(intent(number))
        self.broker.submit([AmendOrder(self.now_ns, f"a-{number}", D(price), D(qty), wish)])
        return await self.words()

    async def cancel(self, number: int = 1) -> list[str]:
        self.broker.submit([CancelOrder(self.now_ns, f"a-{number}", BTC)])
        return await self.words()

    async def ask(self, number: int = 1) -> list[str]:
        self.broker.submit([QueryOrder(self.now_ns, f"a-{number}", BTC)])
        return await self.words()

    async def look(self, since_ns: int = 0) -> list[str]:
        self.broker.submit([QueryAccount(self.now_ns, since_ns)])
        return await self.words()

    async def hear(self, *reports: Report) -> list[str]:
        assert self.account.tell is not None
        for item in reports:
            self.account.tell(item)
        return await self.words()

    async def quote(self, bid: int, ask: int, symbol: str = BTC) -> list[str]:
        self.broker.observe(Quote(self.now_ns, symbol, bid, 1, ask, 1))
        return await self.words()

    async def words(self) -> list[str]:
        """What was told since, once nothing is left to do."""
        await settle()
        before = len(self.told)
        self.broker.advance(self.now_ns)
        return [word(event) for event in self.told[before:]]


def placing(wish: OrderIntent) -> PlaceOrder:
    return PlaceOrder(START_NS, wish.intent_id, Approved(wish))


async def settle() -> None:
    """Let every task do what it can without being answered."""
    for _ in range(20):
        await asyncio.sleep(0)


FIELDS = ("reason", "price", "qty", "standing")


def word(event: VenueEvent) -> str:
    name = type(event).__name__.removeprefix("Venue").lower()
    said = [str(getattr(event, field)) for field in FIELDS if getattr(event, field, None)]
    return " ".join(filter(None, [name, getattr(event, "order_id", ""), *said]))
