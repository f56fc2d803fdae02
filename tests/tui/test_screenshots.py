"""The pictures in docs/img are whole: every row has its files, and they load nothing from afar."""

import re
import struct

import pytest

from tests.tui.screenshots import FACES, FONT_PX, PICTURES, TARGET, Picture

BYTES_MAX = 2_500_000


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_every_row_has_its_two_files(picture: Picture) -> None:
    """The SVG brings its fonts and names no address; the PNG is one, of the same shape."""
    svg = (TARGET / f"{picture.name}.svg").read_text(encoding="utf-8")
    png = (TARGET / f"{picture.name}.png").read_bytes()
    width, height = struct.unpack(">II", png[16:24])
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)

    assert len(FACES) == svg.count('src: url("data:font/woff;base64,')
    assert [] == re.findall(r"url\(\"?http|href=", svg)
    assert f"font-size: {FONT_PX}px" in svg
    assert b"\x89PNG\r\n\x1a\n" == png[:8]
    assert box is not None
    assert abs(width / height - float(box[1]) / float(box[2])) < 0.01


def test_they_stay_small() -> None:
    """Who clones the project pays for them."""
    assert sum(path.stat().st_size for path in TARGET.iterdir()) < BYTES_MAX


def test_every_picture_is_of_a_row() -> None:
    """A picture whose row has gone goes too."""
    assert {path.stem for path in TARGET.iterdir()} == {picture.name for picture in PICTURES}
