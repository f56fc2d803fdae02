"""Names, modes, links and atomic files of a run's folder."""

import json
import os
import re
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.errors import StateDamaged, UsageError
from engine.session import run_folder
from engine.session.run_folder import RunFolder, new_run_id, valid_name

START = 1_763_640_139_999_999_999
RUN = "20251120T120219Z-abcd"


def mode(path) -> int:
    """Read the permission bits, of a link itself."""
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077], autouse=True)
def umask(request):
    """Every promise here holds under every umask."""
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def home(tmp_path):
    """Name a home that does not exist yet."""
    return tmp_path / "deep" / "home"


def test_run_id() -> None:
    """UTC to the second, cut, and four letters from the entropy given."""
    assert new_run_id(START, lambda n: bytes(range(n))) == RUN
    assert re.fullmatch(r"\d{8}T\d{6}Z-[a-z]{4}", new_run_id(START))


@given(st.binary(min_size=4, max_size=4))
def test_every_run_id_is_a_valid_name(entropy) -> None:
    """Whatever the entropy."""
    name = new_run_id(START, lambda _: entropy)

    assert valid_name(name) == name


NAMES = [
    "",
    ".",
    "..",
    ".hidden",
    "a/b",
    "/etc/x",
    "a\\b",
    "a\nb",
    "a\n",
    "a\0b",
    "é",
    "x" * 65,
    "a b",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_are_refused(name, home) -> None:
    """Neither a run nor a file is made from it, and nothing appears on disk."""
    with pytest.raises(UsageError):
        RunFolder.create(home, name)
    folder = RunFolder.create(home, RUN)
    with pytest.raises(UsageError):
        folder.write(name, b"x")

    assert os.listdir(folder.path) == []


def test_modes_from_creation(home) -> None:
    """Folders are 0700 and files 0600, the home's parents included."""
    folder = RunFolder.create(home, RUN)
    folder.write_json("manifest.json", {"a": 1})
    os.close(folder.create_file("events.jsonl"))
    folder.create_folder("evidence", "stale-1")

    for path in [home.parent, *home.parent.rglob("*")]:
        if not path.is_symlink():
            assert mode(path) == (0o700 if path.is_dir() else 0o600), path


def test_latest_points_at_the_newest(home) -> None:
    """It is replaced by every run, and says where a run elsewhere is."""
    RunFolder.create(home, RUN).announce()
    second = RunFolder.create(home, "20251120T120220Z-abcd")
    assert os.readlink(home / "runs" / "latest") == RUN
    second.announce()
    latest = home / "runs" / "latest"
    assert os.readlink(latest) == second.path.name

    elsewhere = RunFolder.create(home, "third", home.parent / "elsewhere")
    elsewhere.announce()
    assert latest.resolve() == elsewhere.path == (home.parent / "elsewhere").resolve()
    assert sorted(os.listdir(home / "runs")) == [RUN, second.path.name, "latest"]


@pytest.mark.parametrize("name", [RUN, "latest"])
def test_a_run_is_made_once(home, name) -> None:
    """An id that is taken, or that names the newest, is the user's mistake."""
    RunFolder.create(home, RUN)

    with pytest.raises(UsageError):
        RunFolder.create(home, name)


def test_run_dir_must_be_absent_or_empty(home, tmp_path) -> None:
    """An empty private folder is taken; one with a file in it, or a file, is refused."""
    empty, full, file = tmp_path / "empty", tmp_path / "full", tmp_path / "file"
    empty.mkdir(0o700)
    full.mkdir(0o700)
    (full / "x").touch()
    file.touch()

    assert RunFolder.create(home, "a", empty).path == empty
    for taken in (full, file):
        with pytest.raises(UsageError, match="absent or an empty folder"):
            RunFolder.create(home, "b", taken)


@pytest.mark.parametrize("bits", [0o755, 0o750, 0o707])
def test_a_folder_open_to_others_is_refused(home, tmp_path, bits) -> None:
    """Both the runs and a run folder of the user's own; the line names path and remedy."""
    RunFolder.create(home, RUN)
    given = tmp_path / "given"
    given.mkdir()
    given.chmod(bits)
    with pytest.raises(StateDamaged, match=f"{given} is open to other users .*chmod 700"):
        RunFolder.create(home, "second", given)

    (home / "runs").chmod(bits)
    with pytest.raises(StateDamaged, match="runs is open to other users"):
        RunFolder.create(home, "third")


def test_a_home_anybody_may_write_is_refused(home) -> None:
    """A readable home is a mount point; a writable one lets others swap our folders."""
    home.mkdir(parents=True)
    home.chmod(0o755)
    RunFolder.create(home, RUN)
    home.chmod(0o777)

    with pytest.raises(StateDamaged):
        RunFolder.create(home, "second")


def test_links_are_not_followed(home, tmp_path) -> None:
    """A planted link neither receives bytes nor leads outside."""
    folder = RunFolder.create(home, RUN)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (folder.path / "metrics.csv").symlink_to(victim)
    (folder.path / "evidence").symlink_to(tmp_path)

    with pytest.raises((StateDamaged, UsageError)):
        folder.create_file("metrics.csv")
    with pytest.raises(UsageError, match="leads out of"):
        folder.create_file("evidence", "x")
    assert victim.read_text() == "precious"


def test_a_file_is_created_once(home) -> None:
    """What exists is never reopened by accident."""
    folder = RunFolder.create(home, RUN)
    os.close(folder.create_file("events.jsonl"))

    with pytest.raises(StateDamaged, match=r"events\.jsonl: File exists"):
        folder.create_file("events.jsonl")


def test_json_is_replaced_whole(home) -> None:
    """Decimals keep their digits, the newest wins, and no temporary file stays."""
    folder = RunFolder.create(home, RUN)
    (folder.path / ".manifest.json.tmp").write_text("left by a crash")
    folder.write_json("manifest.json", {"a": 1})
    folder.write_json("manifest.json", {"a": Decimal("1.10")})

    assert (folder.path / "manifest.json").read_text() == '{\n  "a": 1.10\n}\n'
    assert os.listdir(folder.path) == ["manifest.json"]


def test_a_failed_write_leaves_the_old_file(home, monkeypatch) -> None:
    """A disk that fails at the sync costs the new content, not the old; one line says so."""
    folder = RunFolder.create(home, RUN)
    folder.write_json("metrics.json", [1])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_folder.os, "fsync", full)
    with pytest.raises(StateDamaged, match=r"metrics\.json: No space left on device") as raised:
        folder.write_json("metrics.json", [2])
    assert raised.value.exit_code == 6
    assert "\n" not in str(raised.value)
    assert json.loads((folder.path / "metrics.json").read_bytes()) == [1]
    assert os.listdir(folder.path) == ["metrics.json"]


