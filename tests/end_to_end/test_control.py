"""Commands and screens at the socket of a real session, in real processes."""

import json
import re
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.model.events import INPUT_TYPES
from engine.session.control.address import NAME, PATH_BYTES_MAX
from engine.session.control.chronicle import TAIL_MAX
from engine.session.control.client import Connection
from engine.session.control.frames import PROTOCOL, encode
from engine.session.control.views import View
from engine.session.control.words import Hello
from tests.end_to_end.shell import START, Ending, Process, Run, break_in_chain, session

BUSY = (
    "--headless", "--duration", "5", "--symbols", "BTCUSDT,ETHUSDT",
    "--set", "agents.quoter.half_spread_bps=0.5", "--set", "risk.max_consecutive_losses=none",
)  # fmt: skip
PINNED = (
    "--seed", "7", "--speed", "max", "--symbols", "BTCUSDT,ETHUSDT",
    "--set", "agents.quoter.half_spread_bps=0.5", "--set", "session.run_id=pinned",
    "--set", f"session.start_ns={START}",
)  # fmt: skip


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose runs have room for a socket, whatever pytest's folders are called."""
    path = Path(tempfile.mkdtemp(prefix="la-"))
    yield path
    shutil.rmtree(path)


def tell(home: Path, *words: str) -> Ending:
    return Process(home, *words).end(20)


def operators(run: Run) -> list[tuple[str, str]]:
    """What people asked for; what a session asks of itself, as after a resume, is no operator's."""
    said = [line["data"] for line in run.lines("operator_command")]
    return [(told["command"], told["argument"]) for told in said if told["by"] != "session"]


def assert_sound(home: Path, run: Run) -> None:
    """The chain holds, the journal replays, and nothing of the socket is left."""
    assert break_in_chain(run.raw()) is None
    assert tell(home, "replay").out.startswith("identical")
    assert not (run.path / NAME).exists()


SECOND = 1_000_000_000

SAID = [
    # words,                                 exit, what it prints
    (("pause",),                             0, r"paused in \d+ ms: state PAUSED \(OPERATOR_PAUSE\), \d+ orders? canceled"),
    (("pause",),                             0, r"nothing changed: state PAUSED \(OPERATOR_PAUSE\)"),
    (("resume",),                            0, r"resumed in \d+ ms: state ACTIVE"),
    (("reduce-only",),                       0, r"reduce-only in \d+ ms: state PAUSED \(OPERATOR_REDUCE_ONLY\)"),
    (("resume", "latest"),                   0, r"resumed in"),
    (("agents", "weight", "quoter", "0.25"), 0, r"agent weighed \(quoter=0.25\) in \d+ ms: state ACTIVE"),
    (("agents", "weight", "quoter", "2"),    2, r"refused: a weight is a number from 0 to 1"),
    (("agents", "pause", "quoter"),          0, r"agent paused \(quoter\) in"),
    (("agents", "pause", "nobody"),          2, r"refused: no agent 'nobody' in this session: it has quoter, trend"),
    (("agents", "resume", "quoter"),         0, r"agent resumed \(quoter\) in"),
    (("reset", "--confirm", "RESET"),        2, r"refused: reset is not possible in state ACTIVE"),
    (("flatten",),                           0, r"flat in .*: state PAUSED \(OPERATOR_FLATTEN\), .*no position"),
    (("stop",),                              0, r"stopped in .*: state STOPPED.*, ended by operator_stop, .*no position"),
]  # fmt: skip


def test_every_command(home: Path) -> None:
    """Each prints what happened with times, and stands in the journal with who gave it."""
    process = Process(home, *BUSY)
    process.until(lambda: b'"type":"fill"' in process.run.raw(), 40)
    for words, code, line in SAID:
        told = tell(home, *words)
        assert (code, "") == (told.code, told.err), (words, told)
        assert re.match(line, told.out), (words, told.out)
    run = process.end(10).run

    assert ["pause", "pause", "resume", "reduce_only", "resume", "weigh_agent", "pause_agent",
            "resume_agent", "reset", "flatten", "stop"] == [name for name, _ in operators(run)]  # fmt: skip
    by = {line["data"]["by"] for line in run.lines("operator_command")}
    assert all(re.fullmatch(r"cli pid=\d+ uid=\d+ user=\S+", who) for who in by)
    assert 11 == len(by)
    assert ("operator_stop", 4, []) == (
        run.report()["stop_reason"], run.report()["exit_code"], run.report()["positions_at_end"],
    )  # fmt: skip
    assert_sound(home, run)


