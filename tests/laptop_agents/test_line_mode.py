"""Line mode: what may be typed, and how it is answered."""

import io
from pathlib import Path

import pytest

from engine.model.events import Operator
from laptop_agents.line_mode import HELP_LINES, SENDER, TYPED_MAX, WATCHER, LineMode, Typed, parsed


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pause", Typed(Operator.PAUSE)),
        ("resume", Typed(Operator.RESUME)),
        ("reduce-only", Typed(Operator.REDUCE_ONLY)),
        ("flatten", Typed(Operator.FLATTEN)),
        ("stop", Typed(Operator.STOP)),
        ("kill", Typed(Operator.KILL)),
        ("reset RESET", Typed(Operator.RESET, "RESET")),
        ("agents pause trend", Typed(Operator.PAUSE_AGENT, "trend")),
        ("agents resume trend", Typed(Operator.RESUME_AGENT, "trend")),
        ("agents weight trend 0.5", Typed(Operator.WEIGH_AGENT, "trend=0.5")),
        ("status", "status"),
        ("detach", "detach"),
        ("help", "help"),
        ("kil", "command unknown: kil: help lists what there is"),
        ("KILL", "command unknown: KILL: help lists what there is"),
        ("kill now", "command unknown: kill now: help lists what there is"),
        ("reset", "command unknown: reset: help lists what there is"),
        ("agents weight trend", "command unknown: agents weight trend: help lists what there is"),
        ("agents kill trend", "command unknown: agents kill trend: help lists what there is"),
        ("agents pause", "command unknown: agents pause: help lists what there is"),
    ],
)
def test_words(line: str, expected: Typed | str) -> None:
    """The words of the command line, and nothing that merely resembles them."""
    assert expected == parsed(line)


def said(tmp_path: Path, typed: str) -> list[str]:
    """What is answered where no session runs."""
    out = io.StringIO()
    mode = LineMode(tmp_path, out, WATCHER, SENDER)
    mode._read(io.StringIO(typed))
    return out.getvalue().splitlines()


def test_a_command_nobody_hears_is_unconfirmed(tmp_path: Path) -> None:
    """Sent, and then what is not known about it."""
    sent, told = said(tmp_path, "  kill \n")

    assert "command kill: sent" == sent
    assert told.startswith("command kill: unconfirmed: run ")


def test_help_status_and_blank_lines(tmp_path: Path) -> None:
    """Help is three lines; before the first view there is no status; silence is answered by none."""
    assert list(HELP_LINES) == said(tmp_path, "help\n\n   \n")
    assert ["nothing is known of the session yet"] == said(tmp_path, "status\n")


def test_hostile_input_is_one_harmless_line_each(tmp_path: Path) -> None:
    """Escapes are shown; a line without end is refused whole, and the next one counts again."""
    escaped, refused, *rest = said(tmp_path, f"\x1b[31mred\nkill{'l' * 10_000}\nhelp\n")

    assert escaped.isprintable()
    assert f"command refused: longer than {TYPED_MAX} characters" == refused
    assert list(HELP_LINES) == rest


def test_a_last_word_without_a_line_end_counts(tmp_path: Path) -> None:
    """Input that is closed behind the word."""
    assert list(HELP_LINES) == said(tmp_path, "help")


def test_detaching(tmp_path: Path) -> None:
    """It says how to come back."""
    mode = LineMode(tmp_path, out := io.StringIO(), WATCHER, SENDER)
    mode._read(io.StringIO("detach\n"))

    assert mode.is_detached
    assert f"detached: laptop-agents attach --plain {tmp_path.name} comes back\n" == out.getvalue()
