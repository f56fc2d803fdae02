"""A live source with a past: the journal's market, one silence, and then what comes now."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.model.errors import StateDamaged
from engine.model.events import HealthChanged, Operator, OperatorCommand, Timer
from engine.model.instrument import Instrument
from engine.model.market import FeedStatus, Malformed, Quote
from engine.model.venue_events import VenueAccepted
from engine.session.journal import MemoryJournal
from engine.session.recorded_feed import BATCH_EVENTS, RecordedFeed
from engine.session.resumed_feed import ResumedFeed
from engine.venue import LiveFeed
from tests.engine.factories import BTC, instrument

TS = 1_700_000_000_000_000_000


def quote(at: int) -> Quote:
    return Quote(TS + at, BTC, 100, 1, 101, 1)


class Now:
    """A market that brings one quote and then is silent."""

    name = "binance"
    is_simulated = False

    def __init__(self, *instruments: Instrument) -> None:
        self.instruments = instruments or (instrument(),)
        self.did: list[Any] = []

    def batches(self) -> Iterator[Sequence[Quote]]:
        yield [quote(9)]
        while True:
            yield ()

    async def discover(self) -> None:
        self.did.append("discover")

    async def arrived(self, within_s: float, take: Any = None) -> None:
        self.did.append(within_s)

    def nudge(self) -> None:
        self.did.append("nudge")

    async def __aenter__(self) -> "Now":
        self.did.append("open")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.did.append("close")


def past(tmp_path: Path, *events: Any, lines_max: int | None = None) -> RecordedFeed:
    lines = MemoryJournal()
    lines.note("session_started", TS, {"run_id": "r"})
    lines.extend(events)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(lines.lines))
    return RecordedFeed(
        path, [instrument()], source="binance", is_simulated=False, lines_max=lines_max
    )


def first(feed: ResumedFeed, count: int) -> list[Sequence[Any]]:
    return [batch for batch, _ in zip(feed.batches(), range(count), strict=False)]


def test_the_past_then_nothing_once_then_now(tmp_path: Path) -> None:
    """Market, and what its source said of it; not what people, machine and venue did."""
    told = FeedStatus(TS + 2, "binance", is_connected=False, reason="cut")
    bad = Malformed(TS + 3, BTC, "malformed")
    was = past(
        tmp_path, quote(1), OperatorCommand(TS + 1, Operator.PAUSE, "cli"), told, Timer(TS + 2),
        VenueAccepted(TS + 2, BTC, "a-1", "v"), bad,
        HealthChanged(TS + 3, "rss_mb", 1.0, 2.0, True), quote(4),
    )  # fmt: skip
    assert [[quote(1), told, bad, quote(4)], (), [quote(9)], ()] == first(
        ResumedFeed(was, Now()), 4
    )


def test_a_stretch_without_market_is_no_end_of_it(tmp_path: Path) -> None:
    """Silence tells the session that the journal has no more: it comes once, behind all of it."""
    noise = [HealthChanged(TS + 2, "rss_mb", 1.0, 2.0, True)] * (2 * BATCH_EVENTS)
    batches = first(ResumedFeed(past(tmp_path, quote(1), *noise, quote(3)), Now()), 4)
    assert [[quote(1)], [quote(3)], (), [quote(9)]] == batches


def test_a_torn_tail_is_not_past(tmp_path: Path) -> None:
    batches = first(ResumedFeed(past(tmp_path, quote(1), quote(2), lines_max=2), Now()), 2)
    assert [[quote(1)], ()] == batches


def test_rules_that_changed_meanwhile_end_the_run(tmp_path: Path) -> None:
    """A tick of another size would give every recorded price another meaning."""
    with pytest.raises(StateDamaged, match="changed the rules"):
        ResumedFeed(past(tmp_path, quote(1)), Now(instrument(max_leverage=3)))


async def test_it_listens_from_the_start_and_is_a_live_source(tmp_path: Path) -> None:
    now = Now()
    feed = ResumedFeed(past(tmp_path, quote(1)), now)
    assert isinstance(feed, LiveFeed)
    async with feed:
        await feed.discover()
        await feed.arrived(0.25)
        feed.nudge()
    assert ["open", 0.25, "nudge", "close"] == now.did
    assert ("binance", False, (instrument(),)) == (feed.name, feed.is_simulated, feed.instruments)
