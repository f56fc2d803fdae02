"""Real sockets, a real session on a fast loop: what clients may do, and what they can't do to it."""

import asyncio
import itertools
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from engine.model.errors import SessionUnreachable
from engine.model.events import Operator
from engine.session.control import attached, server
from engine.session.control.address import find, listen
from engine.session.control.client import Connection
from engine.session.control.frames import PROTOCOL, encode
from engine.session.control.lease import Lease
from engine.session.control.server import CLIENTS_MAX, VIEW_INTERVAL_S, VIEWERS_MAX, ControlServer
from engine.session.control.words import (
    Ask,
    Consider,
    Farewell,
    Foretold,
    Hello,
    Outcome,
    Refused,
    Ruling,
    Welcome,
)

WELCOME = Welcome(
    version=PROTOCOL, run_id="r1", pid=1, mode="paper", is_simulated=True, source="mock",
    symbols=("BTCUSDT",), agents=("a",), started_at="now",
)  # fmt: skip


class Blob(msgspec.Struct, tag="view"):
    """A view of any size."""

    number: int
    filling: str


class Answering:
    """A docket that answers at once, or never."""

    def __init__(self) -> None:
        self.asked: list[tuple[Ask, str]] = []
        self.is_silent = False
        self.ended = ""

    def enter(self, ask: Ask, by: str, answer: Callable[[Outcome], None]) -> None:
        self.asked.append((ask, by))
        if not self.is_silent:
            answer(outcome(ask))

    def turn_away(self, ask: Ask, problem: str, answer: Callable[[Outcome], None]) -> None:
        answer(replace(outcome(ask), ruling=Ruling.REFUSED, detail=problem))

    def expire(self) -> None: ...

    def end(self, stop_reason: str) -> None:
        self.ended = stop_reason


def outcome(ask: Ask) -> Outcome:
    return Outcome(
        ask_id=ask.ask_id, command=ask.command, argument=ask.argument, ruling=Ruling.DONE,
        seconds=0.0, ts_ns=1, state="PAUSED", reasons=(), orders_canceled=0, fills=0,
        open_orders=0, positions={}, equity=0,  # type: ignore[arg-type]
    )  # fmt: skip


class Stand:
    """A server on a loop of its own thread, and the longest that loop ever stood still."""

    def __init__(
        self,
        folder: Path,
        *,
        filling: int = 100,
        owner: int | None = None,
        watch_only: bool = False,
    ) -> None:
        self.folder = folder
        self.drawn = 0
        self.gap_s = 0.0
        self.faults: list[Exception] = []
        self.filling = "x" * filling
        self.is_broken = False
        self.docket: Any = Answering()
        self._owner = owner
        self._is_watch_only = watch_only
        self.controls = ""
        self.considered: list[Consider] = []
        self.lost: list[str] = []
        self._stop = threading.Event()
        self._is_open = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def draw(self, viewers: int, controls: str) -> Any:
        self.drawn += 1
        self.controls = controls
        if self.is_broken:
            raise ZeroDivisionError("a bug of ours")
        return Blob(self.drawn, self.filling)

    def foresee(self, question: Consider) -> Foretold:
        self.considered.append(question)
        return Foretold(ask_id=question.ask_id, argument=question.argument, flaw="none of it")

    async def _run(self) -> None:
        async def durable() -> None: ...

        self.server = ControlServer(
            listen(self.folder), WELCOME, self.docket,
            draw=self.draw, durable=durable, failed=self.faults.append, owner=self._owner,
            foresee=self.foresee, lease=Lease(is_watch_only=self._is_watch_only),
            lost=self.lost.append,
        )  # fmt: skip
        await self.server.open()
        self._is_open.set()
        last = time.monotonic()
        while not self._stop.is_set():
            await asyncio.sleep(0.002)
            self.gap_s, last = max(self.gap_s, time.monotonic() - last), time.monotonic()
        await self.server.close("duration")

    def __enter__(self) -> "Stand":
        self._thread.start()
        assert self._is_open.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        assert not self._thread.is_alive()

    def raw(self) -> socket.socket:
        """A client that speaks bytes."""
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(5)
        sock.connect(str(find(self.folder)))
        return sock

    @property
    def clients(self) -> int:
        return len(self.server._clients)


