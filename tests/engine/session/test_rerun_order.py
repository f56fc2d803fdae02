"""A command that came while something was on its way to the simulated venue: a rerun takes it there.

What reaches a venue leaves no line, but draws how long the answer takes: whether a command's own
requests draw before it or behind decides every later answer.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brokers.paper.config import PaperConfig
from engine.agents.quoter import Quoter, QuoterParams
from engine.model.events import Operator
from engine.model.market import FeedEvent
from engine.session.clock import SimulatedClock
from engine.session.recorded import Recorded
from engine.session.recorded_feed import RecordedFeed
from engine.session.resumed_feed import ResumedFeed
from engine.session.stops import Request, Stops
from tests.engine.session.test_runner import START, Stage, mock, quote

MS = 1_000_000
PAPER = PaperConfig(submit_latency_ms=20, cancel_latency_ms=20, ack_latency_ms=30)
LASTS_S = 1.0


class Scripted:
    """Event time that stops wherever a person asks for something."""

    is_simulated = False

    def __init__(self, stops: Stops, asks: dict[int, Operator], late_ns: int = 0) -> None:
        self._stops, self._asks = stops, dict(sorted(asks.items()))
        self._now_ns, self._late_ns = 0, late_ns

    def start(self, event_ns: int) -> None:
        self._now_ns = event_ns

    def reached(self) -> int:
        return self._now_ns

    def today(self) -> int:
        return 0

    async def wait(self, event_ns: int) -> bool:
        await asyncio.sleep(0)
        at_ns = next((at for at in self._asks if at <= event_ns), event_ns)
        self._now_ns = max(self._now_ns, at_ns + self._late_ns)
        if at_ns in self._asks:
            self._stops.ask(Request(self._asks.pop(at_ns), "a person", ""))
        return self._now_ns >= event_ns


def lived(home: Path, asks: dict[int, Operator], late_ns: int = 0) -> Stage:
    stops = Stops([])
    made = stage(home, clock=Scripted(stops, asks, late_ns), stops=stops)
    assert "duration" == made.run()
    return made


def stage(home: Path, feed: Any = None, **changes: Any) -> Stage:
    agents = [Quoter(QuoterParams(half_spread_bps=0.5, order_notional=Decimal(300)))]
    return Stage(home, feed or mock(50.0), agents, duration_s=LASTS_S, paper=PAPER, **changes)


class Quiet:
    """A live market that says a word at first, and wakes its session late from then on."""

    name = "quiet"
    is_simulated = False
    instruments = mock().instruments

    def __init__(self, clock: Scripted, first_ns: int) -> None:
        self._clock, self._first_ns = clock, first_ns

    def batches(self) -> Iterator[Sequence[FeedEvent]]:
        yield [quote(self._first_ns)]
        while True:
            yield ()

    async def discover(self) -> None: ...

    async def arrived(self, within_s: float, take: Any = None) -> None:
        await self._clock.wait(self._clock.reached() + round(within_s * 1e9))

    def nudge(self) -> None: ...

    async def __aenter__(self) -> "Quiet":
        return self

    async def __aexit__(self, *_: object) -> None: ...


def first_order_ns(home: Path) -> int:
    return lived(home, {}).lines("order_submitted")[0]["ts"]


@pytest.mark.parametrize("late_ms", [0, 7])
@pytest.mark.parametrize("ms", range(1, 72, 5))
def test_whenever_a_command_came_a_rerun_decides_the_same(
    tmp_path: Path, ms: int, late_ms: int
) -> None:
    """Before the order is at the venue, while its answer is on the way, and behind that.

    Where the session wakes up late it comes in the very instant in which something is due.
    """
    ordered_ns = first_order_ns(tmp_path / "plain")
    assert START <= ordered_ns
    asks = {ordered_ns + ms * MS: Operator.PAUSE, ordered_ns + (ms + 9) * MS: Operator.RESUME}
    made = lived(tmp_path / "lived", asks, late_ms * MS)
    assert 2 == len(made.lines("operator_command")) - 1, "and the end of the duration"
    raw = (made.folder.path / "events.jsonl").read_bytes().splitlines(keepends=True)
    path = tmp_path / "left.jsonl"
    path.write_bytes(b"".join(raw[:-30]))
    again = stage(
        tmp_path / "again", clock=SimulatedClock(), fd=os.open(path, os.O_RDWR | os.O_APPEND),
        recorded=Recorded(path),
    )  # fmt: skip
    assert "duration" == again.run()


@pytest.mark.parametrize("ms", range(1, 72, 10))
def test_so_it_is_on_a_live_market(tmp_path: Path, ms: int) -> None:
    """There the time of a command is that of the clock: not later than what is due, all the same."""
    stops = Stops([])
    asks = {START + ms * MS: Operator.PAUSE, START + (ms + 9) * MS: Operator.RESUME}
    clock = Scripted(stops, asks, 7 * MS)
    made = stage(tmp_path / "lived", feed=Quiet(clock, START), clock=clock, stops=stops)
    assert "duration" == made.run()
    raw = (made.folder.path / "events.jsonl").read_bytes().splitlines(keepends=True)
    path, keep = tmp_path / "left.jsonl", len(raw) - 5
    path.write_bytes(b"".join(raw[:keep]))
    clock = Scripted(Stops([]), {})
    past = RecordedFeed(path, Quiet.instruments, source="quiet", is_simulated=False, lines_max=keep)
    again = stage(
        tmp_path / "again", feed=ResumedFeed(past, Quiet(clock, START)), clock=clock,
        fd=os.open(path, os.O_RDWR | os.O_APPEND), recorded=Recorded(path),
    )  # fmt: skip
    assert "duration" == again.run()
