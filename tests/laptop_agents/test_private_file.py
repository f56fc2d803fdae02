"""A file with a secret is believed only if it is this user's alone."""

import os
import re
from pathlib import Path

import pytest

from engine.model.errors import CredentialsRefused
from laptop_agents.private_file import read_private, refuse_shared_folder

MAX = 100


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(b"value")
    path.chmod(0o600)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(CredentialsRefused) as caught:
        read_private(path, MAX)
    assert "value" not in str(caught.value)
    return str(caught.value)


def test_ours_is_read(path: Path) -> None:
    """Also read-only; absent is no error."""
    assert b"value" == read_private(path, MAX)
    path.chmod(0o400)
    assert b"value" == read_private(path, MAX)
    assert read_private(path.with_name("absent"), MAX) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o620, 0o602, 0o601, 0o644, 0o777])
def test_any_bit_for_others_refuses(path: Path, mode: int) -> None:
    """With what to type."""
    path.chmod(mode)
    assert f"{path} is open to other users: chmod 600 it first" == refusal(path)


def test_a_link_is_not_followed(path: Path) -> None:
    """It may point at what somebody else may write."""
    link = path.with_name("link")
    link.symlink_to(path)
    assert "can't read" in refusal(link)


def test_a_pipe_or_folder_is_no_file(path: Path) -> None:
    """And a pipe holds nobody up."""
    pipe = path.with_name("pipe")
    os.mkfifo(pipe, 0o600)
    folder = path.with_name("folder")
    folder.mkdir(0o700)

    assert "no regular file" in refusal(pipe)
    assert "no regular file" in refusal(folder)


def test_a_long_one_is_not_read(path: Path) -> None:
    """A key has some hundred characters."""
    path.write_bytes(b"x" * (MAX + 1))
    assert re.search("more than 100 bytes", refusal(path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_another_user_s_is_refused(path: Path) -> None:
    """Whatever its mode."""
    os.chown(path, 12345, 12345)
    assert "belongs to another user" in refusal(path)


def test_what_can_t_be_read_is_said(path: Path) -> None:
    """With the system's own reason."""
    assert "Not a directory" in refusal(path / "below")


def test_a_folder_must_be_private_too(tmp_path: Path) -> None:
    """Who may write in it may swap the file."""
    folder = tmp_path / "keys"
    refuse_shared_folder(folder)
    folder.mkdir(0o700)
    refuse_shared_folder(folder)
    for mode in (0o750, 0o705, 0o720, 0o777):
        folder.chmod(mode)
        with pytest.raises(CredentialsRefused, match="chmod 700"):
            refuse_shared_folder(folder)
    link = tmp_path / "link"
    link.symlink_to(folder)
    with pytest.raises(CredentialsRefused, match="no folder"):
        refuse_shared_folder(link)
