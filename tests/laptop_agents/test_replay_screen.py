"""`replay --tui`: what is refused before a screen opens, and what is said after it closed."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine.model.errors import JournalDamaged, SettingsRefused, StateHeld, UsageError
from engine.session.journal_reader import read_journal
from laptop_agents import replay_screen
from laptop_agents.cli import run
from laptop_agents.recorded_kernel import started_with
from laptop_agents.replay_screen import verdict, welcome
from laptop_agents.replay_stage import why_then
from tests.laptop_agents.recorded import record
from tests.tui.replay.stage import scrub
from tui.story import Told


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home")
    record(path, minutes="0.05")
    return path


@pytest.fixture
def journal(home: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the run, to be damaged."""
    folder = shutil.copytree((home / "runs" / "latest").resolve(), tmp_path / "run")
    return folder / "events.jsonl"


@pytest.fixture
def _on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals that come before the screen, where there could be one."""
    monkeypatch.setattr(replay_screen, "no_screen_here", lambda: "")


def test_without_a_terminal_it_says_what_does_without(journal: Path) -> None:
    """Exit 2: nothing was shown."""
    with pytest.raises(UsageError, match=r"needs a screen, and there is no terminal: replay does"):
        run(("replay", str(journal), "--tui"))


CONFLICTS = [
    (("--set", "risk.max_loss_pct=1"), "a what-if has no screen"),
    (("--run-dir", "x"), "a what-if has no screen"),
    (("--json",), "--tui and --json conflict"),
]


@pytest.mark.parametrize(("words", "reason"), CONFLICTS)
def test_it_takes_no_changes(journal: Path, words: tuple[str, ...], reason: str) -> None:
    """It shows what was; what might have been is compared in lines."""
    with pytest.raises(UsageError, match=reason):
        run(("replay", str(journal), "--tui", *words))


@pytest.mark.usefixtures("_on_a_terminal")
def test_a_wrong_setting_of_the_screen_is_named(journal: Path) -> None:
    """One of the session would be a what-if; one of the screen is obeyed or refused."""
    with pytest.raises(SettingsRefused, match=r"tui\.palette"):
        run(("replay", str(journal), "--tui", "--set", "tui.palette=pink"))


@pytest.mark.usefixtures("_on_a_terminal")
def test_a_running_session_is_for_attach(journal: Path) -> None:
    """Exit 8, with the other door named."""
    fd = os.open(journal, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(StateHeld, match="is running: attach shows it"):
            run(("replay", str(journal), "--tui"))
    finally:
        os.close(fd)


@pytest.mark.usefixtures("_on_a_terminal")
def test_a_damaged_first_line_opens_no_screen(journal: Path) -> None:
    """Exit 6 with file and line."""
    journal.write_bytes(b"x" + journal.read_bytes())

    with pytest.raises(JournalDamaged, match=r"events\.jsonl:1"):
        run(("replay", str(journal), "--tui"))


@pytest.mark.usefixtures("_on_a_terminal")
def test_a_journal_without_inputs_is_refused(tmp_path: Path) -> None:
    """There is nothing to make it again from."""
    folder = record(tmp_path, "--set", "journal.detail=decisions", minutes="0.02")

    with pytest.raises(UsageError, match="holds no inputs"):
        run(("replay", str(folder), "--tui"))


def test_the_badge_is_that_of_a_replay(journal: Path) -> None:
    """With the recorded session's own name, source and instruments."""
    first = next(read_journal(journal))
    who = welcome(started_with(journal, first), first)

    assert ("replay", True, "mock") == (who.mode, who.is_simulated, who.source)
    assert ("BTCUSDT",) == who.symbols
    assert who.agents
    assert who.started_at.endswith("Z")


VERDICTS = [
    ({}, "identical: 95973 inputs, 5800 decisions"),
    ({"diverged": 3}, "different: 3 of 95973 inputs, 5800 decisions; see `laptop-agents replay`"),
    (
        {"is_whole": False, "known": 0.439},
        "identical so far (43% of the journal): 95973 inputs, 5800 decisions",
    ),
]


@pytest.mark.parametrize(("changes", "words"), VERDICTS)
def test_the_verdict(changes: dict[str, object], words: str) -> None:
    """No more is claimed than was made again."""
    assert words == verdict(scrub(**changes))


def test_no_screen_is_loaded_for_a_plain_replay() -> None:
    """Textual is for screens."""
    code = (
        "import sys, laptop_agents.replay_command, laptop_agents.replay_screen, "
        "laptop_agents.replay_engine; sys.exit('textual' in sys.modules)"
    )

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_why_knows_nothing_later_than_the_shown_instant(home: Path) -> None:
    """Of a symbol it tells the newest intent up to there, and only lines up to there."""
    journal = (home / "runs" / "latest").resolve() / "events.jsonl"
    wishes = [line for line in read_journal(journal) if line.type == "intent"]
    early, late = wishes[0], wishes[-1]
    symbol = json.loads(early.data)["symbol"]

    then = why_then(journal, symbol, scrub(seq=early.seq))
    now = why_then(journal, symbol, None)

    assert then.told is not None, then.trouble
    assert now.told is not None, now.trouble
    assert json.loads(early.data)["intent_id"] == then.told.intent_id
    assert json.loads(late.data)["intent_id"] == now.told.intent_id
    assert not after_line(then.told, early.seq), "nothing was known of it then"
    assert after_line(now.told, early.seq)


def after_line(told: Told, seq: int) -> list[int]:
    """Return the numbers of the lines of a story that were written later."""
    numbers = [line["seq"] for line in lines_of(msgspec.to_builtins(told))]
    return [number for number in numbers if number > seq]


def lines_of(told: object) -> Iterator[dict]:
    """Yield whatever has a number in the journal, however deep it lies."""
    if isinstance(told, dict):
        if isinstance(told.get("seq"), int):
            yield told
        for value in told.values():
            yield from lines_of(value)
    elif isinstance(told, list | tuple):
        for value in told:
            yield from lines_of(value)