def test_status(home: Path) -> None:
    """Live from the socket, afterwards from the report; for people and for programs."""
    process = Process(home, *BUSY)
    process.until_trading()
    live, as_json = tell(home, "status"), tell(home, "status", "--json")
    killed = tell(home, "kill", "--json")
    ended = process.end(10)
    after, after_json, late = (
        tell(home, "status"),
        tell(home, "status", "--json"),
        tell(home, "kill"),
    )

    for line in (r"run +\S+ \(running, pid \d+\)", r"mode +paper SIMULATED, source mock",
                 r"state +ACTIVE since 20", r"BTCUSDT +\d", r"agent quoter +on, weight 1"):  # fmt: skip
        assert re.search(line, live.out), live.out
    view = json.loads(as_json.out)
    assert (True, "ACTIVE") == (view["is_running"], view["session"]["state"])
    assert {"markets", "orders", "positions", "agents", "breakers", "health", "fills",
            "round_trips", "transitions", "log", "equity", "lifecycle"} <= set(view)  # fmt: skip
    outcome = json.loads(killed.out)
    assert ("done", "operator_kill", {}) == (
        outcome["ruling"], outcome["detail"], outcome["positions"],
    )  # fmt: skip
    assert 4 == ended.code
    assert re.search(r"\(not running\)\nended by +operator_kill\n", after.out)
    assert (False, "operator_kill") == (
        json.loads(after_json.out)["is_running"], json.loads(after_json.out)["stop_reason"],
    )  # fmt: skip
    assert (0, 0, 5) == (after.code, after_json.code, late.code)
    assert re.fullmatch(r"error: run \S+ is not running: operator_kill\n", late.err)


def test_a_held_emergency(home: Path) -> None:
    """KILL flattens and holds; nothing but the typed word leads out, then RESUME trades again."""
    process = Process(home, *BUSY, "--set", "session.on_emergency=hold")
    process.until_trading()
    told = [
        tell(home, *words)
        for words in (("kill",), ("resume",), ("reset",), ("reset", "--confirm", "RESET"),
                      ("resume",), ("stop",))
    ]  # fmt: skip
    run = process.end(10).run

    assert [0, 2, 2, 0, 0, 0] == [one.code for one in told]
    assert "killed in" in told[0].out
    assert "no position" in told[0].out
    assert "refused: resume is not possible in state EMERGENCY: OPERATOR_KILL" in told[1].out
    assert "the word RESET" in told[2].out
    assert "reset (RESET) in" in told[3].out
    assert "state ACTIVE" in told[4].out
    assert_sound(home, run)


def test_who_is_not_there(home: Path) -> None:
    """No such run: 2. A run killed from outside says how it ended; commands find nobody: 5."""
    nothing = tell(home, "status")
    process = Process(home, *BUSY)
    process.until_trading()
    process.send(signal.SIGKILL)
    process.end(10)
    status, pause = tell(home, "status"), tell(home, "pause")

    assert (2, 5) == (nothing.code, pause.code)
    assert "no run 'latest'" in nothing.err
    assert "is not running: ended abruptly" in pause.err
    assert (process.run.path / NAME).is_socket()
    assert 0 == status.code
    assert re.search(r"\(not running\)\nended by +ended abruptly\n", status.out)


def test_a_command_survives_a_crash(home: Path) -> None:
    """The dead session's socket is taken over, and the resumed one is paused as it was."""
    process = Process(home, *BUSY)
    process.until_trading()
    tell(home, "pause")
    tell(home, "agents", "weight", "quoter", "0.5")
    process.send(signal.SIGKILL)
    process.end(10)
    again = Process(home, "--headless", "--resume")
    again.until(lambda: b'"type":"session_resumed"' in again.run.raw())
    status = tell(home, "status")
    tell(home, "stop")
    run = again.end(10).run

    assert re.search(r"state +PAUSED \(OPERATOR_PAUSE\)", status.out), status
    assert "agent quoter  on, weight 0.5" in status.out
    assert [("pause", ""), ("weigh_agent", "quoter=0.5"), ("stop", "")] == operators(run)
    assert_sound(home, run)


