"""`runs archive` and `runs clean`: nothing is lost that was not asked to be."""

import fcntl
import os
import socket
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from engine.model.errors import JournalDamaged, StateDamaged, StateHeld, UsageError
from laptop_agents.archive import archive_run, remove_run
from laptop_agents.cli import run
from tests.laptop_agents.recorded import ROOT, age, copied, record

RUNS = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    for name in RUNS:
        record(home, minutes="0.1", run_id=name)
    return home


@pytest.fixture
def home(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with four runs, 40, 30, 20 and 0 days old; the last is the latest."""
    home = copied(original, tmp_path / "home")
    for name, days in zip(RUNS, (40, 30, 20, 0), strict=True):
        age(home / "runs" / name, days)
    monkeypatch.setenv("LAPTOP_AGENTS_HOME", str(home))
    return home


def left(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "runs").iterdir() if not path.is_symlink())


# --- archive -------------------------------------------------------------------------------------


def test_an_archive_holds_every_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Byte for byte, private, the same each time; the run stays."""
    folder = home / "runs" / "a"
    (folder / "evidence" / "x").mkdir(parents=True)
    (folder / "evidence" / "x" / "state.json").write_text("{}")
    (folder / "kill.txt").write_text("")
    assert 0 == run(["audit", "query", "a", "--type", "fill"])
    assert 0 == run(["runs", "archive", "a"])
    path = home / "archive" / "a.tar.gz"
    first = path.read_bytes()
    path.unlink()
    assert 0 == run(["runs", "archive", "a"])

    with tarfile.open(path) as archive:
        held = {m.name: archive.extractfile(m).read() for m in archive.getmembers()}
    files = {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }
    del files["audit.sqlite"]
    assert files == held
    assert first == path.read_bytes()
    assert (0o600, 0o700) == tuple(stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent))
    assert ["a.tar.gz"] == [p.name for p in path.parent.iterdir()]
    assert f"{path}: {len(files)} files" in capsys.readouterr().out


def test_a_socket_is_no_file(home: Path) -> None:
    """What a dead session left for its screens is left out."""
    with socket.socket(socket.AF_UNIX) as control:
        control.bind(str(home / "runs" / "a" / "control.sock"))

        assert 0 == run(["runs", "archive", "a"])


@pytest.mark.parametrize("name", ["my notes.txt", "link", ".hidden"])
def test_what_can_t_be_packed_stops_the_work(home: Path, name: str) -> None:
    """Named, not skipped: with --remove it would be gone."""
    path = home / "runs" / "a" / name
    path.symlink_to("/etc/passwd") if name == "link" else path.write_text("x")
    with pytest.raises(UsageError, match=name):
        run(["runs", "archive", "a", "--remove"])

    assert "a" in left(home)
    assert not (home / "archive").exists()


def test_remove_deletes_what_is_archived(home: Path) -> None:
    """And only then."""
    assert 0 == run(["runs", "archive", "a", "--remove"])
    assert ["b", "c", "d"] == left(home)

    with pytest.raises(UsageError, match="no run"):
        run(["runs", "archive", "a"])


def test_removing_the_latest_takes_its_name_along(home: Path) -> None:
    """No link is left that leads nowhere."""
    age(home / "runs" / "d", 1)
    assert 0 == run(["runs", "archive", "latest", "--remove"])

    assert not (home / "runs" / "latest").is_symlink()
    assert (home / "archive" / "d.tar.gz").exists()


def test_an_archive_is_never_overwritten(home: Path) -> None:
    """The first one may be the better one."""
    (home / "archive").mkdir()
    (home / "archive" / "a.tar.gz").write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        run(["runs", "archive", "a", "--remove"])

    assert "precious" == (home / "archive" / "a.tar.gz").read_text()
    assert "a" in left(home)


