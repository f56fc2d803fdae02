"""No fill the market did not offer: the acceptance session, judged by an independent checker."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.fills_checker import check
from tests.end_to_end.shell import CAPTURE, OTHER_CAPTURE, ROOT, Ending, needs, session

CHECKER = Path(__file__).with_name("fills_checker.py")
EAGER = (
    "--set", "agents.quoter.half_spread_bps=0.05", "--set", "agents.quoter.order_notional=2400",
    "--set", "agents.trend.bar_interval_s=1", "--set", "agents.trend.fast=2",
    "--set", "agents.trend.slow=3", "--set", "agents.trend.order_notional=2400",
    "--set", "risk.max_orders_per_minute=2000", "--set", "risk.max_consecutive_losses=10000",
)  # fmt: skip
"""An agent in a hurry: many fills of both kinds."""


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Ending:
    return session(
        tmp_path_factory.mktemp("home"), "--source", f"file:{CAPTURE}", "--agents",
        "trend,quoter", "--speed", "max", "--seed", "7",
    )  # fmt: skip


@pytest.fixture(scope="module")
def eager(tmp_path_factory: pytest.TempPathFactory) -> Ending:
    return session(
        tmp_path_factory.mktemp("home"), "--source", f"file:{OTHER_CAPTURE}", "--agents",
        "trend,quoter", "--speed", "max", *EAGER,
    )  # fmt: skip


@needs(CAPTURE)
def test_the_acceptance_session(accepted: Ending) -> None:
    """Both kinds of fills occur, and each was offered."""
    kinds = Counter(line["data"]["liquidity"] for line in accepted.run.lines("venue_fill"))
    count, wrong = check(CAPTURE, accepted.run.path / "events.jsonl")

    assert 0 == accepted.code
    assert [] == wrong
    assert 10 < count == sum(kinds.values())
    assert {"MAKER", "TAKER"} == set(kinds)


@needs(OTHER_CAPTURE)
def test_a_session_in_a_hurry(eager: Ending) -> None:
    """Large sizes at and inside the touch."""
    count, wrong = check(OTHER_CAPTURE, eager.run.path / "events.jsonl")

    assert [] == wrong
    assert 30 < count


@needs(CAPTURE)
def test_it_is_a_program(accepted: Ending) -> None:
    """Usable by anybody, with nothing of ours on the path."""
    done = subprocess.run(
        [sys.executable, "-I", str(CHECKER), str(CAPTURE), str(accepted.run.path / "events.jsonl")],
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.endswith(" 0 not offered\n")


def _better(data: dict[str, Any]) -> None:
    """Ten ticks in our favor."""
    sign = -1 if data["side"] == "BUY" else 1
    data["price"] = str(Decimal(data["price"]) + sign)


def _undisplayed(data: dict[str, Any]) -> None:
    """Worse for us, but at a price nobody ever showed."""
    sign = 1 if data["side"] == "BUY" else -1
    data["price"] = str(Decimal(data["price"]) + sign * Decimal("0.05"))


def _larger(data: dict[str, Any]) -> None:
    data["qty"] = "5000"


def _other_side(data: dict[str, Any]) -> None:
    data["side"] = "SELL" if data["side"] == "BUY" else "BUY"


def _stranger(data: dict[str, Any]) -> None:
    data["order_id"] = "nobody-1"


FORGERIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "a better price": _better,
    "a price nobody showed": _undisplayed,
    "more than was shown": _larger,
    "the other side": _other_side,
    "a stranger's order": _stranger,
}


def _forged(source: Path, target: Path, kind: str) -> set[str]:
    """Copy a journal with one fill of a kind for each forgery changed; return their orders."""
    changes = list(FORGERIES.values())
    orders: set[str] = set()
    with target.open("w") as out:
        for line in source.read_text().splitlines():
            if '"type":"venue_fill"' in line and f'"liquidity":"{kind}"' in line and changes:
                read = json.loads(line)
                if read["data"]["order_id"] not in orders:
                    changes.pop()(read["data"])
                    orders.add(read["data"]["order_id"])
                    out.write(json.dumps(read, separators=(",", ":")) + "\n")
                    continue
            out.write(line + "\n")
    assert not changes
    return orders


@needs(OTHER_CAPTURE)
@pytest.mark.parametrize("kind", ["TAKER", "MAKER"])
def test_falsified_fills_are_caught(eager: Ending, tmp_path: Path, kind: str) -> None:
    """Each changed fill is named, and none of the good ones."""
    events = tmp_path / "events.jsonl"
    orders = _forged(eager.run.path / "events.jsonl", events, kind)
    _, wrong = check(OTHER_CAPTURE, events)

    assert orders == {sentence.split()[0] for sentence in wrong}


@needs(CAPTURE)
def test_a_maker_fill_without_a_print_is_caught(accepted: Ending, tmp_path: Path) -> None:
    """Told two seconds before the market came to it."""
    source, target = accepted.run.path / "events.jsonl", tmp_path / "events.jsonl"
    early = 0
    with target.open("w") as out:
        for line in source.read_text().splitlines():
            if '"type":"venue_fill"' in line and '"MAKER"' in line:
                read = json.loads(line)
                read["ts"] -= 2_000_000_000
                early += 1
                out.write(json.dumps(read, separators=(",", ":")) + "\n")
            else:
                out.write(line + "\n")
    _, wrong = check(CAPTURE, target)

    assert len(wrong) > early / 2
