"""Sessions that real processes record, to be played back."""

from pathlib import Path

import pytest

from tests.laptop_agents.recorded import record


def record_short(factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds with fills, round trips and a breaker's pause: some 700 inputs."""
    words = ("--set", "risk.max_consecutive_losses=1", "--set", "agents.quoter.half_spread_bps=0.5")
    return record(factory.mktemp("short"), *words, minutes="0.35") / "events.jsonl"


def record_long(factory: pytest.TempPathFactory) -> Path:
    """Ten minutes of one instrument."""
    words = (
        "--set", "agents.quoter.half_spread_bps=0.5", "--set", "risk.max_consecutive_losses=none",
    )  # fmt: skip
    return record(factory.mktemp("long"), *words, minutes="10") / "events.jsonl"
