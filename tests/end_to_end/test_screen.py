"""The workstation on a real terminal, attached to a real engine process."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.shell import Process
from tests.end_to_end.terminal import Terminal

WORDS = ("--symbols", "BTCUSDT", "--set", "session.start_ns=1700000000123456789")
Open = Callable[..., Terminal]


@pytest.fixture
def on_terminal(tmp_path: Path) -> Iterator[Open]:
    """Open programs on terminals; none outlives the test."""
    opened: list[Terminal] = []

    def open_one(*words: str, **how: object) -> Terminal:
        opened.append(Terminal(tmp_path, *words, **how))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


def bid(text: str) -> str:
    """The bid of the first instrument, as shown."""
    found = re.search(r">BTCUSDT\s+([\d,.]+)", text)
    return found[1] if found else ""


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def engine_pid(parent: int) -> int:
    """The process that a screen started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return int(children[0])


def test_a_session_on_a_terminal_from_start_to_end(on_terminal: Open) -> None:
    """It opens, a quote moves, `q` asks, `c` closes; the last words stay on the normal screen."""
    terminal = on_terminal(*WORDS)
    first = bid(terminal.until(lambda text: "ACTIVE" in text and bool(bid(text))))
    terminal.until(lambda text: bid(text) not in ("", first))
    assert terminal.text().startswith(" PAPER  SIMULATED ")
    terminal.until(lambda text: "ACCEPTED" in text)

    terminal.press("q")
    terminal.until(lambda text: "c  close cleanly" in text)
    time.sleep(0.35)  # the guard of a dialog against keys that were on their way
    terminal.press("c")

    assert 4 == terminal.end()
    report = terminal.run.report()
    assert "operator_stop" == report["stop_reason"]
    assert [] == report["positions_at_end"]
    after = terminal.raw.rpartition(b"\x1b[?1049l")[2].decode()
    assert f"operator_stop: equity {report['equity']:,.2f}" in after
    assert "exit 4" in after
    assert "final_report.json" in after


def test_the_danger_menu_kills_by_two_keys(on_terminal: Open) -> None:
    """From an open position to flat, journalled with who asked."""
    terminal = on_terminal(*WORDS)
    terminal.until(lambda text: "ACCEPTED" in text)
    terminal.press("\x18")
    terminal.until(lambda text: "DANGER  PAPER" in text)
    terminal.press("k")

    assert 4 == terminal.end()
    assert "operator_kill" == terminal.run.report()["stop_reason"]
    (command,) = terminal.run.lines("operator_command")
    assert "kill" == command["data"]["command"]


def test_detaching_leaves_the_engine_and_attach_comes_back(on_terminal: Open) -> None:
    """The screen ends with 0, the session goes on, a second screen shows it."""
    terminal = on_terminal(*WORDS)
    terminal.until(lambda text: "ACTIVE" in text)
    pid = engine_pid(terminal.process.pid)
    terminal.press("q")
    terminal.until(lambda text: "d  detach" in text)
    time.sleep(0.35)
    terminal.press("d")
    assert 0 == terminal.end()
    assert "laptop-agents attach" in terminal.text()
    assert not is_gone(pid)

    again = on_terminal("attach")
    again.until(lambda text: "ACTIVE" in text and bool(bid(text)))
    again.press("q")
    again.until(lambda text: "k  kill" in text)
    time.sleep(0.35)
    again.press("k")

    assert 0 == again.end()
    assert "operator_kill: equity" in again.text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_screen_closes_the_session(
    on_terminal: Open, number: signal.Signals
) -> None:
    """Gracefully: flat, reported, and the terminal as it was."""
    terminal = on_terminal(*WORDS)
    terminal.until(lambda text: "ACCEPTED" in text)
    terminal.process.send_signal(number)

    assert 4 == terminal.end()
    assert "signal" == terminal.run.report()["stop_reason"]
    assert b"\x1b[?1049l" in terminal.raw


def test_stop_signals_and_ctrl_z_stop_nothing(on_terminal: Open) -> None:
    """Quotes go on; what the terminal sends to its session never reaches the engine's."""
    terminal = on_terminal(*WORDS)
    first = bid(terminal.until(lambda text: bool(bid(text))))
    screen = terminal.process.pid
    assert os.getsid(engine_pid(screen)) != os.getsid(screen)
    terminal.press("\x1a")
    terminal.process.send_signal(signal.SIGTSTP)

    terminal.until(lambda text: bid(text) not in ("", first))