def until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def words(sock: socket.socket) -> Iterator[dict[str, Any]]:
    """What a client is told, until the connection closes."""
    with sock.makefile("rb") as file:
        while head := file.read(4):
            yield json.loads(file.read(struct.unpack(">I", head)[0]))


def hello(version: int = PROTOCOL, client: str = "cli", views: bool = False) -> bytes:
    return encode(Hello(version, client, views))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


# --- what a client gets --------------------------------------------------------------------------


def test_greeting_command_and_who_gave_it(folder: Path) -> None:
    """`by` is what the operating system knows, and the client's kind."""
    with Stand(folder) as stand, Connection.open(folder, "cli") as connection:
        done = connection.ask(Operator.PAUSE_AGENT, "trend", within_s=2)
        asked, by = stand.docket.asked[0]

    assert replace(WELCOME, you=by) == connection.welcome
    assert done is not None
    assert Ruling.DONE is done.ruling
    assert (Operator.PAUSE_AGENT, "trend") == (asked.command, asked.argument)
    assert by.startswith(f"cli pid={os.getpid()} uid={os.geteuid()} user=")


def test_views_come_ten_times_a_second_and_only_while_watched(folder: Path) -> None:
    """Nothing is drawn for nobody, or for somebody who only gives commands."""
    with Stand(folder) as stand:
        with Connection.open(folder, "cli") as connection:
            connection.ask(Operator.PAUSE, within_s=2)
        unwatched = stand.drawn
        sock = stand.raw()
        sock.sendall(hello(client="screen", views=True))
        heard = words(sock)
        began = time.monotonic()
        kinds = [next(heard)["type"] for _ in range(9)]
        took = time.monotonic() - began
        heard.close()
        sock.close()
        until(lambda: stand.clients == 0)
        drawn = stand.drawn
        until_later = time.monotonic() + 3 * VIEW_INTERVAL_S
        until(lambda: time.monotonic() > until_later)

    assert 0 == unwatched
    assert ["welcome", *["view"] * 8] == kinds
    assert 7 * VIEW_INTERVAL_S * 0.9 < took < 20 * VIEW_INTERVAL_S
    assert drawn == stand.drawn


def test_farewell(folder: Path) -> None:
    """Everybody hears how it ended; the socket is gone."""
    with Stand(folder) as stand:
        sock = stand.raw()
        sock.sendall(hello(client="screen", views=True))
        until(lambda: stand.clients == 1)
    last = told(sock)
    sock.close()

    assert {"type": "farewell", "stop_reason": "duration"} == last
    assert "duration" == stand.docket.ended
    with pytest.raises(SessionUnreachable):
        Connection.open(folder, "cli")


# --- who is refused ------------------------------------------------------------------------------


def told(sock: socket.socket) -> dict[str, Any]:
    return list(words(sock))[-1]


REFUSALS = [
    # sent,                                         why
    (hello(version=2),                              "version 1 .* and the client version 2"),
    (hello(client="CLI; rm"),                       "kind"),
    (b"GET / HTTP/1.1\r\n\r\n",                     "at most 4096"),
    (struct.pack(">I", 5_000),                      "a frame of 5000 bytes"),
    (struct.pack(">I", 4) + b"\x00\xff\x00\xff",    "no word of this protocol"),
    (hello() + hello(),                             "no word of this protocol"),
    (encode(Ask(1, Operator.PAUSE)),                "no word of this protocol"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "why"), REFUSALS)
def test_a_bad_word_is_told_and_closes(folder: Path, sent: bytes, why: str) -> None:
    """The next client is served as if nothing had been."""
    with Stand(folder) as stand:
        sock = stand.raw()
        sock.sendall(sent)
        last = told(sock)
        sock.close()
        with Connection.open(folder, "cli") as connection:
            done = connection.ask(Operator.PAUSE, within_s=2)

    assert ("refused", PROTOCOL) == (last["type"], last["version"])
    assert re.search(why, last["reason"])
    assert done is not None
    assert 1 == len(stand.docket.asked)


