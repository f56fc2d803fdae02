"""`audit query` on a recorded run: filters, forms, and what it refuses."""

import csv
import decimal
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged, UsageError
from engine.session.journal_line import Chain
from laptop_agents.cli import run
from tests.laptop_agents.recorded import ROOT, record


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    record(home)
    return home


@pytest.fixture(autouse=True)
def _in_that_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(home))
    with decimal.localcontext():
        yield


def journal(home: Path) -> list[dict]:
    text = (home / "runs" / "latest" / "events.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict]:
    assert 0 == run(["audit", "query", "--json", *words])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


FILTERS = [
    # words, what the journal's own lines must satisfy
    ((), lambda row: True),
    (("--type", "fill"), lambda row: row["type"] == "fill"),
    (("--type", "fill,order_*"), lambda row: row["type"] == "fill" or row["type"].startswith("order_")),
    (("--symbol", "BTCUSDT", "--type", "intent"), lambda row: row["type"] == "intent"),
    (("--symbol", "ETHUSDT"), lambda row: False),
    (("--since", "60"), lambda row: row["ts"] >= row["began"] + 60 * 10**9),
    (("--until", "0.5"), lambda row: row["ts"] < row["began"] + 5 * 10**8),
    (("--since", "0"), lambda row: True),
    (("--until", "0"), lambda row: False),
    (("--since", "0001-01-01T00:00:00+23:00"), lambda row: True),
    (("--since", "9999-12-31"), lambda row: False),
    (("--since", "2023-11-14T22:14:20Z"), lambda row: row["ts"] >= 1_700_000_060 * 10**9),
    (("--until", "2023-11-14T23:14:20+01:00"), lambda row: row["ts"] < 1_700_000_060 * 10**9),
    (("--since", "2023-11-14 22:14:20"), lambda row: row["ts"] >= 1_700_000_060 * 10**9),
]  # fmt: skip


@pytest.mark.parametrize(("words", "fits"), FILTERS, ids=[" ".join(row[0]) for row in FILTERS])
def test_filter(home: Path, capsys: pytest.CaptureFixture[str], words, fits) -> None:
    """Exactly the lines that fit, in their order, as they stand in the journal."""
    rows = journal(home)
    began = rows[0]["ts"]

    assert [row for row in rows if fits(row | {"began": began})] == asked(capsys, *words)


def test_an_order_is_followed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the wish to its end, by one id."""
    filled = next(row for row in journal(home) if row["type"] == "fill")["data"]["order_id"]
    types = [row["type"] for row in asked(capsys, "--order", filled)]

    assert ["intent", "gate_verdict", "router_decision", "order_submitted"] == types[:4]
    assert {"venue_fill", "fill"} <= set(types)


def test_the_table_is_short_and_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """People get the first lines and the count, programs everything."""
    assert 0 == run(["audit", "query"])
    table = capsys.readouterr()
    assert 0 == run(["audit", "query", "--limit", "3"])
    three = capsys.readouterr()

    assert 200 == len(table.out.splitlines())
    assert table.err.startswith(f"200 of {len(journal(home))} lines")
    assert (3, "") == (len(three.out.splitlines()), three.err)
    assert "2023-11-14T22:13:20.143Z  session_started" in table.out


def test_nothing_fits(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty answer is an answer."""
    assert 0 == run(["audit", "query", "--order", "nobody-1"])
    assert ("", "no line fits\n") == capsys.readouterr()


def test_csv_reads_back(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One row a line with the data as JSON in its last cell."""
    assert 0 == run(["audit", "query", "--csv", "--type", "fill"])

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    fills = [row for row in journal(home) if row["type"] == "fill"]
    assert [fill["data"] for fill in fills] == [json.loads(row["data"]) for row in rows]
    assert [fill["data"]["order_id"] for fill in fills] == [row["order"] for row in rows]


REFUSED = [
    (("--type", "fil"), "did you mean fill?"),
    (("--type", "\x1b[31m"), "no line is a"),
    (("--since", "yesterday"), "ISO time"),
    (("--since", "-1"), "0 or more"),
    (("--until", "nan"), "0 or more"),
    (("--until", "1e300"), "0 or more"),
    (("--limit", "0"), "above 0"),
    (("--limit", "-1"), "above 0"),
    (("--limit", "²"), "above 0"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_a_filter_without_sense(words: tuple[str, ...], said: str) -> None:
    """Exit 2, one sentence, no control in it."""
    with pytest.raises(UsageError, match=said.replace("?", r"\?")) as caught:
        run(["audit", "query", *words])

    assert str(caught.value).isprintable()


def test_damage_is_exit_6(home: Path, tmp_path: Path) -> None:
    """Whatever was asked, and although an index was there before."""
    folder = tmp_path / "run"
    shutil.copytree(home / "runs" / "latest", folder)
    assert 0 == run(["audit", "query", str(folder), "--type", "fill"])
    lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    lines[39] = lines[39].replace(b"1", b"2", 1)
    (folder / "events.jsonl").write_bytes(b"".join(lines))

    with pytest.raises(JournalDamaged) as caught:
        run(["audit", "query", str(folder), "--type", "fill"])
    assert (40, 6) == (caught.value.line, caught.value.exit_code)


HOSTILE = "\x1b]0;pwned\x07\u202egnp\u009b31m[red]\U0001f600\n'="


@pytest.mark.parametrize("form", [(), ("--json",), ("--csv",)])
def test_outside_text_can_t_reach_the_terminal(tmp_path: Path, form: tuple[str, ...]) -> None:
    """A real process, its bytes searched: no control but the newline, no mark of direction."""
    chain = Chain()
    rows = [chain.data("session_started", 1, {"symbols": [HOSTILE], "agents": [HOSTILE]})]
    rows += [chain.data("alert", 2, {"message": HOSTILE, HOSTILE: [HOSTILE], "symbol": HOSTILE})]
    rows += [chain.data("alert", 3, HOSTILE), chain.data("alert", 4, {"x": {HOSTILE: [{}] * 99}})]
    (tmp_path / "events.jsonl").write_bytes(b"".join(rows))
    done = subprocess.run(
        [sys.executable, "-m", "laptop_agents", "audit", "query", str(tmp_path), *form],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(tmp_path), "LAPTOP_AGENTS_SOURCE": "mock"},
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip

    said = done.stdout.decode() + done.stderr.decode()
    assert 0 == done.returncode, said
    assert [] == [line for line in said.splitlines() if not line.isprintable()]
    if form == ("--json",):
        assert HOSTILE == json.loads(done.stdout.splitlines()[1])["data"]["message"]
