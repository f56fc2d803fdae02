"""A session with an account to look at: what is seen enters, decides nothing, and is told once."""

import asyncio
import json
import os
import time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from brokers.link.account import Unanswered
from brokers.link.watch import Watch
from brokers.paper.venue import CAPABILITIES
from engine.agents.quoter import Quoter, QuoterParams
from engine.kernel import Kernel, KernelConfig
from engine.model.events import INPUT_TYPES
from engine.model.orders import Side
from engine.model.sightings import AccountSeen, AccountUnseen, PaymentKind, SeenFill, SeenPayment
from engine.session.clock import WallClock
from engine.session.journal_reader import input_of, read_journal
from engine.session.recorded import Recorded
from engine.session.recorded_feed import RecordedFeed
from engine.session.replay import written
from engine.session.resumed_feed import ResumedFeed
from tests.engine.session.test_live_runner import HOUR, LASTS_S, Market
from tests.engine.session.test_runner import Stage

EVERY_S = 0.1
SEEN_TYPES = ("account_seen", "account_unseen")


class Account:
    """Has one more fill and payment at each look, and tells all of them; away when told to be."""

    venue = "scripted"

    def __init__(self) -> None:
        self.looks = 0
        self.asked: list[int | None] = []
        self.at_s: list[float] = []
        """When; monotonic."""
        self.away: set[int] = set()
        """Numbers of looks that fail."""

    async def __aenter__(self) -> "Account":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def facts(self) -> Any:
        raise NotImplementedError

    async def look(self, since_ns: int | None) -> AccountSeen | Unanswered:
        self.looks += 1
        self.asked.append(since_ns)
        self.at_s.append(time.monotonic())
        if self.looks in self.away:
            return Unanswered("away")
        return seen_of(range(1, self.looks + 1))


def seen_of(numbers: range, taken_ns: int = 0) -> AccountSeen:
    one = Decimal(1)
    return AccountSeen(
        0, taken_ns or time.time_ns(), Decimal(5_000), Decimal(100), True, (), (), (),
        tuple(SeenFill("BTCUSDT", f"{n}", Side.BUY, one, one, one, n) for n in numbers),
        tuple(SeenPayment(f"{n}", PaymentKind.TRANSFER, "", one, n) for n in numbers),
    )  # fmt: skip


def watched(
    home: Path, feed: Any, account: Account, every_s: float = EVERY_S, **changes: Any
) -> Stage:
    watch = Watch(account, every_s, feed.nudge)  # type: ignore[arg-type]
    return Stage(
        home, feed, [Quoter(QuoterParams(half_spread_bps=0.5))], duration_s=LASTS_S,
        clock=WallClock(), watch=watch, **changes,
    )  # fmt: skip


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    account = Account()
    account.away = {2, 3}
    made = watched(
        tmp_path_factory.mktemp("home"), Market(time.time_ns() - HOUR), account, every_s=0.02
    )
    assert "duration" == made.run()
    return made


def told(stage: Stage, name: str) -> list[str]:
    """Ids of what was told, in order."""
    fields = {"fills": "trade_id", "payments": "payment_id"}
    lines = stage.lines("account_seen")
    return [one[fields[name]] for line in lines for one in line["data"][name]]


def test_each_look_is_a_line_and_our_books_stand_beside_it(lived: Stage) -> None:
    """The last one when all is closed."""
    lines = lived.lines()
    types = [line["type"] for line in lines]
    places = [place for place, name in enumerate(types) if name == "account_seen"]
    assert 2 < len(places)
    assert {"simulated_books"} == {types[place + 1] for place in places}
    assert ["account_seen", "simulated_books", "session_ended"] == types[-3:]
    assert lines[places[-1] + 1]["data"]["equity"] == lines[-1]["data"]["equity"]


def test_losing_sight_is_told_once(lived: Stage) -> None:
    """Two looks failed; there is one line, one alert, and the report says for how long."""
    (lost,) = lived.lines("account_unseen")
    assert "away" == lost["data"]["cause"]
    alerts = [line["data"] for line in lived.lines("alert")]
    assert ["account_unseen"] == [one["kind"] for one in alerts if one["kind"] != "health"]
    report = lived.report
    assert report is not None
    looks = report.shadow.looks  # type: ignore[union-attr]
    assert (1, True) == (looks.blind, looks.blind_s > 0.04)


def test_nothing_is_told_twice(lived: Stage) -> None:
    for name in ("fills", "payments"):
        ids = told(lived, name)
        assert len(ids) > 3
        assert [f"{n}" for n in range(1, len(ids) + 1)] == ids


