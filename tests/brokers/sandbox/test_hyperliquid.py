"""The Hyperliquid sandbox as a client that writes its own bytes meets it."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.protocol import State

from brokers.hyperliquid.sign import Signer
from brokers.link.secret import Secret
from brokers.sandbox import hyperliquid_lines as lines
from brokers.sandbox.hyperliquid_door import AGENT_KEY, MASTER_KEY, Denied, Nonces
from tests.brokers.hyperliquid.exchange import PATIENCE_S, Exchange, exchange

SIGNER = Signer(Secret(AGENT_KEY), is_mainnet=False)
NOOP = {"type": "noop"}


class Client:
    def __init__(self, venue: Exchange, session: aiohttp.ClientSession) -> None:
        self.venue = venue
        self._session = session
        self._nonce = time.time_ns() // 10**6

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.venue.port}{path}"
        async with self._session.post(url, data=raw) as answer:
            return answer.status, await answer.json(content_type=None)

    async def info(self, kind: str, **words: Any) -> Any:
        status, told = await self.post("/info", {"type": kind, **words})
        assert 200 == status, told
        return told

    def signed(self, action: dict[str, Any], signer: Signer = SIGNER, **changed: Any) -> dict:
        self._nonce += 1
        nonce = changed.pop("nonce", self._nonce)
        expires = changed.get("expiresAfter")
        made = signer.sign(action, nonce, expires_ms=expires)
        return {"action": action, "nonce": nonce, "signature": made.words()} | changed

    async def act(self, action: dict[str, Any], **kw: Any) -> dict[str, Any]:
        status, told = await self.post("/exchange", self.signed(action, **kw))
        assert 200 == status, told
        return told


@contextlib.asynccontextmanager
async def client(events_per_s: float = 200.0) -> AsyncIterator[Client]:
    async with exchange(events_per_s) as venue, aiohttp.ClientSession(trust_env=False) as session:
        yield Client(venue, session)


def order(price: str = "100000", size: str = "0.01", **changed: Any) -> dict[str, Any]:
    told = {
        "a": 1, "b": True, "p": price, "s": size, "r": False, "t": {"limit": {"tif": "Gtc"}},
    }  # fmt: skip
    return {"type": "order", "orders": [told | changed], "grouping": "na"}


SHAPELESS = [
    b"",
    b"{",
    b"[]",
    b'{"type":5}',
    b'{"type":"nothing"}',
    b'{"type":"clearinghouseState"}',
    b'{"type":"l2Book"}',
    b"[" * 100_000,
    b'{"type":"\xff"}',
]


@pytest.mark.parametrize("body", SHAPELESS, ids=range(len(SHAPELESS)))
async def test_a_question_of_the_wrong_shape(body: bytes) -> None:
    """422, on both routes."""
    async with client() as at:
        for path in ("/info", "/exchange"):
            assert 422 == (await at.post(path, body))[0]


ACTIONS = [
    order() | {"grouping": "odd"},
    order(p="1e5"),
    order(p=100000),
    order(c="0x12"),
    order(t={"limit": {"tif": "Day"}}),
    order(t={}),
    {"type": "withdraw3", "amount": "1"},
    {"type": "cancel", "cancels": []},
    {"type": "cancelByCloid", "cancels": [{"a": 1, "cloid": "0x" + "1" * 32}]},
]


@pytest.mark.parametrize("action", ACTIONS, ids=range(len(ACTIONS)))
async def test_an_action_of_the_wrong_shape(action: dict) -> None:
    """422: it can't be read, so nobody signed it."""
    async with client() as at:
        assert 422 == (await at.post("/exchange", at.signed(action)))[0]


async def test_who_signed_is_recovered_from_what_the_venue_understood() -> None:
    """Another order of keys or another spelling of a number is somebody else's wallet.

    Either chain will do: clients differ in what they sign for where only their URL was changed.
    """
    async with client() as at:
        assert {"status": "ok", "response": {"type": "default"}} == await at.act(NOOP)
        turned = dict(reversed(order().items()))
        spelled = order(price="100000.0")
        for action in (turned, spelled):
            told = await at.act(action)
            assert ("err", True) == (told["status"], "does not exist" in told["response"])
        mainnet = Signer(Secret(AGENT_KEY), is_mainnet=True)
        assert "ok" == (await at.act(NOOP, signer=mainnet))["status"]
        master = Signer(Secret(MASTER_KEY), is_mainnet=False)
        assert "ok" == (await at.act(NOOP, signer=master))["status"]
        assert [] == at.venue.core.open_orders()


