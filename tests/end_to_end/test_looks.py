"""The screen to one person's taste, on real terminals: colors, keys, mouse, memory, plain lines."""

import json
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


def is_up(text: str) -> bool:
    return "ACTIVE" in text and re.search(r">BTCUSDT\s+[\d,.]+", text) is not None


@pytest.mark.parametrize(
    ("env", "words", "used", "unused"),
    [
        ({"TERM": "xterm"}, (), b"\x1b[3[0-7]|;3[0-7]", b"[34]8;[25];"),
        ({"TERM": "xterm-256color"}, (), b"38;5;", b"[34]8;2;"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, (), b"38;2;", b"[34]8;5;"),
        (
            {"COLORTERM": "truecolor"},
            ("--set", "tui.palette=ansi-dark", "--set", "tui.ascii=true"),
            b"\x1b\\[[0-9;]*9[0-7]",
            b"38;[25];",
        ),
    ],
    ids=["16", "256", "truecolor", "the terminal's own"],
)
def test_color_is_what_the_terminal_has(
    on_terminal: Open, env: dict[str, str], words: tuple[str, ...], used: bytes, unused: bytes
) -> None:
    """Sixteen colors, 256, all of them, or the ones its user chose; it starts, runs and ends."""
    terminal = on_terminal(*WORDS, *words, **env)
    text = terminal.until(is_up)
    assert text.isascii() is ("tui.ascii=true" in words)
    assert re.search(used, terminal.raw)
    assert re.search(unused, terminal.raw) is None
    terminal.press("\x18k")

    assert 4 == terminal.end()


def test_what_was_arranged_comes_back_with_the_next_screen(
    on_terminal: Open, tmp_path: Path
) -> None:
    """Palette and tab by keys in one run, shown by a screen of another; keys and mouse as set."""
    first = on_terminal(*WORDS, "--set", "tui.mouse=false", "--set", "tui.keys.palette=U")
    first.until(is_up)
    assert b"\x1b[?1000h" not in first.raw
    first.until(lambda text: "any key closes this" in text)
    first.press("U8")
    first.until(lambda text: "[8 Risk]" in text and "any key closes this" not in text)
    first.press("\x03")
    first.until(lambda text: "press ^c again" in text)
    first.press("\x03")
    first.until(lambda text: "c  close cleanly" in text or "y  end the session" in text)
    time.sleep(0.35)  # the guard of a dialog against keys that were on their way
    first.press("d")
    assert 0 == first.end()
    kept = json.loads((tmp_path / "screen.json").read_text())
    assert ("safe-light", "risk") == (kept["palette"], kept["layouts"]["s"]["tab"])

    again = on_terminal("attach", "--no-color")
    again.until(lambda text: "[8 Risk]" in text)
    again.press("\x18k")
    again.end()
    assert b"\x1b[?1000h" not in again.raw, "the run's own settings count where nobody says else"
    assert b"38;5;" not in re.sub(rb"38;5;(\d+)", _unless_grey, again.raw)
    kept = json.loads((tmp_path / "screen.json").read_text())
    assert "safe-light" == kept["palette"], "a wish of now is not remembered"


def _unless_grey(found: re.Match[bytes]) -> bytes:
    """The cube of 256 colors has its greys at the end, black and white at both."""
    return b"" if int(found[1]) in {0, 7, 8, 15, 16, 231, *range(232, 256)} else found[0]


def test_a_storm_of_sizes(on_terminal: Open) -> None:
    """A hundred times between the largest and the smallest in five seconds: half-typed words stay."""
    terminal = on_terminal(*WORDS, size=(200, 60))
    terminal.until(is_up)
    terminal.press("5/")
    terminal.until(lambda text: "filter" in text.splitlines()[-2])
    terminal.press("quo")
    terminal.until(lambda text: "quo" in text.splitlines()[-2])
    began = time.monotonic()
    for turn in range(100):
        terminal.resize(*((20, 5) if turn % 2 else (200, 60)))
        while time.monotonic() - began < turn * 0.05:
            terminal.text()
    terminal.resize(80, 24)
    terminal.press("ter\r")
    terminal.until(lambda text: "/quoter" in text and "Quotes" in text and is_up(text))
    terminal.press("\x18k")

    assert 4 == terminal.end()
    assert b"Traceback" not in terminal.raw


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "tui.keys.pause=z"), "z would be both pause"),
        (("--set", "tui.keys.danger=k"), "must keep a ctrl chord"),
        (("--set", "tui.timezone=Mars"), "timezone must be UTC"),
    ],
)
def test_wrong_wishes_are_refused_before_anything_opens(
    on_terminal: Open, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """Exit 2, one line, no run, the terminal untouched."""
    terminal = on_terminal(*WORDS, *words)

    assert 2 == terminal.end()
    assert said in terminal.text().replace("\n", "")
    assert b"\x1b[?1049h" not in terminal.raw
    assert not (tmp_path / "runs").exists()


def test_plain_lines_take_the_same_commands(on_terminal: Open) -> None:
    """Told, paused, resumed, asked, stopped by typed words; nothing is drawn; exit as the engine's."""
    terminal = on_terminal("--plain", *WORDS, size=(160, 60))
    terminal.until(lambda text: "state ACTIVE, SIMULATED" in text)
    assert terminal.text().splitlines()[0].startswith("PAPER SIMULATED run 20")
    for typed, answer in (
        ("pause", "command pause: paused in"),
        ("resume", "command resume: resumed in"),
        (
            "agents weight quoter 0.5",
            "command agents weight quoter 0.5: agent weighed (quoter=0.5)",
        ),
        ("kil", "command unknown: kil: help lists what there is"),
        ("status", "drawdown"),
    ):
        terminal.press(f"{typed}\n")
        terminal.until(lambda text, answer=answer: answer in text)
    terminal.press("stop\n")

    assert 4 == terminal.end()
    assert "operator_stop: equity" in terminal.text()
    assert "exit 4" in terminal.text()
    assert b"\x1b" not in terminal.raw
    commands = [line["data"]["command"] for line in terminal.run.lines("operator_command")]
    assert ["pause", "resume", "weigh_agent", "stop"] == commands


def test_plain_lines_without_input_go_on_and_a_signal_ends_them(tmp_path: Path) -> None:
    """Input closed from the start: told to the end; SIGTERM closes the session gracefully."""
    told = Process(tmp_path, "--plain", *WORDS)
    told.until_trading()
    told.send(signal.SIGTERM)
    ended = told.end()

    assert (4, "") == (ended.code, ended.err)
    assert "signal: equity" in ended.out
    assert [] == told.run.report()["positions_at_end"]
