"""Acting from a real screen on a real session: by ticket, by key, and by which screen."""

import re
import signal
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.shell import Process, Run
from tests.end_to_end.terminal import Terminal
from tests.end_to_end.test_screen import engine_pid, is_gone
from tui.danger import GUARD_S

WORDS = ("--symbols", "BTCUSDT", "--set", "session.start_ns=1700000000123456789")
GUARD = GUARD_S + 0.1
DOWN = "\x1b[B"
Open = Callable[..., Terminal]


@pytest.fixture
def on_terminal(tmp_path: Path) -> Iterator[Open]:
    """Open programs on large terminals; none outlives the test."""
    opened: list[Terminal] = []

    def open_one(*words: str) -> Terminal:
        opened.append(Terminal(tmp_path, *words, size=(160, 48)))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


def of_operator(run: Run, *names: str) -> list[dict[str, Any]]:
    """Journal data about the operator's orders."""
    found = run.lines(*names)
    return [
        line["data"] for line in found if line["data"].get("order_id", "").startswith("operator-")
    ]


def ticket_price(text: str) -> Decimal:
    """The price on the ticket."""
    found = re.search(r"price\s+([\d.]+)", text)
    assert found is not None, text
    return Decimal(found[1])


def confirm(terminal: Terminal) -> None:
    """Review the ticket and send it."""
    terminal.until(lambda text: "GATE OK" in text)
    terminal.press("\r")
    terminal.until(lambda text: "SEND THIS?" in text)
    time.sleep(GUARD)
    terminal.until(lambda text: "y send it" in text)
    terminal.press("y")


@pytest.mark.timeout(300)  # a dozen waits, of thirty seconds at most each
def test_an_order_from_ticket_to_cancel(on_terminal: Open, tmp_path: Path) -> None:
    """Placed, seen working, amended, canceled; journalled with who; the run replays identically."""
    terminal = on_terminal(*WORDS)
    terminal.until(lambda text: "ACTIVE" in text)
    terminal.press("b")
    price = ticket_price(terminal.until(lambda text: "BUY TICKET" in text))
    terminal.press(f"0.002\t\x15{price - 100}")
    confirm(terminal)
    terminal.until(
        lambda text: bool(re.search(r"ORDER BUY 0.002 .* done in .* operator-1 ACCEPTED", text))
    )

    terminal.press("5")
    terminal.until(lambda text: bool(re.search(r">B BTCUSDT\s+0.002.*ACCEPTED.*operator", text)))
    terminal.press("a")
    terminal.until(lambda text: "AMEND operator-1" in text)
    terminal.press(DOWN * 3)
    confirm(terminal)
    terminal.until(lambda text: bool(re.search(r"AMEND operator-1 .* done in", text)))
    terminal.press("x")
    terminal.until(
        lambda text: bool(re.search(r"CANCEL operator-1: sent .* done in .* 1 canceled", text))
    )
    terminal.press("\x18c")
    terminal.until(lambda text: bool(re.search(r"CANCEL ALL: sent .* done in .* PAUSED", text)))
    terminal.press("q")
    asked = terminal.until(lambda text: "c  close cleanly" in text or "y  end the" in text)
    time.sleep(GUARD)
    terminal.press("c" if "c  close cleanly" in asked else "y")  # y where all was flat by then
    assert 4 == terminal.end()

    run = terminal.run
    (submitted,) = of_operator(run, "order_submitted")
    (amended,) = of_operator(run, "venue_amended")
    (canceled,) = of_operator(run, "order_canceled")
    tick = Decimal("0.1")
    assert ("BUY", price - 100) == (submitted["side"], Decimal(submitted["price"]))
    assert price - 100 - 3 * tick == Decimal(amended["price"])
    assert "operator-1" == canceled["order_id"]
    asked = [line["data"] for line in run.lines("operator_command")]
    assert ["place_order", "amend_order", "cancel_order", "cancel_all", "stop"] == [
        a["command"] for a in asked
    ]
    assert all(re.fullmatch(r"screen pid=\d+ uid=\d+ user=\S+", a["by"]) for a in asked)
    assert Process(tmp_path, "replay").end(30).out.startswith("identical")


def test_one_screen_has_the_controls(on_terminal: Open, tmp_path: Path) -> None:
    """A second watches, takes over, and loses them with its life; a third only ever watches."""
    first = on_terminal(*WORDS)
    first.until(lambda text: "ACTIVE" in text)
    second = on_terminal("attach")
    second.until(lambda text: "WATCHING, controls of pid=" in text)
    reader = on_terminal("attach", "--read-only")
    reader.until(lambda text: "READ-ONLY" in text)
    reader.press("\x18k")
    reader.until(lambda text: "KILL: NOT SENT" in text)

    second.press("C")
    second.until(lambda text: "Take over the controls?" in text)
    time.sleep(GUARD)
    second.press("y")
    first.until(lambda text: f"WATCHING, controls of pid={second.process.pid}" in text)
    first.press("b")
    first.until(lambda text: "BUY TICKET" in text)
    first.press("0.002")
    first.until(lambda text: "the controls are with screen" in text)
    second.process.send_signal(signal.SIGKILL)
    first.until(lambda text: "GATE OK" in text)

    first.press("\x1b")
    first.until(lambda text: "BUY TICKET" not in text)
    first.press("\x18k")
    assert 4 == first.end()
    (taken,) = [
        a for a in first.run.lines("operator_command") if a["data"]["command"] == "take_controls"
    ]
    assert f"screen pid={second.process.pid} " in taken["data"]["by"]


LOSSES = [
    # setting,   how it is lost, the session
    ("stop",     "kill",         "ends"),
    ("stop",     "hang up",      "ends"),
    ("continue", "hang up",      "goes on"),
]  # fmt: skip


@pytest.mark.parametrize("face", [(), ("--plain",)], ids=["screen", "lines"])
@pytest.mark.parametrize(("setting", "how", "session"), LOSSES)
def test_on_screen_lost(
    on_terminal: Open, setting: str, how: str, session: str, face: tuple[str, ...]
) -> None:
    """Whether the terminal went or the screen was killed: what was set happens."""
    terminal = on_terminal(*WORDS, *face, "--set", f"session.on_screen_lost={setting}")
    terminal.until(lambda text: "ACCEPTED" in text or "accepted" in text)
    pid = engine_pid(terminal.process.pid)
    if how == "kill":
        terminal.process.send_signal(signal.SIGKILL)
    else:
        terminal.hang_up()
    terminal.process.wait(20.0)
    if session == "goes on":
        again = on_terminal("attach")
        again.until(lambda text: "ACTIVE" in text and "WATCHING" not in text)
        assert not is_gone(pid)
        return
    deadline = time.monotonic() + 30
    while not is_gone(pid) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert is_gone(pid)
    report = terminal.run.report()
    assert ("operator_stop", []) == (report["stop_reason"], report["positions_at_end"])
    (command,) = terminal.run.lines("operator_command")
    assert command["data"]["by"].startswith("lost screen pid=")
