"""`runs diff`: the first decision in which two runs part, and their figures."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged
from engine.session.audit_diff import difference
from engine.session.journal_line import Chain
from laptop_agents.cli import run
from tests.laptop_agents.recorded import record

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    record(home, run_id="a")
    record(home, run_id="b")
    holds = ("--set", "session.flatten_on_stop=false")
    record(home, "--set", "agents.quoter.order_notional=600", *holds, run_id="c")
    return home


@pytest.fixture(autouse=True)
def _in_that_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(home))


def rows(home: Path, name: str) -> list[dict]:
    text = (home / "runs" / name / "events.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert 0 == run(["runs", "diff", *words, "--json"])
    return json.loads(capsys.readouterr().out)


def test_runs_of_the_same_seed_are_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Every decision, and every figure."""
    told = asked(capsys, "a", "b")

    assert told["partings"] is None
    assert told["same_decisions"] > 200
    assert {"session.run_id": ["a", "b"]} == told["settings"]
    assert told["runs"][0]["money"] == told["runs"][1]["money"]


def test_the_first_difference_and_its_cause(home: Path, capsys) -> None:
    """The decision of each side with the input before it, as the journals have them."""
    told = asked(capsys, "a", "c")
    left, right = told["partings"]

    assert ("intent", "intent") == (left["decision"]["type"], right["decision"]["type"])
    assert left["decision"]["data"]["qty"] != right["decision"]["data"]["qty"]
    for side, name in ((left, "a"), (right, "c")):
        journal = rows(home, name)
        for what in ("decision", "after"):
            row = journal[side[what]["seq"] - 1]
            assert side[what] == {key: row[key] for key in ("seq", "ts", "type", "data")}
        assert "quote" == side["after"]["type"]
    assert ["300", "600"] == told["settings"]["agents.quoter.order_notional"]


def test_figures_are_those_of_the_reports(home: Path, capsys) -> None:
    """Counted from the journal alone, they agree with what the session counted."""
    told = asked(capsys, "a", "c")

    for name, side in zip(("a", "c"), told["runs"], strict=True):
        text = (home / "runs" / name / "final_report.json").read_text()
        report = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        money = {key: Decimal(value) for key, value in side["money"].items()}
        counts = side["counts"]
        assert (report["trades"], report["round_trips"]) == (
            counts.get("fill", 0), counts.get("round_trip", 0))  # fmt: skip
        assert report["orders"]["submitted"] == counts.get("order_submitted", 0)
        assert report["pnl"]["net"] == money["pnl"]
        assert report["pnl"]["gross"] == money["gross"]
        assert report["pnl"]["realised"] == money["realised"]
        assert report["stop_reason"] == side["stop_reason"]
        assert (report["pnl"]["fees"], report["equity"]) == (money["fees"], money["equity"])
    assert told["runs"][1]["money"]["gross"] != told["runs"][1]["money"]["realised"]


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Words for the parting, columns for the figures."""
    assert 0 == run(["runs", "diff", "a", "c"])
    text = capsys.readouterr().out
    assert 0 == run(["runs", "diff", "a", "a"])
    same = capsys.readouterr().out

    assert "decisions are the same, then they part:" in text
    assert 2 == text.count("    after:   line ")
    assert "pnl at the end" in text
    assert same.startswith("same decisions: ")


def journal(path: Path, *lines: tuple[int, str, dict], began_s: int = 0) -> Path:
    chain = Chain()
    whole = [(0, "session_started", {"settings": {}}), *lines]
    content = [chain.data(kind, (began_s + s) * SECOND, data) for s, kind, data in whole]
    path.write_bytes(b"".join(content))
    return path


ALERT = ("alert", {"kind": "x"})


def test_one_that_ends_earlier(tmp_path: Path) -> None:
    """Its side of the parting is nothing more, after its last input."""
    short = journal(tmp_path / "a", (1, "timer", {}), (1, *ALERT), (2, "timer", {}))
    long = journal(tmp_path / "b", (1, "timer", {}), (1, *ALERT), (3, *ALERT))
    found = difference(short, long)

    assert 1 == found.same
    assert found.partings is not None
    left, right = found.partings
    assert (None, 4) == (left.decision, left.cause.seq if left.cause else None)
    assert (4, 2) == (right.decision.seq, right.cause.seq)  # type: ignore[union-attr]


def test_another_start_is_no_difference(tmp_path: Path) -> None:
    """Nor is the time of a round trip, which counts from there; its length is."""
    trips = [{"opened_ns": n * SECOND, "duration_s": 1.0} for n in (5, 105)]
    first = journal(tmp_path / "a", (6, "round_trip", trips[0]))
    later = journal(tmp_path / "b", (6, "round_trip", trips[1]), began_s=100)
    longer = journal(tmp_path / "c", (6, "round_trip", trips[0] | {"duration_s": 2.0}))

    assert difference(first, later).partings is None
    assert difference(first, longer).partings is not None


def test_damage_behind_the_parting_is_still_found(tmp_path: Path) -> None:
    """Figures of a journal that is not proven are not shown."""
    first = journal(tmp_path / "a", (1, *ALERT), (2, *ALERT))
    second = journal(tmp_path / "b", (1, "alert", {"kind": "y"}), (2, *ALERT))
    second.write_bytes(second.read_bytes()[:-5])

    with pytest.raises(JournalDamaged) as caught:
        run(["runs", "diff", str(first), str(second)])
    assert 3 == caught.value.line


def test_chained_nonsense_is_shown_harmless(tmp_path: Path, capsys) -> None:
    """Somebody else's chain, with text a terminal would obey and numbers no memory holds."""
    evil = "\x1b]0;x\x07\u202e\n"
    odd = journal(
        tmp_path / "a", (1, "alert", {"kind": evil, evil: evil}),
        (1, "gate_verdict", {"rule": evil, "is_approved": []}),
        (2, "heartbeat", {"equity": "1E+999999999", "pnl": evil, "fees": 5}),
    )  # fmt: skip
    other = journal(tmp_path / "b", (1, *ALERT))

    for form in ([], ["--json"]):
        assert 0 == run(["runs", "diff", str(odd), str(other), *form])
        out = capsys.readouterr().out
        assert [] == [line for line in out.splitlines() if not line.isprintable()]
