"""What does not start: the code, one line that helps, and no trace."""

import gzip
import random
from pathlib import Path

import pytest

from tests.end_to_end.shell import SMALL_CAPTURE, needs, session

USAGE = {
    "unknown setting": ("--set", "risk.max_los_pct=1"),
    "unknown option": ("--durration", "1"),
    "no number": ("--duration", "soon"),
    "not positive": ("--duration", "0"),
    "not a number": ("--set", "risk.max_loss_pct=NaN"),
    "infinite": ("--duration", "inf"),
    "unknown symbol": ("--symbols", "NOSUCHUSDT"),
    "symbol twice": ("--symbols", "BTCUSDT,BTCUSDT"),
    "unknown agent": ("--agents", "trent"),
    "agent twice": ("--agents", "trend,trend"),
    "unknown source": ("--source", "mocc"),
    "unknown mode": ("--mode", "real"),
    "unknown profile": ("--profile", "nosuch"),
    "unknown fault": ("--set", "mock.faults=nosuch"),
    "a bad run id": ("--set", "session.run_id=../escape"),
    "the reserved run id": ("--set", "session.run_id=latest"),
    "negative seed": ("--seed", "-1"),
    "no speed": ("--speed", "0"),
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Exit 2, a sentence, nothing written."""
    done = session(tmp_path, *words)

    assert 2 == done.code
    assert done.err.strip()
    assert not (tmp_path / "runs").exists()


def test_the_nearest_name_is_told(tmp_path: Path) -> None:
    """A typing error costs one look."""
    done = session(tmp_path, "--set", "risk.max_los_pct=1")

    assert "risk.max_loss_pct" in done.err


def test_an_unknown_variable_is_refused(tmp_path: Path) -> None:
    """Like an unknown key."""
    done = session(tmp_path, "--duration", "0.05", LAPTOP_AGENTS_RISK__MAX_LOS_PCT="1")

    assert 2 == done.code
    assert "MAX_LOS" in done.err.upper()


@pytest.mark.parametrize("name", ["nosuch.jsonl.gz", "no/such/folder", "*.jsonl"])
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    """Exit 5, with its name."""
    done = session(tmp_path / "home", "--source", f"file:{tmp_path / name}", "--speed", "max")

    assert 5 == done.code
    assert "not found" in done.err
    assert not (tmp_path / "home" / "runs").exists()


NOISE = random.Random(1).randbytes(5_000)  # noqa: S311 - the same on every worker
BROKEN = {
    "garbage.jsonl": NOISE,
    "garbage.jsonl.gz": gzip.compress(NOISE),
    "no.jsonl.gz": b"\x1f\x8b" + NOISE[:500],
    "empty.jsonl": b"",
    "empty.jsonl.gz": b"",
    "emptied.jsonl.gz": gzip.compress(b""),
    "json.jsonl": b'{"a":1}\n' * 50,
    "words.csv": b"these,are,words\n1,2,3\n",
    "no.parquet": b"PAR1" + NOISE[:50],
    "blank.jsonl": b"\n" * 1_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file(tmp_path: Path, name: str) -> None:
    """Exit 5: there is no market in it."""
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    done = session(tmp_path / "home", "--source", f"file:{path}", "--speed", "max")

    assert 5 == done.code
    assert name in done.err
    assert not (tmp_path / "home" / "runs").exists()


@needs(SMALL_CAPTURE)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.999])
def test_a_cut_recording_plays_to_its_end(tmp_path: Path, share: float) -> None:
    """A recorder that died leaves data that is good: end_of_data, exit 0, and it is told."""
    whole = SMALL_CAPTURE.read_bytes()
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(whole[: int(len(whole) * share)])
    done = session(tmp_path / "home", "--source", f"file:{path}", "--speed", "max")

    assert 0 == done.code
    report = done.run.report()
    assert ("end_of_data", []) == (report["stop_reason"], report["positions_at_end"])
    assert report["malformed_ticks"] >= 1


@needs(SMALL_CAPTURE)
def test_a_symbol_the_file_does_not_hold(tmp_path: Path) -> None:
    """Exit 2, naming what it does hold."""
    done = session(tmp_path, "--source", f"file:{SMALL_CAPTURE}", "--symbols", "ETHUSDT")

    assert 2 == done.code
    assert "BTCUSDT" in done.err


@pytest.mark.parametrize("place", ["home", "runs", "above"])
def test_a_home_that_is_no_folder(tmp_path: Path, place: str) -> None:
    """Exit 6: state can't be kept."""
    home = tmp_path / "home"
    match place:
        case "home":
            home.touch()
        case "runs":
            home.mkdir(0o700)
            (home / "runs").touch()
        case _:
            home.touch()
            home = home / "below"
    done = session(home, "--duration", "0.05")

    assert 6 == done.code
    assert str(tmp_path) in done.err


def test_a_home_open_to_others(tmp_path: Path) -> None:
    """Exit 6: anybody could swap the state."""
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    done = session(home, "--duration", "0.05")

    assert 6 == done.code
    assert "chmod" in done.err


def test_a_used_run_folder(tmp_path: Path) -> None:
    """Nothing is ever written over."""
    target = tmp_path / "run"
    target.mkdir(0o700)
    (target / "mine.txt").write_text("precious")
    done = session(tmp_path / "home", "--duration", "0.05", "--run-dir", str(target))

    assert 2 == done.code
    assert ["mine.txt"] == [path.name for path in target.iterdir()]


def test_a_run_id_twice(tmp_path: Path) -> None:
    """The second is refused, the first is untouched."""
    words = ("--duration", "0.02", "--speed", "max", "--set", "session.run_id=same")
    first = session(tmp_path, *words)
    content = first.run.raw()
    second = session(tmp_path, *words)

    assert (0, 2) == (first.code, second.code)
    assert content == first.run.raw()