def test_a_stopped_engine_freezes_the_screen_and_says_so(on_terminal: Open) -> None:
    """The banner within three seconds; it goes when the engine goes on."""
    terminal = on_terminal(*WORDS)
    terminal.until(lambda text: bool(bid(text)))
    pid = engine_pid(terminal.process.pid)
    os.kill(pid, signal.SIGSTOP)
    try:
        terminal.until(lambda text: "SCREEN FROZEN, figures as of" in text, 5.0)
    finally:
        os.kill(pid, signal.SIGCONT)

    terminal.until(lambda text: "FROZEN" not in text)


def test_a_killed_engine_is_told_with_the_way_back(on_terminal: Open) -> None:
    """No farewell: the screen closes by itself and says how to resume."""
    terminal = on_terminal(*WORDS)
    terminal.until(lambda text: bool(bid(text)))
    os.kill(engine_pid(terminal.process.pid), signal.SIGKILL)

    assert 1 == terminal.end()
    assert "laptop-agents --resume" in terminal.text()


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"TERM": "dumb"}, "the terminal is a dumb one"),
        ({"TERM": ""}, "the terminal is a dumb one"),
    ],
)
def test_a_dumb_terminal_gets_lines(on_terminal: Open, env: dict[str, str], reason: str) -> None:
    """One sentence why, then the session as without a screen."""
    terminal = on_terminal(*WORDS, "--duration", "0.02", "--speed", "max", **env)

    assert 0 == terminal.end()
    assert f"No screen: {reason}" in terminal.text()
    assert b"\x1b[?1049h" not in terminal.raw


def test_a_tiny_terminal_gets_a_card_and_a_smaller_one_lines(on_terminal: Open) -> None:
    """20x5 is the smallest screen."""
    card = on_terminal(*WORDS, size=(20, 5))
    card.until(lambda text: "ACTIVE" in text and "Eq" in text)
    lines = on_terminal(*WORDS, "--duration", "0.02", "--speed", "max", size=(60, 4))
    assert 0 == lines.end()
    assert "No screen" in lines.raw.decode()


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "xterm"}, {"LANG": "C"}])
def test_odd_terminals_show_the_same(on_terminal: Open, env: dict[str, str]) -> None:
    """Without color, with sixteen of them, without UTF-8."""
    terminal = on_terminal(*WORDS, **env)
    text = terminal.until(lambda text: "ACTIVE" in text and bool(bid(text)))
    if "LANG" in env:
        assert text.isascii()
    if "NO_COLOR" in env:
        assert b";2;" not in re.sub(rb"38;2;(\d+);\1;\1|48;2;(\d+);\2;\2", b"", terminal.raw)
    terminal.press("\x18k")

    assert 4 == terminal.end()


def test_a_start_that_fails_says_why(on_terminal: Open) -> None:
    """The engine's own words and its exit code; no screen was opened."""
    terminal = on_terminal("--set", "risk.max_loss_pct=oops")

    assert 2 == terminal.end()
    assert "error: " in terminal.text()
    assert b"\x1b[?1049h" not in terminal.raw


def test_a_session_that_ends_as_planned_returns_its_code(on_terminal: Open) -> None:
    """The duration is over: the screen closes by itself."""
    terminal = on_terminal(*WORDS, "--duration", "0.06")
    terminal.until(lambda text: "session ended: duration" in text)

    assert 0 == terminal.end()
    assert "duration: equity" in terminal.text()


def test_attach_needs_a_session_and_a_terminal(on_terminal: Open, tmp_path: Path) -> None:
    """Neither is a trace; both say what else to do."""
    ended = Process(tmp_path, "--headless", "--duration", "0.02", "--speed", "max").end()
    assert 0 == ended.code
    nobody = on_terminal("attach")
    assert 5 == nobody.end()
    assert "is not running: duration" in nobody.text()

    blind = Process(tmp_path, "attach").end()

    assert 2 == blind.code
    assert (
        "attach needs a screen, and there is no terminal: attach --plain does without" in blind.err
    )


def test_attach_in_lines_needs_no_terminal(tmp_path: Path) -> None:
    """Each change once, labelled, to the last words."""
    session = Process(tmp_path, "--headless", "--duration", "0.07", "--symbols", "BTCUSDT")
    session.until((session.run.path / "control.sock").exists)
    told = Process(tmp_path, "attach", "--plain").end()
    assert 0 == session.end().code

    assert (0, "") == (told.code, told.err)
    lines = told.out.splitlines()
    assert lines[0].startswith("PAPER SIMULATED run 20")
    assert any(line.startswith("order B BTCUSDT") for line in lines)
    assert "duration: equity" in lines[-2]
    assert lines[-1].endswith("final_report.json")
    assert "\x1b" not in told.out
