"""Evidence of incidents, from whole sessions of real parts."""

import csv
import json
import stat
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.model.events import INPUT_TYPES, Operator, OperatorCommand
from engine.model.market import FeedStatus
from engine.risk.evidence_mark import WINDOW_NS
from engine.session.evidence_files import DECIDING
from tests.end_to_end.shell import START as PINNED
from tests.end_to_end.shell import Run, session
from tests.engine.session.test_runner import GRID, SECOND, START, ListFeed, Stage, quote

FAULTY = ("--seed", "5", "--speed", "max", "--set", f"session.start_ns={PINNED}",
          "--set", "mock.faults=disconnect")  # fmt: skip


def folders(run: Path) -> list[Path]:
    return sorted((run / "evidence").iterdir(), key=lambda path: int(path.name.rpartition("-")[2]))


def about(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "about.json").read_text())


def market(*outages_s: int, seconds: int) -> ListFeed:
    """A quote every half second; the feed is lost and found again at those seconds."""
    events: list[Any] = [quote(START + n * SECOND // 2, n % 3) for n in range(2 * seconds)]
    for at in outages_s:
        events.append(FeedStatus(GRID + at * SECOND + 1, "list", False, "x"))
        events.append(FeedStatus(GRID + at * SECOND + 2, "list", True, ""))
    return ListFeed(sorted(events, key=lambda event: event.ts_ns))


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Five minutes with a feed that drops."""
    return session(tmp_path_factory.mktemp("home"), *FAULTY, "--duration", "8").run


def test_every_halting_transition_has_its_folder(ended: Run) -> None:
    """And no other has one; the folder names are those of the journal."""
    refs = {
        (t["data"]["to_state"], t["data"]["evidence_ref"]) for t in ended.lines("fsm_transition")
    }
    named = {ref for _, ref in refs if ref}

    assert {"DEGRADED"} == {state for state, ref in refs if ref}
    assert named == {f"evidence/{path.name}" for path in folders(ended.path)}
    assert len(named) > 2


def test_its_sums_hold(ended: Run) -> None:
    """By the tool everybody has; files 0600, folders 0700."""
    for folder in folders(ended.path):
        done = subprocess.run(
            ["sha256sum", "--strict", "-c", "sha256sums.txt"],
            cwd=folder,
            capture_output=True,
            check=False,
        )
        assert (0, 5) == (done.returncode, len(done.stdout.splitlines()))
        assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert (0o700, 0o700) == tuple(
            stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)
        )


def test_it_holds_the_inputs_around_and_the_decisions(ended: Run) -> None:
    """Half a minute on either side, line by line as in the journal; nothing is left out."""
    raw = ended.raw().splitlines(keepends=True)
    rows = [(json.loads(line), line) for line in raw]
    for folder in folders(ended.path):
        told = about(folder)
        at, since, until = told["ts"], told["since_ts"], told["until_ts"]
        inputs = [(row["ts"], line) for row, line in rows if row["type"] in INPUT_TYPES]
        with (folder / "decisions.csv").open() as file:
            decided = [(int(row["line"]), json.loads(row["data"])) for row in csv.DictReader(file)]

        last = max(trigger["ts_ns"] for trigger in told["triggers"])
        assert (at - WINDOW_NS, min(last, at + WINDOW_NS) + WINDOW_NS) == (since, until)
        assert [x for ts, x in inputs if since <= ts <= at] == lines(folder / "inputs-before.jsonl")
        assert [x for ts, x in inputs if at < ts < until] == lines(folder / "inputs-after.jsonl")
        assert decided == [
            (row["seq"], row["data"]) for row, _ in rows
            if row["type"] in DECIDING and since <= row["ts"] < until
        ]  # fmt: skip
        assert (True, True) == (told["is_complete"], told["has_inputs"])
        ends = told["decisions"]["first_line"], told["decisions"]["last_line"]
        assert (decided[0][0], decided[-1][0]) == ends


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_its_state_is_that_of_the_moment(ended: Run) -> None:
    """Position and lifecycle are those the journal tells."""
    for folder in folders(ended.path):
        state = json.loads((folder / "state.json").read_text())
        at = about(folder)["ts"]
        held = [
            row["data"]["qty"] for row in ended.lines("position") if row["ts"] <= at
        ]  # fmt: skip
        assert (at, "DEGRADED") == (state["now_ns"], state["conduct"]["lifecycle"]["state"])
        qty = state["portfolio"]["holdings"]["BTCUSDT"]["qty"]
        assert Decimal(held[-1] if held else 0) == Decimal(qty)


def test_log_lines_about_it_end_in_its_name(ended: Run) -> None:
    """The transition, and each stage of writing."""
    text = (ended.path / "session.log").read_text().splitlines()
    by_folder = {
        path.name: [
            line for line in text if line.endswith(f'"EVIDENCE_REF=evidence/{path.name}"}}')
        ]
        for path in folders(ended.path)
    }

    for name, said in by_folder.items():
        events = [json.loads(line)["event"] for line in said]
        assert {"fsm_transition", "evidence_written"} <= set(events), name
        assert 2 == events.count("evidence_written")


def test_a_burst_is_one_incident(tmp_path: Path) -> None:
    """Three losses within half a minute share a folder, whose window follows the last.

    A breaker that trips far from any doubt opens one of its own.
    """
    stage = Stage(tmp_path, market(40, 50, 60, 120, seconds=200))
    stage.run()
    run = stage.folder.path
    first, second, third = folders(run)
    (trip,) = (line for line in stage.lines("breaker") if line["data"]["is_tripped"])

    assert [3, 1, 1] == [len(about(folder)["triggers"]) for folder in (first, second, third)]
    assert about(first)["until_ts"] == GRID + 60 * SECOND + 1 + WINDOW_NS
    assert third.name == f"breaker-{trip['ts']}"
    assert "breaker" == about(third)["triggers"][0]["type"]


def test_the_end_of_the_session_closes_a_window(tmp_path: Path) -> None:
    """What came until then is there."""
    stage = Stage(tmp_path, market(40, seconds=45))
    stage.run()
    (folder,) = folders(stage.folder.path)
    inputs = [line for line in stage.lines(*INPUT_TYPES) if line["ts"] > about(folder)["ts"]]

    assert about(folder)["is_complete"]
    assert len(inputs) == len(lines(folder / "inputs-after.jsonl")) > 5


def test_an_emergency_has_its_own(tmp_path: Path) -> None:
    """Also while a doubt's window is open; its state is the emergency's."""
    feed = market(40, seconds=60)
    kill = OperatorCommand(GRID + 50 * SECOND, Operator.KILL, "cli")
    stage = Stage(tmp_path, ListFeed(sorted([*feed._events, kill], key=lambda e: e.ts_ns)))  # type: ignore[misc]
    stage.run()

    assert ["degraded", "emergency"] == [
        path.name.rpartition("-")[0] for path in folders(stage.folder.path)
    ]
    state = json.loads((folders(stage.folder.path)[1] / "state.json").read_text())
    assert state["conduct"]["lifecycle"]["state"] in ("EMERGENCY", "STOPPED")


def test_evidence_that_can_not_be_kept_costs_nothing_else(tmp_path: Path) -> None:
    """The session goes on to its planned end, and the log says which evidence is missing."""
    stage = Stage(tmp_path, market(40, seconds=60))
    (stage.folder.path / "evidence").write_text("in the way")

    assert "end_of_data" == stage.run()
    text = (stage.folder.path / "session.log").read_text().splitlines()
    failed = [json.loads(line) for line in text if '"evidence_failed"' in line]
    assert 2 == len(failed)
    assert {f"EVIDENCE_REF={t['data']['evidence_ref']}" for t in stage.lines("fsm_transition")
            if t["data"]["evidence_ref"]} == {line["evidence"] for line in failed}  # fmt: skip


def test_a_journal_without_inputs_says_so(tmp_path: Path) -> None:
    """The folder is there, with the decisions that were kept."""
    words = (*FAULTY, "--duration", "3", "--set", "journal.detail=decisions")
    run = session(tmp_path, *words).run
    told = about(folders(run.path)[0])

    assert (False, "decisions", 0) == (
        told["has_inputs"],
        told["journal_detail"],
        told["before"]["lines"],
    )
    assert told["decisions"]["lines"] > 0


def without_last(folder: Path) -> None:
    (folder / "about.json").unlink()


def without_all(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize("lost", [without_last, without_all])
def test_a_resumed_run_has_the_same_evidence(tmp_path: Path, lost: Callable[[Path], None]) -> None:
    """As if nothing had happened: what was not closed when it died is written again."""
    words = (*FAULTY, "--duration", "4", "--set", "session.run_id=r")
    run = session(tmp_path, *words).run
    whole = {path: path.read_bytes() for path in run.path.resolve().rglob("evidence/*/*")}
    last = folders(run.path)[-1]
    cut = about(last)["ts"] + 5 * SECOND
    kept = [line for line in lines(run.path / "events.jsonl") if json.loads(line)["ts"] < cut]
    (run.path / "events.jsonl").write_bytes(b"".join(kept))
    (run.path / "final_report.json").unlink()
    (run.path / "journal.head").unlink()  # a crash would not have acknowledged what is gone
    lost(last)
    assert 0 == session(tmp_path, "--resume").code

    again = {path: path.read_bytes() for path in run.path.resolve().rglob("evidence/*/*")}
    assert whole.keys() == again.keys()
    for path, content in whole.items():
        if path.name in ("state.json", "about.json", "inputs-before.jsonl"):
            assert facts(path, content) == facts(path, again[path])


@pytest.mark.parametrize("is_cut", [True, False])
def test_a_log_that_a_crash_cut_off_is_made_whole(tmp_path: Path, *, is_cut: bool) -> None:
    """What the journal had and the log not yet is logged by the resume, and nothing twice."""
    words = (*FAULTY, "--duration", "4", "--set", "session.run_id=r")
    run = session(tmp_path, *words).run
    last = [line for line in run.lines("fsm_transition") if "DEGRADED" == line["data"]["to_state"]]
    name = f'"ts_ns":{last[-1]["ts"]}'.encode()
    kept = [
        line
        for line in lines(run.path / "events.jsonl")
        if json.loads(line)["ts"] <= last[-1]["ts"]
    ]
    (run.path / "events.jsonl").write_bytes(b"".join(kept))
    log = lines(run.path / "session.log")
    at = next(place for place, line in enumerate(log) if name in line)
    after = next(place for place, line in enumerate(log) if place > at and name not in line)
    (run.path / "session.log").write_bytes(b"".join(log[: at if is_cut else after]))
    (run.path / "final_report.json").unlink()
    (run.path / "journal.head").unlink()  # a crash would not have acknowledged what is gone
    assert 0 == session(tmp_path, "--resume").code

    told = [(line["ts"], line["data"]["to_state"]) for line in run.lines("fsm_transition")]
    logged = map(json.loads, lines(run.path / "session.log"))
    assert told == [
        (line["data"]["ts_ns"], line["data"]["to_state"]) for line in logged
        if line["event"] == "fsm_transition"
    ]  # fmt: skip


def facts(path: Path, content: bytes) -> object:
    """What a file says; line numbers move by the note of the resume."""
    if path.name == "about.json":
        told = json.loads(content)
        return {
            key: told[key]
            for key in ("ref", "ts", "since_ts", "until_ts", "triggers", "is_complete")
        }
    return content
