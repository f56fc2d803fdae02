"""A recorded session on the workstation's screen, in real processes on a real terminal."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.model.money import use_exact_arithmetic
from engine.session.control.client import Connection
from engine.session.control.views import View
from engine.session.playback.words import Seek
from laptop_agents.replay_engine import open_player
from tests.end_to_end.shell import Process
from tests.end_to_end.terminal import Terminal
from tests.end_to_end.test_screen import engine_pid, is_gone
from tests.engine.session.playback.forward import after, learn
from tests.laptop_agents.recorded import record

Open = Callable[..., Terminal]

WATCHED = (
    "--headless", "--duration", "2", "--speed", "20", "--symbols", "BTCUSDT,ETHUSDT",
    "--set", "agents.quoter.half_spread_bps=0.5",
)  # fmt: skip
UNKNOWN = (
    ("number",),
    ("controls",),
    ("health", "process"),
    ("health", "tick_to_order_us"),
    ("health", "viewers"),
    ("health", "checkpoint_age_s"),
    ("health", "journal_unsynced"),
    ("router", "hops", "request"),
    ("orders", ..., "queue_ahead"),
    ("positions", ..., "margin"),
    ("positions", ..., "liquidation_price"),
    ("positions", ..., "liquidation_pct"),
    ("agents", ..., "cost_p99_us"),
)
"""What no input tells: readings of the process, latencies, viewers, what the venue's side knows."""
VIEWS_MIN = 10


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose runs have room for a socket, whatever pytest's folders are called."""
    path = Path(tempfile.mkdtemp(prefix="la-"))
    yield path
    shutil.rmtree(path)


def watched(home: Path) -> tuple[Path, list[View]]:
    """Run a session and keep every view that a screen was sent."""
    process = Process(home, *WATCHED)
    process.until((process.run.path / "control.sock").exists)
    folder = process.run.path.resolve()
    with Connection.open(folder, "screen", wants_views=True) as connection:
        views = [word for word in connection.views(within_s=20) if isinstance(word, View)]
    assert 0 == process.end(30).code
    return folder, views


def known(view: View) -> dict[str, Any]:
    """All of a view that a replay can know."""
    fields: dict[str, Any] = msgspec.to_builtins(view)
    fields["router"]["hops"] = dict(fields["router"]["hops"])
    for path in UNKNOWN:
        forget(fields, path)
    return fields


def forget(fields: Any, path: tuple[Any, ...]) -> None:
    """Take one field out of nested ones; `...` is every row."""
    first, *rest = path
    if not rest:
        del fields[first]
        return
    for inner in fields if first is ... else (fields[first],):
        forget(inner, tuple(rest))


def test_every_view_a_running_session_sent_is_made_again(home: Path) -> None:
    """Figure for figure, tails and counters too: the replay shows what the screen showed."""
    folder, views = watched(home)
    assert VIEWS_MIN <= len(views)
    use_exact_arithmetic()
    player = learn(open_player(folder / "events.jsonl"))

    for view in views:
        shown = after(player, Seek(seq=view.session.events))
        assert known(view) == known(shown.view)
    assert any(view.fills for view in views), "nothing happened"
    assert 0 == player.frame().scrub.diverged


