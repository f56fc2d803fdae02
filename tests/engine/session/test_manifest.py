"""What a run says about its origin: settings without secrets, revision without git."""

import subprocess
from pathlib import Path

import pytest

from engine.session.manifest import (
    Manifest,
    Setting,
    current_versions,
    git_revision,
    shown_settings,
    utc,
)
from engine.session.run_folder import RunFolder

SHA = "0123456789abcdef0123456789abcdef01234567"


def test_settings_are_flat_sorted_and_without_secrets() -> None:
    """A secret is known by its dotted name; scalars keep their type, the rest is text."""
    shown = shown_settings(
        {
            "session.seed": (7, "default"),
            "bitunix.api_secret": ("canary", "environment"),
            "paper.fee": (Path("x"), "profile"),
        }
    )

    assert list(shown) == ["bitunix.api_secret", "paper.fee", "session.seed"]
    assert shown["session.seed"] == Setting(7, "default")
    assert shown["paper.fee"].value == "x"
    assert "canary" not in repr(shown)


def test_a_manifest_is_written_whole(tmp_path) -> None:
    """Every field is there, with null for what is not known yet."""
    folder = RunFolder.create(tmp_path / "home", "run")
    manifest = Manifest(
        run_id="run", versions=current_versions("0.1.0"), git_revision=None, mode="paper",
        simulated=True, source="mock", symbols=("BTCUSDT",), agents=("maker",),
        settings={}, seed=1, started_at=utc(1_763_640_139_999_999_999),
    )  # fmt: skip
    folder.write_json("manifest.json", manifest)

    text = (folder.path / "manifest.json").read_text()
    for line in ('"ended_at": null', '"parent_run": null', '"git_revision": null',
                 '"started_at": "2025-11-20T12:02:19Z"', '"package": "0.1.0"'):  # fmt: skip
        assert line in text


CHECKOUTS = [
    # files of .git,                                                        revision
    ({"HEAD": f"{SHA}\n"},                                                  SHA),
    ({"HEAD": "ref: refs/heads/main\n", "refs/heads/main": f"{SHA}\n"},     SHA),
    ({"HEAD": "ref: refs/heads/main\n", "packed-refs": f"# x\n{SHA} refs/heads/main\n"}, SHA),
    ({"HEAD": "ref: refs/heads/main\n"},                                    None),
    ({"HEAD": "ref: ../../../etc/passwd\n"},                                None),
    ({"HEAD": "nonsense\n"},                                                None),
    ({},                                                                    None),
]  # fmt: skip


@pytest.mark.parametrize(("files", "revision"), CHECKOUTS)
def test_revision_is_read_by_hand(tmp_path, files, revision) -> None:
    """From a detached head, a ref or packed refs; anything else is unknown."""
    (tmp_path / ".git").mkdir()
    for name, content in files.items():
        path = tmp_path / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    assert git_revision(tmp_path) == revision


def test_revision_agrees_with_git(tmp_path) -> None:
    """In a checkout and in a linked work tree of it."""
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-C", str(tmp_path / "a")]
    try:
        subprocess.run(["git", "init", "-q", str(tmp_path / "a")], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
        subprocess.run([*git, "worktree", "add", "-q", str(tmp_path / "b")], check=True)
    except FileNotFoundError:
        pytest.skip("git is not installed")
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)

    assert git_revision(tmp_path / "a") == git_revision(tmp_path / "b") == head.stdout.strip()
