"""The screen's questions and its leave, over real sockets."""

import time
from pathlib import Path

import pytest

from engine.model.events import Operator
from engine.session.control import server
from engine.session.control.words import Foretold
from tests.engine.session.control.test_clients import until
from tests.engine.session.control.test_lease import Stage
from tui.link import Answer, Link
from tui.lookahead import Question
from tui.readonly import LOWERER, LOWERS, SCREEN, WATCHER, WATCHES

PLACE = Operator.PLACE_ORDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def following(folder: Path, client: str = SCREEN) -> Link:
    link = Link(folder, client)
    link.start()
    until(lambda: link.glance().view is not None, 20)
    return link


def test_the_newest_question_is_answered_and_most_are_not_asked(folder: Path) -> None:
    """Typing makes no queue."""
    with Stage(folder) as stand:
        link = following(folder)
        seen: list[Foretold] = []
        for number in range(200):
            link.consider(Question(PLACE, str(number), seen.append))
        until(lambda: bool(seen) and seen[-1].argument == "199", 20)
        link.close()
        asked = len(stand.considered)

    assert asked < 20
    assert "none of it" == seen[-1].flaw


def test_a_session_that_is_gone_is_a_flaw(folder: Path) -> None:
    """In words, and the next question is asked anew."""
    link = Link(folder)
    seen: list[Foretold] = []
    link.consider(Question(PLACE, "x", seen.append))
    until(lambda: bool(seen), 20)
    with Stage(folder):
        link.consider(Question(PLACE, "y", seen.append))
        until(lambda: len(seen) > 1, 20)
        link.close()

    assert "no control socket" in seen[0].flaw
    assert ("y", "none of it") == (seen[1].argument, seen[1].flaw)


@pytest.mark.parametrize(("is_lost", "lost"), [(False, 0), (True, 1)])
def test_a_screen_takes_leave_unless_its_terminal_is_gone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, is_lost: bool, lost: int
) -> None:
    """What the session makes of it is its own setting."""
    monkeypatch.setattr(server, "LOST_S", 0.05)
    with Stage(folder) as stand:
        following(folder).close(is_lost=is_lost)
        until(lambda: stand.clients == 0, 20)
        deadline = time.monotonic() + 0.5
        until(lambda: bool(stand.lost) or time.monotonic() > deadline)

    assert lost == len(stand.lost)


LIMITS = [
    # kind,   asks,              what comes back
    (WATCHER, Operator.KILL,     WATCHES),
    (LOWERER, Operator.RESUME,   LOWERS),
    (LOWERER, Operator.TAKE_CONTROLS, LOWERS),
]  # fmt: skip


@pytest.mark.parametrize(("client", "command", "said"), LIMITS)
def test_a_limited_screen_never_sends(
    folder: Path, client: str, command: Operator, said: str
) -> None:
    """Nothing leaves this process, and the session gives it no controls."""
    told: list[Answer] = []
    with Stage(folder) as stand:
        link = following(folder, client)
        link.ask(command, "", told.append)
        holder = stand.server._lease.holder
        link.close()

    assert [said] == [answer.trouble for answer in told]
    assert [] == stand.docket.asked
    assert "" == holder
