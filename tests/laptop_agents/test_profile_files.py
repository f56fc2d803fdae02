"""Profiles as files: found by name or path, and harmless whatever they hold."""

import os
import resource
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laptop_agents.profile_files import BYTES_MAX, ProfileText, Unreadable, find_profile, summary

HOSTILE = [
    # file, content, said
    ("x.toml", b"a = ", "is not valid TOML (end of document)"),
    ("x.toml", b"b = 1\na = ]\n", "is not valid TOML (line 2, column 5)"),
    ("x.toml", b"a = 1\na = 2\n", "is not valid TOML (line 2, column 6)"),
    ("x.toml", b"a = 1" + b"0" * 5_000, "is not valid TOML"),
    ("x.toml", b"a = " + b"[" * 5_000 + b"]" * 5_000, "is nested too deeply"),
    ("x.toml", b".".join([b"a"] * 60) + b" = 1", "is nested too deeply"),
    ("x.toml", b"a = 1e999999999999999999999", "is not valid TOML"),
    ("x.toml", b"\xff\xfe", "is not UTF-8 text"),
    ("x.toml", b"a = '\x00'", "is not valid TOML"),
    ("x.json", b"[1]", "must be a table of settings"),
    ("x.json", b"", "is not valid JSON (line 1, column 1)"),
    ("x.json", b'{"a": 1, "a": 2}', "is not valid JSON: a key stands twice in one table"),
    ("x.json", b'{"r": {"a": 1, "a": 1}}', "is not valid JSON: a key stands twice"),
    ("x.json", b'{"a": NaN}', "is not valid JSON: a number that is not finite"),
    ("x.json", b'{"a": -Infinity}', "is not valid JSON: a number that is not finite"),
    ("x.json", b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deeply"),
    ("x.json", b'{"a": ' + b"[" * 20 + b"]" * 20 + b"}", "is nested too deeply"),
    ("x.json", b'{"a": ' + b"1" * 5_000 + b"}", "is not valid JSON"),
    ("x.toml", b" " * (BYTES_MAX + 1), "is larger than 1 MiB"),
    ("x.yaml", b"a: 1", "must be a .toml or .json file"),
]


@pytest.mark.parametrize(("name", "content", "said"), HOSTILE)
def test_hostile_file(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """It is refused with its place and nothing of its content."""
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(Unreadable) as refused:
        find_profile(f"{path.parent}/{name}", tmp_path).tree()

    assert str(refused.value).startswith(said)


def test_special_files_do_not_hold_the_start(tmp_path: Path) -> None:
    """A pipe, a folder, a device or a missing file is refused at once."""
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "device.toml").symlink_to("/dev/zero")

    for name in ("pipe.toml", "folder.toml", "device.toml", "missing.toml", "nul\0.toml"):
        with pytest.raises(Unreadable):
            find_profile(f"{tmp_path}/{name}", tmp_path)


def test_a_huge_file_costs_nothing(tmp_path: Path) -> None:
    """A sparse gigabyte is refused without being read."""
    path = tmp_path / "huge.toml"
    path.touch()
    os.truncate(path, 1 << 30)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(Unreadable, match="larger"):
        find_profile(str(path), tmp_path)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 50_000


def test_a_full_megabyte_is_judged_in_seconds(tmp_path: Path) -> None:
    """The worst file within the cap: one dotted key of half a million words."""
    path = tmp_path / "deep.toml"
    path.write_text(".".join(["a"] * (BYTES_MAX // 2 - 8)) + "=1")
    before_s = time.process_time()

    with pytest.raises(Unreadable):
        find_profile(str(path), tmp_path).tree()

    assert time.process_time() - before_s < 5


def test_names_find_own_profiles_first_and_shipped_ones_then(tmp_path: Path) -> None:
    """An own profile is found by its stem; a wrong name gets the nearest of both kinds."""
    (tmp_path / "mine.toml").write_text("# For me.\nmode = 'paper'\n")
    (tmp_path / "data.json").write_text("{}")

    assert {"mode": "paper"} == find_profile("mine", tmp_path).tree()
    assert {} == find_profile("data", tmp_path).tree()
    assert "For me." == summary(find_profile("mine", tmp_path).text)
    assert find_profile("stress", tmp_path).tree()
    with pytest.raises(Unreadable, match="did you mean mine"):
        find_profile("min", tmp_path)


def test_a_name_never_leaves_its_folder(tmp_path: Path) -> None:
    """A symlink among the own profiles can't stand for a file elsewhere."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    (tmp_path / "secret.toml").write_text("a = 1")
    (folder / "link.toml").symlink_to(tmp_path / "secret.toml")

    for name in ("link", "..", "."):
        with pytest.raises(Unreadable):
            find_profile(name, folder)


def parsed(text: str, *, is_json: bool) -> object:
    """Parse, or return the complaint."""
    try:
        return ProfileText("junk", text, is_json=is_json).tree()
    except Unreadable as refused:
        return str(refused)


@given(text=st.text(), is_json=st.booleans())
def test_junk_text(text: str, is_json: bool) -> None:
    """Any text parses to a table or is refused in a printable line."""
    result = parsed(text, is_json=is_json)

    assert isinstance(result, dict) or str(result).isprintable()
