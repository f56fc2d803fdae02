"""A whole session from its real parts, under a clock that leaps or runs."""

import asyncio
import decimal
import itertools
import json
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brokers.mock.config import MockConfig
from brokers.mock.feed import MockFeed
from brokers.paper.config import PaperConfig
from brokers.paper.venue import CAPABILITIES, PaperVenue
from engine.agents.quoter import Quoter, QuoterParams
from engine.agents.trend import Trend, TrendParams
from engine.kernel import Kernel, KernelConfig
from engine.model.events import INPUT_TYPES, HealthChanged, Operator, OperatorCommand
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent, Malformed, Quote
from engine.model.money import use_exact_arithmetic
from engine.model.venue_events import VenueEvent
from engine.reports.schema import FinalReport
from engine.session.checkpoint import Checkpoints
from engine.session.clock import Clock, SimulatedClock, WallClock
from engine.session.config import HealthConfig
from engine.session.course import TIMER_NS, Plan
from engine.session.envelope import Plain
from engine.session.health import HealthMonitor, HealthReading
from engine.session.journal import Journal
from engine.session.log import open_log
from engine.session.manifest import Manifest, Versions, utc
from engine.session.progress import Progress
from engine.session.record import Identity, SessionRecord
from engine.session.recorded import Recorded
from engine.session.run_folder import RunFolder
from engine.session.runner import Session
from engine.session.start import Arming
from engine.session.stops import Request, Stops
from engine.session.turn import Turn
from tests.engine.kernel.rig import BUY, HandVenue, Scripted, limit, market

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND + 123_456_789
GRID = 1_700_000_000 * SECOND


class Calm:
    """A probe that never finds anything worth an alert."""

    def read(self) -> HealthReading:
        return HealthReading(cpu_pct=1.0, rss_mb=50.0, disk_free_mb=10_000.0)


class ListFeed:
    """Offers given events, in batches of `size`."""

    name = "list"
    is_simulated = True

    def __init__(
        self, events: Sequence[FeedEvent] | Callable[[], Iterator[FeedEvent]], size: int = 50
    ) -> None:
        self._events, self._size = events, size

    @property
    def instruments(self) -> Sequence[Instrument]:
        return MockFeed(("BTCUSDT",), MockConfig(), 1, 0).instruments

    def batches(self) -> Iterator[Sequence[FeedEvent]]:
        events = iter(self._events() if callable(self._events) else self._events)
        batch: list[FeedEvent] = []
        for event in events:
            batch.append(event)
            if len(batch) == self._size:
                yield batch
                batch = []
        if batch:
            yield batch


def quote(at_ns: int, step: int = 0) -> Quote:
    return Quote(at_ns, "BTCUSDT", 1_000_000 + step, 50_000, 1_000_001 + step, 50_000)


