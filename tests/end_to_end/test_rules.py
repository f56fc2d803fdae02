"""Row 41 of the fault matrix: a sandbox lists other rules while a live session trades on it.

The venue holds orders to the new rules at once; the session learns of them at its next look.
"""

import signal
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.shell import Run
from tests.end_to_end.test_live_trading import VENUES, agree, exchange
from tests.end_to_end.test_reference import is_identical

PATIENCE_S = 30.0
BEAT_S = 0.3
SLACK_S = 3.0
"""For two busy processes on one machine."""
NEW = {
    # venue: what it lists from then on, and what is said of that
    "binance": ({"tick": "1"}, "tick 0.1 -> 1"),
    "bitunix": ({"tick": "1"}, "tick 0.1 -> 1"),
    "hyperliquid": ({"lot": "0.000001"}, "lot 0.00001 -> 0.000001"),
}


def moved(run: Run, event: str) -> list[dict[str, Any]]:
    return [x for x in run.lines_so_far("fsm_transition") if x["data"]["event"] == event]


def held(run: Run) -> Decimal:
    signs = {"BUY": 1, "SELL": -1}
    fills = [x["data"] for x in run.lines_so_far("fill")]
    return sum((signs[x["side"]] * Decimal(x["qty"]) for x in fills), Decimal(0))


def risky_since(run: Run, since: int) -> list[dict[str, Any]]:
    """Orders submitted after a line that could have made the position of then larger."""
    position, wrong = Decimal(0), []
    for line in run.lines("fill", "order_submitted"):
        data, sign = line["data"], 1 if line["data"]["side"] == "BUY" else -1
        if line["type"] == "fill":
            position += sign * Decimal(data["qty"])
        elif line["seq"] > since and not (
            position * sign < 0 and Decimal(data["qty"]) <= abs(position)
        ):
            wrong.append(line)
    return wrong


@pytest.mark.timeout(180)
@pytest.mark.parametrize("venue", VENUES)
async def test_rules_that_change_end_new_risk_and_nothing_else(venue: str, tmp_path: Path) -> None:
    """Suspended within a beat, no storm of refusals, the position closed, the replay the same."""
    change, said = NEW[venue]
    with exchange(venue, tmp_path) as there:
        process = there.start(
            tmp_path, "0.2", "--set", f"{venue}.rules_every_s={BEAT_S}",
            "--set", "router.min_quote_interval_ms=60000",
        )  # fmt: skip
        process.until(lambda: held(process.run) != 0, PATIENCE_S)
        changed_ns = time.time_ns()
        await there.break_it("rules", **change)
        process.until(lambda: moved(process.run, "RULES_CHANGED") != [], PATIENCE_S)
        ending = process.end()
        assert 1 < agree(there, ending.run)

    run = ending.run
    (doubt,) = moved(run, "RULES_CHANGED")
    told = [x["data"]["detail"] for x in run.lines("rules_changed") if x["data"]["is_changed"]]
    (alert,) = (x["data"] for x in run.lines("alert") if x["data"]["kind"] == "other_rules")
    refused = {
        x["data"]["order_id"] for x in run.lines("order_rejected", "venue_amend_rejected")
        if x["data"]["reason"] != "post_only_would_cross"  # which happens any day
    }  # fmt: skip
    sent = run.lines("order_submitted")
    sent_before = {x["data"]["order_id"] for x in sent if x["seq"] < doubt["seq"]}
    assert (0, []) == (ending.code, run.report()["positions_at_end"]), ending.err
    assert doubt["ts"] - changed_ns < (BEAT_S + SLACK_S) * 1e9
    assert ("DEGRADED", VENUES[venue]) == (doubt["data"]["to_state"], doubt["data"]["scope"])
    assert said in told[0]
    assert said in alert["message"]
    assert [] == risky_since(run, doubt["seq"])
    assert len(refused) <= 1
    assert refused <= sent_before, "none of what left since"
    assert is_identical(tmp_path)


@pytest.mark.timeout(180)
async def test_a_resume_finds_the_rules_back(tmp_path: Path) -> None:
    """While they are others it is refused; then the doubt it died with ends at its first look."""
    with exchange("binance", tmp_path) as there:
        process = there.start(tmp_path, "0.5", "--set", f"binance.rules_every_s={BEAT_S}")
        process.until_trading()
        await there.break_it("rules", lot="0.01")
        process.until(lambda: moved(process.run, "RULES_CHANGED") != [], PATIENCE_S)
        process.send(signal.SIGKILL)
        process._process.communicate()
        refused = there.live(tmp_path, "--resume").end()
        await there.break_it("rules")
        process = there.live(tmp_path, "--resume")
        process.until(lambda: moved(process.run, "RECOVERED") != [], PATIENCE_S)
        ending = process.end()
        agree(there, ending.run)

    assert (True, True) == (refused.code != 0, "changed the rules" in refused.err), refused.err
    resumed = ending.run.lines("session_resumed")[-1]["seq"]
    back = next(x for x in ending.run.lines("rules_changed") if x["seq"] > resumed)
    assert (0, []) == (ending.code, ending.run.report()["positions_at_end"]), ending.err
    assert ("BTCUSDT", False) == (back["data"]["symbol"], back["data"]["is_changed"])
    assert is_identical(tmp_path)


@pytest.mark.timeout(180)
async def test_a_halt_is_waited_out_with_a_position(tmp_path: Path) -> None:
    """The agent's exit would be refused twice a second; it trades on when the market does."""
    with exchange("binance", tmp_path) as there:
        process = there.start(tmp_path, "0.4", "--set", f"binance.rules_every_s={BEAT_S}")
        process.until(lambda: held(process.run) != 0, PATIENCE_S)
        await there.break_it("rules", is_halted=True)
        process.until(lambda: moved(process.run, "RULES_CHANGED") != [], PATIENCE_S)
        (doubt,) = moved(process.run, "RULES_CHANGED")
        process.until(lambda: beats_since(process.run, doubt["seq"]) > 5, PATIENCE_S)
        await there.break_it("rules")
        process.until(lambda: moved(process.run, "RECOVERED") != [], PATIENCE_S)
        ending = process.end()
        agree(there, ending.run)

    told = [x["seq"] for x in ending.run.lines("rules_changed") if not x["data"]["is_changed"]]
    back = next(seq for seq in told if seq > doubt["seq"])
    sent = [x["seq"] for x in ending.run.lines("order_submitted")]
    assert [] == [seq for seq in sent if doubt["seq"] < seq < back]
    assert [seq for seq in sent if seq > back]
    assert (0, []) == (ending.code, ending.run.report()["positions_at_end"]), ending.err
    assert is_identical(tmp_path)


def beats_since(run: Run, seq: int) -> int:
    return len([x for x in run.lines_so_far("heartbeat") if x["seq"] > seq])
