"""One screen has the controls: the rule as a table, then real screens at a real socket."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.model.events import Operator
from engine.session.control import server
from engine.session.control.client import Connection
from engine.session.control.lease import RAISING, Lease
from engine.session.control.views import View
from engine.session.control.words import ASKABLE, Ruling
from tests.engine.session.control.test_clients import Stand, until
from tests.tui.fixtures import view

ME, OTHER = "screen pid=1", "screen pid=2"

LOWERING = sorted(ASKABLE - RAISING)


@pytest.mark.parametrize("command", LOWERING)
def test_less_risk_needs_no_lease(command: Operator) -> None:
    """Every screen may lower risk and close, whoever has the controls."""
    lease = Lease()
    lease.take(OTHER)

    assert lease.bars(command, ME, "screen") is None


CASES = [
    # holder, kind,      watch only, barred
    ("",      "screen",  False,      ""),
    (ME,      "screen",  False,      ""),
    (OTHER,   "screen",  False,      "the controls are with screen pid=2: take them over first"),
    (OTHER,   "cli",     False,      ""),
    (OTHER,   "cli",     True,       ""),
    ("",      "watcher", False,      "this screen only watches"),
    ("",      "lowerer", False,      "this screen only lowers risk"),
    ("",      "lowerer", True,       "this screen only watches"),
    (ME,      "screen",  True,       "this screen only watches"),
]  # fmt: skip


@pytest.mark.parametrize(("holder", "kind", "watch_only", "barred"), CASES)
@pytest.mark.parametrize("command", sorted(RAISING))
def test_more_risk_is_the_holders(
    holder: str, kind: str, watch_only: bool, barred: str, command: Operator
) -> None:
    """Of screens; a command line is its own intention."""
    lease = Lease(is_watch_only=watch_only)
    lease.holder = holder

    assert barred == (lease.bars(command, ME, kind) or "")


def test_free_controls_go_to_whoever_asks_first() -> None:
    """And stay there."""
    lease = Lease()
    first = lease.bars(Operator.RESUME, ME, "screen")
    second = lease.bars(Operator.RESUME, OTHER, "screen")

    assert (None, ME) == (first, lease.holder)
    assert second is not None


def test_leaving_frees_only_ones_own() -> None:
    """Somebody else's departure changes nothing."""
    lease = Lease()
    lease.take(ME)

    assert not lease.leave(OTHER)
    assert ME == lease.holder
    assert lease.leave(ME)
    assert "" == lease.holder


# --- at the socket -------------------------------------------------------------------------------


class Stage(Stand):
    """A stand that draws real views, which clients can read."""

    def draw(self, viewers: int, controls: str) -> View:
        self.controls = controls
        return view(controls=controls)


SCREEN = """
import sys, time
from pathlib import Path
from engine.session.control.client import Connection
connection = Connection.open(Path(sys.argv[1]), "screen", wants_views=True)
print(connection.welcome.you, flush=True)
time.sleep(60)
"""