async def test_a_number_is_used_once() -> None:
    """Whatever it was used for; far from now none is good."""
    async with client() as at:
        now_ms = time.time_ns() // 10**6
        assert "ok" == (await at.act(NOOP, nonce=now_ms - 5_000))["status"]
        assert "Invalid nonce" in (await at.act(NOOP, nonce=now_ms - 5_000))["response"]
        for far_ms in (-3 * 86_400_000, 2 * 86_400_000):
            assert "Invalid nonce" in (await at.act(NOOP, nonce=now_ms + far_ms))["response"]
        late = await at.act(NOOP, expiresAfter=now_ms - 1)
        assert ("err", True) == (late["status"], "expired" in late["response"])


def test_a_hundred_numbers_may_come_out_of_order() -> None:
    """No more: what is below all that are kept is too old."""
    nonces, now_ms = Nonces(), 1_700_000_000_000
    for number in range(200, 100, -1):
        nonces.use(now_ms + number, now_ms)
    with pytest.raises(Denied, match="duplicate"):
        nonces.use(now_ms + 150, now_ms)
    with pytest.raises(Denied):
        nonces.use(now_ms + 100, now_ms)
    nonces.use(now_ms + 300, now_ms)
    with pytest.raises(Denied):
        nonces.use(now_ms + 101, now_ms)


async def test_a_batch_is_answered_element_by_element() -> None:
    """One that fails leaves the others."""
    async with client() as at:
        good, bad = order()["orders"][0], order(size="0")["orders"][0]
        told = await at.act(order() | {"orders": [good, bad, good | {"a": 0}, good | {"a": 9}]})
        statuses = told["response"]["data"]["statuses"]
        assert ["resting", "error", "error", "error"] == [next(iter(one)) for one in statuses]
        oid = statuses[0]["resting"]["oid"]
        action = {"type": "cancel", "cancels": [{"a": 1, "o": oid}, {"a": 1, "o": oid}]}
        told = await at.act(action)
        first, second = told["response"]["data"]["statuses"]
        assert ("success", True) == (first, "never placed" in second["error"])


async def test_an_amended_order_is_another_one() -> None:
    """New number, same name; its size is what is left, whatever had filled."""
    async with client() as at:
        name = "0x" + "ab" * 16
        told = await at.act(order(c=name))
        old = told["response"]["data"]["statuses"][0]["resting"]["oid"]
        changed = order(price="99000", size="0.03", c=name)["orders"][0]
        told = await at.act({"type": "batchModify", "modifies": [{"oid": name, "order": changed}]})
        new = told["response"]["data"]["statuses"][0]["resting"]["oid"]
        master = at.venue.sandbox.door.master
        shown = [await at.info("orderStatus", user=master, oid=oid) for oid in (old, new, name)]
        assert ["canceled", "open", "open"] == [one["order"]["status"] for one in shown]
        assert [old, new, new] == [one["order"]["order"]["oid"] for one in shown]
        assert ("0.03", "99000") == tuple(
            shown[2]["order"]["order"][key] for key in ("origSz", "limitPx")
        )
        (record,) = at.venue.core.open_orders()
        record.filled_qty = Decimal("0.01")  # some of it has traded
        again = order(price="98000", size="0.05", c=name)["orders"][0]
        assert "ok" == (await at.act({"type": "modify", "oid": new, "order": again}))["status"]
        assert Decimal("0.06") == record.qty
        gone = {"type": "modify", "oid": old, "order": changed}
        assert "Cannot modify" in (await at.act(gone))["response"]