class Stage:
    """One session on a folder of its own."""

    def __init__(
        self,
        home: Path,
        feed: Any,
        agents: Sequence[Any] = (),
        *,
        duration_s: float | None = None,
        clock: Clock | None = None,
        broker: Any = None,
        paper: PaperConfig | None = None,
        close_deadline_s: float = 5.0,
        fd: int | None = None,
        run_id: str = "r1",
        stops: Stops | None = None,
        recorded: Recorded | None = None,
        arming: Arming | None = None,
        watch: Any = None,
    ) -> None:
        self.folder = RunFolder.create(home, run_id)
        self.kill = self.folder.path / "kill.txt"
        inbox: deque[VenueEvent] = deque()
        symbols = tuple(i.symbol for i in feed.instruments)
        agents = agents or [Quoter(QuoterParams(half_spread_bps=0.5)), Trend(TrendParams())]
        self.clock = clock or SimulatedClock()
        if isinstance(broker, type(lambda: 0)):
            broker = broker(inbox.append, self.clock.reached)
        self.venue = broker or PaperVenue(
            feed.instruments, paper or PaperConfig(), 7, Decimal(10_000), inbox.append, "r1"
        )
        self.kernel = Kernel(KernelConfig(), feed.instruments, agents, CAPABILITIES)
        fd = self.folder.create_file("events.jsonl") if fd is None else fd
        self.journal = Journal(fd, recorded)
        manifest = Manifest(
            run_id=run_id,
            versions=Versions("0", "3", 1),
            git_revision=None,
            mode="paper",
            simulated=True,
            source=feed.name,
            symbols=symbols,
            agents=tuple(agent.name for agent in agents),
            settings={},
            seed=7,
            started_at=utc(START),
        )
        self.record = SessionRecord(
            Identity(
                manifest=manifest,
                start_ns=START,
                starting_balance=Decimal(10_000),
                requested_duration_s=duration_s,
                instruments=tuple(feed.instruments),
                settings={},
            ),
            kernel=self.kernel,
            folder=self.folder,
            journal=self.journal,
            log=open_log(self.folder.path / "session.log"),
            progress=Progress(None, "quiet"),
            health=HealthMonitor(HealthConfig(max_loop_lag_ms=60_000), Calm()),
            is_paced=not self.clock.is_simulated,
        )
        turn = Turn(
            self.kernel, self.venue, inbox, self.journal,
            detail="inputs", observe=self.record.follow, on_order_ns=self.record.on_order_ns,
        )  # fmt: skip
        self.session = Session(
            Plan(
                duration_s=duration_s,
                close_deadline_s=close_deadline_s,
                flush_s=0.02,
                sync_s=0.1,
                commit_wait_ms=100,
            ),
            feed=feed,
            broker=self.venue,
            turn=turn,
            clock=self.clock,
            journal=self.journal,
            record=self.record,
            stops=stops or Stops([home / "kill.txt", self.kill]),
            checkpoints=Checkpoints(self.folder, 60, Plain(), run_id, self.journal.reaches_disk),
            arming=arming,
            watch=watch,
        )
        self.report: FinalReport | None = None
        self.took_s = 0.0

    def run(self) -> str:
        """To the end and through the report."""
        began = time.monotonic()
        try:
            reason = asyncio.run(self.session.run())
            self.took_s = time.monotonic() - began
            self.report = self.record.finish(reason)
        finally:
            self.record.close()
        return reason

    def lines(self, *names: str) -> list[dict[str, Any]]:
        with (self.folder.path / "events.jsonl").open("rb") as file:
            read = [json.loads(line) for line in file]
        return [line for line in read if not names or line["type"] in names]

    def decisions(self) -> list[tuple[Any, ...]]:
        """What was decided, but for the machine's own health."""
        return [
            (line["ts"], line["type"], json.dumps(line["data"]))
            for line in self.lines()
            if line["type"] not in INPUT_TYPES
            and line["type"] != "session_started"
            and not str(line["data"].get("kind", "")).startswith("health_")
        ]


def mock(events_per_s: float = 20.0, seed: int = 7) -> MockFeed:
    return MockFeed(("BTCUSDT",), MockConfig(events_per_s=events_per_s), seed, START)


