"""Doctor: one finding for each check, and only an unusable home fails."""

from pathlib import Path

import pytest

from laptop_agents.doctor import CHECKS, KEY_CHECKS, Surroundings
from tests.canary import CANARY, spelled
from tests.laptop_agents.keyrings import Vault, trusted


def finding(check: str, home: Path, **environ: str) -> tuple[str, str]:
    """Run one check."""
    found = {**CHECKS, **KEY_CHECKS}[check](Surroundings(environ, home))
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


def test_the_keyring_is_proved(tmp_path: Path) -> None:
    """One that keeps is named, and nothing left in it; any other is a warning that says why."""
    assert ("warning", True) == (
        finding("keyring", tmp_path)[0],
        "no keyring to trust" in finding("keyring", tmp_path)[1],
    )
    with trusted(Vault()) as keyring:
        assert ("ok", "keyrings Vault: keeps what it is given") == finding("keyring", tmp_path)
        assert {} == keyring.kept
        keyring.forgets = True
        assert "warning" == finding("keyring", tmp_path)[0]


def test_keys_are_listed_by_venue(tmp_path: Path) -> None:
    """With the place each is from; a vault that is shut or a file open to others is a warning."""
    secrets = {"LAPTOP_AGENTS_BITUNIX_KEY": f"{CANARY}tail", "LAPTOP_AGENTS_BITUNIX_SECRET": CANARY}
    level, text = finding("keys", tmp_path, **secrets)
    assert ("ok", "binance: none, bitunix: ...tail from the environment, hyperliquid: none") == (
        level,
        text,
    )
    keys = tmp_path / "keys"
    keys.mkdir(0o700)
    (keys / "vault").touch(0o600)
    level, text = finding("keys", tmp_path, **secrets)
    assert ("warning", True) == (level, "the vault needs its passphrase" in text)
    (keys / "binance.json").touch(0o644)
    (keys / "binance.json").chmod(0o644)
    level, text = finding("keys", tmp_path, **secrets)
    assert ("warning", True) == (level, "chmod 600" in text)
    assert [] == list(spelled(CANARY, text))


def test_keys_are_looked_at_only_where_asked(tmp_path: Path) -> None:
    """A keyring may open a window to be unlocked."""
    assert not {*CHECKS} & {*KEY_CHECKS}
    for check in KEY_CHECKS:
        finding(check, tmp_path / "home")
    assert [] == list(tmp_path.iterdir())