async def test_the_agents_address_has_nothing_and_says_so_to_nobody() -> None:
    """An empty account, and no error: the trap of the venue."""
    async with client() as at:
        await at.act(order())
        agent, master = at.venue.sandbox.door.agent, at.venue.sandbox.door.master
        assert [] == await at.info("frontendOpenOrders", user=agent)
        assert (
            "0"
            == (await at.info("clearinghouseState", user=agent))["marginSummary"]["accountValue"]
        )
        assert 1 == len(await at.info("openOrders", user=master.upper().replace("0X", "0x")))
        assert {"role": "agent", "data": {"user": master}} == await at.info("userRole", user=agent)
        assert {"role": "missing"} == await at.info("userRole", user="0x" + "00" * 20)


async def test_an_address_earns_its_requests() -> None:
    """A batch counts its elements; cancels go on after the rest has ended."""
    async with client() as at:
        budget = at.venue.sandbox.door.budget
        two = order() | {"orders": order()["orders"] * 2}
        told = await at.act(two)
        assert 2 == budget.used
        budget.used = budget.cap
        budget._last_ms = time.time_ns() // 10**6
        told = await at.act(order())
        assert "Too many cumulative requests sent (10000 > 10000)" in told["response"]
        oid = at.venue.sandbox.account.blotter.row_of(at.venue.core.open_orders()[0]).oid
        gone = await at.act({"type": "cancel", "cancels": [{"a": 1, "o": oid}]})
        assert ["success"] == gone["response"]["data"]["statuses"]
        budget.volume += Decimal(100)
        assert "ok" == (await at.act(order()))["status"]


async def test_a_machine_has_a_weight_a_minute() -> None:
    """Dear questions use it up sooner."""
    async with client() as at:
        statuses = [
            (await at.post("/info", {"type": "userRole", "user": "0x0"}))[0] for _ in range(21)
        ]
        assert [200] * 20 + [429] == statuses


@contextlib.asynccontextmanager
async def line(at: Client) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://127.0.0.1:{at.venue.port}/ws", proxy=None) as socket:
        async with asyncio.timeout(PATIENCE_S):
            assert "Websocket connection established." == await socket.recv()
        yield socket


async def heard(socket: ClientConnection, channel: str = "") -> Any:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            told = json.loads(await socket.recv())
            if channel in ("", told["channel"]):
                return told


def asked(kind: str, method: str = "subscribe", **words: str) -> str:
    return json.dumps({"method": method, "subscription": {"type": kind, **words}})


async def test_a_line_greets_in_plain_text_and_acknowledges() -> None:
    """Then what the channel begins with, and what happens."""
    async with client() as at, line(at) as socket:
        await socket.send(asked("l2Book", coin="BTC"))
        told = await heard(socket)
        assert ("subscriptionResponse", "subscribe") == (told["channel"], told["data"]["method"])
        told = await heard(socket)
        assert ("l2Book", "BTC", 2) == (
            told["channel"], told["data"]["coin"], len(told["data"]["levels"]),
        )  # fmt: skip
        await socket.send('{"method":"ping"}')
        assert {"channel": "pong"} == await heard(socket, "pong")
        await socket.send(asked("l2Book", coin="BTC"))
        assert "Already subscribed" in (await heard(socket, "error"))["data"]
        await socket.send(asked("l2Book", "unsubscribe", coin="BTC"))
        assert "unsubscribe" == (await heard(socket, "subscriptionResponse"))["data"]["method"]


@pytest.mark.parametrize(
    "text",
    ["no json", "[]", "{}", '{"method":"dance"}', asked("gossip", coin="BTC"), asked("bbo"),
     asked("bbo", coin="NOPE"), '{"method":"subscribe","subscription":5}'],
)  # fmt: skip
async def test_nonsense_on_a_line_is_an_error_and_no_end(text: str) -> None:
    """The line goes on."""
    async with client() as at, line(at) as socket:
        await socket.send(text)
        await heard(socket, "error")
        await socket.send('{"method":"ping"}')
        await heard(socket, "pong")


