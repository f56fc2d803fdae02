"""The replay bar: where in the recorded session one stands, how fast it runs, what was proven.

Rule 1: a divergence is never left out, whatever the width.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from engine.session.control.views import View
from engine.session.playback.words import SPEED_MAX, SPEEDS, Scrub
from tui import format as fmt
from tui.pane import Cell, Pane, Row
from tui.panes.sessionbar import Chunk, arranged
from tui.theme import Palette

TRACK_MIN: Final = 10
"""Cells of a track that says anything."""
TALL: Final = 2
HASH_SHOWN: Final = 12


class ScrubberPane(Pane):
    """Draws the bar in one line or two."""

    HAS_TITLE: ClassVar[bool] = False
    TITLE: ClassVar[str] = "Replay"
    can_focus = False
    scrub: Scrub | None = None
    stars: Sequence[int] = ()
    """Event numbers of the bookmarks."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return one line or two."""
        if self.scrub is None:
            return self.waiting(width)
        return draw(self.scrub, width, height, self.palette, self.stars)

    def waiting(self, width: int) -> list[Row]:
        """Return what stands here before the first instant."""
        return [(Cell(" reading the journal", "recorded"),)]


def draw(
    scrub: Scrub, width: int, height: int, palette: Palette, stars: Sequence[int] = ()
) -> list[Row]:
    """Return the position, and with two lines the track and the proof."""
    if height < TALL:
        return [arranged([*_position(scrub), *_proof(scrub)], [], width)]
    proof = _proof(scrub)
    room = width - sum(len(cell.text) for chunk in proof for cell in chunk.cells) - 2
    track = [Cell(" "), *_track(scrub, room, palette, stars)] if room >= TRACK_MIN else []
    return [
        arranged(_position(scrub), _whereabouts(scrub), width),
        arranged([Chunk(2, track)], proof, width),
    ]


def _position(scrub: Scrub) -> list[Chunk]:
    moving = ">" if scrub.is_playing else "||"
    what = "seeking" if scrub.is_seeking else f"{moving} {speed(scrub.speed)}"
    elapsed_s, whole_s = (
        _seconds(scrub.began_ns, scrub.ts_ns),
        _seconds(scrub.began_ns, scrub.ended_ns),
    )
    end = fmt.countdown(whole_s - elapsed_s)
    return [
        Chunk(2, [Cell(f" {what:<7}", "recorded bold")]),
        Chunk(1, [Cell(f" {fmt.clock_ms(scrub.ts_ns)}Z", "text bold")]),
        Chunk(4, [Cell("  +", "dim"), Cell(_span(elapsed_s))]),
        Chunk(5, [Cell(" of ", "dim"), Cell(_span(whole_s))]),
        Chunk(3, [Cell("  "), Cell(end if scrub.is_whole else "T-?")]),
    ]


def _whereabouts(scrub: Scrub) -> list[Chunk]:
    return [
        Chunk(2, [Cell("  event ", "dim"), Cell(f"{scrub.seq:,}")]),
        Chunk(4, [Cell(" of ", "dim"), Cell(f"{scrub.lines:,}")]),
        Chunk(5, [Cell("  hash ", "dim"), Cell(f"{scrub.hash[:HASH_SHOWN]}")]),
        Chunk(5, [Cell(" ")]),
    ]


def _proof(scrub: Scrub) -> list[Chunk]:
    token = "danger bold" if scrub.diverged else "ok"
    reading = [] if scrub.is_whole else [Cell(f"  reading {int(scrub.known * 100)}%", "warn")]
    return [
        Chunk(1, reading),
        Chunk(3, [Cell("  decisions ", "dim"), Cell(f"{scrub.decisions:,}")]),
        Chunk(4, [Cell(" of ", "dim"), Cell(f"{scrub.decisions_known:,}")]),
        Chunk(0, [Cell("  diverged ", "dim"), Cell(f"{scrub.diverged:,} ", token)]),
    ]


def _track(scrub: Scrub, width: int, palette: Palette, stars: Sequence[int]) -> Row:
    """Return the way from start to known end by event number, bookmarks as stars."""
    glyphs = fmt.ASCII if palette.is_ascii else fmt.BLOCKS
    bar = fmt.bar(scrub.seq / max(1, scrub.lines), width, glyphs)
    places = {min(width - 1, seq * width // max(1, scrub.lines)) for seq in stars}
    return [
        Cell("*", "own bold") if at in places else Cell(glyph, "recorded")
        for at, glyph in enumerate(bar)
    ]


def speed(place: int) -> str:
    """Return a speed as `x0.25`, `x1` or `max`."""
    value = SPEEDS[place]
    return "max" if value == SPEED_MAX else f"x{value:g}"


def _seconds(from_ns: int, to_ns: int) -> float:
    return max(0, to_ns - from_ns) / 1e9


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
