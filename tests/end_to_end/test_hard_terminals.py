"""Terminals that stop reading, storm, shrink to nothing or vanish (T1; reliability.md rows 99-101)."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

from engine.model.errors import SessionUnreachable
from engine.session.control.client import Connection
from tests.end_to_end.shell import Process
from tests.end_to_end.terminal import Terminal
from tests.end_to_end.test_screen import WORDS, Open, bid, is_gone, on_terminal
from tests.sweeps import counted

__all__ = ["on_terminal"]
UNREAD_S = float(os.environ.get("UNREAD_S", "12"))
"""Twelve seconds in the suite; `make soak-screen` asks for sixty."""
GAP_MS_MAX = 50.0
VIEW_MS = 100.0
STORM = counted(1_500, sample=300)


class Beats:
    """When each view of an engine came, watched from another process: ours."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.own: list[float] = []
        """When we woke that only slept for as long: what the machine costs whoever waits."""

    def late_ms(self, share: float) -> float:
        """How much later than its tenth of a second a view came, at this quantile."""
        return _late_ms(self.at, share)

    def own_late_ms(self, share: float) -> float:
        """How much later than that we woke ourselves."""
        return _late_ms(self.own, share)


def _late_ms(at: list[float], share: float) -> float:
    gaps = sorted(later - sooner for sooner, later in pairwise(at))
    return gaps[int(share * (len(gaps) - 1))] * 1e3 - VIEW_MS


@contextmanager
def beats(folder: Path) -> Iterator[Beats]:
    """Watch an engine for the length of a block."""
    seen, over = Beats(), Event()

    def watch() -> None:
        try:
            with Connection.open(folder, "cli", wants_views=True) as connection:
                for _ in connection.views(within_s=20.0):
                    seen.at.append(time.monotonic())
                    if over.is_set():
                        return
        except SessionUnreachable:
            return  # it has ended, as asked

    def sleep() -> None:
        while not over.wait(VIEW_MS / 1e3):
            seen.own.append(time.monotonic())

    threads = [Thread(target=watch), Thread(target=sleep)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join(30.0)


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_terminal_that_takes_nothing_stops_no_engine(on_terminal: Open) -> None:
    """Unread the engine beats as before; a kill pressed meanwhile acts; the end is painted."""
    terminal = on_terminal(*WORDS)
    terminal.until(lambda text: "ACCEPTED" in text)
    started = time.monotonic()
    with beats(terminal.run.path) as seen:
        until(lambda: time.monotonic() - started > UNREAD_S, UNREAD_S + 20)  # nobody reads
    terminal.press("\x18")
    terminal.press("k")
    until((terminal.run.path / "final_report.json").exists)

    # A screen that held the engine up would cost seconds; one view in twenty may wait for a core.
    assert seen.late_ms(0.95) < GAP_MS_MAX + seen.own_late_ms(0.95)
    assert seen.late_ms(1.0) < 1_000
    assert len(seen.at) > 8 * UNREAD_S
    (command,) = terminal.run.lines("operator_command")
    assert "kill" == command["data"]["command"]
    assert "operator_kill" == terminal.run.report()["stop_reason"]
    assert 4 == terminal.end()


def test_a_terminal_that_reads_again_shows_now(on_terminal: Open) -> None:
    """What was painted into the void is at most two frames: the clock on it is soon the engine's."""
    terminal = on_terminal(*WORDS)
    terminal.until(lambda text: "ACCEPTED" in text)
    started = time.monotonic()
    until(lambda: time.monotonic() - started > 5)  # nobody reads
    read_before = len(terminal.raw)
    terminal.until(lambda text: age_s(text, terminal) < 1.5, 5.0)

    assert "FROZEN" not in terminal.text()
    assert len(terminal.raw) - read_before < 200_000
    first = bid(terminal.text())
    terminal.until(lambda text: bid(text) not in ("", first))


def age_s(text: str, terminal: Terminal) -> float:
    """How far the clock on the screen is behind the newest heartbeat of the journal, seconds."""
    found = re.search(r"(\d\d):(\d\d):(\d\d)Z", text)
    newest = terminal.run.lines("heartbeat")[-1]["ts"] // 1_000_000_000 % 86_400
    shown = [int(part) for part in found.groups()] if found else [0, 0, 0]
    return newest - (shown[0] * 3600 + shown[1] * 60 + shown[2])


SIDE = counted(1_000, sample=400)
"""Columns and rows of the largest screen: a million cells, or a sample of them."""
SIZES = ((1, 1), (2, 3), (SIDE, SIDE), (20, 5), (300, 2), (80, 24))


def test_no_size_is_too_odd(on_terminal: Open) -> None:
    """From one cell to the largest and back: no trace, the same screen at the end."""
    terminal = on_terminal(*WORDS)
    terminal.until(lambda text: "ACTIVE" in text)
    for columns, rows in SIZES:
        terminal.resize(columns, rows)
        with beats(terminal.run.path) as seen:
            until(lambda: terminal.text() is not None and len(seen.at) > 3)

    first = bid(terminal.until(lambda text: "ACTIVE" in text and bool(bid(text))))
    terminal.until(lambda text: bid(text) not in ("", first))
    assert b"Traceback" not in terminal.raw


def test_a_storm_of_resizes_leaves_engine_and_focus_alone(on_terminal: Open) -> None:
    """Hundreds of signals while it is resized: the engine beats on, the chosen pane stays."""
    terminal = on_terminal(*WORDS)
    terminal.until(lambda text: "ACTIVE" in text)
    terminal.press("4")
    terminal.until(lambda text: "[4 Positions]" in text)
    with beats(terminal.run.path) as seen:
        for number in range(STORM):
            if number % 15 == 0:
                terminal.resize(*((200, 60) if number % 2 else (20, 5)))
                terminal.text()
            terminal.process.send_signal(signal.SIGWINCH)
        terminal.resize(80, 24)
        first = bid(terminal.until(lambda text: "[4 Positions]" in text and bool(bid(text)), 60.0))
        terminal.until(lambda text: bid(text) not in ("", first))

    assert seen.late_ms(1.0) < 2_000
    assert b"Traceback" not in terminal.raw


def test_a_vanished_terminal_of_an_attached_screen(on_terminal: Open, tmp_path: Path) -> None:
    """The window of a second screen is gone: it ends without a word, the session does not notice."""
    session = Process(tmp_path, "--headless", "--duration", "5", "--symbols", "BTCUSDT")
    session.until((session.run.path / "control.sock").exists)
    attached = on_terminal("attach")
    attached.until(lambda text: "ACTIVE" in text)
    attached.hang_up()

    assert 0 == attached.process.wait(10.0)
    assert not (tmp_path / "crash.log").exists()
    assert session.is_running()
    assert not is_gone(session.pid)
    session.send(signal.SIGTERM)
    assert 4 == session.end().code
