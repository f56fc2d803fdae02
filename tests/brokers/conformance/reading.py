"""What every reader of an account must do, against an exchange on real sockets, and what it can't.

Use it as the suite of accounts: derive a class named `Test...` with a fixture `ground`.
"""

import asyncio
import gc
import types
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from brokers.link.account import Unanswered
from brokers.link.exchanged import NotSent, Request
from brokers.link.questions import Questions
from brokers.link.reading import AccountReader
from brokers.link.rest import Rest
from brokers.sandbox.faults import Fault, Faults
from engine.model.orders import Side
from engine.model.sightings import AccountSeen, PaymentKind
from tests.brokers.sandbox.stage import Stage

BUY, SELL = Side.BUY, Side.SELL
NO_PARTS = (type, types.ModuleType, types.FrameType, types.CodeType)
FORBIDDEN = ("Caller", "Scribe", "Signer", "Listener", "Stream")
"""Classes of ours that can change something at a venue, sign that, or listen by a key that is made."""


class Asked(list[tuple[str, str]]):
    """Method and path of every request; one of them can be let fall."""

    drop_at = 0
    """Its number from 1; 0 drops none."""

    async def begin_anew(self, drop_at: int) -> None:
        """Count from 1 again, once the questions of a look that was given up have arrived."""
        known = -1
        while known != len(self):
            known = len(self)
            await asyncio.sleep(0.02)
        self.clear()
        self.drop_at = drop_at


@dataclass
class Ground:
    """A reader, the exchange's truth, and every request that reached it."""

    reader: AccountReader
    stage: Stage
    faults: Faults
    asked: "Asked"
    is_question: Callable[[str, str], bool]

    async def look(self, since_ns: int | None = None) -> AccountSeen:
        seen = await self.reader.look(since_ns)
        assert isinstance(seen, AccountSeen), seen
        return seen


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[tuple[str, Asked]]:
    """A sandbox on a port, and what it is asked."""
    asked = Asked()

    @web.middleware
    async def note(request: web.Request, handler: Any) -> web.StreamResponse:
        asked.append((request.method, request.path))
        if len(asked) == asked.drop_at and request.transport is not None:
            request.transport.abort()
        answer: web.StreamResponse = await handler(request)
        return answer

    app.middlewares.insert(0, note)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


def reachable(root: object) -> Iterator[object]:
    """Everything an object holds; of a function what it closes over, not the module around it."""
    seen, waiting = {id(root)}, [root]
    while waiting:
        here = waiting.pop()
        yield here
        if isinstance(here, types.FunctionType):
            held: list[Any] = [here.__closure__, here.__defaults__, here.__kwdefaults__]
        else:
            held = gc.get_referents(here)
        for other in held:
            if not isinstance(other, NO_PARTS) and id(other) not in seen:
                seen.add(id(other))
                waiting.append(other)


