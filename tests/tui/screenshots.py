"""Pictures of the screen for people: `make screenshots` writes docs/img/*.svg and *.png.

Each row of PICTURES is one: a real engine plays a recorded capture (the mock market where there is
none), a screen of the row's size attaches to it, its keys are pressed, and when its words stand on
the screen it is drawn. The fonts are in the SVG, cut down to the glyphs it uses, so that boxes join
wherever it is shown; the PNG is that SVG as Chromium draws it.
"""

import asyncio
import base64
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from PIL import Image

from engine.session.journal_reader import read_journal
from laptop_agents.recorded_kernel import started_with
from laptop_agents.replay_screen import welcome
from laptop_agents.why_process import why
from tests.end_to_end.browser import CHROMIUM, Browser
from tests.end_to_end.shell import DATA, ROOT, Process
from tests.engine.session.playback.forward import open_player
from tests.engine.session.playback.served import Served
from tests.tui.replay.stage import Marks
from tui.app import Workstation
from tui.link import Link
from tui.replay.app import ReplayWorkstation
from tui.replay.link import PlaybackLink
from tui.surface import Surface

CAPTURES: Final = tuple(
    DATA / "raw" / f"binance_usdm_{symbol}_20240718.jsonl.gz" for symbol in ("btcusdt", "ethusdt")
)
TARGET: Final = ROOT / "docs" / "img"
FONTS: Final = Path("/usr/share/fonts/truetype/dejavu")
"""Debian's fonts-dejavu-core: free to embed, with all boxes and blocks."""
FACES: Final = (
    # file, weight, the characters it is for
    ("DejaVuSansMono.ttf", 400, "U+0-27FF"),
    ("DejaVuSansMono-Bold.ttf", 700, "U+0-27FF"),
    ("DejaVuSans.ttf", 400, "U+2800-28FF"),
)
"""The narrow one has no braille, which plots are made of; the wide one's is made as narrow."""
CELL: Final = 1233
"""Width of every glyph of the narrow one, of 2,048 units."""
FONT_PX: Final = 21
"""A box of this font is then as high as a line, 24.4 px, and joins the next."""
WARM_S: Final = 22.0
"""Wall time the engine trades before the first picture, at SPEED."""
SPEED: Final = "4"
PATIENCE_S: Final = 30.0
SCALE: Final = 0.75
"""Pixels of the PNG for one of the SVG."""
COLORS: Final = 256
"""Of the PNG: a third of the bytes, and no eye sees it."""

Key = str
Open = Callable[[], Workstation]
"""Puts up a screen."""


class Picture(NamedTuple):
    """One picture."""

    name: str
    size: tuple[int, int]
    keys: tuple[Key, ...]
    """Pressed one after the other, as Textual names them."""
    words: tuple[str, ...]
    """What must stand on the screen before it is drawn."""
    source: str = "session"


S, M, L = (80, 24), (120, 40), (200, 60)
PICTURES: Final = (
    Picture("screen-80x24", S, (), ("ACTIVE", "ACCEPTED")),
    Picture("screen-120x40", M, (), ("ACTIVE", "ACCEPTED")),
    Picture("screen-200x60", L, (), ("ACTIVE", "ACCEPTED")),
    Picture("danger", M, ("ctrl+x",), ("DANGER", "armed")),
    Picture("help", M, ("question_mark",), ("Everywhere",)),
    Picture("ticket", M, ("b", "0", "full_stop", "0", "0", "2"), ("BUY TICKET", "GATE OK")),
    Picture("why", M, ("5", "w"), ("VERDICT",)),
    Picture(
        "replay", M, ("end", *("left_curly_bracket",) * 3), ("REPLAY", "x1 ", "FILL"), "replay"
    ),
)
"""A new picture is a row here; what it is taken of, a row of SOURCES."""


def market() -> Sequence[str]:
    """Return the options of a recorded market, or of an invented one where there is none."""
    if not all(path.exists() for path in CAPTURES):
        return "--symbols", "BTCUSDT,ETHUSDT"
    files = ",".join(os.path.relpath(path, ROOT) for path in CAPTURES)  # it stands in the picture
    return "--source", f"file:{files}"


@contextmanager
def session() -> Iterator[Open]:
    """Open screens of a running engine on recorded data of two instruments."""
    with tempfile.TemporaryDirectory() as home:
        engine = Process(
            Path(home), "--headless", *market(), "--speed", SPEED, "--duration", "600", "--set", "agents.quoter.half_spread_bps=0.3",
        )  # fmt: skip
        engine.until((engine.run.path / "control.sock").exists)
        link = Link(engine.run.path)
        link.start()
        time.sleep(WARM_S)
        yield lambda: Workstation(link, Surface(why=partial(why, engine.run.path)))
        link.close()
        (engine.run.path / "kill.txt").touch()
        engine.end()


