"""The replay promise: a journal's inputs, fed to a fresh kernel, make every decision again."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brokers.file.feed import FileFeed
from brokers.mock.config import MockConfig
from brokers.mock.faults import FAULTS
from brokers.mock.feed import MockFeed
from engine.agents.quoter import Quoter, QuoterParams
from engine.agents.trend import Trend, TrendParams
from engine.kernel import KernelConfig
from engine.model.events import INPUT_TYPES
from engine.risk.limits import RiskLimits
from tests.engine.kernel.replaying import fresh_kernel, parsed, played, replayed

START = 1_700_000_000_123_456_789
DATA = Path(os.environ.get("LAPTOP_AGENTS_DATA", Path(__file__).parents[4] / "shared" / "data"))
CAPTURE = DATA / "raw" / "binance_usdm_btcusdt_20240718.jsonl.gz"

TIGHT = KernelConfig(
    limits=RiskLimits(
        max_orders_per_minute=20,
        throttle_wait_ms=2_000,
        max_consecutive_losses=2,
        cooldown_s=7.0,
        max_position_notional=Decimal(700),
    ),
    policy="priority",
    priorities={"trend": 2, "quoter": 1},
)
"""Limits that bite, so that parked, refused and paused appear."""

SOURCES: dict[str, Any] = {
    "calm": lambda: MockFeed(("BTCUSDT",), MockConfig(), 3, START),
    "two symbols": lambda: MockFeed(("BTCUSDT", "ETHUSDT"), MockConfig(), 4, START),
    "every fault": lambda: MockFeed(
        ("BTCUSDT", "ETHUSDT"), MockConfig(faults=tuple(FAULTS)), 5, START
    ),
}


def agents() -> list[Any]:
    return [
        Quoter(QuoterParams(half_spread_bps=0.3)),
        Trend(TrendParams(bar_interval_s=1, fast=2, slow=4)),
    ]


@pytest.mark.parametrize("config", [KernelConfig(), TIGHT], ids=["defaults", "tight"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_mock_journal_replays(source: str, config: KernelConfig) -> None:
    """Every decision line again: type, time and bytes."""
    feed = SOURCES[source]()
    lines = played(feed, agents(), seconds=120, config=config)

    pairs = list(replayed(lines, fresh_kernel(feed.instruments, agents(), config)))

    assert 100 < len(pairs)
    assert [] == [pair for pair in pairs if pair[0] != pair[1]][:1]
    assert "fill" in {line.name for line, _ in pairs}


def test_the_same_inputs_give_the_same_journal() -> None:
    """Two runs from one seed agree byte for byte; another seed does not."""
    one, two = (played(SOURCES["calm"](), agents(), seconds=60) for _ in range(2))
    other = played(MockFeed(("BTCUSDT",), MockConfig(), 8, START), agents(), seconds=60)

    assert one == two
    assert one != other


@pytest.mark.skipif(not CAPTURE.exists(), reason=f"no recorded data at {CAPTURE}")
def test_a_real_capture_replays() -> None:
    """The same for a recorded market."""
    feed = FileFeed([CAPTURE])
    lines = played(feed, agents(), seconds=90)

    pairs = list(replayed(lines, fresh_kernel(feed.instruments, agents())))

    assert 100 < len(pairs)
    assert [] == [pair for pair in pairs if pair[0] != pair[1]][:1]


def test_replay_needs_no_venue_answers_of_its_own() -> None:
    """The journal holds every kind of input the session had, and nothing of unknown type."""
    lines = played(SOURCES["every fault"](), agents(), seconds=180, config=TIGHT)
    names = {parsed(line).name for line in lines}

    assert {"quote", "trade", "depth", "funding", "malformed", "feed_status", "timer",
            "venue_accepted", "venue_fill", "operator_command"} <= names & set(INPUT_TYPES)  # fmt: skip