def test_another_version_in_the_client(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person reads which, and what to do."""
    monkeypatch.setattr("engine.session.control.client.PROTOCOL", 9)
    with Stand(folder), pytest.raises(SessionUnreachable, match="client version 9: use the pro"):
        Connection.open(folder, "cli")


def test_another_user_is_refused(folder: Path) -> None:
    """By what the kernel says of the peer; root may always, so a root's test plays the owner."""
    if os.geteuid() != 0:
        with Stand(folder, owner=os.geteuid() + 1), pytest.raises(SessionUnreachable, match="uid"):
            Connection.open(folder, "cli")
        return
    with tempfile.TemporaryDirectory() as name:
        shared = Path(name)
        shared.chmod(0o711)
        with Stand(shared, owner=12_345) as stand:
            find(shared).chmod(0o666)
            code = (
                "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX);"
                "s.connect(sys.argv[1]); s.settimeout(5); sys.stdout.buffer.write(s.recv(4096))"
            )
            done = _python(code, str(find(shared)))

    assert b"belongs to another user (uid 12345, not 65534)" in done
    assert [] == stand.docket.asked


def _python(code: str, *words: str) -> bytes:
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=True)
    return done.stdout


# --- who is dropped ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent", [b"", b"\x00", encode(Hello(1, "cli"))[:-1], hello() + b"\x00\x00"]
)
def test_half_a_frame_and_silence(
    folder: Path, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropped when the time for a frame is over, before the greeting and after it."""
    monkeypatch.setattr(attached, "GREETING_S", 0.1)
    with Stand(folder) as stand:
        sock = stand.raw()
        sock.sendall(sent)
        until(lambda: stand.clients == 1)
        until(lambda: stand.clients == 0)
        sock.close()


def test_a_patient_client_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its greeting it may be silent for as long as it likes."""
    monkeypatch.setattr(attached, "GREETING_S", 0.05)
    with Stand(folder) as stand, Connection.open(folder, "cli") as connection:
        later = time.monotonic() + 0.2
        until(lambda: time.monotonic() > later)
        assert connection.ask(Operator.PAUSE, within_s=2) is not None
        assert 1 == stand.clients


def test_closed_in_the_middle(folder: Path) -> None:
    """Half a frame, a command whose answer nobody waits for: both are forgotten."""
    with Stand(folder) as stand:
        for sent in (b"\x00\x00", hello(), hello() + encode(Ask(1, Operator.PAUSE))):
            sock = stand.raw()
            sock.sendall(sent)
            sock.close()
        until(lambda: len(stand.docket.asked) == 1)
        until(lambda: stand.clients == 0)


def test_who_never_reads_gets_the_newest_and_is_dropped_in_the_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One frame under way and one that waits, however many were drawn; the loop never stands."""
    monkeypatch.setattr(server, "VIEW_INTERVAL_S", 0.005)
    with Stand(folder, filling=300_000) as stand:
        sock = stand.raw()
        sock.sendall(hello(client="screen", views=True))
        until(lambda: stand.drawn >= 50)
        (client,) = stand.server._clients
        unsent = client._transport.get_write_buffer_size()  # type: ignore[union-attr]
        gap_s = stand.gap_s
        heard = words(sock)
        assert "welcome" == next(heard)["type"]
        numbers = [next(heard)["number"] for _ in range(4)]
        monkeypatch.setattr(attached, "STALLED_S", 0.05)
        until(lambda: stand.clients == 0)
        sock.close()

    assert 0 < unsent < 2 * 300_000
    assert max(b - a for a, b in itertools.pairwise(numbers)) > 20
    assert gap_s < 0.25


def test_a_crowd(folder: Path) -> None:
    """100 clients: the first 32 are served, the others told; somebody who leaves makes room."""
    with Stand(folder) as stand:
        crowd = [stand.raw() for _ in range(CLIENTS_MAX)]
        for sock in crowd:
            sock.sendall(hello())
        assert {"welcome"} == {next(words(sock))["type"] for sock in crowd}
        late = [stand.raw() for _ in range(100 - CLIENTS_MAX)]
        reasons = {told(sock)["reason"] for sock in late}
        with pytest.raises(SessionUnreachable, match=f"{CLIENTS_MAX} clients"):
            Connection.open(folder, "cli")
        for sock in (*late, *crowd[:1]):
            sock.close()
        until(lambda: stand.clients == CLIENTS_MAX - 1)
        with Connection.open(folder, "cli") as connection:
            assert connection.ask(Operator.KILL, within_s=2) is not None
        for sock in crowd:
            sock.close()

    assert {f"{CLIENTS_MAX} clients are connected already"} == reasons


def test_screens_leave_room_for_commands(folder: Path) -> None:
    """The seventeenth screen is refused, a command is not."""
    with Stand(folder) as stand:
        screens = [stand.raw() for _ in range(VIEWERS_MAX)]
        for screen in screens:
            screen.sendall(hello(client="screen", views=True))
        until(lambda: len(stand.server._viewers) == VIEWERS_MAX)
        with pytest.raises(SessionUnreachable, match=f"{VIEWERS_MAX} screens"):
            Connection.open(folder, "screen", wants_views=True)
        with Connection.open(folder, "cli") as connection:
            assert connection.ask(Operator.KILL, within_s=2) is not None
        for screen in screens:
            screen.close()
        until(lambda: stand.clients == 0)


def test_a_flood_of_commands(folder: Path) -> None:
    """More than eight unanswered ones close the connection; no more reach the session."""
    with Stand(folder) as stand:
        stand.docket.is_silent = True
        sock = stand.raw()
        sock.sendall(hello() + b"".join(encode(Ask(n, Operator.PAUSE)) for n in range(50)))
        last = told(sock)
        sock.close()

    assert "8 commands of this client are under way" in last["reason"]
    assert 8 == len(stand.docket.asked)


def test_a_fault_in_the_view_costs_the_view(folder: Path) -> None:
    """It is told and logged; commands work on."""
    with Stand(folder) as stand:
        stand.is_broken = True
        with (  # the refusal may come with the greeting
            pytest.raises(SessionUnreachable, match="can't draw its view"),
            Connection.open(folder, "screen", wants_views=True) as screen,
        ):
            list(screen.views(within_s=2))
        with Connection.open(folder, "cli") as connection:
            assert connection.ask(Operator.STOP, within_s=2) is not None

    assert [ZeroDivisionError] == [type(fault) for fault in stand.faults]


# --- what else may answer ------------------------------------------------------------------------


def _serve(folder: Path, answer: bytes) -> threading.Thread:
    sock = listen(folder).sock

    def serve() -> None:
        with sock, sock.accept()[0] as client:
            client.recv(4_096)
            client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


STRANGERS = [
    # answer,                                           what a person reads
    (b"HTTP/1.1 400 Bad Request\r\n\r\n",               "does not speak version 1"),
    (b"",                                               "closed the connection"),
    (encode(Refused(9, "too old"))[:20],                "closed the connection"),
    (encode(Refused(9, "too old")),                     "refuses: too old"),
    (encode(Farewell("duration")),                      "does not answer a greeting"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "why"), STRANGERS)
def test_a_stranger_at_the_socket(folder: Path, answer: bytes, why: str) -> None:
    """Said in one line, and nothing is asked of it."""
    thread = _serve(folder, answer)
    with pytest.raises(SessionUnreachable, match=why):
        Connection.open(folder, "cli")
    thread.join(5)


def test_nobody_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that hangs, or was stopped, keeps nobody waiting."""
    monkeypatch.setattr("engine.session.control.client.CONNECT_S", 0.05)
    listener = listen(folder)
    with pytest.raises(SessionUnreachable, match="does not answer a greeting"):
        Connection.open(folder, "cli")
    listener.close()
