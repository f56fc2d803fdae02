"""`serve` as a process: whom it lets in, how many, and what of it stays behind (T15, row 112)."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from laptop_agents.web.site import VISITORS_MAX
from tests.end_to_end.shell import Process

WORDS = ("--headless", "--duration", "5", "--symbols", "BTCUSDT")
PATIENCE_S = 30.0


class House:
    """A session, and a server of its screen."""

    def __init__(self, home: Path, *words: str) -> None:
        self.session = Process(home, *WORDS)
        self.session.until((self.session.run.path / "control.sock").exists)
        self.server = Process(home, "serve", "--port", "0", *words)
        said = b""
        while not (found := re.search(rb"http://\S+token=\S+", said)):
            line = self.server._process.stdout.buffer.readline()
            assert line, self.server.end()
            said += line
        self.said = said.decode()
        self.address = found[0].decode()
        self.base = self.address.partition("/?")[0]
        self.token = self.address.partition("=")[2]

    def enter(self) -> tuple[str, str]:
        """Use the token; return the room's address and the cookie."""
        asking = HTTPConnection(self.base.removeprefix("http://"), timeout=PATIENCE_S)
        asking.request("GET", self.address.removeprefix(self.base))
        headers = asking.getresponse().headers
        asking.close()
        return self.base + headers["Location"], headers["Set-Cookie"].partition(";")[0]

    def attach(self) -> ClientConnection:
        room, cookie = self.enter()
        address = room.replace("http", "ws", 1) + "ws?width=80&height=24"
        headers = {"Cookie": cookie}
        return connect(address, origin=self.base, additional_headers=headers).__enter__()

    def screens(self) -> list[psutil.Process]:
        return psutil.Process(self.server.pid).children()

    def close(self) -> None:
        (self.session.run.path / "kill.txt").touch()
        for process in (self.server, self.session):
            if process.is_running():
                process.send(signal.SIGTERM)
            process._process.communicate(timeout=PATIENCE_S)


Open = Callable[..., House]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Open houses; nothing of them outlives the test."""
    houses: list[House] = []

    def open_one(*words: str) -> House:
        houses.append(House(tmp_path, *words))
        return houses[-1]

    yield open_one
    for house in houses:
        house.close()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def shown(socket: ClientConnection, word: bytes) -> bytes:
    """What comes until a word does."""
    taken = b""
    while word not in taken:
        message = socket.recv(timeout=PATIENCE_S)
        taken += message if isinstance(message, bytes) else message.encode()
    return taken


def test_it_is_reached_from_this_machine_alone(opened: Open) -> None:
    """It says where, listens at 127.0.0.1 only, and writes its token nowhere."""
    house = opened()
    with house.attach() as socket:
        shown(socket, b"ACTIVE")
        bound = {c.laddr.ip for c in psutil.Process(house.server.pid).net_connections("tcp")}
    written = [path for path in house.session.home.rglob("*") if path.is_file()]

    assert house.said.startswith("PAPER SIMULATED run 20")
    assert {"127.0.0.1"} == bound
    assert [] == [path for path in written if house.token.encode() in path.read_bytes()]


def test_only_so_many_visitors(opened: Open) -> None:
    """One more is turned away until another leaves; each is one process, and no engine."""
    house = opened()
    guests = [house.attach() for _ in range(VISITORS_MAX)]
    with pytest.raises(InvalidStatus) as refused:
        house.attach()
    words = [screen.cmdline()[4:] for screen in house.screens()]
    guests.pop().close()
    until(lambda: len(house.screens()) < VISITORS_MAX)
    house.attach().close()
    for guest in guests:
        guest.close()

    assert 503 == refused.value.response.status_code
    assert [
        ["attach", "--read-only", str(house.session.run.path.resolve())]
    ] * VISITORS_MAX == words
    until(lambda: [] == house.screens())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_screen_outlives_its_server(opened: Open, number: signal.Signals) -> None:
    """Whether it closes or is killed; the session goes on either way."""
    house = opened()
    guests = [house.attach() for _ in range(2)]
    for guest in guests:
        shown(guest, b"ACTIVE")
    screens = house.screens()
    assert 2 == len(screens)
    house.server.send(number)
    ended = house.server.end()

    until(lambda: not any(screen.is_running() for screen in screens))
    assert number is signal.SIGKILL or (0, "") == (ended.code, ended.err)
    assert house.session.is_running()
    for guest in guests:
        guest.close()


def test_the_end_of_the_session_ends_the_server(opened: Open) -> None:
    """It says how the session ended, and where its report is."""
    house = opened()
    with house.attach() as guest:
        shown(guest, b"ACTIVE")
        (house.session.run.path / "kill.txt").touch()
        ended = house.server.end()
        with pytest.raises(ConnectionClosed):
            shown(guest, b"never said")

    assert 0 == ended.code
    assert "kill_file: equity" in ended.out
    assert "final_report.json" in ended.out


NONSENSE = (
    "no json",
    "[]",
    '{"stdin": 1}',
    '["stdin", 7]',
    '["resize", {"width": 1}]',
    "x" * 20_000,
)


def test_nonsense_shows_itself_out(opened: Open) -> None:
    """The socket closes and its process is gone; the next visitor is served."""
    house = opened()
    for word in NONSENSE:
        with house.attach() as talker:
            talker.send(word)
            with pytest.raises(ConnectionClosed):
                shown(talker, b"never said")
        until(lambda: [] == house.screens())
    with house.attach() as guest:
        shown(guest, b"ACTIVE")


def test_a_resize_and_keys_reach_the_screen(opened: Open) -> None:
    """The panes are laid out anew; a key that only changes the view acts."""
    house = opened()
    with house.attach() as guest:
        shown(guest, b"ACTIVE")
        guest.send(json.dumps(["resize", {"width": 120, "height": 40}]))
        shown(guest, b"8 Risk")
        guest.send(json.dumps(["ping", "1234"]))
        shown(guest, b'["pong", "1234"]')
        guest.send(json.dumps(["stdin", "?"]))
        shown(guest, b"Everywhere")


def test_what_it_refuses_to_start_with(tmp_path: Path, opened: Open) -> None:
    """Each in one line: a taken port, no port, no session, no extra."""
    house = opened()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        busy = Process(tmp_path, "serve", "--port", port).end()
    odd = Process(tmp_path, "serve", "--port", "70000").end()
    house.close()
    nobody = Process(tmp_path, "serve").end()
    hidden = "import sys; sys.modules['textual_serve'] = None; from laptop_agents.__main__ import main; sys.exit(main(['serve']))"
    bare = subprocess.run(
        [sys.executable, "-c", hidden], capture_output=True, text=True, check=False
    )

    assert (2, f"error: port {port} can't be had: --port names another\n") == (busy.code, busy.err)
    assert (2, "error: --port takes 1 to 65535, or 0 for any that is free\n") == (odd.code, odd.err)
    assert 5 == nobody.code
    assert "is not running: kill_file" in nobody.err
    assert (2, "error: serve needs the extra web: pip install 'laptop-agents[web]'\n") == (
        bare.returncode,
        bare.stderr,
    )
