"""A session on a market and at a venue that happen now: its beginning, its clock, its resume."""

import asyncio
import errno
import os
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from brokers.link.account import Picture
from brokers.link.broker import LiveBroker
from brokers.mock.config import MockConfig
from brokers.mock.feed import MockFeed
from brokers.paper.config import PaperConfig
from engine.kernel import KernelConfig
from engine.model.instrument import Instrument
from engine.model.market import Quote
from engine.model.venue_events import VenueEvent
from engine.risk.limits import RiskLimits
from engine.session.clock import WallClock
from engine.session.recorded import Recorded
from engine.session.recorded_feed import RecordedFeed
from engine.session.resumed_feed import ResumedFeed
from engine.session.start import Arming
from tests.brokers.link.desk import CAN, RUN, Account
from tests.engine.kernel.rig import BUY, INSTANT, Scripted, market
from tests.engine.session.test_runner import SECOND, Stage, quote

ARMING = Arming("scripted 60", "a test")
HOUR = 3_600 * SECOND
LASTS_S = 0.6


class Agreeing(Account):
    """Has what the session has."""

    async def picture(self, since_ns: int) -> Picture:
        return Picture(time.time_ns(), (), (), (), Decimal(10_000))


class Market:
    """Brings a quote every 20 ms, stamped by a clock that is an hour ahead; before that, `first`."""

    name = "scripted"
    is_simulated = False

    def __init__(self, first_ns: int) -> None:
        self._first_ns = first_ns
        self.brought = 0

    @property
    def instruments(self) -> Sequence[Instrument]:
        return MockFeed(("BTCUSDT",), MockConfig(), 1, 0).instruments

    def batches(self) -> Iterator[Sequence[Quote]]:
        yield [quote(self._first_ns), quote(self._first_ns + 50, 1)]
        while True:
            self.brought += 1
            yield [quote(self._first_ns + HOUR, self.brought % 3)]
            yield ()

    async def discover(self) -> None: ...

    async def arrived(self, within_s: float, take: Any = None) -> None:
        await asyncio.sleep(min(within_s, 0.02))

    def nudge(self) -> None: ...

    async def __aenter__(self) -> "Market":
        return self

    async def __aexit__(self, *_: object) -> None: ...


class Offering(Market):
    """Offers each quote as it comes; what is not taken comes with the next batch."""

    def __init__(self, first_ns: int) -> None:
        super().__init__(first_ns)
        self.taken = 0
        self.left: list[Quote] = []
        self.on_offer: Callable[[], object] = lambda: None
        self.on_taken: Callable[[], object] = lambda: None
        self.on_left: Callable[[], object] = lambda: None

    def batches(self) -> Iterator[Sequence[Quote]]:
        yield [quote(self._first_ns), quote(self._first_ns + 50, 1)]
        while True:
            left, self.left = self.left, []
            yield left

    async def arrived(self, within_s: float, take: Any = None) -> None:
        await asyncio.sleep(min(within_s, 0.02))
        self.brought += 1
        self.on_offer()
        event = quote(self._first_ns + HOUR, self.brought % 3)
        if take(event):
            self.taken += 1
            self.on_taken()
        else:
            self.left.append(event)
            self.on_left()


def at(account: Account, feed: Any) -> Callable[..., LiveBroker]:
    return lambda sink, now_ns: LiveBroker(
        account, feed.instruments, sink, ids=CAN.ids_of(RUN), now_ns=now_ns,  # type: ignore[arg-type]
        wake=feed.nudge,
    )  # fmt: skip


def stage(home: Path, feed: Any, account: Account, **changes: Any) -> Stage:
    return Stage(
        home, feed, [Scripted("a")], duration_s=LASTS_S, clock=WallClock(), broker=at(account, feed),
        arming=ARMING, **changes,
    )  # fmt: skip


