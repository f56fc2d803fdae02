"""Row 65: a disk whose syncs take five seconds, under a real session that waits for each order."""

import json
import signal
from pathlib import Path

from tests.end_to_end.shell import START, Process, Run, session, with_faults

WORDS = (
    "--headless", "--duration", "5", "--set", "journal.sync=live",
    "--set", "agents.quoter.half_spread_bps=0.5", "--set", "risk.resume_backoff_s=0.5",
    "--set", "risk.max_consecutive_losses=none",
)  # fmt: skip
PINNED = ("--seed", "7", "--set", f"session.start_ns={START}")
FAULTY = with_faults("slow-disk")
KIND = "journal_sync_ms"
UNSENT = "not sent: its journal line is not durable"
LAG_MAX_MS = 1_000.0
"""A fifth of one slow sync; a loop that waited for it would be late by all of it."""


def slow(run: Run) -> list[bool]:
    """Whether the disk was found too slow, or to keep up again, each time."""
    return [x["data"]["is_over"] for x in run.lines_so_far("health") if x["data"]["kind"] == KIND]


def state(run: Run) -> str:
    return str(run.lines_so_far("fsm_transition")[-1]["data"]["to_state"])


def lags(run: Run) -> list[float]:
    """How late the loop woke for each heartbeat."""
    beats = map(json.loads, (run.path / "session.log").read_text().splitlines())
    return [b["loop_lag_ms"] for b in beats if b["event"] == "heartbeat" and b["loop_lag_ms"]]


def stall(process: Process) -> None:
    """Let the disk become slow, until an order was refused for it and the heart beat on."""
    process.until_trading()
    (process.home / "slow").touch()
    process.until(lambda: slow(process.run)[-1:] == [True])
    beats = len(process.run.lines_so_far("heartbeat"))
    process.until(lambda: len(process.run.lines_so_far("heartbeat")) >= beats + 2)


def test_the_loop_goes_on_while_the_disk_does_not(tmp_path: Path) -> None:
    """Orders are refused, the session is DEGRADED and beats on; it trades again afterwards."""
    process = Process(tmp_path, *WORDS, program=FAULTY)
    stall(process)
    assert ("DEGRADED", False) == (state(process.run), False in slow(process.run))
    (tmp_path / "slow").unlink()
    process.until(lambda: state(process.run) == "ACTIVE")
    process.send(signal.SIGTERM)
    done = process.end()
    refused = done.run.lines("venue_rejected", "venue_amend_rejected")

    assert 4 == done.code
    assert UNSENT in {line["data"]["detail"] for line in refused}
    assert [True, False] == sorted(set(slow(done.run)), reverse=True)
    assert max(lags(done.run)) < LAG_MAX_MS
    assert "identical" in Process(tmp_path, "replay", "latest").end().out


def test_a_session_that_waits_decides_as_one_that_does_not(tmp_path: Path) -> None:
    """Time stands still while an order waits: every line but the settings is that of batched."""
    fast = (*WORDS[1:2], "0.5", *WORDS[3:], *PINNED, "--speed", "max")
    waits = session(tmp_path / "a", *fast).run
    batched = [word.replace("sync=live", "sync=batched") for word in fast]
    other = session(tmp_path / "b", *batched).run
    said = [
        [(line["ts"], line["type"], line["data"]) for line in run.lines()[1:]]
        for run in (waits, other)
    ]

    assert said[0] == said[1]
    assert waits.report()["trades"] > 0


def test_what_was_refused_is_refused_again_by_the_resume(tmp_path: Path) -> None:
    """Killed while the disk was slow: the rerun waits for nothing and comes to the same lines."""
    process = Process(tmp_path, *WORDS, *PINNED, program=FAULTY)
    stall(process)
    process.send(signal.SIGKILL)
    process.end()
    (tmp_path / "slow").unlink()
    process = Process(tmp_path, "--headless", "--resume", program=FAULTY)
    process.until(lambda: bool(process.run.lines_so_far("session_resumed")))
    process.until(lambda: state(process.run) == "ACTIVE")
    process.send(signal.SIGTERM)

    assert 4 == process.end().code
    assert "identical" in Process(tmp_path, "replay", "latest").end().out