async def test_a_line_on_which_nothing_is_said_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ping keeps it."""
    monkeypatch.setattr(lines, "IDLE_S", 0.2)
    async with client() as at, line(at) as talking, line(at) as silent:
        async with asyncio.timeout(PATIENCE_S):
            while silent.state is not State.CLOSED:
                await talking.send('{"method":"ping"}')
                await heard(talking, "pong")
        await talking.send('{"method":"ping"}')
        await heard(talking, "pong")


async def test_the_account_is_told_to_whoever_asks_by_its_address() -> None:
    """In any case of letters; a snapshot first, then what happens, the same on both channels."""
    async with client() as at, line(at) as socket:
        master = at.venue.sandbox.door.master
        for kind in ("orderUpdates", "userFills", "userEvents"):
            await socket.send(asked(kind, user=master.upper().replace("0X", "0x")))
        told = await heard(socket, "userFills")
        assert (True, []) == (told["data"]["isSnapshot"], told["data"]["fills"])
        await at.act(order(price="110000", t={"limit": {"tif": "Ioc"}}))
        fills, events = await heard(socket, "userFills"), await heard(socket, "user")
        assert fills["data"]["fills"] == events["data"]["fills"]
        assert (True, "USDC", "B") == tuple(
            fills["data"]["fills"][0][key] for key in ("crossed", "feeToken", "side")
        )


async def test_funding_is_told_by_the_hour() -> None:
    """On the account's events, and to who asks for the payments since a time."""
    async with client() as at, line(at) as socket:
        master = at.venue.sandbox.door.master
        await socket.send(asked("userEvents", user=master))
        await heard(socket, "subscriptionResponse")
        from brokers.sandbox.orders import FundingTold  # noqa: PLC0415

        told = FundingTold(1_700_000_000 * 10**9, "BTC", Decimal("-0.5"), Decimal("0.0000125"))
        at.venue.sandbox.account._hear(told)
        paid = (await heard(socket, "user"))["data"]["funding"]
        assert ("BTC", "-0.5", "0.0000125") == (paid["coin"], paid["usdc"], paid["fundingRate"])
        (listed,) = await at.info("userFunding", user=master, startTime=0)
        assert ("funding", "-0.5") == (listed["delta"]["type"], listed["delta"]["usdc"])


async def test_the_dead_man_fires_ten_times_a_day() -> None:
    """And not once more; too early a time is refused."""
    async with client() as at:

        def set_for(ahead_ms: int) -> dict[str, Any]:
            return {"type": "scheduleCancel", "time": time.time_ns() // 10**6 + ahead_ms}

        assert "too early" in (await at.act(set_for(4_000)))["response"]
        for _ in range(10):
            await at.act(order())
            assert "ok" == (await at.act(set_for(60_000)))["status"]
            at.venue.sandbox.desk.fire()
            assert [] == at.venue.core.open_orders()
        assert "Too many" in (await at.act(set_for(60_000)))["response"]


async def test_it_fires_by_itself() -> None:
    """When its time has come, by the venue's clock."""
    async with client() as at:
        await at.act(order())
        await at.act({"type": "scheduleCancel", "time": time.time_ns() // 10**6 + 60_000})
        at.venue.sandbox.faults.skew_ms = 60_001
        async with asyncio.timeout(PATIENCE_S):
            while at.venue.core.open_orders():
                await asyncio.sleep(0.01)
        master = at.venue.sandbox.door.master
        (row,) = await at.info("historicalOrders", user=master)
        assert "scheduledCancel" == row["status"]


async def test_stops_are_released() -> None:
    """As market orders; told triggered first."""
    async with client() as at:
        await at.act(order(price="110000", t={"limit": {"tif": "Ioc"}}))
        stop = {"trigger": {"isMarket": True, "triggerPx": "1000000", "tpsl": "sl"}}
        told = await at.act(order(price="1000000", b=False, t=stop, r=True))
        master = at.venue.sandbox.door.master
        (status,) = told["response"]["data"]["statuses"]
        assert "resting" in status or "filled" in status, told
        async with asyncio.timeout(PATIENCE_S):
            while at.venue.core.position("BTC").qty:
                await asyncio.sleep(0.01)
        assert "filled" in {row["status"] for row in await at.info("historicalOrders", user=master)}
