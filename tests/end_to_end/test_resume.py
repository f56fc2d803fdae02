"""`--resume`: a session killed at any instant ends as if nothing had happened.

The oracle is an undisturbed run of the same seed and start: equal lines (but for the notes of the
resumes themselves), hence equal fills and PnL, to the last digit.
"""

import fcntl
import hashlib
import json
import os
import random
import resource
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.session.journal_head import Head, encode
from engine.session.run_folder import RunFolder
from tests.end_to_end.shell import CAPTURE, START, Process, Run, copied_run, needs, session

MOCK = ("--duration", "4", "--seed", "11", "--set", f"session.start_ns={START}")
RECORDED = ("--duration", "1.5", "--source", f"file:{CAPTURE}")
ABOUT_THE_RUN = {"session_started", "session_resumed", "sync_report", "health", "alert"}
"""Types that may differ: run ids and wall times, and what the machine felt meanwhile."""


def decided(run: Run) -> list[tuple[int, str, dict[str, Any]]]:
    """All but what a resume adds: its note, its question to the venue, and the answer to that.

    A question that was due in the same instant has an answer of its own, which stays.
    """
    lines = [(x["ts"], x["type"], x["data"]) for x in run.lines() if x["type"] not in ABOUT_THE_RUN]
    added = Counter(ts for ts, _, data in lines if data.get("command") == "reconcile")
    kept = []
    for ts, kind, data in reversed(lines):
        if added[data.get("asked_ns")]:
            added[data["asked_ns"]] -= 1
        elif data.get("command") != "reconcile":
            kept.append((ts, kind, data))
    return kept[::-1]


def reconciled(run: Run) -> list[str]:
    """What each resume found when it asked the venue."""
    return [line["data"]["outcome"] for line in run.lines("sync_report")]


def killed_and_resumed(home: Path, words: tuple[str, ...], lines: list[int]) -> Run:
    """Run; kill -9 each time the journal has so many lines; resume until it ends."""
    process = Process(home, "--headless", "-q", *words)
    for count in lines:
        process.until_lines(count)
        process.send(signal.SIGKILL)
        assert -signal.SIGKILL == process.end().code
        process = Process(home, "--headless", "-q", "--resume")
    done = process.end(120)
    assert (0, "") == (done.code, done.err)
    return done.run