class Reading:
    """The suite."""

    async def test_a_look_shows_the_account(self, ground: Ground) -> None:
        """Money, position with its value, orders, terms; all as the exchange has them."""
        stage = ground.stage
        stage.quote(1000, 1001, 100_000)
        stage.place(BUY, 500)
        stage.place(SELL, 200, 1_050)
        stage.quote(1100, 1101, 100_000)
        seen = await ground.look()
        held, money = stage.exchange.position("BTCUSDT"), stage.exchange.balance()
        (position,), (order,) = seen.positions, seen.orders
        assert ("BTCUSDT", held.qty) == (position.symbol, position.qty)
        assert abs(held.mark_price - position.mark) < Decimal("0.001")
        assert abs(held.unrealized_pnl - position.unrealised) < Decimal("0.001")
        assert abs(money.wallet - seen.balance) < Decimal("0.001")
        assert seen.free is not None
        assert 0 < seen.free < money.wallet + money.unrealized_pnl
        assert (SELL, Decimal("0.2"), Decimal("105.0"), 0) == (
            order.side, order.qty, order.price, order.filled_qty,
        )  # fmt: skip
        assert seen.is_one_way
        (terms,) = [one for one in seen.terms if one.symbol == "BTCUSDT"]
        assert (Decimal(held.leverage), True) == (terms.leverage, "cross" in terms.margin_mode)

    async def test_fills_are_those_since_a_time(self, ground: Ground) -> None:
        """With price, quantity, fee and side, each with an id of its own."""
        stage = ground.stage
        stage.quote(1000, 1001, 100_000)
        before = await ground.look()
        stage.place(BUY, 500)
        stage.place(SELL, 300)
        seen = await ground.look(before.taken_ns - 1_000_000_000)
        truth = stage.exchange.fills()
        assert [(one.side, one.price, one.qty) for one in truth] == [
            (one.side, one.price, one.qty) for one in seen.fills
        ]
        assert sum(one.fee for one in truth) == sum(one.fee for one in seen.fills)
        assert 2 == len({one.trade_id for one in seen.fills})
        later = await ground.look(seen.taken_ns + 60_000_000_000)
        assert () == later.fills

    async def test_funding_is_told_or_said_to_be_untold(self, ground: Ground) -> None:
        stage = ground.stage
        stage.quote(1000, 1001, 100_000)
        stage.place(BUY, 500)
        stage.pass_ms(1)
        due_ns = stage.now_ns
        stage.funding("100", "0.01", due_ns - 1)
        stage.funding("100", "0.01", due_ns + 3_600_000_000_000)
        stage.quote(1000, 1001, 100_000)
        paid = stage.exchange.balance().wallet - Decimal(10_000)
        paid += sum(fill.fee for fill in stage.exchange.fills())
        assert paid < 0
        seen = await ground.look()
        told = [one for one in seen.payments if one.kind is PaymentKind.FUNDING]
        if PaymentKind.FUNDING in seen.untold:
            assert [] == told
        else:
            assert [("BTCUSDT", paid)] == [(one.symbol, one.amount) for one in told]

    async def test_money_that_comes_and_goes(self, ground: Ground) -> None:
        before = await ground.look()
        assert ground.stage.exchange.transfer(Decimal("250.5"))
        assert ground.stage.exchange.transfer(Decimal(-50))
        seen = await ground.look(before.taken_ns - 1_000_000_000)
        assert Decimal("200.5") == seen.balance - before.balance
        told = [one for one in seen.payments if one.kind is PaymentKind.TRANSFER]
        if PaymentKind.TRANSFER in seen.untold:
            assert [] == told
        else:
            assert [Decimal("250.5"), Decimal(-50)] == [one.amount for one in told]
            assert 2 == len({one.payment_id for one in told})

    async def test_nothing_but_questions_arrive(self, ground: Ground) -> None:
        """Facts and looks; and there were some."""
        await ground.reader.facts()
        for _ in range(3):
            await ground.look()
        assert len(ground.asked) > 10
        assert [] == [one for one in ground.asked if not ground.is_question(*one)]

    async def test_a_look_is_whole_or_none(self, ground: Ground) -> None:
        """Whichever of its questions is not answered."""
        ground.stage.quote(1000, 1001, 100_000)
        await ground.look()
        ground.stage.place(BUY, 50)
        ground.asked.clear()
        await ground.look()
        for number in range(1, len(ground.asked) + 1):
            ground.stage.place(BUY, 50)
            await ground.asked.begin_anew(drop_at=number)
            told = await ground.reader.look(None)
            assert isinstance(told, Unanswered), number
            assert "no room" not in told.cause

    @pytest.mark.parametrize("fault", ["error_5xx", "html_200", "truncated_json", "rate_limit"])
    async def test_answers_that_are_none(self, ground: Ground, fault: str) -> None:
        ground.faults.arm(Fault(fault, times=100))
        assert isinstance(await ground.reader.look(None), Unanswered)

    async def test_no_object_of_a_reader_can_change_anything(self, ground: Ground) -> None:
        """The walk finds the way to ask, and no other; what is no question never leaves."""
        await ground.look()
        found = list(reachable(ground.reader))
        ours = [one for one in found if type(one).__module__.startswith("brokers.")]
        assert [] == [one for one in ours if isinstance(one, Rest)]
        assert [] == [one for one in ours if type(one).__name__ in FORBIDDEN]
        ways = [one for one in ours if isinstance(one, Questions)]
        assert ways
        ground.asked.clear()
        for way in ways:
            for method in ("POST", "PUT", "DELETE", "PATCH"):
                told = await way.ask(Request(method, "/exchange", {}, b"{}"))
                assert isinstance(told, NotSent)
        assert [] == ground.asked