@pytest.fixture(scope="module")
def begun_ns() -> int:
    return time.time_ns() - HOUR


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, begun_ns: int) -> Stage:
    made = stage(tmp_path_factory.mktemp("home"), Market(begun_ns), Agreeing())
    assert "duration" == made.run()
    return made


def names(stage: Stage) -> list[str]:
    found = stage.lines()
    return [line["data"].get("command", line["type"]) for line in found]


def test_it_is_armed_and_compared_with_the_venue_before_anything_else(lived: Stage) -> None:
    order = [n for n in names(lived) if n in ("session_started", "arm", "reconcile", "quote")]
    assert ["session_started", "arm", "reconcile", "quote"] == order[:4]
    assert 1 == order.count("arm")
    (arm,) = (line for line in lived.lines("operator_command") if line["data"]["command"] == "arm")
    assert ("scripted 60", "a test") == (arm["data"]["argument"], arm["data"]["by"])


def test_the_first_batch_is_the_beginning_and_later_ones_come_when_they_come(
    lived: Stage, begun_ns: int
) -> None:
    """By the session's clock: what a source that is an hour ahead says of the time is not used."""
    stamps = [line["ts"] for line in lived.lines("quote")]
    assert [begun_ns, begun_ns] == stamps[:2]
    assert 5 < len(stamps)
    assert begun_ns < stamps[2]
    assert stamps[-1] < begun_ns + 10 * SECOND
    everything = [line["ts"] for line in lived.lines()]
    assert sorted(everything) == everything


def _resumed(home: Path, lived: Stage, keep: int, account: Account) -> Stage:
    """Go on with a run of which so many lines are left."""
    raw = (lived.folder.path / "events.jsonl").read_bytes().splitlines(keepends=True)[:keep]
    home.mkdir()
    path = home / "left.jsonl"
    path.write_bytes(b"".join(raw))
    recorded = Recorded(path)
    recorded.count_outside(get_args(VenueEvent))
    market = Market(time.time_ns())
    past = RecordedFeed(
        path, market.instruments, source="scripted", is_simulated=False, lines_max=keep
    )
    feed = ResumedFeed(past, market)  # type: ignore[arg-type]
    made = stage(home, feed, account, fd=os.open(path, os.O_RDWR | os.O_APPEND), recorded=recorded)
    assert "duration" == made.run()
    assert raw == path.read_bytes().splitlines(keepends=True)[:keep]
    (made.folder.path / "events.jsonl").write_bytes(path.read_bytes())
    return made


@pytest.mark.parametrize("keep", [1, 2, 3, 5, 8, 13, 21, 34])
def test_wherever_it_died_it_goes_on_later_and_has_its_time(
    tmp_path: Path, lived: Stage, keep: int
) -> None:
    """Also before its first quote: armed anew, compared anew, and the pause counts for nothing."""
    assert keep < len(lived.lines())
    made = _resumed(tmp_path / "again", lived, keep, Agreeing())
    lines = made.lines()
    (resumed,) = made.lines("session_resumed")
    place = lines.index(resumed)
    assert HOUR < resumed["data"]["paused_ns"] + SECOND
    after = [line["data"].get("command", line["type"]) for line in lines[place:]]
    assert ["arm", "reconcile"] == [n for n in after if n in ("arm", "reconcile")][:2]
    assert "quote" in after
    (end,) = (x for x in lines if x["data"].get("command") == "duration_elapsed")
    lived_ns = end["ts"] - lines[0]["ts"] - resumed["data"]["paused_ns"]
    assert round(LASTS_S * SECOND) == lived_ns
    stamps = [line["ts"] for line in lines]
    assert sorted(stamps) == stamps


def test_a_difference_found_after_a_pause_has_not_lasted_through_it(
    tmp_path: Path, lived: Stage
) -> None:
    """It is doubted, and given its time, as one that is found while both sides live."""
    made = _resumed(tmp_path / "again", lived, 8, Account())
    found = [line["data"]["findings"] for line in made.lines("sync_report")]
    assert ["balance_drift balance: -9999"] in found