@pytest.fixture
def on_terminal() -> Iterator[Open]:
    """Open programs on terminals; none outlives the test."""
    opened: list[Terminal] = []

    def open_one(home: Path, *words: str, **how: object) -> Terminal:
        opened.append(Terminal(home, *words, **how))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one run of two minutes."""
    home = tmp_path_factory.mktemp("recorded")
    record(home, minutes="2")
    return home


def read_by(text: str) -> bool:
    """Whether the whole journal is known."""
    return "diverged 0" in text and "reading" not in text


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_it_opens_seeks_plays_and_quits(
    on_terminal: Open, recorded: Path, size: tuple[int, int]
) -> None:
    """Badge, bar, recorded time; the verdict stays on the normal screen, and the run is as it was."""
    before = {path: path.read_bytes() for path in contents(recorded)}
    terminal = on_terminal(recorded, "replay", "--tui", size=size)
    terminal.until(lambda text: text.startswith(" REPLAY  SIMULATED ") and read_by(text))
    assert "+00:00 of 02:00" in terminal.text()
    terminal.press("/")
    terminal.until(lambda text: "hh:mm:ss (UTC)" in text)
    terminal.press("+1:00\r")
    terminal.until(lambda text: "+00:59 of 02:00" in text or "+01:00 of 02:00" in text)
    terminal.press("}")
    terminal.press("*")
    terminal.until(lambda text: "at event" in text or "from event" in text)
    terminal.press("\x1b[F")  # end
    terminal.until(lambda text: "T-00:00" in text.splitlines()[-2])
    terminal.press("q")

    assert 0 == terminal.end()
    after_it = terminal.raw.rpartition(b"\x1b[?1049l")[2].decode()
    assert "identical: " in after_it
    assert before == {path: path.read_bytes() for path in before}
    assert set(before) == set(contents(recorded)), "a sealed run is never written to"


def test_it_looks_as_whoever_opens_it_wants(on_terminal: Open, recorded: Path) -> None:
    """Their words count, and why is told of the shown instant."""
    words = ("--set", "tui.ascii=true", "--set", "tui.palette=mono")
    terminal = on_terminal(recorded, "replay", "--tui", *words, size=(120, 40))
    terminal.until(lambda text: text.startswith(" REPLAY  SIMULATED ") and read_by(text))
    assert terminal.text().isascii()
    assert b"\x1b[38;2;" not in terminal.raw
    terminal.press("w")
    terminal.until(lambda text: "nobody wanted anything" in text)
    terminal.press("\x1b")
    terminal.until(lambda text: "nobody wanted anything" not in text)
    terminal.press("q")

    assert 0 == terminal.end()


def contents(home: Path) -> list[Path]:
    return [path for path in (home / "runs").rglob("*") if path.is_file()]


def test_damage_closes_the_screen_with_file_and_line(
    on_terminal: Open, recorded: Path, tmp_path: Path
) -> None:
    """Exit 6, in the words of `replay`."""
    folder = shutil.copytree((recorded / "runs" / "latest").resolve(), tmp_path / "run")
    lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    lines[900] = lines[900].replace(b"0", b"1", 1)
    (folder / "events.jsonl").write_bytes(b"".join(lines))
    terminal = on_terminal(tmp_path, "replay", str(folder), "--tui", size=(160, 40))

    assert 6 == terminal.end()
    assert "events.jsonl:901: " in terminal.text()


def test_a_screen_that_dies_leaves_no_process(on_terminal: Open, recorded: Path) -> None:
    """The playing process goes with it, however it goes."""
    terminal = on_terminal(recorded, "replay", "--tui")
    terminal.until(read_by)
    player = engine_pid(terminal.process.pid)
    terminal.process.kill()
    deadline = time.monotonic() + 20
    while not is_gone(player) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert is_gone(player)


def test_a_player_that_dies_closes_the_screen(on_terminal: Open, recorded: Path) -> None:
    """Said, exit 1, and the terminal as it was."""
    terminal = on_terminal(recorded, "replay", "--tui", size=(160, 40))
    terminal.until(read_by)
    os.kill(engine_pid(terminal.process.pid), signal.SIGKILL)

    assert 1 == terminal.end()
    assert "the process that plays the session is gone" in terminal.text()
    assert b"\x1b[?1049l" in terminal.raw


def test_without_a_terminal_it_exits_2(recorded: Path) -> None:
    """One clear line."""
    ending = Process(recorded, "replay", "--tui").end(20)

    assert 2 == ending.code
    assert "error: replay --tui needs a screen, and there is no terminal" in ending.err