@pytest.fixture(scope="module")
def ten_minutes(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The reference session: ten minutes of two agents."""
    decimal.setcontext(decimal.getcontext().copy())
    use_exact_arithmetic()
    stage = Stage(tmp_path_factory.mktemp("home"), mock(), duration_s=600)
    stage.run()
    return stage


def test_ten_minutes_take_seconds(ten_minutes: Stage) -> None:
    """And end as planned, flat, with trades."""
    report = ten_minutes.report
    assert report is not None
    assert ("duration", 0, ()) == (report.stop_reason, report.exit_code, report.positions_at_end)
    assert 10 < report.trades
    assert ten_minutes.took_s < 20
    assert "STOPPED" == report.fsm.final_state
    assert 600 <= report.duration_s <= 605


def test_timers_stand_on_the_grid(ten_minutes: Stage) -> None:
    """Every 250 ms of event time, none missing, none twice."""
    timers = [line["ts"] for line in ten_minutes.lines("timer")]

    assert (GRID + 250_000_000, {TIMER_NS}) == (
        timers[0], {two - one for one, two in itertools.pairwise(timers)},
    )  # fmt: skip
    assert 2_399 <= len(timers) <= 2_420


def test_a_heartbeat_a_second(ten_minutes: Stage) -> None:
    """600, on whole seconds; the identity holds in each."""
    beats = ten_minutes.lines("heartbeat")

    assert 599 <= len(beats) <= 606
    assert {0} == {beat["ts"] % SECOND for beat in beats}
    for beat in beats:
        data = {k: Decimal(beat["data"][k]) for k in ("equity", "pnl", "balance", "unrealised")}
        assert data["equity"] == 10_000 + data["pnl"] == data["balance"] + data["unrealised"]


def test_the_books_agree_with_the_fills(ten_minutes: Stage) -> None:
    """Equity counted here from nothing but the journal's fills and funding."""
    fills = [line["data"] for line in ten_minutes.lines("fill")]
    funding = sum(Decimal(f["data"]["amount"]) for f in ten_minutes.lines("venue_funding"))
    cash = sum(
        Decimal(f["price"]) * Decimal(f["qty"]) * (-1 if f["side"] == "BUY" else 1) for f in fills
    )
    fees = sum(Decimal(f["fee"]) for f in fills)
    report = ten_minutes.report

    assert report is not None
    assert Decimal(10_000) + cash - fees + funding == report.equity
    assert fees == report.pnl.fees


def test_time_in_the_journal_never_goes_back(ten_minutes: Stage) -> None:
    """Lines stand in the order things happened, and seq counts them."""
    lines = ten_minutes.lines()
    stamps = [line["ts"] for line in lines]

    assert sorted(stamps) == stamps
    assert list(range(1, len(lines) + 1)) == [line["seq"] for line in lines]
    assert ("session_started", "session_ended") == (lines[0]["type"], lines[-1]["type"])


def test_the_report_knows_its_journal(ten_minutes: Stage) -> None:
    """Lines, bytes and head are those of the file."""
    content = (ten_minutes.folder.path / "events.jsonl").read_bytes()
    report = ten_minutes.report

    assert report is not None
    assert (content.count(b"\n"), len(content)) == (report.journal.events, report.journal.bytes)
    assert json.loads(content.splitlines()[-1])["hash"] == report.journal.head_hash


def test_the_first_line_says_what_this_is(ten_minutes: Stage) -> None:
    """Everything a replay needs to know, each instrument's steps among it."""
    data = ten_minutes.lines("session_started")[0]["data"]

    assert ["r1", "paper", True, ["BTCUSDT"], 7, "10000", 600.0] == [
        data[k]
        for k in (
            "run_id", "mode", "simulated", "symbols", "seed", "starting_balance",
            "requested_duration_s",
        )
    ]  # fmt: skip
    assert {"symbol", "tick_size", "lot_size"} <= set(data["instruments"][0])


def test_the_timer_comes_before_an_event_of_its_instant(tmp_path: Path) -> None:
    """So that runs at any speed decide alike."""
    feed = ListFeed([quote(GRID + n * 125_000_000) for n in range(20)])
    stage = Stage(tmp_path, feed)
    stage.run()

    at = [(line["ts"], line["type"]) for line in stage.lines("timer", "quote")]
    shared = [
        name for ts, name in at if ts % TIMER_NS == 0 and ts > GRID and ts < GRID + 2 * SECOND
    ]
    assert ["timer", "quote"] * 7 == shared


@pytest.mark.parametrize(
    ("event", "order"),
    [
        (OperatorCommand(GRID + SECOND, Operator.PAUSE, "cli"), ["operator_command", "timer"]),
        (HealthChanged(GRID + SECOND, "rss_mb", 1.0, 2.0, True), ["timer", "health"]),
    ],
    ids=["command", "health"],
)
def test_a_recorded_input_keeps_its_place(tmp_path: Path, event: Any, order: list[str]) -> None:
    """In its instant a command came first, and health after the beat that measured it."""
    stage = Stage(tmp_path, ListFeed([quote(START), event, quote(GRID + 2 * SECOND)]))
    stage.run()

    now = [row["type"] for row in stage.lines() if row["ts"] == GRID + SECOND]
    assert order == [name for name in now if name in INPUT_TYPES]


def test_data_that_ends_closes_the_session(tmp_path: Path) -> None:
    """end_of_data: positions closed within the deadline of event time, exit 0."""
    agent = Scripted("a")
    agent.next.append(("BTCUSDT", market(BUY, "0.01")))
    feed = ListFeed([quote(START + n * 100_000_000, n % 3) for n in range(50)])
    stage = Stage(tmp_path, feed, [agent])

    assert "end_of_data" == stage.run()
    assert stage.report is not None
    assert (0, (), 2) == (
        stage.report.exit_code, stage.report.positions_at_end, stage.report.trades,
    )  # fmt: skip
    assert stage.report.duration_s < 11


def test_a_duration_longer_than_the_data(tmp_path: Path) -> None:
    """The data ends first; the request is still told."""
    feed = ListFeed([quote(START + n * 100_000_000) for n in range(50)])
    stage = Stage(tmp_path, feed, duration_s=600)

    assert "end_of_data" == stage.run()
    assert stage.report is not None
    assert 600 == stage.report.requested_duration_s


def test_the_duration_ends_between_events(tmp_path: Path) -> None:
    """At its time, also when no event comes then."""
    feed = ListFeed([quote(START + n * 10 * SECOND) for n in range(10)])
    stage = Stage(tmp_path, feed, duration_s=25)

    assert "duration" == stage.run()
    (command,) = stage.lines("operator_command")
    assert START + 25 * SECOND == command["ts"]


def test_a_deaf_venue_meets_the_close_deadline(tmp_path: Path) -> None:
    """A close that can't be finished is given up on time and told as it is."""
    agent = Scripted("a")
    agent.next.append(("BTCUSDT", market(BUY, "0.01")))
    stage = Stage(tmp_path, mock(), [agent], duration_s=3, broker=HandVenue(), close_deadline_s=2.0)
    stage.run()

    last, asked = stage.lines()[-1]["ts"], stage.lines("operator_command")[0]["ts"]
    assert asked + 2 * SECOND <= last <= asked + 2.3 * SECOND
    assert stage.report is not None
    assert 1 == len(stage.kernel.blotter.live)


def test_silence_of_twenty_seconds(tmp_path: Path) -> None:
    """Timers go on, the session degrades, its orders go, and it comes back."""
    agent = Scripted("a")
    agent.next.append(("BTCUSDT", limit(BUY, "0.01", "99999")))
    before = [quote(START + n * 100_000_000) for n in range(50)]
    after = [quote(START + 25 * SECOND + n * 100_000_000) for n in range(120)]
    stage = Stage(tmp_path, ListFeed(before + after), [agent])
    stage.run()

    quiet = (before[-1].ts_ns, after[0].ts_ns)
    timers = [x["ts"] for x in stage.lines("timer") if quiet[0] < x["ts"] <= quiet[1]]
    moves = [(x["data"]["to_state"], x["ts"]) for x in stage.lines("fsm_transition")][2:4]
    canceled = stage.lines("venue_canceled")
    assert 80 == len(timers)
    assert ["DEGRADED", "ACTIVE"] == [name for name, _ in moves]
    assert 5 * SECOND < moves[0][1] - quiet[0] <= 5.25 * SECOND
    assert 5 * SECOND <= moves[1][1] - quiet[1] <= 5.5 * SECOND
    assert 1 == len(canceled)
    assert canceled[0]["ts"] < quiet[1]


def test_a_kill_file_at_full_speed(tmp_path: Path) -> None:
    """Seen within a second of work, however busy the loop is; flat; code 4.

    By processor time: at full speed the loop never rests, and a crowded machine does not stretch it.
    """
    kill = tmp_path / "kill.txt"
    touched = 0.0

    def events() -> Iterator[FeedEvent]:
        nonlocal touched
        for number, batch in enumerate(mock(400).batches()):
            if number == 40:
                kill.touch()
                touched = time.process_time()
            yield from batch

    stage = Stage(tmp_path, ListFeed(events))
    reason = stage.run()
    took = time.process_time() - touched

    assert "kill_file" == reason
    assert took < 1.0
    assert stage.report is not None
    assert (4, ()) == (stage.report.exit_code, stage.report.positions_at_end)
    assert kill.exists()


def test_a_journal_that_fails_ends_the_session(tmp_path: Path) -> None:
    """reliability.md C4: no order after it; orders canceled; code 6."""
    stage = Stage(tmp_path, mock(100), fd=os.open("/dev/full", os.O_RDWR), duration_s=600)

    assert "journal_failure" == stage.run()
    assert stage.report is not None
    assert 6 == stage.report.exit_code
    assert {} == dict(stage.kernel.blotter.live)
    assert "journal_failed" in (stage.folder.path / "session.log").read_text()


def test_a_wall_clock_session_ends_on_time(tmp_path: Path) -> None:
    """40 s at twenty times the speed of life: two seconds."""
    stage = Stage(tmp_path, mock(), duration_s=40, clock=WallClock(20))

    assert "duration" == stage.run()
    assert 1.95 <= stage.took_s < 3.5


def test_speed_changes_no_decision(tmp_path: Path) -> None:
    """The same inputs at full speed and on the wall clock: the same lines, byte for byte."""
    stages = []
    for place, clock in enumerate((SimulatedClock(), WallClock(60))):
        stage = Stage(tmp_path / str(place), mock(40), duration_s=45, clock=clock)
        stage.run()
        stages.append(stage)

    one, two = (stage.decisions() for stage in stages)
    assert [] == [pair for pair in zip(one, two, strict=False) if pair[0] != pair[1]][:1]
    assert len(one) == len(two)
    assert "fill" in {name for _, name, _ in one}


def test_a_kill_while_waiting_keeps_the_order_of_time(tmp_path: Path) -> None:
    """What the venue answers to the kill happens before the next timer, not after it."""
    agent = Scripted("a")
    agent.next.append(("BTCUSDT", market(BUY, "0.01")))
    agent.next.append(("BTCUSDT", limit(BUY, "0.01", "99999")))
    feed = ListFeed([quote(GRID + n * SECOND) for n in range(10)])
    stage = Stage(
        tmp_path, feed, [agent], clock=WallClock(1), paper=PaperConfig(latency_jitter=0.0)
    )

    async def killed() -> str:
        task = asyncio.create_task(stage.session.run())
        await asyncio.sleep(1.27)
        stage.kill.touch()
        return await task

    began = time.monotonic()
    reason = asyncio.run(killed())
    took = time.monotonic() - began
    stage.record.finish(reason)
    stage.record.close()

    stamps = [line["ts"] for line in stage.lines()]
    assert "kill_file" == reason
    assert took < 2.3
    assert sorted(stamps) == stamps


@pytest.mark.parametrize("speed", ["max", "wall"])
def test_two_signals_end_at_once(tmp_path: Path, speed: str) -> None:
    """A venue that never answers does not hold up the second signal."""
    clock = SimulatedClock() if speed == "max" else WallClock(1)

    def events() -> Iterator[FeedEvent]:
        for number in range(1_000_000):
            if number in (300, 400):
                os.kill(os.getpid(), signal.SIGTERM)
            yield quote(START + number * 1_000_000, number % 5)

    agent = Scripted("a")
    agent.next.append(("BTCUSDT", limit(BUY, "0.01", "99999")))
    stage = Stage(
        tmp_path, ListFeed(events, 10), [agent], clock=clock, broker=HandVenue(),
        close_deadline_s=60.0,
    )  # fmt: skip

    assert "signal" == stage.run()
    assert stage.took_s < 2
    assert stage.report is not None
    assert 4 == stage.report.exit_code


def test_a_feed_of_nothing_still_ends(tmp_path: Path) -> None:
    """No event at all is an end of data, not a failure."""
    stage = Stage(tmp_path, ListFeed([]))

    assert "end_of_data" == stage.run()


def test_an_answer_comes_before_a_bad_message(tmp_path: Path) -> None:
    """What was due first is told first, whatever the feed sends: a rerun would do the same."""
    agent = Scripted("a")
    agent.next.append(("BTCUSDT", market(BUY, "0.01")))
    late = START + 100_000_000
    stage = Stage(
        tmp_path, ListFeed([quote(START), Malformed(late, "BTCUSDT", "nan"), quote(late)]), [agent]
    )
    stage.run()
    told = [line["type"] for line in stage.lines("venue_accepted", "venue_fill", "malformed")]

    assert ["venue_accepted", "venue_fill", "malformed"] == told[:3]


class PauseAtOnce(Stops):
    """A person who asks for a pause at the first beat."""

    def __init__(self) -> None:
        super().__init__([])
        self._requests.append(Request(Operator.PAUSE, "test", ""))


def test_an_answer_at_a_beat_comes_before_the_beat(tmp_path: Path) -> None:
    """A cancel asked for and answered at one instant, as a rerun would tell it."""
    agent = Scripted("a")
    agent.next.append(("BTCUSDT", limit(BUY, "0.01", "99900.0")))
    instant = PaperConfig(
        submit_latency_ms=0, amend_latency_ms=0, cancel_latency_ms=0, ack_latency_ms=0
    )
    events = [quote(START), quote(START + SECOND, 1)]
    stage = Stage(tmp_path, ListFeed(events), [agent], paper=instant, stops=PauseAtOnce())
    stage.run()
    names = ("operator_command", "venue_canceled", "timer")

    assert list(names) == [line["type"] for line in stage.lines(*names)][:3]
