"""What the sentinel sees, on real pages, real folders and real processes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.session.sentinel.linux import Arrivals
from engine.session.sentinel.page import Page, Phase, new_page
from engine.session.sentinel.triggers import Limits
from engine.session.sentinel.watch import AWAKE_MAX_S, EngineProcess, Watch
from tests.end_to_end.shell import ROOT


class Patient:
    """An engine that lives."""

    fd = None
    is_gone = False


def watching(page: Page, paths: list[str], seen: list[int]) -> Watch:
    return Watch(Patient(), page, paths, Limits(0.25, 5.0), seen.append)  # type: ignore[arg-type]


def test_both_sides_see_the_same_page() -> None:
    """Two mappings of one descriptor: what one says the other hears."""
    fd = new_page()
    engine, sentinel = Page(fd), Page(fd)
    engine.beat(17, Phase.TRADING)
    sentinel.latch_kill(0)
    sentinel.look()

    assert (1, 17, Phase.TRADING) == (sentinel.beats, sentinel.event_ns, sentinel.phase)
    assert (0, 1) == (engine.kill_seen, engine.looks)
    assert Page(new_page()).kill_seen is None


def test_silence_counts_while_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A beat ends it; a sentinel that slept for an hour has heard nothing, and not nothing said."""
    now = [100.0]
    monkeypatch.setattr("engine.session.sentinel.watch.monotonic", lambda: now[0])
    page = Page(new_page())
    watch = watching(page, [], [])
    silences = []
    for passed_s, has_beaten in [(0.05, False), (0.05, False), (0.05, True), (3_600.0, False)]:
        now[0] += passed_s
        if has_beaten:
            page.beat(1, Phase.TRADING)
        silences.append(round(watch.look().silent_s, 3))

    assert [0.05, 0.1, 0.0, AWAKE_MAX_S] == silences


def test_a_file_that_lived_for_an_instant_is_seen_once(tmp_path: Path) -> None:
    """Latched on the page and told, although it is gone; a second one changes nothing."""
    paths = [str(tmp_path / "a"), str(tmp_path / "b")]
    seen: list[int] = []
    page = Page(new_page())
    watch = watching(page, paths, seen)
    before = watch.look().killed_s
    for name in ("other", "b", "a"):
        (tmp_path / name).touch()
        (tmp_path / name).unlink()
    sights = [watch.look(), watch.look()]

    assert before is None
    assert [1] == seen
    assert 1 == page.kill_seen
    assert all(sight.killed_s is not None for sight in sights)


def test_a_file_that_is_moved_there_is_seen(tmp_path: Path) -> None:
    """A rename creates nothing."""
    (tmp_path / "draft").touch()
    arrivals = Arrivals([str(tmp_path / "kill.txt")])
    (tmp_path / "draft").rename(tmp_path / "kill.txt")

    assert 0 == arrivals.take()
    assert arrivals.take() is None


def test_the_poll_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system tells nothing, and for a folder that does not exist yet."""
    path = tmp_path / "later" / "kill.txt"
    seen: list[int] = []
    watch = watching(Page(new_page()), [str(path)], seen)
    watch.look()
    path.parent.mkdir()
    path.touch()
    watch.look()

    assert [0] == seen


def test_a_stopped_parent_is_killed() -> None:
    """SIGKILL reaches whoever takes no signals, and its end is waited for."""
    child = (
        "import os, signal, sys, time\n"
        "from engine.session.sentinel.watch import EngineProcess\n"
        "engine = EngineProcess(os.getppid())\n"
        "os.kill(engine.pid, signal.SIGSTOP)\n"
        "print(engine.is_gone, engine.kill(2.0), engine.is_gone, flush=True)\n"
    )
    parent = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        "time.sleep(30)\n"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", parent], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ("False True True\n", -9) == (done.stdout, done.returncode)
    assert time.monotonic() - began < 10


def test_nobody_is_killed_but_the_parent() -> None:
    """A number that is no longer our parent's may be anybody's."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    engine = EngineProcess(child.pid)

    assert engine.is_gone
    assert engine.kill(0.0)
    child.communicate(b"\n")
    assert 0 == child.returncode
    if engine.fd is not None:
        os.close(engine.fd)


def test_it_is_light() -> None:
    """Nothing of the engine, the settings or the screen is loaded beside the orders' lives."""
    heavy = ("asyncio", "textual", "pydantic", "aiohttp", "structlog", "psutil", "engine.kernel",
             "engine.session.runner", "brokers.paper.venue", "laptop_agents.compose")  # fmt: skip
    code = (
        "import sys; import laptop_agents.sentinel\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (0, "[]\n") == (done.returncode, done.stdout), done.stderr
