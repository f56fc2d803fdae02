"""What a session shows and hears, without a socket: tails, portraits, and a fault that stays."""

import decimal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine.model.events import Timer
from engine.model.money import use_exact_arithmetic
from engine.model.records import Alert, ErrorRecord, FsmTransition
from engine.session.control.address import listen
from engine.session.control.chronicle import EQUITY_MAX, TAIL_MAX, Chronicle
from engine.session.control.control import Control
from engine.session.control.frames import ANSWER_BYTES_MAX, encode
from engine.session.control.log_tail import LOG_MAX
from engine.session.control.portrait import Portrait
from engine.session.control.views import View
from engine.session.stops import Stops
from tests.engine.session.control.test_clients import WELCOME
from tests.engine.session.test_runner import START, Stage, mock

SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def _exact() -> Iterator[None]:
    before = decimal.getcontext()
    use_exact_arithmetic()
    yield
    decimal.setcontext(before)


def test_tails_are_bounded(tmp_path: Path) -> None:
    """However long the session: the newest stay."""
    chronicle = Chronicle(Stage(tmp_path, mock()).kernel)
    for n in range(1_000):
        chronicle.follow(
            [
                Timer(n * SECOND),
                Timer(n * SECOND + 1),
                FsmTransition(n, "A", "B", f"E{n}", "session", ()),
                Alert(n, "k", "info", f"m{n}"),
            ]
        )

    assert (TAIL_MAX, LOG_MAX, EQUITY_MAX) == (
        len(chronicle.transitions), len(chronicle.log()), len(chronicle.equity),
    )  # fmt: skip
    assert "E999" == chronicle.transitions[-1].event
    assert 999 * SECOND == chronicle.equity[-1][0]


@pytest.mark.parametrize("duration_s", [None, 120])
def test_a_portrait_of_any_session(tmp_path: Path, duration_s: int | None) -> None:
    """Before its first event and after its last; it survives the wire, and drawing moves nothing."""
    stage = Stage(tmp_path, mock(), duration_s=duration_s)
    if duration_s:
        stage.run()
    portrait = Portrait(stage.kernel, stage.record, stage.journal, Chronicle(stage.kernel))
    one, two = portrait.draw(1), portrait.draw(1)
    frame = encode(one)

    assert one == msgspec.json.decode(frame[4:], type=View)
    assert one == msgspec.structs.replace(two, number=1)
    assert len(frame) < ANSWER_BYTES_MAX
    assert ("STOPPED" if duration_s else "INIT") == one.session.state
    assert bool(duration_s) is bool(one.markets[0].bid)


def test_a_fault_in_following_stays_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session goes on, its report counts on, and session.log has the trace, once."""
    stage = Stage(tmp_path, mock())
    listener = listen(stage.folder.path)
    control = Control(
        listener, WELCOME,
        kernel=stage.kernel, record=stage.record, journal=stage.journal, stops=Stops([]),
    )  # fmt: skip

    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(control._docket, "follow", broken)
    for _ in range(2):
        control.follow([ErrorRecord(START, "overfill", "a-1", "0.1")])
    listener.close()
    stage.record.close()

    assert {"overfill": 2} == dict(stage.record.tally.errors)
    log = (stage.folder.path / "session.log").read_text()
    assert 1 == log.count("ZeroDivisionError")