def test_a_path_too_long_for_a_socket(home: Path) -> None:
    """The file in the run folder names a short one, and both are gone afterwards."""
    runtime = home / "x"
    runtime.mkdir()
    deep = home / ("long" * 25) / "run"
    process = Process(home, *BUSY, "--run-dir", str(deep), XDG_RUNTIME_DIR=str(runtime))
    process.until(lambda: b'"type":"venue_accepted"' in Run(deep).raw())
    is_file = (deep / NAME).is_file()
    short = list(runtime.rglob("*.sock"))
    told = Process(home, "stop", str(deep), XDG_RUNTIME_DIR=str(runtime)).end(20)
    process.end(10)

    assert len(str(deep / NAME)) > PATH_BYTES_MAX
    assert is_file
    assert 1 == len(short)
    assert 0 == told.code, told
    assert not (deep / NAME).exists()
    assert [] == list(runtime.rglob("*.sock"))


def test_a_stopped_session_keeps_nobody_waiting(home: Path) -> None:
    """SIGSTOP: one line and exit 5 within seconds."""
    process = Process(home, *BUSY)
    process.until_trading()
    process.send(signal.SIGSTOP)
    began = time.monotonic()
    told = tell(home, "pause")
    took = time.monotonic() - began
    process.send(signal.SIGCONT)
    tell(home, "stop")
    process.end(10)

    assert 5 == told.code
    assert "does not answer a greeting" in told.err
    assert took < 5


# --- being watched -------------------------------------------------------------------------------


class Watcher:
    """Attaches to a session in threads: one reads, one never does, some talk nonsense."""

    def __init__(self, folder: Path, pid: int) -> None:
        self.folder = folder
        self._engine = psutil.Process(pid)
        self.gaps: list[float] = []
        """Processor time of the session between two views, seconds: it never waits for anything,
        and what other programs take of the machine is none of its doing."""
        self.views: list[View] = []
        self._idle: list[socket.socket] = []
        self._thread = threading.Thread(target=self._read)

    def begin(self) -> None:
        for sent in (
            encode(Hello(PROTOCOL, "screen", wants_views=True)),
            b"\x00\x00",
            b"GET / HTTP/1.1\r\n\r\n",
            encode(Hello(PROTOCOL, "cli")) + b"\xff" * 64,
        ):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(self.folder / NAME))
            sock.sendall(sent)
            self._idle.append(sock)
        self._thread.start()

    def _read(self) -> None:
        last = self._worked_s()
        with Connection.open(self.folder, "screen", wants_views=True) as connection:
            for word in connection.views(within_s=5):
                now = self._worked_s()
                if isinstance(word, View):
                    self.views.append(word)
                    self.gaps.append(now - last)
                last = now

    def _worked_s(self) -> float:
        times = self._engine.cpu_times()
        return times.user + times.system

    def end(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()
        for sock in self._idle:
            sock.close()


def decided(run: Run) -> list[bytes]:
    """Every line after the first, without its place in the chain."""
    lines = run.raw().splitlines()[1:]
    return [line[line.index(b'"ts"') : line.rindex(b',"prev"')] for line in lines]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, Run, Watcher]]:
    """The same session twice: alone, and in company from its first second on."""
    path = Path(tempfile.mkdtemp(prefix="la-"))
    alone = session(path / "alone", *PINNED, "--duration", "12").run
    process = Process(path / "seen", "--headless", *PINNED, "--duration", "12")
    process.until((process.run.path / NAME).is_socket)
    watcher = Watcher(process.run.path.resolve(), process.pid)
    watcher.begin()
    seen = process.end()
    watcher.end()
    assert 0 == seen.code
    yield alone, seen.run, watcher
    shutil.rmtree(path)


def test_being_watched_changes_nothing(watched: tuple[Run, Run, Watcher]) -> None:
    """One reads, one never reads, others talk nonsense: every line is the one written alone."""
    alone, seen, watcher = watched
    one, two = decided(alone), decided(seen)

    assert len(watcher.views) > 5
    assert [] == [pair for pair in zip(one, two, strict=False) if pair[0] != pair[1]][:1]
    assert len(one) == len(two)
    assert {"fill", "order_submitted"} <= {line["type"] for line in seen.lines()} - set(INPUT_TYPES)


