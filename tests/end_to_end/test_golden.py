"""The same seed and inputs write the same run, byte for byte, and a journal replays."""

import itertools
import json
from pathlib import Path

import pytest

from engine.model.events import INPUT_TYPES
from engine.model.money import use_exact_arithmetic
from laptop_agents import compose
from laptop_agents.settings import load
from laptop_agents.sources import Flag
from tests.end_to_end.shell import SMALL_CAPTURE, START, Ending, break_in_chain, needs, session
from tests.engine.kernel.replaying import parsed, replayed

pytestmark = pytest.mark.usefixtures("fresh_interpreters")
PINNED = (
    "--speed", "max", "--seed", "7",
    "--set", "session.run_id=golden-run", "--set", f"session.start_ns={START}",
)  # fmt: skip
MOCK = (*PINNED, "--duration", "2", "--symbols", "BTCUSDT,ETHUSDT",
        "--set", "agents.quoter.half_spread_bps=0.5")  # fmt: skip
FILE = (*PINNED, "--source", f"file:{SMALL_CAPTURE}", "--duration", "2")
WALL_TIME = {"started_at"}
"""What of the first line is the wall clock's and not the session's."""


@pytest.fixture(scope="module")
def mock_twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ending, Ending]:
    one, two = (session(tmp_path_factory.mktemp("home"), *MOCK) for _ in range(2))
    return one, two


@pytest.fixture(scope="module")
def file_twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ending, Ending]:
    one, two = (session(tmp_path_factory.mktemp("home"), *FILE) for _ in range(2))
    return one, two


def _unchained(content: bytes) -> list[tuple[str, int, bytes]]:
    return [tuple(parsed(line)) for line in content.splitlines(keepends=True)]  # type: ignore[misc]


def _compare(one: Ending, two: Ending) -> None:
    first, second = (end.run.raw().splitlines(keepends=True) for end in (one, two))
    heads = [json.loads(lines[0])["data"] for lines in (first, second)]
    differing = {key for key in heads[0] | heads[1] if heads[0].get(key) != heads[1].get(key)}
    rest = [_unchained(b"".join(lines[1:])) for lines in (first, second)]

    assert (0, 0) == (one.code, two.code)
    assert differing <= WALL_TIME
    assert [] == [pair for pair in zip(*rest, strict=False) if pair[0] != pair[1]][:1]
    assert len(first) == len(second)
    if not differing:
        assert one.run.raw() == two.run.raw()


def test_a_mock_session_twice(mock_twice: tuple[Ending, Ending]) -> None:
    """Only the wall time in the first line may differ, and so the hashes after it."""
    _compare(*mock_twice)


@needs(SMALL_CAPTURE)
def test_a_recorded_session_twice(file_twice: tuple[Ending, Ending]) -> None:
    """The same for a real market."""
    _compare(*file_twice)


def test_another_seed_is_another_session(mock_twice: tuple[Ending, Ending], tmp_path: Path) -> None:
    """The comparison above would see it."""
    words = [word if word != "7" else "8" for word in MOCK]
    other = session(tmp_path, *words)

    decided = [
        [line for line in _unchained(end.run.raw())[1:] if line[0] not in INPUT_TYPES]
        for end in (mock_twice[0], other)
    ]
    assert decided[0] != decided[1]


def test_the_journals_are_whole(mock_twice: tuple[Ending, Ending]) -> None:
    """By an independent verifier; and one changed byte is named."""
    content = mock_twice[0].run.raw()
    lines = content.splitlines(keepends=True)
    lines[99] = lines[99].replace(b'"ts":17', b'"ts":18', 1)

    assert break_in_chain(content) is None
    assert 100 == break_in_chain(b"".join(lines))


def _replay(end: Ending, words: tuple[str, ...]) -> int:
    flags = [Flag("--set", "session.speed", "max")]
    flags += [] if "--source" in words else [Flag("--source", "source", "mock")]
    names = {"--source": "source", "--symbols": "symbols", "--seed": "session.seed"}
    for option, value in itertools.pairwise(words):
        if option in names:
            flags.append(Flag(option, names[option], value))
        elif option == "--set":
            flags.append(Flag("--set", *value.split("=", 1)))
    use_exact_arithmetic()
    settings = load(flags, {}, profiles=end.run.path, headless=True)
    feed = compose.make_feed(settings, int(START))
    kernel = compose.make_kernel(settings, feed.instruments)
    lines = end.run.raw().splitlines(keepends=True)
    ours = ("session_started", "heartbeat", "session_ended")
    theirs = [line for line in lines if parsed(line).name not in ours]
    count = 0
    for on_disk, again in replayed(theirs, kernel):
        assert on_disk == again
        count += 1
    report = end.run.report()
    assert report["equity"] == kernel.portfolio.equity
    return count


def test_a_mock_journal_replays(mock_twice: tuple[Ending, Ending]) -> None:
    """From the file on disk, in another process, without any venue."""
    assert 200 < _replay(mock_twice[0], MOCK)


@needs(SMALL_CAPTURE)
def test_a_recorded_journal_replays(file_twice: tuple[Ending, Ending]) -> None:
    """The same for a real market."""
    assert 100 < _replay(file_twice[0], FILE)
