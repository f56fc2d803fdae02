"""Doctor: one finding for each check, and only an unusable home fails."""

from pathlib import Path

import pytest

from laptop_agents.doctor import CHECKS, Surroundings


def finding(check: str, home: Path, **environ: str) -> tuple[str, str]:
    """Run one check."""
    found = CHECKS[check](Surroundings(environ, home))
    return found.level, found.text


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_reports_one_line(check: str, tmp_path: Path) -> None:
    """On a healthy machine nothing fails, whether the home exists or not."""
    for home in (tmp_path, tmp_path / "not" / "yet"):
        level, text = finding(check, home)
        assert level in ("ok", "warning")
        assert text.isprintable()
        assert text


def test_looking_creates_nothing(tmp_path: Path) -> None:
    """Doctor is a reader."""
    for check in CHECKS:
        finding(check, tmp_path / "home")

    assert [] == list(tmp_path.iterdir())


def test_home(tmp_path: Path) -> None:
    """Private is fine, open is a warning, a file in its place fails."""
    private, shared, file = tmp_path / "private", tmp_path / "shared", tmp_path / "file"
    private.mkdir(mode=0o700)
    shared.mkdir()
    shared.chmod(0o755)
    file.touch()

    assert "ok" == finding("home", private)[0]
    assert "warning" == finding("home", shared)[0]
    assert "failed" == finding("home", file)[0]
    assert "failed" == finding("home", file / "below")[0]


def test_kill_file(tmp_path: Path) -> None:
    """Anything by that name stops sessions, also a dangling symlink."""
    assert "ok" == finding("kill file", tmp_path)[0]
    (tmp_path / "kill.txt").symlink_to("nowhere")
    assert "warning" == finding("kill file", tmp_path)[0]