def test_decisions_are_those_of_a_session_that_sees_no_account(lived: Stage) -> None:
    """A kernel that is given every other input decides every other line, byte for byte."""
    feed = Market(0)
    agents = [Quoter(QuoterParams(half_spread_bps=0.5))]
    kernel = Kernel(KernelConfig(), feed.instruments, agents, CAPABILITIES)
    decided, recorded = [], []
    for line in read_journal(lived.folder.path / "events.jsonl"):
        event = input_of(line)
        is_ours = line.type not in ("session_started", "heartbeat", "session_ended")
        if event is None and is_ours and line.type != "simulated_books":
            recorded.append((line.type, line.data))
        if event is not None and line.type not in SEEN_TYPES:
            decided += [written(record) for record in kernel.step(event).records]
    alert = [one for one in recorded if b"account_unseen" in one[1]]
    assert 1 == len(alert)
    assert [one for one in recorded if one not in alert] == decided
    assert 5 < len(decided)


def _resumed(home: Path, lived: Stage, keep: int, account: Account) -> Stage:
    """Go on with a run of which so many lines are left."""
    raw = (lived.folder.path / "events.jsonl").read_bytes().splitlines(keepends=True)[:keep]
    home.mkdir()
    path = home / "left.jsonl"
    path.write_bytes(b"".join(raw))
    market = Market(time.time_ns())
    past = RecordedFeed(
        path, market.instruments, source="scripted", is_simulated=False, lines_max=keep
    )
    feed = ResumedFeed(past, market)  # type: ignore[arg-type]
    recorded = Recorded(path)
    made = watched(
        home, feed, account, fd=os.open(path, os.O_RDWR | os.O_APPEND), recorded=recorded
    )
    assert "duration" == made.run()
    assert raw == path.read_bytes().splitlines(keepends=True)[:keep]
    (made.folder.path / "events.jsonl").write_bytes(path.read_bytes())
    return made


@pytest.mark.parametrize("left_out", [1, 2, 3, 10, 30])
def test_wherever_it_died_it_goes_on_and_tells_nothing_twice(
    tmp_path: Path, lived: Stage, left_out: int
) -> None:
    """Also between its last look and its end."""
    keep = len(lived.lines()) - left_out
    account = Account()
    account.looks = len(told(lived, "fills"))
    made = _resumed(tmp_path / "again", lived, keep, account)
    for name in ("fills", "payments"):
        ids = told(made, name)
        assert sorted(set(ids), key=int) == sorted(ids, key=int)
    assert ["account_seen", "simulated_books", "session_ended"] == [
        line["type"] for line in made.lines()[-3:]
    ]
    assert account.asked[0] is not None, "it asks from where it was"


# --- the watch alone ------------------------------------------------------------------------------


async def test_a_look_that_was_not_taken_is_in_the_last_one() -> None:
    account = Account()
    watch = Watch(account, 0.01, lambda: None)  # type: ignore[arg-type]
    async with watch:
        watch.go_live()
        async with asyncio.timeout(10):
            while account.looks < 4:
                await asyncio.sleep(0.005)
        last = await watch.last()
        assert isinstance(last, AccountSeen)
        assert [f"{n}" for n in range(1, account.looks + 1)] == [f.trade_id for f in last.fills]
        assert watch.take() is None


async def test_what_was_recalled_is_known() -> None:
    account = Account()
    watch = Watch(account, 60, lambda: None)  # type: ignore[arg-type]
    watch.recall(seen_of(range(1, 3), taken_ns=70_000_000_000))
    watch.recall(AccountUnseen(0, "away"))
    account.looks, account.away = 2, {3}
    async with watch:
        assert await watch.last() is None, "that it is away was told"
        last = await watch.last()
    assert isinstance(last, AccountSeen)
    assert ["3", "4"] == [fill.trade_id for fill in last.fills]
    assert [10_000_000_000] * 2 == account.asked


async def test_failures_make_looks_rarer() -> None:
    """Each pause is twice the one before, up to eight times: used up limits get room."""
    account = Account()
    account.away = set(range(1, 100))
    watch = Watch(account, 0.02, lambda: None)  # type: ignore[arg-type]
    async with watch:
        watch.go_live()
        async with asyncio.timeout(20):
            while account.looks < 6:
                await asyncio.sleep(0.005)
    pauses = [later - before for before, later in pairwise(account.at_s)]
    assert all(pause >= 0.02 * times for pause, times in zip(pauses, (2, 4, 8, 8, 8), strict=False))
    assert isinstance(watch.take(), AccountUnseen)
    assert watch.take() is None


def test_the_line_holds_everything(tmp_path: Path) -> None:
    """There and back, as the journal does it."""
    seen = seen_of(range(3), taken_ns=5)
    assert seen == msgspec.json.decode(msgspec.json.encode(seen), type=INPUT_TYPES["account_seen"])
    assert "1" == json.loads(msgspec.json.encode(seen))["fills"][0]["price"]
