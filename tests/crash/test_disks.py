"""The crash models themselves: what each may lose, and what it must not."""

from pathlib import Path

from tests.crash.disks import LoggingFileSystem, disks


def half_synced(tmp_path: Path) -> LoggingFileSystem:
    """A file with one synced and one unsynced write, under a synced and an unsynced name."""
    files = LoggingFileSystem()
    fd = files.create(tmp_path / "a")
    files.sync_folder(tmp_path)
    files.write(fd, b"kept")
    files.sync(fd)
    files.write(fd, b"torn")
    files.rename(tmp_path / "a", tmp_path / "b")
    files.close(fd)
    return files


def test_a_kill_loses_nothing_that_was_called(tmp_path: Path) -> None:
    """The page cache outlives the process."""
    assert [{"b": b"kepttorn"}] == list(disks(half_synced(tmp_path).calls, "prefix"))


def test_a_kill_may_cut_the_last_write(tmp_path: Path) -> None:
    """Where the last call is the write."""
    calls = half_synced(tmp_path).calls[:-1]

    assert [{"a": b"kepttorn"}, {"a": b"kept"}] == list(disks(calls, "prefix"))


def test_a_power_cut_loses_what_was_not_synced(tmp_path: Path) -> None:
    """Bytes and names alike."""
    assert [{"a": b"kept"}] == list(disks(half_synced(tmp_path).calls, "drop"))


def test_what_was_not_synced_may_survive_in_any_combination(tmp_path: Path) -> None:
    """The rename without the bytes, too."""
    found = [dict(disk) for disk in disks(half_synced(tmp_path).calls, "reorder")]

    assert 4 == len(found)
    assert {"b": b"kept"} in found
    assert {"a": b"kepttorn"} in found


def test_a_lost_page_before_a_kept_one_is_zeros(tmp_path: Path) -> None:
    """The hole that a plain reader would take for data."""
    files = LoggingFileSystem()
    fd = files.create(tmp_path / "a")
    files.sync_folder(tmp_path)
    files.write(fd, b"x" * 4096)
    files.write(fd, b"y")
    files.close(fd)

    assert {"a": bytes(4096) + b"y"} in list(disks(files.calls, "reorder"))


def test_the_log_says_what_the_folder_holds(tmp_path: Path) -> None:
    """Truncation, preallocation, links and unlinking included."""
    files = LoggingFileSystem()
    fd = files.create(tmp_path / "a")
    files.allocate(fd, 5_000)
    files.write_at(fd, b"z" * 10, 4_090)
    files.truncate(fd, 4_095)
    files.link(tmp_path / "a", tmp_path / "b")
    files.unlink(tmp_path / "a")
    files.close(fd)

    assert [{"b": (tmp_path / "b").read_bytes()}] == list(disks(files.calls, "prefix"))
