"""`audit report`: what it counts is counted a second way, and what is wrong is not told as right."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.model.errors import StateDamaged, UsageError
from engine.session.journal_line import Chain
from laptop_agents.cli import run
from tests.end_to_end.shell import Process
from tests.laptop_agents.recorded import record


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    record(home, "--max-orders-per-minute", "5", "--symbols", "BTCUSDT,ETHUSDT", run_id="one")
    record(home, "--set", "journal.detail=orders", minutes="0.2", run_id="poor")
    return home


@pytest.fixture(autouse=True)
def _in_that_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(home))


def rows(home: Path, name: str = "one") -> list[dict]:
    text = (home / "runs" / name / "events.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def forged(home: Path, target: Path, change: Callable[[list[dict]], object]) -> Path:
    """Return a copy of the run with other lines, chained by somebody who has our code."""
    lines = rows(home)
    change(lines)
    shutil.copytree(home / "runs" / "one", target)
    (target / "final_report.json").unlink()
    chain = Chain()
    content = [chain.data(line["type"], line["ts"], line["data"]) for line in lines]
    (target / "events.jsonl").write_bytes(b"".join(content))
    return target


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict:
    assert code == run(["audit", "report", *words, "--json"])
    return json.loads(capsys.readouterr().out)


def test_a_session_kept_its_rules(home: Path, capsys) -> None:
    """Every intent judged and reasoned, every order approved; the figures are the report's."""
    report = json.loads((home / "runs" / "one" / "final_report.json").read_text())
    intents = sum(line["type"] == "intent" for line in rows(home))
    found = told(capsys, "one")

    assert found["is_compliant"]
    for rule, of in (("judged", intents), ("approved", report["orders"]["submitted"])):
        assert (of, of, []) == tuple(found[rule].values())
    assert report["orders"]["blocked"] == found["refused"]
    assert report["orders"]["blocked"]["throttle"] > 0
    assert report["journal"]["head_hash"] == found["head_hash"]
    assert 5 == found["limits"]["risk.max_orders_per_minute"]
    assert [("duration_elapsed", "session")] == [
        (one["data"]["command"], one["data"]["by"]) for one in found["operators"]
    ]


def first(lines: list[dict], kind: str, **fields: object) -> int:
    return next(
        at for at, line in enumerate(lines)
        if line["type"] == kind and fields.items() <= line["data"].items()
    )  # fmt: skip


def without_verdict(lines: list[dict]) -> None:
    del lines[first(lines, "gate_verdict")]


def without_reason(lines: list[dict]) -> None:
    lines[first(lines, "intent")]["data"]["reason"] = " "


def without_approval(lines: list[dict]) -> None:
    lines[first(lines, "gate_verdict", is_approved=True)]["data"]["is_approved"] = False


def with_a_lost_cancel(lines: list[dict]) -> None:
    at = first(lines, "intent")
    data = {k: lines[at]["data"][k] for k in ("agent", "symbol", "slot")}
    lost = {"intent_id": "quoter-0", **data, "reason": "x"}
    lines.insert(at, {"type": "intent_cancel", "ts": lines[at]["ts"], "data": lost})


BREACHES = [
    (without_verdict, "judged", "intents without a verdict: "),
    (without_reason, "reasoned", "intents and cancels without a rationale: "),
    (without_approval, "approved", "orders sent without an approved intent: "),
    (with_a_lost_cancel, "routed", "cancels without a route or a refusal: "),
]


@pytest.mark.parametrize(("change", "rule", "said"), BREACHES, ids=[row[1] for row in BREACHES])
def test_a_breach_is_counted_and_named(home: Path, tmp_path: Path, capsys, change, rule, said):
    """One of many is not 100 %, and the exit code says so too."""
    folder = forged(home, tmp_path / "run", change)
    share = told(capsys, str(folder), code=6)[rule]
    assert 6 == run(["audit", "report", str(folder)])

    text = capsys.readouterr().out
    assert (1, 1) == (share["of"] - share["kept"], len(share["broken_by"]))
    assert f"  {said}{share['broken_by'][0]}\n" in text
    assert "\n  intents" in text


