"""A search that can't fail proves nothing."""

import base64
from pathlib import Path

import pytest

from tests.canary import CANARY, encodings, leaks


@pytest.mark.parametrize("spelling", sorted(encodings(CANARY)))
def test_the_search_finds_what_it_looks_for(tmp_path: Path, spelling: str) -> None:
    """In a file, in a file's name, in a text: a search that can't fail proves nothing."""
    form = encodings(CANARY)[spelling].decode()
    (tmp_path / "x").write_text(f"prefix{form}suffix")

    assert any(leak.startswith(spelling) for leak in leaks(tmp_path))
    assert any(leak.startswith(spelling) for leak in leaks(tmp_path / "y", f"({form})"))


def test_base64_is_found_at_every_offset(tmp_path: Path) -> None:
    """As a part of a longer header."""
    for before in ("", "a", "ab", "abc"):
        (tmp_path / "x").write_bytes(base64.b64encode(f"{before}{CANARY}tail".encode()))
        assert any("base64" in leak for leak in leaks(tmp_path))