def test_a_damaged_run_is_packed_as_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may be evidence; but it is not deleted."""
    journal = home / "runs" / "a" / "events.jsonl"
    journal.write_bytes(journal.read_bytes()[:-1])
    with pytest.raises(JournalDamaged):
        run(["runs", "archive", "a", "--remove"])

    assert "a" in left(home)
    assert (home / "archive" / "a.tar.gz").exists()
    assert "not proven" in capsys.readouterr().err


def test_a_running_run_is_left_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 8 where it is named; a clean does not even speak of it."""
    fd = os.open(home / "runs" / "a" / "events.jsonl", os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        with pytest.raises(StateHeld):
            run(["runs", "archive", "a", "--remove"])
        with pytest.raises(StateHeld):
            remove_run(home / "runs" / "a", home)
        assert 0 == run(["runs", "clean", "--older-than", "35"])
        assert 0 == run(["runs", "clean", "--older-than", "35", "--yes"])
    finally:
        os.close(fd)

    assert list(RUNS) == left(home)
    assert ("", not (home / "archive").exists()) == (capsys.readouterr().out, True)


def test_a_file_that_grows_meanwhile_is_noticed(home: Path, monkeypatch) -> None:
    """What was read back is held against the file as it is then."""
    from laptop_agents import archive  # noqa: PLC0415

    write = archive.write

    def meddled(file, rows) -> None:
        write(file, rows)
        with (home / "runs" / "a" / "session.log").open("a") as log:
            log.write("more\n")

    monkeypatch.setattr(archive, "write", meddled)
    with pytest.raises(StateDamaged, match=r"session\.log differs"):
        archive_run(home / "runs" / "a", home)

    assert [] == list((home / "archive").iterdir())


# --- clean ---------------------------------------------------------------------------------------

CLEANS = [
    # words, what is deleted
    (("--older-than", "25"), ["a", "b"]),
    (("--older-than", "35.5"), ["a"]),
    (("--older-than", "100"), []),
    (("--older-than", "0"), ["a", "b", "c"]),
    (("--older-than", "0", "--keep", "2"), ["a", "b"]),
    (("--older-than", "0", "--keep", "9"), []),
]


@pytest.mark.parametrize(("words", "gone"), CLEANS, ids=[" ".join(row[0]) for row in CLEANS])
def test_clean(home: Path, capsys: pytest.CaptureFixture[str], words, gone: list[str]) -> None:
    """First it only says what it would do; with --yes it does exactly that. Never the latest."""
    assert 0 == run(["runs", "clean", *words])
    told = capsys.readouterr().out.splitlines()
    assert list(RUNS) == left(home)
    assert 0 == run(["runs", "clean", *words, "--yes"])
    done = capsys.readouterr().out.splitlines()

    assert sorted(gone) == sorted(line.split()[2] for line in told)
    assert [line.replace("would delete", "deleted") for line in told] == done
    assert sorted(set(RUNS) - set(gone)) == left(home)


SETTINGS = [
    # settings, words, what is deleted
    ({"KEEP_DAYS": "25"}, (), ["a", "b"]),
    ({"KEEP_DAYS": "25"}, ("--older-than", "35"), ["a"]),
    ({"KEEP_DAYS": "0", "KEEP_COUNT": "3"}, (), ["a"]),
    ({"KEEP_DAYS": "0", "KEEP_COUNT": "3"}, ("--keep", "2"), ["a", "b"]),
    ({"KEEP_COUNT": "3"}, ("--older-than", "0"), ["a"]),
]


@pytest.mark.parametrize(("settings", "words", "gone"), SETTINGS)
def test_retention_is_a_setting(home: Path, monkeypatch, settings, words, gone: list[str]) -> None:
    """`runs.*` says what words do not; words win."""
    for name, value in settings.items():
        monkeypatch.setenv(f"LAPTOP_AGENTS_RUNS__{name}", value)
    assert 0 == run(["runs", "clean", *words])
    assert list(RUNS) == left(home)
    assert 0 == run(["runs", "clean", *words, "--yes"])

    assert sorted(set(RUNS) - set(gone)) == left(home)


def test_a_profile_can_keep_too(home: Path, monkeypatch) -> None:
    """A setting has four homes, this one too; a wrong one is refused before anything goes."""
    (home / "profiles").mkdir()
    (home / "profiles" / "mine.toml").write_text("[runs]\nkeep_days = 35\n")
    monkeypatch.setenv("LAPTOP_AGENTS_PROFILE", "mine")
    assert 0 == run(["runs", "clean", "--yes"])
    assert ["b", "c", "d"] == left(home)
    monkeypatch.setenv("LAPTOP_AGENTS_RUNS__KEEP_DAYS", "-1")
    with pytest.raises(UsageError, match=r"runs\.keep_days: must be at least 0"):
        run(["runs", "clean", "--yes"])

    assert ["b", "c", "d"] == left(home)


def test_latest_is_spared_even_if_it_is_old(home: Path) -> None:
    """`latest` may point at a run that is not the newest: neither of the two goes."""
    (home / "runs" / "latest").unlink()
    (home / "runs" / "latest").symlink_to("a")
    assert 0 == run(["runs", "clean", "--older-than", "0", "--yes"])

    assert ["a", "d"] == left(home)


def test_a_link_is_no_run(home: Path, tmp_path: Path) -> None:
    """What it leads to is not ours to delete."""
    other = tmp_path / "other"
    (home / "runs" / "a").rename(other)
    (home / "runs" / "a").symlink_to(other)
    assert 0 == run(["runs", "clean", "--older-than", "0", "--yes"])

    assert (other / "events.jsonl").exists()


def test_a_deletion_that_was_cut_short_is_finished(home: Path) -> None:
    """A crash between the two steps leaves a name that is no run, and the next clean ends it."""
    (home / "runs" / "a").rename(home / "runs" / ".deleted-a")
    assert 0 == run(["runs", "list"])
    assert 0 == run(["runs", "clean", "--older-than", "1000", "--yes"])

    assert ["b", "c", "d"] == left(home)


REFUSED = [
    ("--older-than", "-1"), ("--older-than", "nan"), ("--older-than", "week"),
    ("--older-than", "1", "--keep", "-1"), ("--older-than", "1", "--keep", "1.5"),
]  # fmt: skip


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_a_wish_without_sense(home: Path, words: tuple[str, ...]) -> None:
    """Exit 2 before anything is touched."""
    with pytest.raises(UsageError, match=r"--(older-than|keep): a"):
        run(["runs", "clean", *words, "--yes"])
    assert list(RUNS) == left(home)


CODES = [
    # words, exit code, said
    (["runs", "clean"], 2, "runs.keep_days"),
    (["runs", "archive"], 2, "required"),
    (["runs"], 2, "VERB"),
    (["runs", "import", "nothing"], 2, "there is no file"),
    (["runs", "import", "README.md"], 6, "was not taken in"),
    (["runs", "show", "nowhere"], 2, "no run"),
    (["runs", "diff", "nowhere", "latest"], 2, "no run"),
    (["audit", "query", "--json", "--csv"], 2, "not allowed"),
    (["audit", "why"], 2, "SYMBOL"),
]


@pytest.mark.parametrize(("words", "code", "said"), CODES, ids=[" ".join(row[0]) for row in CODES])
def test_exit_codes_of_the_real_program(home: Path, words: list[str], code: int, said: str) -> None:
    """One line, no trace."""
    done = subprocess.run(
        [sys.executable, "-m", "laptop_agents", *words], cwd=ROOT, check=False, text=True,
        env={"PATH": os.environ["PATH"], "LAPTOP_AGENTS_HOME": str(home)},
        capture_output=True, timeout=60,
    )  # fmt: skip

    (line,) = done.stderr.splitlines()
    assert code == done.returncode
    assert line.startswith("error: ")
    assert said in line


@pytest.mark.parametrize("words", [["runs", "--help"], ["audit", "why", "--help"], ["audit", "wy"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    """Words alone are answered before anything is imported."""
    heavy = ("msgspec", "sqlite3", "pydantic", "asyncio", "tarfile", "engine.session", "structlog")
    code = (
        f"import sys; from laptop_agents.__main__ import main; main({words!r})\n"
        f"sys.stderr.write('\\n' + repr([name for name in {heavy!r} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "[]" == done.stderr.splitlines()[-1]
