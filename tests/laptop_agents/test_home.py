"""The home folder: where it is, how it is made, and what happens when it can't be."""

import os
import stat
from pathlib import Path

import pytest

from engine.model.errors import StateDamaged
from laptop_agents.home import find_home, kill_path, prepare_home


def test_the_environment_names_it(tmp_path: Path) -> None:
    """An absolute path comes out, whatever went in; finding it creates nothing."""
    home = tmp_path / "home"

    assert home == find_home({"LAPTOP_AGENTS_HOME": str(home)})
    assert Path.cwd() / "here" == find_home({"LAPTOP_AGENTS_HOME": "here"})
    assert not home.exists()


def test_else_the_platform_does() -> None:
    """An empty variable counts as none."""
    assert find_home({}) == find_home({"LAPTOP_AGENTS_HOME": ""})
    assert "laptop-agents" == find_home({}).name


def test_it_is_made_private(tmp_path: Path) -> None:
    """0700 when we make it; left alone when it was there."""
    old = tmp_path / "old"
    old.mkdir(mode=0o755)

    assert 0o700 == stat.S_IMODE(prepare_home(tmp_path / "a" / "new").stat().st_mode)
    assert 0o755 == stat.S_IMODE(prepare_home(old).stat().st_mode)
    assert old / "kill.txt" == kill_path(old)


def test_an_unusable_home_is_one_clear_line(tmp_path: Path) -> None:
    """A file in its place, or a folder without permission."""
    file = tmp_path / "file"
    file.touch()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)

    for home in (file, file / "below", *(() if os.geteuid() == 0 else (closed,))):
        with pytest.raises(StateDamaged, match=r"can't use the home folder .*LAPTOP_AGENTS_HOME"):
            prepare_home(home)
