"""A forked program is what a new process is, in all that a test can see of it."""

import os
import signal
from pathlib import Path

import pytest

from tests.end_to_end import warm
from tests.end_to_end.shell import Process
from tests.end_to_end.warm import Warm, may_be_warm, ran

BARE = {"PATH": os.environ["PATH"]}


def test_it_says_what_a_new_interpreter_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words, surroundings, streams and exit code of three ways to end."""
    asked = [("--version",), ("profiles", "show", "default"), ("--what",), ("runs", "show", "none")]
    forked = [Process(tmp_path, *words).end() for words in asked]
    monkeypatch.setattr(warm, "is_fresh", True)

    assert [0, 0, 2, 2] == [done.code for done in forked]
    fresh = [Process(tmp_path, *words).end() for words in asked]
    assert [done[:3] for done in fresh] == [done[:3] for done in forked]


def test_it_reads_what_is_piped_to_it(tmp_path: Path) -> None:
    """And its home is its own."""
    homes = [{**BARE, "LAPTOP_AGENTS_HOME": str(tmp_path / name)} for name in "ab"]
    words = ("keys", "set", "binance", "--stdin", "--in", "file")
    done = [ran(words, home, f"the-key-{n}\nits-very-secret\n") for n, home in enumerate(homes)]

    assert [0, 0] == [one.returncode for one in done], done
    assert ["a", "b"] == sorted(path.name for path in tmp_path.iterdir())
    assert '"key":"the-key-1"' in (tmp_path / "b" / "keys" / "binance.json").read_text()


def test_it_ends_by_a_signal_as_any_process(tmp_path: Path) -> None:
    """SIGKILL is told as minus nine, and only its own process is gone."""
    surroundings = {**BARE, "LAPTOP_AGENTS_HOME": str(tmp_path), "LAPTOP_AGENTS_SOURCE": "mock"}
    first, second = (Warm(("--headless", "-q"), surroundings) for _ in range(2))
    first.send_signal(signal.SIGKILL)
    first.communicate(20.0)
    assert -signal.SIGKILL == first.wait(20.0)
    assert second.poll() is None
    second.kill()
    second.communicate(20.0)
    assert -signal.SIGKILL == second.wait(20.0)


def test_programs_in_a_row_differ_in_the_order_of_their_sets() -> None:
    """They come of two processes: what must be the same has to be so in spite of that."""
    assert warm.template(1).fileno() != warm.template(2).fileno()
    assert next(warm.TURNS) != next(warm.TURNS)


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "LANG", "LC_ALL"])
def test_what_the_interpreter_reads_needs_a_new_one(name: str) -> None:
    assert not may_be_warm({name: "x"})
    assert may_be_warm({"LAPTOP_AGENTS_SOURCE": "mock"})


def test_who_asks_gets_new_interpreters(fresh_interpreters: None) -> None:
    assert not may_be_warm({})
