"""`audit why`: an executed, a denied, a throttled and a netted intent, and what can't be told."""

import decimal
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model.errors import StateDamaged, UsageError
from engine.session.journal_line import Chain
from laptop_agents.cli import run
from laptop_agents.why_process import why
from tests.laptop_agents.recorded import record

RUNS = {
    # run, settings
    "plain": (),
    "denied": ("--set", "risk.max_order_notional=150"),
    "throttled": ("--set", "risk.max_orders_per_minute=3", "--set", "risk.throttle_wait_ms=0"),
    "brief": ("--set", "journal.detail=decisions"),
    "dumb": ("--set", "journal.detail=orders"),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    for name, settings in RUNS.items():
        record(home, *settings, run_id=name)
    return home


@pytest.fixture(autouse=True)
def _in_that_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(home))
    with decimal.localcontext():
        yield


def lines(home: Path, name: str, kind: str) -> list[dict]:
    text = (home / "runs" / name / "events.jsonl").read_text()
    return [row for row in map(json.loads, text.splitlines()) if row["type"] == kind]


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert 0 == run(["audit", "why", *words, "--json"])
    return json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert 0 == run(["audit", "why", *words])
    return capsys.readouterr().out


def test_an_executed_intent(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wish with reason, every rule with its reading, the route, the fills."""
    fill = lines(home, "plain", "fill")[0]
    order = fill["data"]["order_id"]
    told, text = asked(capsys, "plain", order), said(capsys, "plain", order)

    (intent,) = told["intents"]
    (judged,) = told["judgements"]
    assert intent in [pick(row) for row in lines(home, "plain", "intent")]
    assert False not in {rule["passed"] for rule in judged["rules"]}
    assert 20 == len(judged["rules"])
    assert [] == judged["changes"]
    assert "PLACE" == told["router"][0]["data"]["decision"]
    assert pick(fill) in told["aftermath"]
    assert f"reason: {intent['data']['reason']}" in text
    assert "gate: approved" in text
    assert "router: PLACE, NO_EXISTING_ORDER" in text
    assert "STOP" not in text


def pick(row: dict) -> dict:
    return {key: row[key] for key in ("seq", "ts", "type", "data")}


def test_every_recorded_refusal_is_explained(home: Path, capsys) -> None:
    """The first rule that stops in the table is the one the journal names, with its reading."""
    verdicts = [row["data"] for row in lines(home, "denied", "gate_verdict")]
    refused = [row for row in verdicts if not row["is_approved"]]
    assert refused
    for verdict in refused[:3] + refused[-3:]:
        judged = asked(capsys, "denied", verdict["intent_id"])["judgements"][-1]
        stop = next(rule for rule in judged["rules"] if rule["passed"] is False)
        assert verdict["rule"] == stop["name"]
        for field in ("setting", "limit", "reading"):
            assert verdict[field] == stop[field]


def test_a_denied_intent_and_what_would_have_let_it_pass(home: Path, capsys) -> None:
    """The quantity that fits the limit, and the limit that fits the quantity."""
    verdicts = [row["data"] for row in lines(home, "denied", "gate_verdict")]
    denied = [row for row in verdicts if row["rule"] == "order_size"][-1]
    told, text = (ask(capsys, "denied", denied["intent_id"]) for ask in (asked, said))

    quantity, limit = told["judgements"][-1]["changes"]
    assert quantity.startswith("qty <= 0.00")
    assert f"risk.max_order_notional >= {denied['reading']}" == limit
    assert f"would have let it pass: {quantity}, or {limit}" in text
    assert "order_denied" in text


def test_a_throttled_intent(home: Path, capsys) -> None:
    """Only time helps; how much, to the tenth of a second."""
    verdicts = [row["data"] for row in lines(home, "throttled", "gate_verdict")]
    refused = next(row for row in verdicts if row["rule"] == "throttle")
    told = asked(capsys, "throttled", refused["intent_id"])

    (change,) = told["judgements"][0]["changes"]
    assert change.startswith("wait ")
    assert change.endswith(" s for a token")
    assert 0 < float(change.split()[1]) <= 60


def test_last_is_the_last_refused(home: Path, capsys) -> None:
    """Of the newest run, or of the one named."""
    refused = [r for r in lines(home, "denied", "gate_verdict") if not r["data"]["is_approved"]]

    assert refused[-1]["data"]["intent_id"] == asked(capsys, "denied", "--last")["intent_id"]


def test_a_symbol_means_its_last_intent(home: Path, capsys) -> None:
    """Whoever wished it."""
    last = lines(home, "plain", "intent")[-1]["data"]["intent_id"]

    assert last == asked(capsys, "plain", "BTCUSDT")["intent_id"]


def test_an_amend_is_followed_to_the_order_it_changed(home: Path, capsys) -> None:
    """Until the next intent changes that order again, which is named."""
    routes = [row["data"] for row in lines(home, "plain", "router_decision")]
    amends = [row for row in routes if row["decision"] == "AMEND"]
    told = asked(capsys, "plain", amends[0]["intent_id"])

    types = [row["type"] for row in told["aftermath"]]
    heirs = [
        r["intent_id"] for r in amends if r["working_order_id"] == amends[0]["working_order_id"]
    ]
    assert "order_pending_update" == types[0]
    assert "venue_amended" in types
    assert heirs[1] == told["changed_next_by"]


def test_a_canceling_intent(home: Path, tmp_path: Path, capsys) -> None:
    """It has no rules to read, but it has a story, here that of a throttled cancel."""
    first = lines(home, "brief", "session_started")[0]["data"]
    wish = {"intent_id": "quoter-9", "agent": "quoter", "symbol": "BTCUSDT", "slot": "bid"}
    verdict = {"intent_id": "quoter-9", "symbol": "BTCUSDT", "is_approved": False,
               "rule": "throttle", "setting": "max_cancels_per_minute", "limit": "1", "reading": "2"}  # fmt: skip
    chain = Chain()
    rows = [chain.data("session_started", 1, first)]
    rows += [chain.data("intent_cancel", 2, wish | {"reason": "too wide"})]
    rows += [chain.data("gate_verdict", 2, verdict)]
    rows += [chain.data("gate_verdict", 3, verdict | {"intent_id": "x-1", "is_waiting": True})]
    (tmp_path / "events.jsonl").write_bytes(b"".join(rows))

    text = said(capsys, str(tmp_path), "--last")
    assert "quoter-9: cancel of BTCUSDT, slot bid" in text
    assert "refused by throttle (risk.max_cancels_per_minute): limit 1, reading 2" in text


def test_without_inputs_there_are_no_readings(home: Path, capsys) -> None:
    """What was recorded is told, what was not is said to be missing."""
    order = lines(home, "brief", "fill")[0]["data"]["order_id"]
    told = asked(capsys, "brief", order)

    assert [] == told["judgements"]
    assert "not to be had: the run kept journal.detail = decisions" == told["readings_absent"]
    assert "fill" in {row["type"] for row in told["aftermath"]}


def test_without_deliberations_the_order_is_still_followed(home: Path, capsys) -> None:
    """A journal of orders alone knows no wish."""
    order = lines(home, "dumb", "fill")[0]["data"]["order_id"]

    assert "the journal holds no intent of that id" in said(capsys, "dumb", order)


NETTED = {
    "symbol": "BTCUSDT", "policy": "net", "inputs": ["trend-1", "quoter-1"],
    "chosen": ["trend-1"], "overridden": ["quoter-1"], "rationale": "net: buy 2 against sell 1",
}  # fmt: skip


def test_a_netted_intent(home: Path, tmp_path: Path, capsys) -> None:
    """Consensus dropped it: there never was an intent to judge, and that is the answer."""
    first = lines(home, "plain", "session_started")[0]
    chain = Chain()
    rows = [chain.data("session_started", first["ts"], first["data"])]
    rows += [chain.data("meta_decision", first["ts"], NETTED)]
    (tmp_path / "events.jsonl").write_bytes(b"".join(rows))

    text = said(capsys, str(tmp_path), "quoter-1")
    assert "a wish that never became an intent" in text
    assert "consensus dropped it: net: buy 2 against sell 1 (line 2)" in text
    assert "readings: it never came to the gate" in text


def test_a_replay_that_differs_gives_no_readings(home: Path, tmp_path: Path, capsys) -> None:
    """The journal's own words are told, then exit 6: a reading from another story is worth none."""
    chain, content = Chain(), b""
    for line in (home / "runs" / "plain" / "events.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["type"] == "intent":
            row["data"]["reason"] = "forged"
        content += chain.data(row["type"], row["ts"], row["data"])
    (tmp_path / "events.jsonl").write_bytes(content)

    with pytest.raises(StateDamaged, match="decides differently") as caught:
        run(["audit", "why", str(tmp_path), "BTCUSDT"])
    assert 6 == caught.value.exit_code
    assert "readings: left out" in capsys.readouterr().out


REFUSED = [
    ((), "needs a SYMBOL"),
    (("plain", "x", "y"), "more words"),
    (("plain", "x", "--last"), "more words"),
    (("plain", "nobody-1"), "no symbol and no intent"),
    (("nobody-1\x1b[31m",), "no symbol and no intent"),
    (("nowhere", "BTCUSDT"), "no run"),
]


@pytest.mark.parametrize(("words", "words_said"), REFUSED)
def test_what_is_refused(words: tuple[str, ...], words_said: str) -> None:
    """Exit 2 and one printable sentence."""
    with pytest.raises(UsageError, match=words_said) as caught:
        run(["audit", "why", *words])

    assert str(caught.value).isprintable()


SHAPELESS = [
    # type, data of a line somebody else chained
    ("intent", {"intent_id": "trend-1", "symbol": 5}),
    ("gate_verdict", {"intent_id": "trend-1"}),
    ("router_decision", {"intent_id": "trend-1", "decision": ["x"]}),
    ("fill", {"order_id": "trend-1"}),
]


@pytest.mark.parametrize(("kind", "data"), SHAPELESS)
def test_a_chained_line_without_shape(home: Path, tmp_path: Path, kind: str, data: dict) -> None:
    """Exit 6, not a bug of ours."""
    folder = tmp_path / "run"
    folder.mkdir()
    first = lines(home, "plain", "session_started")[0]
    chain = Chain()
    rows = [chain.data("session_started", 1, first["data"]), chain.data(kind, 2, data)]
    (folder / "events.jsonl").write_bytes(b"".join(rows))

    with pytest.raises((StateDamaged, UsageError)):
        run(["audit", "why", str(folder), "trend-1"])
    shutil.rmtree(folder)


def test_as_of_a_line_nothing_later_is_known(home: Path, capsys) -> None:
    """The newest intent, what became of the order it changed, and the verdicts are those of then."""
    amends = [row for row in lines(home, "plain", "router_decision") if "AMEND" in str(row["data"])]
    middle = amends[len(amends) // 2]
    told = asked(capsys, "plain", middle["data"]["symbol"], "--as-of", str(middle["seq"]))
    later = asked(capsys, "plain", told["intent_id"])

    assert middle["data"]["intent_id"] == told["intent_id"]
    assert told["verdicts"][0] == told["recent_verdicts"][0]
    assert 20 == len(told["recent_verdicts"])
    assert later["aftermath"]
    assert [] == told["aftermath"]
    assert told["judgements"] == later["judgements"]


def test_the_screen_asks_a_process_of_its_own(home: Path) -> None:
    """What it answers is what the command tells; what it refuses is said in words."""
    folder = home / "runs" / "denied"
    reply = why(folder, "BTCUSDT")
    assert "BTCUSDT" == reply.told.symbol
    assert reply.told.judgements
    refused = why(folder, "NOSUCH")
    assert refused.told is None
    assert "no symbol and no intent 'NOSUCH'" in refused.trouble
