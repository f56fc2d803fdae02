"""The screen's end of the socket, against a real engine in its own process."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.model.events import Operator
from engine.session.control.words import Ruling
from tests.end_to_end.shell import Process
from tui.link import ASKS_MAX, Answer, Link

WAIT_S = 20.0


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Process]:
    """A session that trades, stopped at the end."""
    process = Process(tmp_path, "--headless", "-q", "--symbols", "BTCUSDT", "--duration", "1")
    process.until_trading()
    yield process
    if process.is_running():
        process.send(signal.SIGKILL)
    process.end()


@pytest.fixture
def link(engine: Process) -> Iterator[Link]:
    """Following that session."""
    link = Link(engine.run.path.resolve())
    link.start()
    until(lambda: link.glance().view is not None)
    yield link
    link.close()


def answered(link: Link, command: Operator) -> Answer:
    """Ask, and wait for what became of it."""
    told: list[Answer] = []
    assert link.ask(command, "", told.append)
    until(lambda: bool(told))
    return told[0]


def test_views_come_and_the_newest_stays(link: Link) -> None:
    """Each glance is as new as the session's last view; nothing piles up for who looks rarely."""
    first = link.glance().view
    assert first is not None
    until(lambda: link.glance().view.number >= first.number + 5)

    assert 1.0 > link.glance().age_s
    assert "paper" == link.glance().welcome.mode


def test_a_command_is_answered_while_views_go_on(link: Link) -> None:
    """On a connection and a thread of its own."""
    answer = answered(link, Operator.PAUSE)

    assert Ruling.DONE is answer.outcome.ruling
    until(lambda: "PAUSED" == link.glance().view.lifecycle.state)


def test_the_farewell_is_kept(link: Link) -> None:
    """The last view stays beside it."""
    answered(link, Operator.STOP)
    until(lambda: link.glance().farewell is not None)

    assert "operator_stop" == link.glance().farewell.stop_reason
    assert link.glance().view is not None


def test_a_dead_engine_is_trouble_and_its_age_grows(link: Link, engine: Process) -> None:
    """No farewell; a command is not lost in silence either."""
    engine.send(signal.SIGKILL)
    until(lambda: not engine.is_running())
    until(lambda: bool(link.glance().trouble))
    answer = answered(link, Operator.KILL)

    assert link.glance().farewell is None
    assert answer.outcome is None
    assert "no session listens" in answer.trouble


def test_a_stalled_engine_ages_and_comes_back(link: Link, engine: Process) -> None:
    """The age is ours, by our clock; views go on by themselves, over a new connection if need be."""
    engine.send(signal.SIGSTOP)
    until(lambda: link.glance().age_s > 2.5)
    number = link.glance().view.number
    engine.send(signal.SIGCONT)

    until(lambda: link.glance().view.number > number)
    assert 2.0 > link.glance().age_s


def test_commands_under_way_are_limited(link: Link, engine: Process) -> None:
    """A stalled engine answers none; the one too many is refused here, and a place comes free."""
    engine.send(signal.SIGSTOP)
    told: list[Answer] = []
    lock = threading.Lock()

    def done(answer: Answer) -> None:
        with lock:
            told.append(answer)

    taken = [link.ask(Operator.PAUSE, "", done) for _ in range(ASKS_MAX + 1)]
    engine.send(signal.SIGCONT)

    assert [True] * ASKS_MAX + [False] == taken
    until(lambda: ASKS_MAX == len(told))
    assert link.ask(Operator.PAUSE, "", done)
