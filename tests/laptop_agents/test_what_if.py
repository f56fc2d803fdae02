"""`replay --set`: the oracle is a session that really ran with the changed setting.

The mock market does not depend on who trades in it, so the same seed with another setting is what
the what-if must come to, decision by decision.
"""

import json
import shutil
import signal
from pathlib import Path

import pytest

from engine.model.errors import SettingsRefused, StateDamaged, UsageError
from engine.session.audit_diff import difference
from engine.session.journal_line import Chain
from laptop_agents.cli import run
from tests.end_to_end.shell import Process
from tests.laptop_agents.recorded import record

BOTH = ("--symbols", "BTCUSDT,ETHUSDT")
LARGER = "agents.quoter.order_notional=600"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    record(home, "--set", LARGER, *BOTH, run_id="larger")
    record(home, *BOTH, run_id="plain")
    return home


@pytest.fixture(autouse=True)
def _in_that_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(home))


def journal(home: Path, name: str) -> Path:
    return home / "runs" / name / "events.jsonl"


def test_it_comes_to_what_a_session_with_that_setting_did(home: Path, tmp_path: Path) -> None:
    """Every decision of both; the venue answered anew, or they would differ."""
    kept = tmp_path / "kept"
    assert 0 == run(["replay", "plain", "--set", LARGER, "--run-dir", str(kept)])

    assert None is difference(kept / "events.jsonl", journal(home, "larger")).partings
    assert None is not difference(kept / "events.jsonl", journal(home, "plain")).partings


def test_without_a_change_nothing_changes(home: Path, capsys) -> None:
    """The recorded market through kernel and paper venue makes the recorded decisions."""
    assert 0 == run(["replay", "plain", "--set", "agents.quoter.order_notional=300", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert (None, {}) == (
        told["partings"],
        {name: row for name, row in told["settings"].items() if name != "session.speed"},
    )
    assert told["same_decisions"] > 200
    assert told["runs"][0]["money"] == told["runs"][1]["money"]


def test_what_a_person_did_happens_again(tmp_path: Path, monkeypatch) -> None:
    """A signal is an input from outside: it ends the what-if where it ended the session."""
    home = tmp_path / "home"
    process = Process(home, "--headless", "-q", "--seed", "5")
    process.until_trading()
    process.send(signal.SIGTERM)
    process.end()
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(home))
    kept = tmp_path / "kept"

    assert 0 == run(["replay", "--set", "agents.quoter.order_notional=300", "--run-dir", str(kept)])
    assert "signal" == json.loads((kept / "final_report.json").read_text())["stop_reason"]
    assert None is difference(kept / "events.jsonl", journal(home, "latest")).partings


def test_both_sides_for_people(capsys) -> None:
    """The parting and its input, counters, money by cause, and the gate's refusals by rule."""
    assert 0 == run(["replay", "plain", "--max-orders-per-minute", "5"])

    text = capsys.readouterr().out
    rows = dict(line.split("  ", 1) for line in text.splitlines() if "  " in line.strip())
    heading = next(line for line in text.splitlines() if line.startswith("      "))
    assert ["recorded", "what", "if"] == heading.split()
    assert "decisions are the same, then they part:" in text
    for row in ("fill", "round_trip", "refused by throttle", "realised at the end",
                "fees at the end", "funding at the end", "unrealised at the end", "stop_reason",
                "risk.max_orders_per_minute"):  # fmt: skip
        assert row in rows


def test_one_symbol_of_two(tmp_path: Path) -> None:
    """The other one's market is left in the recording."""
    kept = tmp_path / "kept"
    assert 0 == run(["replay", "plain", "--symbols", "ETHUSDT", "--run-dir", str(kept)])

    lines = map(json.loads, (kept / "events.jsonl").read_text().splitlines())
    asked = {(line["type"], line["data"].get("symbol")) for line in lines}
    assert {("quote", "ETHUSDT"), ("intent", "ETHUSDT")} <= asked
    assert not {("quote", "BTCUSDT"), ("intent", "BTCUSDT")} & asked
    with pytest.raises(UsageError, match="DOGEUSDT was not recorded: there are BTCUSDT, ETHUSDT"):
        run(["replay", "plain", "--symbols", "DOGEUSDT"])


def test_the_option_is_the_sub_command(home: Path, capsys) -> None:
    """`--replay PATH`, with and without a change."""
    for change in ([], ["--set", LARGER]):
        assert 0 == run(["replay", str(journal(home, "plain")), "--json", *change])
        assert 0 == run(["--json", "--headless", "--replay", str(journal(home, "plain")), *change])
        one, other = map(json.loads, capsys.readouterr().out.splitlines())
        for told in (one, other):
            for side in told.get("runs", ()):
                del side["run_id"]  # a what-if is given a new one each time
        assert one == other


def test_it_leaves_nothing_behind(home: Path, tmp_path: Path, monkeypatch) -> None:
    """No folder anywhere, `latest` where it was; a kept one is a run that replays."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = sorted(home.rglob("*"))
    kept = tmp_path / "kept"
    assert 0 == run(["replay", "plain", "--set", LARGER])
    assert [] == list(tmp_path.iterdir())
    assert 0 == run(["replay", "plain", "--set", LARGER, "--run-dir", str(kept)])

    assert before == sorted(home.rglob("*"))
    assert [kept] == list(tmp_path.iterdir())
    assert 0 == run(["replay", str(kept)])
    assert 0 == run(["audit", "verify", str(kept)])
    with pytest.raises(UsageError, match="exists already"):
        run(["replay", "plain", "--set", LARGER, "--run-dir", str(kept)])


REFUSALS = [
    ("agents.quoter.order_notionl=1", "did you mean agents.quoter.order_notional"),
    ("risk.max_loss_pct=-1", "risk.max_loss_pct: must be"),
    ("paper.makr_fee_bps=1", "unknown setting paper.makr_fee_bps: did you mean paper."),
    ("mock.volatility=1", "mock.volatility: part of the recording"),
    ("source=mock", "source: part of the recording"),
    ("session.speed=2", "session.speed: part of the recording"),
    ("journal.detail=orders", "journal.detail: part of the recording"),
    ("profile=scalp", "profile: part of the recording"),
]


@pytest.mark.parametrize(("change", "complaint"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_refused(change: str, complaint: str) -> None:
    """Unknown names as everywhere; what shaped the recording can't be changed by a replay."""
    with pytest.raises(SettingsRefused, match=complaint) as caught:
        run(["replay", "plain", "--set", change])
    assert 2 == caught.value.exit_code


def test_a_recording_that_does_not_replay_proves_nothing(home: Path, tmp_path: Path) -> None:
    """Otherwise the program's difference would be told as the setting's."""
    chain, content, is_changed = Chain(), b"", False
    for line in map(json.loads, journal(home, "plain").read_text().splitlines()):
        if line["type"] == "intent" and not is_changed:
            line["data"]["reason"], is_changed = "another", True
        content += chain.data(line["type"], line["ts"], line["data"])
    forged = tmp_path / "forged"
    shutil.copytree(journal(home, "plain").parent, forged)
    (forged / "events.jsonl").write_bytes(content)

    with pytest.raises(StateDamaged, match="decides differently here without any change"):
        run(["replay", str(forged), "--set", LARGER])
