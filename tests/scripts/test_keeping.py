"""clean_runs.sh and archive_session.sh: nothing is done that was not asked for twice."""

import fcntl
import os
import tarfile
from pathlib import Path

import pytest

from tests.laptop_agents.recorded import age, copied, record
from tests.scripts.shell import Done, script

CLEAN, ARCHIVE = "clean_runs.sh", "archive_session.sh"


@pytest.fixture(scope="module")
def recorded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short runs, the first of them 40 days old."""
    home = tmp_path_factory.mktemp("home")
    record(home, minutes="0.1", run_id="old")
    record(home, minutes="0.1", run_id="new")
    age(home / "runs" / "old", days=40)
    return home


@pytest.fixture
def home(recorded_home: Path, tmp_path: Path) -> Path:
    """A copy, to change."""
    return copied(recorded_home, tmp_path / "home")


def runs(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "runs").iterdir() if not path.is_symlink())


def packed(home: Path) -> list[str]:
    return sorted(path.name for path in home.glob("archive/*"))


def clean(home: Path, *words: str, keep: str = "0", **env: str) -> Done:
    return script(home, CLEAN, *words, KEEP=keep, **env)


def test_cleaning_says_first_what_it_would_do(home: Path) -> None:
    """Without --yes everything stays."""
    done = clean(home)

    assert 0 == done.code
    assert "would delete old (40.0 days" in done.out
    assert ["new", "old"] == runs(home)


def test_cleaning_deletes_what_is_old(home: Path) -> None:
    """With --yes, and only that."""
    assert 0 == clean(home, "--yes").code
    assert ["new"] == runs(home)


@pytest.mark.parametrize(("keep", "older_than"), [("2", "30"), ("0", "50")])
def test_cleaning_spares_the_newest_and_the_young(home: Path, keep: str, older_than: str) -> None:
    """KEEP and OLDER_THAN reach the program."""
    assert 0 == clean(home, "--yes", keep=keep, OLDER_THAN=older_than).code
    assert ["new", "old"] == runs(home)


def test_cleaning_keeps_ten_runs_by_default(home: Path) -> None:
    """Whoever says nothing loses little."""
    assert 0 == script(home, CLEAN, "--yes").code
    assert ["new", "old"] == runs(home)


def test_archiving_says_first_what_it_would_do(home: Path) -> None:
    """The dry run proves the journal, and names the command."""
    done = script(home, ARCHIVE, "old")

    assert 0 == done.code
    assert "ok: " in done.out
    assert "nothing was done; with --yes: laptop-agents runs archive old\n" in done.out
    assert [] == packed(home)


def test_archiving_the_latest(home: Path) -> None:
    """With --yes; the run stays."""
    assert 0 == script(home, ARCHIVE, "--yes").code
    assert ["new.tar.gz"] == packed(home)
    assert ["new", "old"] == runs(home)


def test_archiving_and_removing(home: Path) -> None:
    """Only with --remove is the run deleted; a second time there is none, exit 2."""
    assert 0 == script(home, ARCHIVE, "old", "--yes", "--remove").code
    assert (["old.tar.gz"], ["new"]) == (packed(home), runs(home))
    assert 2 == script(home, ARCHIVE, "old", "--yes", "--remove").code


def test_exporting(home: Path, tmp_path: Path) -> None:
    """One file, which another home takes in."""
    file = tmp_path / "for you.tar.gz"
    assert 0 == script(home, ARCHIVE, "old", "--export", str(file)).code
    assert not file.exists()
    assert 0 == script(home, ARCHIVE, "old", "--export", str(file), "--yes").code
    with tarfile.open(file) as archive:
        assert "events.jsonl" in {Path(name).name for name in archive.getnames()}


def test_damage_is_told_in_the_dry_run(home: Path) -> None:
    """Exit 6, and the line."""
    with (home / "runs" / "old" / "events.jsonl").open("ab") as journal:
        journal.write(b"more\n")
    done = script(home, ARCHIVE, "old")

    assert 6 == done.code
    assert "events.jsonl:" in done.err


def test_a_running_session_is_left_alone(home: Path) -> None:
    """Exit 8: its journal is held."""
    fd = os.open(home / "runs" / "old" / "events.jsonl", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    done = script(home, ARCHIVE, "old", "--yes")
    os.close(fd)

    assert (8, []) == (done.code, packed(home))


@pytest.mark.parametrize("words", [("nowhere",), ("nowhere", "--yes"), ("--wrong",)])
def test_refusals_pass_through(home: Path, words: tuple[str, ...]) -> None:
    """Exit 2."""
    done = script(home, ARCHIVE, *words)

    assert 2 == done.code
    assert done.err.startswith("error: ")