def test_views_keep_coming_at_full_speed(watched: tuple[Run, Run, Watcher]) -> None:
    """A loop that never waits still shows itself ten times a second."""
    *_, watcher = watched
    gaps = sorted(watcher.gaps[1:])

    assert gaps[len(gaps) // 2] < 0.15
    assert gaps[-1] < 0.5
    numbers = [view.number for view in watcher.views]
    assert sorted(set(numbers)) == numbers


def test_a_view_is_whole(watched: tuple[Run, Run, Watcher]) -> None:
    """What the panes need is there, and the money in it adds up exactly."""
    *_, watcher = watched
    for view in watcher.views:
        money = view.session
        spent = sum((p.fees for p in view.positions), start=money.fees * 0)
        assert (
            money.starting_balance
            + money.realised
            - money.fees
            + money.funding
            + (money.unrealised)
            == money.equity
        )
        assert spent == money.fees == sum((a.fees for a in view.agents), start=money.fees * 0)
    last: Any = watcher.views[-1]
    assert ("BTCUSDT", "ETHUSDT") == tuple(market.symbol for market in last.markets)
    assert all(market.bid < market.ask for market in last.markets)
    assert last.fills
    assert last.equity
    assert last.log
    assert last.transitions
    assert last.breakers
    assert last.health.journal_events > 0


def test_a_command_at_full_speed(home: Path) -> None:
    """Heard within a batch, done, and replayed like everything else."""
    process = Process(home, "--headless", *PINNED, "--duration", "6000")
    process.until_trading()
    paused = tell(home, "pause", "--json")
    stopped = tell(home, "stop", "--json")
    run = process.end(20).run

    for told in (paused, stopped):
        assert 0 == told.code, told
        assert json.loads(told.out)["seconds"] < 0.3
    assert [("pause", ""), ("stop", "")] == operators(run)
    assert_sound(home, run)


def test_a_screen_after_a_resume_sees_how_it_came_to_this(home: Path) -> None:
    """The rerun begins at a checkpoint, and the tails of a view begin where the session did."""
    often = ("--speed", "60", "--duration", "60", "--set", "checkpoint.every_s=1",
             "--set", "agents.quoter.half_spread_bps=2")  # fmt: skip
    process = Process(home, "--headless", "--symbols", "BTCUSDT,ETHUSDT", *often)
    process.until(lambda: len(process.run.lines_so_far("fill")) > 1, 60)
    process.until(lambda: bool(list(process.run.path.glob("checkpoint-*"))))
    seq = max(int(path.stem.partition("-")[2]) for path in process.run.path.glob("checkpoint-*"))
    process.send(signal.SIGKILL)
    process.end()
    process = Process(home, "--headless", "-q", "--resume")
    process.until(lambda: bool(process.run.lines_so_far("session_resumed")))
    with Connection.open(process.run.path.resolve(), "screen", wants_views=True) as connection:
        view = next(word for word in connection.views(within_s=20) if isinstance(word, View))
    process.send(signal.SIGTERM)
    process.end()
    (note,) = process.run.lines("session_resumed")
    before = [line for line in process.run.lines() if line["seq"] <= seq]
    booked = [line["data"]["trade_id"] for line in process.run.lines("fill")]
    shown_fills = [fill.trade_id for fill in view.fills]
    last = booked.index(shown_fills[-1]) + 1

    assert note["data"]["rerun_after_line"] > 500
    assert booked[max(0, last - TAIL_MAX) : last] == shown_fills
    assert view.fills[0].ts_ns < before[-1]["ts"]
    assert view.equity[0][0] < before[-1]["ts"]
    assert ("INIT", "READY") == (view.transitions[0].from_state, view.transitions[0].to_state)
    beats = [(x["ts"], x["data"]["equity"]) for x in before if x["type"] == "heartbeat"]
    drawn = {ts: str(equity) for ts, equity, _ in view.equity}
    assert [] == [beat for beat in beats if beat[0] in drawn and drawn[beat[0]] != beat[1]]
    assert view.log[0].ts_ns < before[-1]["ts"]