def test_halts_are_listed_in_words(tmp_path: Path, monkeypatch, capsys) -> None:
    """With reason and evidence, as the journal has them; nothing of Python shows."""
    record(tmp_path, "--set", "mock.faults=disconnect", minutes="4")
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(tmp_path))
    assert 0 == run(["audit", "report"])

    text = capsys.readouterr().out.split("entries into DEGRADED and EMERGENCY\n")[1]
    told = text.split("\n\n")[0].splitlines()
    halts = [
        line["data"] for line in rows(tmp_path, "latest")
        if line["type"] == "fsm_transition" and line["data"]["to_state"] == "DEGRADED"
    ]  # fmt: skip
    assert len(told) == len(halts) > 0
    for row, halt in zip(told, halts, strict=True):
        assert f" evidence_ref={halt['evidence_ref']}" in row
        assert f" reasons={','.join(halt['reasons'])} " in row


def test_what_was_not_recorded_is_not_zero(capsys) -> None:
    """A journal of orders alone holds no intents; that breaks no rule and proves none."""
    found = told(capsys, "poor")
    assert 0 == run(["audit", "report", "poor"])

    text = capsys.readouterr().out
    assert {None} == {found[name] for name in ("judged", "reasoned", "routed", "operators")}
    assert text.count("not recorded") == 5


def test_damage_ends_the_account(home: Path, tmp_path: Path, capsys) -> None:
    """What is proven is told, the line is named, and the exit code is 6."""
    folder = tmp_path / "run"
    shutil.copytree(home / "runs" / "one", folder)
    journal = folder / "events.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:100], lines[100].replace(b"1", b"2", 1), *lines[101:]]))
    found = told(capsys, str(folder), code=6)

    assert 100 == found["lines"]
    assert ":101: " in found["damage"]
    journal.write_bytes(b"".join(lines[:-1]))
    assert "lines that counted are gone" in told(capsys, str(folder), code=6)["damage"]
    journal.write_bytes(b"")
    with pytest.raises(StateDamaged):
        run(["audit", "report", str(folder)])


def test_who_stopped_it(tmp_path: Path, monkeypatch, capsys) -> None:
    """A signal is an operator's action, by its name."""
    process = Process(tmp_path, "--headless", "-q")
    process.until_trading()
    process.send(signal.SIGTERM)
    process.end()
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(tmp_path))
    assert 0 == run(["audit", "report"])

    (line,) = capsys.readouterr().out.split("operator actions\n")[1].splitlines()
    assert ["signal", "by", "SIGTERM", "SIGTERM"] == line.split()[3:]


def test_a_day(home: Path, capsys) -> None:
    """A row a run, the sum over all, oldest first; another day has none."""
    day = json.loads((home / "runs" / "one" / "manifest.json").read_text())["started_at"][:10]
    assert 0 == run(["audit", "report", "--day", day])
    text = capsys.readouterr().out
    both = told(capsys, "--day", day)
    assert 0 == run(["audit", "report", "--day", "2001-01-01"])

    assert ["one", "poor"] == [one["run_id"] for one in both]
    assert ["one", "poor"] == [line.split()[0] for line in text.splitlines()[2:4]]
    assert f"{both[0]['judged']['of']}  with a verdict" in text
    assert "no run was started on 2001-01-01 (UTC)\n" == capsys.readouterr().out


@pytest.mark.parametrize("words", [["--day", "x"], ["one", "--day", "2026-01-01"], ["nobody"]])
def test_usage(words: list[str]) -> None:
    """One line, nothing read."""
    with pytest.raises(UsageError):
        run(["audit", "report", *words])


EVIL = "`|\n# [x](javascript:y) <b>\x1b]0;t\x07\u202e"


def hostile(lines: list[dict]) -> None:
    at = first(lines, "operator_command")
    lines[at]["data"] |= {"by": EVIL, "argument": EVIL}
    lines[0]["data"]["source"] = EVIL


def test_an_incident_is_prefilled(home: Path, tmp_path: Path, capsys) -> None:
    """Every fact the run knows, quoted so that no text of it becomes Markdown or a control."""
    folder = forged(home, tmp_path / "run", hostile)
    (folder / "evidence" / "emergency-1").mkdir(parents=True)
    assert 0 == run(["audit", "report", str(folder), "--incident"])

    text = capsys.readouterr().out
    for part in ("# Incident: run `run`", "## Timeline", "`operator_command`", "## Root cause",
                 "`evidence/emergency-1`", "refused by `throttle`", "audit verify run"):  # fmt: skip
        assert part in text
    assert all(line.isprintable() for line in text.splitlines())
    outside = "".join(text.split("`")[::2])
    assert "javascript" not in outside
    assert "javascript" in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.count("|") in (3, 5)
