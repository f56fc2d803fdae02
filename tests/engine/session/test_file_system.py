"""The calls the journal makes of this machine's file system: each does what its name says."""

import os
from pathlib import Path

import pytest

from engine.session.file_system import OS


def test_a_folder_that_is_gone_can_not_be_synced(tmp_path: Path) -> None:
    """It is opened and asked, so a disk that is gone is told, too."""
    OS.sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        OS.sync_folder(tmp_path / "gone")


def test_room_is_as_large_as_asked_for(tmp_path: Path) -> None:
    """And reads as zeros."""
    fd = OS.create(tmp_path / "e")
    OS.allocate(fd, 4_096)
    OS.close(fd)

    assert bytes(4_096) == (tmp_path / "e").read_bytes()


def test_a_second_name_is_of_the_file_not_of_where_it_leads(tmp_path: Path) -> None:
    """A link put in the journal's place does not bring another file into the run."""
    (tmp_path / "target").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    OS.link(tmp_path / "link", tmp_path / "second")

    assert (tmp_path / "second").is_symlink()


def test_a_closed_descriptor_is_gone(tmp_path: Path) -> None:
    fd = OS.create(tmp_path / "e")
    OS.close(fd)

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