def test_what_is_taken_as_it_comes_is_taken_like_everything_else(
    tmp_path: Path, begun_ns: int
) -> None:
    """Once, by the session's clock, behind the beats that were due: a rerun takes it there."""
    market = Offering(begun_ns)
    made = stage(tmp_path / "home", market, Agreeing())
    assert "duration" == made.run()
    stamps = [line["ts"] for line in made.lines("quote")]
    late = market.brought - len(market.left) - (len(stamps) - 2)
    assert late in (0, 1), "one may come with the end"
    assert len(made.lines("quote")) == made.session._course.taken, "as a checkpoint counts them"
    assert 10 < market.taken
    everything = [line["ts"] for line in made.lines()]
    assert sorted(everything) == everything
    assert stamps[-1] < begun_ns + 10 * SECOND
    again = _resumed(tmp_path / "again", made, 21, Agreeing())
    assert stamps[:5] == [line["ts"] for line in again.lines("quote")][:5]


@pytest.mark.parametrize("fill_ms", [0.0, 5.0])
def test_the_close_begins_when_a_rerun_lets_it_begin(
    tmp_path: Path, begun_ns: int, fill_ms: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the input that asked for it: a fill of what was taken as it came, or one due before it."""
    config = KernelConfig(limits=RiskLimits(max_trades=1, max_slippage_bps=None))
    monkeypatch.setattr("tests.engine.session.test_runner.KernelConfig", lambda: config)
    agent, feed = Scripted("a"), Offering(begun_ns)
    paper = PaperConfig(**(INSTANT | {"fill_latency_ms": fill_ms}), latency_jitter=0.0)  # type: ignore[arg-type]
    made = Stage(tmp_path, feed, [agent], duration_s=LASTS_S, clock=WallClock(), paper=paper)
    feed.on_offer = lambda: (
        agent.next.append(("BTCUSDT", market(BUY, "0.01"))) if feed.brought == 3 else None
    )
    assert "max_trades" == made.run()
    began_ns = made.lines("fill")[0]["ts"]
    assert began_ns + 5 * SECOND == made.session._course.close_by_ns


@pytest.mark.parametrize("word", ["kill", "disk"])
def test_nothing_is_taken_as_it_comes_before_what_ends_the_session(
    tmp_path: Path, begun_ns: int, word: str
) -> None:
    """Somebody's kill, or a disk that fails: no order leaves that an event behind it asked for."""
    feed = Offering(begun_ns)
    made = stage(tmp_path, feed, Agreeing())

    def says() -> None:
        if feed.brought == 3:
            offered.append(feed.taken)
            if word == "kill":
                made.session._stops.latch("kill.txt")
            else:
                made.journal._stop(OSError(errno.EIO, "gone"))

    offered: list[int] = []
    feed.on_offer = says
    made.run()
    assert offered == [feed.taken]


def test_an_order_has_left_when_the_event_it_follows_from_is_taken(
    tmp_path: Path, begun_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its lines on the disk, and before the loop comes round."""
    monkeypatch.setattr("engine.session.journal.PATIENCE_S", 30.0)
    agent, account, feed = Scripted("a"), Agreeing(), Offering(begun_ns)
    made = Stage(
        tmp_path, feed, [agent], duration_s=LASTS_S, clock=WallClock(), broker=at(account, feed),
        arming=ARMING,
    )  # fmt: skip
    made.session._turn._must_wait = lambda: True
    left: list[tuple[bool, bool, bool]] = []

    def wish() -> None:
        if feed.taken == 3:
            agent.next.append(("BTCUSDT", market(BUY, "0.01")))

    def look() -> None:
        if feed.taken == 4:
            is_durable = made.journal.durable == made.journal.events
            left.append(("place" in account.names(), is_durable, made.session._turn.is_waiting))

    feed.on_offer, feed.on_taken, feed.on_left = wish, look, agent.next.clear
    made.run()
    assert [(True, True, True)] == left, "what is left of its turn comes later"
