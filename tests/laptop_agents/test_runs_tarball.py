"""The packed tar reader alone: what it refuses, before anybody asks what the files mean."""

import gzip
import io
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from laptop_agents.tarball import Broken, Limits, Reader, write


def read(path: Path, limits: Limits | None = None) -> dict[str, bytes]:
    with closing(Reader(path, limits or Limits())) as reader:
        return {member.name: b"".join(content) for member, content in reader.members()}


def packed(path: Path, *members: tarfile.TarInfo, form: int = tarfile.USTAR_FORMAT) -> Path:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    path.write_bytes(gzip.compress(raw.getvalue()))
    return path


def member(
    name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = ""
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


FILES = {"a": b"", "b/c.txt": b"x" * 511, "b/d": b"y" * 512, "e": b"z" * 513, "f": bytes(3 << 20)}


def test_there_and_back(tmp_path: Path) -> None:
    """Every size round the block, in the order given; Python's own reader agrees."""
    with (tmp_path / "x").open("wb") as file:
        write(file, [(name, io.BytesIO(text), len(text)) for name, text in FILES.items()])

    assert FILES == read(tmp_path / "x")
    with tarfile.open(tmp_path / "x") as archive:
        assert list(FILES) == archive.getnames()


def test_long_names_fit(tmp_path: Path) -> None:
    """Two parts of 64 need the header's second field."""
    name = "evidence/" + "k" * 64 + "/" + "n" * 64
    with (tmp_path / "x").open("wb") as file:
        write(file, [(name, io.BytesIO(b"1"), 1)])

    assert {name: b"1"} == read(tmp_path / "x")


def test_files_nobody_reads_are_passed_over(tmp_path: Path) -> None:
    """A member that is left unread does not shift the next."""
    packed(tmp_path / "x", member("a", size=700), member("b", size=5))
    with closing(Reader(tmp_path / "x", Limits())) as reader:
        assert ["a", "b"] == [one.name for one, _ in reader.members()]


KINDS = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE,
         tarfile.BLKTYPE, tarfile.CONTTYPE, b"L", b"K", b"x", b"g", b"S", b"A"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_only_plain_files(tmp_path: Path, kind: bytes) -> None:
    """Links and everything else one could put in a tar."""
    with pytest.raises(Broken, match="plain files"):
        read(packed(tmp_path / "x", member("a", kind)))


def test_a_plain_file_with_a_target(tmp_path: Path) -> None:
    """A link by another name."""
    with pytest.raises(Broken, match="plain files"):
        read(packed(tmp_path / "x", member("a", link="/etc/passwd")))


def test_another_form(tmp_path: Path) -> None:
    """GNU's form hides longer names and sizes: it is not ours."""
    with pytest.raises(Broken, match="no tar file of this program"):
        read(packed(tmp_path / "x", member("a"), form=tarfile.GNU_FORMAT))


@pytest.mark.parametrize("names", [("a", "a"), ("a", "A"), ("b/C", "B/c")])
def test_no_name_twice(tmp_path: Path, names: tuple[str, str]) -> None:
    """Nor two that one folder of another system would merge."""
    with pytest.raises(Broken, match="twice"):
        read(packed(tmp_path / "x", *map(member, names)))


NAMES = ["/a", "../a", "a/../b", "a/./b", "a//b", ".a", "a/.b", "a\\b", "C:a", "a b", "\x1b[31m",
         "a\n", "\u202e", "é", "a/b/c/d/e", "x" * 65, "-a/", ""]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_that_are_not_allowed(tmp_path: Path, name: str) -> None:
    """The corpus of traversal, controls and other systems' words."""
    with pytest.raises(Broken):
        read(packed(tmp_path / "x", member(name)))


def test_limits_hold_before_reading(tmp_path: Path) -> None:
    """The last that fits comes in, one more does not."""
    packed(tmp_path / "x", member("a", size=10), member("b", size=10))

    assert 2 == len(read(tmp_path / "x", Limits(members=2, bytes=20)))
    for limits in (Limits(members=1), Limits(bytes=19)):
        with pytest.raises(Broken, match="more than"):
            read(tmp_path / "x", limits)