@contextmanager
def replay() -> Iterator[Open]:
    """Open replays of a session of a few minutes."""
    with tempfile.TemporaryDirectory() as home:
        engine = Process(
            Path(home), "--headless", *market(), "--speed", "max", "--duration", "3",
        )  # fmt: skip
        assert engine.end(PATIENCE_S).code == 0
        journal = engine.run.path / "events.jsonl"
        first = next(read_journal(journal))
        who = welcome(started_with(journal, first), first)
        served = Served(lambda: open_player(journal))
        link = PlaybackLink(who, served.asks, served.frames)
        link.start()
        yield lambda: ReplayWorkstation(link, Marks(()), Surface())
        served.hang_up()


SOURCES: Final[Mapping[str, Callable[[], AbstractContextManager[Open]]]] = {
    "session": session,
    "replay": replay,
}


async def drawn(picture: Picture, app: Workstation) -> str:
    """Return a picture as SVG."""
    async with app.run_test(size=picture.size) as pilot:
        await until(lambda: app.source.glance().view is not None)
        for key in picture.keys:
            await pilot.press(key)
        await pilot.pause()
        await until(lambda: all(word in text(app) for word in picture.words))
        return with_fonts(app.export_screenshot(title=f"laptop-agents  {columns_by_rows(picture)}"))


def columns_by_rows(picture: Picture) -> str:
    """Return a size in words."""
    return "x".join(map(str, picture.size))


def text(app: Workstation) -> str:
    """What stands on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something, with the screen alive."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.05)


def with_fonts(svg: str) -> str:
    """Put fonts in the place of addresses of fonts."""
    glyphs = "".join(sorted(set(svg))) + "\u00a0"
    faces = "".join(
        f'@font-face {{ font-family: "Screen"; font-weight: {weight}; unicode-range: {range_};'
        f' src: url("data:font/woff;base64,{cut_down(FONTS / name, glyphs)}") format("woff"); }}\n'
        for name, weight, range_ in FACES
    )
    bare = re.sub(r"@font-face \{.*?\n    \}", "", svg, flags=re.DOTALL)
    bare = bare.replace("font-family: Fira Code, monospace", 'font-family: "Screen", monospace')
    bare = bare.replace("font-size: 20px", f"font-size: {FONT_PX}px")
    assert "http" not in re.sub(r'xmlns="[^"]*"|<!--.*?-->', "", bare), "it would load something"
    return bare.replace("<style>", f"<style>\n{faces}", 1)


def cut_down(path: Path, glyphs: str) -> str:
    """Return a font with these characters alone, each as wide as a cell, base64."""
    font = TTFont(path)
    cutter = Subsetter(
        Options(hinting=False, layout_features=[], name_IDs=[], drop_tables=["FFTM"])
    )
    cutter.populate(text=glyphs)
    cutter.subset(font)
    narrow(font)
    font.flavor = "woff"
    font.save(packed := BytesIO())
    return base64.b64encode(packed.getvalue()).decode()


def narrow(font: TTFont) -> None:
    """Make every glyph as wide as a cell."""
    outlines = font.getGlyphSet()
    drawn: dict[str, DecomposingRecordingPen] = {}  # all of them before one is changed: they share
    for name in font.getGlyphOrder():
        outlines[name].draw(drawn.setdefault(name, DecomposingRecordingPen(outlines)))
    for name, (width, bearing) in list(font["hmtx"].metrics.items()):
        if width not in (0, CELL):
            share = CELL / width
            drawn[name].replay(TransformPen(pen := TTGlyphPen(None), (share, 0, 0, 1, 0, 0)))
            font["glyf"][name] = pen.glyph()
            font["hmtx"][name] = (CELL, round(bearing * share))


def png_of(svg: str, browser: Browser) -> bytes:
    """Return an SVG as Chromium draws it."""
    width, height = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0])
    page = browser.open("about:blank")
    page.call(
        "Emulation.setDeviceMetricsOverride", mobile=False, deviceScaleFactor=1,
        width=round(width * SCALE), height=round(height * SCALE),
    )  # fmt: skip
    styled = svg.replace("<svg ", '<svg style="position:fixed;inset:0;width:100vw" ', 1)
    frame = page.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
    page.call("Page.setDocumentContent", frameId=frame, html=styled)
    page.script("document.fonts.ready.then(() => document.fonts.size)")
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(COLORS)
    picture.save(packed := BytesIO(), "PNG", optimize=True)
    return packed.getvalue()


def main(names: list[str]) -> int:
    """Draw the named pictures (all by default)."""
    chosen = [picture for picture in PICTURES if not names or picture.name in names]
    TARGET.mkdir(parents=True, exist_ok=True)
    for kind in dict.fromkeys(picture.source for picture in chosen):
        with SOURCES[kind]() as opened:
            for picture in (row for row in chosen if row.source == kind):
                svg = asyncio.run(drawn(picture, opened()))
                (TARGET / f"{picture.name}.svg").write_text(svg, encoding="utf-8")
    if CHROMIUM is None:
        sys.stderr.write("no chromium: SVG only\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(Path(folder) / "profile")
        for picture in chosen:
            svg = (TARGET / f"{picture.name}.svg").read_text(encoding="utf-8")
            (TARGET / f"{picture.name}.png").write_bytes(png_of(svg, browser))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