def other_screen(folder: Path) -> tuple[subprocess.Popen, str]:
    """A screen in a process of its own, and what the session calls it."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCREEN, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as said:
        return process, said.readline().strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def test_kill_9_of_the_holder_frees_the_controls(folder: Path) -> None:
    """It had them; another is refused, lowers risk anyway, and has them once the first is dead."""
    with Stage(folder) as stand:
        process, name = other_screen(folder)
        try:
            with Connection.open(folder, "screen", wants_views=True) as mine:
                barred = mine.ask(Operator.RESUME, within_s=5)
                lowered = mine.ask(Operator.PAUSE, within_s=5)
                process.send_signal(signal.SIGKILL)
                process.wait(10)
                until(lambda: not stand.server._lease.holder)
                allowed = mine.ask(Operator.RESUME, within_s=5)
                holder = stand.server._lease.holder
                until(lambda: stand.controls == holder)
        finally:
            process.kill()

    assert f"pid={process.pid} " in name
    assert barred is not None
    assert (Ruling.REFUSED, f"the controls are with {name}: take them over first") == (
        barred.ruling, barred.detail,
    )  # fmt: skip
    assert lowered is not None
    assert Ruling.DONE is lowered.ruling
    assert allowed is not None
    assert Ruling.DONE is allowed.ruling
    assert f"pid={os.getpid()} " in holder


def test_taking_over(folder: Path) -> None:
    """Done when its line is written; then the first is the one that is refused."""
    with Stage(folder) as stand:
        process, name = other_screen(folder)
        try:
            with Connection.open(folder, "screen", wants_views=True) as mine:
                before = mine.welcome.controls
                taken = mine.ask(Operator.TAKE_CONTROLS, within_s=5)
                after = stand.server._lease.holder
        finally:
            process.kill()
            process.wait(10)

    assert taken is not None
    assert Ruling.DONE is taken.ruling
    assert (name, mine.welcome.you) == (before, after)


def test_a_screen_that_only_reads_never_holds_nor_sends(folder: Path) -> None:
    """It says so in its greeting, and the session holds it to that."""
    with (
        Stage(folder) as stand,
        Connection.open(folder, "watcher", wants_views=True) as mine,
    ):
        refused = mine.ask(Operator.KILL, within_s=5)
        holder = stand.server._lease.holder

    assert refused is not None
    assert "only watches" in refused.detail
    assert "" == holder
    assert [] == stand.docket.asked


def test_a_screen_that_lowers_risk_never_holds_the_controls(folder: Path) -> None:
    """It pauses and can't take over; the controls stay free for a screen of the owner's."""
    with (
        Stage(folder) as stand,
        Connection.open(folder, "lowerer", wants_views=True) as mine,
    ):
        done = mine.ask(Operator.PAUSE, within_s=5)
        refused = mine.ask(Operator.TAKE_CONTROLS, within_s=5)
        holder = stand.server._lease.holder

    assert done is not None
    assert Ruling.DONE is done.ruling
    assert refused is not None
    assert "this screen only lowers risk" == refused.detail
    assert "" == holder


def test_a_session_that_is_only_watched(folder: Path) -> None:
    """No screen sends; the command line does."""
    with Stage(folder, watch_only=True) as stand:
        with Connection.open(folder, "screen", wants_views=True) as screen:
            refused = screen.ask(Operator.PAUSE, within_s=5)
        with Connection.open(folder, "cli") as cli:
            done = cli.ask(Operator.PAUSE, within_s=5)

    assert screen.welcome.is_watch_only
    assert refused is not None
    assert Ruling.REFUSED is refused.ruling
    assert done is not None
    assert Ruling.DONE is done.ruling
    assert 1 == len(stand.docket.asked)


@pytest.mark.parametrize(("leaves", "lost"), [(False, 1), (True, 0)])
def test_a_screen_is_lost_unless_it_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch, leaves: bool, lost: int
) -> None:
    """Only the one with the controls, and only after it had time to come back."""
    monkeypatch.setattr(server, "LOST_S", 0.05)
    with Stage(folder) as stand:
        with Connection.open(folder, "screen", wants_views=True) as screen:
            if leaves:
                screen.leave()
        until(lambda: stand.clients == 0)
        deadline = time.monotonic() + 0.3
        until(lambda: bool(stand.lost) or time.monotonic() > deadline)

    assert lost == len(stand.lost)


def test_a_screen_that_comes_back_is_not_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection may break; nor is it lost where another screen can take over."""
    monkeypatch.setattr(server, "LOST_S", 0.2)
    with Stage(folder) as stand:
        Connection.open(folder, "screen", wants_views=True).close()
        with Connection.open(folder, "screen", wants_views=True):
            deadline = time.monotonic() + 0.5
            until(lambda: time.monotonic() > deadline)

    assert [] == stand.lost


# --- looking ahead -------------------------------------------------------------------------------


def test_a_question_is_answered_and_paced(folder: Path) -> None:
    """At once, without any command; faster than anybody types it is turned away in words."""
    with Stage(folder) as stand, Connection.open(folder, "watcher") as screen:
        first = screen.consider(Operator.PLACE_ORDER, "x", within_s=5)
        flood = [screen.consider(Operator.PLACE_ORDER, "x", within_s=5) for _ in range(50)]

    assert first is not None
    assert ("x", "none of it") == (first.argument, first.flaw)
    assert "asked too often" in [word.flaw for word in flood if word]
    assert [] == stand.docket.asked