@pytest.mark.parametrize("seed", [1, 2])
def test_kills_at_random_instants_leave_no_trace(tmp_path: Path, seed: int) -> None:
    """Ten kills over two runs of the invented market, at 30 times its speed.

    None in the last quarter: on a crowded machine it would come after the end.
    """
    whole = session(tmp_path / "a", *MOCK, "--speed", "max").run
    rng = random.Random(seed)  # noqa: S311 - instants, not secrets
    at = sorted(rng.sample(range(50, len(whole.lines()) * 3 // 4), 5))
    torn = killed_and_resumed(tmp_path / "b", (*MOCK, "--speed", "30"), at)

    assert decided(whole) == decided(torn)
    # A kill that finds the process still catching up leaves no note of that resume.
    resumes = len(torn.lines("session_resumed"))
    assert 1 <= resumes <= 5
    assert ["agreed"] * resumes == reconciled(torn)
    for figure in ("equity", "pnl", "trades", "round_trips", "orders", "per_agent"):
        assert whole.report()[figure] == torn.report()[figure]


@needs(CAPTURE)
def test_a_recorded_market_is_resumed_too(tmp_path: Path) -> None:
    """The file is read again up to where the run was."""
    whole = session(tmp_path / "a", *RECORDED, "--speed", "max").run
    torn = killed_and_resumed(tmp_path / "b", (*RECORDED, "--speed", "10"), [2_000, 5_000])

    assert decided(whole) == decided(torn)


def acknowledged(run: Run) -> int:
    """The number of the last line that `journal.head` knows."""
    content = (run.path / "journal.head").read_bytes()
    return max(int(content[at : at + 20] or b"0") for at in (0, 512) if content[at : at + 1] > b" ")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that was killed after its first sync, early enough for a crowded machine."""
    home = tmp_path_factory.mktemp("killed")
    often = ("--speed", "30", "--set", "journal.sync_ms=20")
    process = Process(home, "--headless", "-q", *MOCK, *often)
    process.until_lines(1_000)
    process.until(lambda: acknowledged(process.run) > 0)
    process.send(signal.SIGKILL)
    assert -signal.SIGKILL == process.end().code
    return Run(process.run.path.resolve())


@pytest.fixture
def interrupted(killed: Run, tmp_path: Path) -> Run:
    """A copy of it, the latest run of a home of its own."""
    runs = tmp_path / "runs"
    runs.mkdir(0o700)
    copied = copied_run(killed, runs / killed.path.name)
    (runs / "latest").symlink_to(killed.path.name)
    return copied


def test_a_torn_last_line_is_cut_and_reported(tmp_path: Path, interrupted: Run) -> None:
    """A crash in the middle of a write costs that line, which is then written again."""
    with (interrupted.path / "events.jsonl").open("ab") as journal:
        journal.write(b'{"v":1,"seq":99999,"ts":17')
    done = Process(tmp_path, "--headless", "--resume").end(120)

    assert done.code == 0
    assert "of an unfinished last line" in done.err
    assert all(line.endswith(b"}") for line in interrupted.raw().splitlines())


def test_damage_is_refused_by_line(tmp_path: Path, interrupted: Run) -> None:
    """A changed byte is no torn end: exit 6, file and line named, the file left as it was."""
    content = bytearray(interrupted.raw())
    at = content.index(b'"type":"quote"') + 9
    content[at] ^= 1
    (interrupted.path / "events.jsonl").write_bytes(content)
    line = bytes(content[:at]).count(b"\n") + 1
    done = Process(tmp_path, "--headless", "--resume").end()

    assert done.code == 6
    assert f"events.jsonl:{line}: " in done.err
    assert bytes(content) == interrupted.raw()


def test_another_market_is_refused(tmp_path: Path, interrupted: Run) -> None:
    """A rerun that comes to other lines than the recorded ones must not go on from them."""
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    lines = [json.loads(line) for line in interrupted.raw().splitlines()]
    lines[0]["data"]["settings"]["session.seed"] = 12
    (other / "events.jsonl").touch(0o600)
    (other / "events.jsonl").write_bytes(rechained(lines))
    done = Process(tmp_path, "--headless", "--resume", str(other)).end()

    assert done.code == 6
    assert "the rerun comes to another" in done.err


def rechained(lines: list[dict[str, Any]]) -> bytes:
    """Chain edited lines anew, by the page's definition."""
    content, prev = b"", "0" * 64
    for line in lines:
        body = {key: line[key] for key in ("v", "seq", "ts", "type", "data")} | {"prev": prev}
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        prev = hashlib.sha256(text.encode()).hexdigest()
        content += f'{text[:-1]},"hash":"{prev}"}}\n'.encode()
    return content


def test_a_run_killed_before_its_first_line_begins_again(tmp_path: Path) -> None:
    """Nothing had happened, so all of it still can: same run, same settings, a whole session."""
    whole = session(tmp_path / "a", *MOCK, "--speed", "max").run
    process = Process(tmp_path / "b", "--headless", "-q", *MOCK, "--speed", "max")
    process.until((process.run.path / "manifest.json").exists)
    process.send(signal.SIGKILL)
    process.end()
    run = Run(process.run.path.resolve())
    (run.path / "journal.head").unlink()
    (run.path / "events.jsonl").write_bytes(b'{"v":1,"seq":1,"ts":17')
    done = Process(tmp_path / "b", "--headless", "--resume").end(120)

    assert 0 == done.code
    assert "nothing had happened yet" in done.err
    assert run.path == done.run.path.resolve()
    assert decided(whole) == decided(done.run)


def test_latest_is_a_run_that_can_be_resumed(tmp_path: Path) -> None:
    """A crash before the manifest leaves a folder nobody is pointed at; by name it is explained."""
    before = session(tmp_path, "--duration", "1", "--speed", "max").run.path.resolve()
    folder = RunFolder.create(tmp_path, "20250101T000000Z-aaaa")
    (folder.path / "events.jsonl").touch(mode=0o600)
    done = Process(tmp_path, "--headless", "--resume", folder.path.name).end()

    assert before == (tmp_path / "runs" / "latest").resolve()
    assert "nothing had happened yet; start a new session" in done.err


def test_a_run_that_ended_has_nothing_to_resume(tmp_path: Path) -> None:
    """Exit 2, and not a byte is added."""
    run = session(tmp_path, *MOCK, "--speed", "max").run
    before = run.raw()
    done = Process(tmp_path, "--headless", "--resume").end()

    assert done.code == 2
    assert "nothing to resume" in done.err
    assert before == run.raw()


def test_only_one_session_writes_a_run(tmp_path: Path, interrupted: Run) -> None:
    """The journal itself is held; a second writer is told so, exit 8."""
    fd = os.open(interrupted.path / "events.jsonl", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    done = Process(tmp_path, "--headless", "--resume").end()
    os.close(fd)

    assert done.code == 8
    assert "another session" in done.err


def test_a_journal_that_others_may_write_is_refused(tmp_path: Path, interrupted: Run) -> None:
    """Exit 6, the file named, nothing written."""
    (interrupted.path / "events.jsonl").chmod(0o620)
    before = interrupted.raw()
    done = Process(tmp_path, "--headless", "--resume").end()

    assert (6, before) == (done.code, interrupted.raw())
    assert "events.jsonl is open to other users (mode 0620): chmod 600 it first" in done.err


def test_a_cut_at_the_end_of_a_line_is_refused(tmp_path: Path, interrupted: Run) -> None:
    """Lines that were acknowledged are gone: verify and resume both say which, exit 6."""
    last = acknowledged(interrupted)
    lines = interrupted.raw().splitlines(keepends=True)
    (interrupted.path / "events.jsonl").write_bytes(b"".join(lines[: last - 1]))
    resumed = Process(tmp_path, "--headless", "--resume").end()
    verified = Process(tmp_path, "audit", "verify").end()

    assert (6, 6) == (resumed.code, verified.code)
    for done in (resumed, verified):
        assert f"events.jsonl:{last}: the journal ends at its line" in done.err
        assert "from a copy" in done.err


def test_a_full_disk_is_survived(tmp_path: Path) -> None:
    """The session ends, exit 6; with room again it is resumed as if it never had been full."""
    whole = session(tmp_path / "a", *MOCK, "--speed", "max").run
    full = Process(tmp_path / "b", "--headless", "-q", *MOCK, "--speed", "60")
    full.until_lines(1_000)
    resource.prlimit(full.pid, resource.RLIMIT_FSIZE, (len(full.run.raw()) + 70_001,) * 2)
    ended = full.end(60)
    journal = ended.run.raw()
    again = Process(tmp_path / "b", "--headless", "-q", "--resume").end(120)

    assert 6 == ended.code
    assert (0, "") == (again.code, again.err)
    assert again.run.raw().startswith(journal[: journal.rindex(b"\n") + 1])
    assert decided(whole) == decided(again.run)
    assert ["emergency-"] == [p.name[:10] for p in again.run.path.glob("emergency*")]


def test_a_fenced_session_stops(tmp_path: Path) -> None:
    """Another writer took over although this one lives: exit 8, and not a file is touched more."""
    process = Process(tmp_path, "--headless", "-q", *MOCK, "--speed", "10")
    process.until_trading()
    head = process.run.path / "journal.head"
    process.until(lambda: acknowledged(process.run) > 0)
    taken = encode(Head(2, 1, "ab" * 32))
    head.write_bytes(taken + taken)
    done = process.end(20)

    assert 8 == done.code
    assert "fenced_by_epoch: another session took over" in done.err
    assert taken + taken == head.read_bytes()
    assert not (done.run.path / "final_report.json").exists()


def test_a_kill_file_bars_the_resume(tmp_path: Path, interrupted: Run) -> None:
    """Kill is sticky."""
    (tmp_path / "kill.txt").touch()

    assert Process(tmp_path, "--headless", "--resume").end().code == 4


@pytest.mark.parametrize("word", ["--seed=3", "--run-dir=elsewhere"])
def test_a_resumed_run_keeps_its_own_settings(tmp_path: Path, word: str) -> None:
    """Two conflicting wishes: exit 2, one line."""
    done = Process(tmp_path, "--headless", "--resume", "latest", word).end()

    assert done.code == 2
    assert "conflict" in done.err