def test_a_home_that_is_a_file(tmp_path) -> None:
    """Unwritable is damaged state, exit 6, with the path in the line."""
    (tmp_path / "home").touch()

    with pytest.raises(StateDamaged, match="home"):
        RunFolder.create(tmp_path / "home", RUN)


def test_latest_is_the_one_link_that_is_followed(tmp_path: Path) -> None:
    """A run is taken up where it is, not where somebody points."""
    made = RunFolder.create(tmp_path, "r1")
    made.announce()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.symlink_to(made.path)

    assert made.path.resolve() == RunFolder.reopen(tmp_path / "runs" / "latest").path
    with pytest.raises(StateDamaged, match="not of this user, or a link"):
        RunFolder.reopen(elsewhere)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_a_run_open_to_others_is_not_taken_up(tmp_path: Path, mode: int) -> None:
    """Whoever may write there may have written the journal."""
    made = RunFolder.create(tmp_path, "r1")
    made.announce()
    made.path.chmod(mode)
    with pytest.raises(StateDamaged, match="chmod 700"):
        RunFolder.reopen(made.path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_foreign_run_is_not_taken_up(tmp_path: Path) -> None:
    """Nor one of another user."""
    made = RunFolder.create(tmp_path, "r1")
    made.announce()
    os.chown(made.path, 12_345, -1)
    with pytest.raises(StateDamaged, match="not of this user"):
        RunFolder.reopen(made.path)
