"""The replay workstation on a stage: on a real playback, or on one instant that stands still."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from engine.session.control.views import View
from engine.session.playback.words import Ask, Broken, Scrub
from tests.engine.session.playback.forward import open_player
from tests.engine.session.playback.served import Served
from tests.tui import fixtures as fx
from tests.tui.stage import M, welcome
from tui.link import Glance
from tui.replay.app import ReplayWorkstation
from tui.replay.link import PlaybackLink
from tui.surface import Surface

POLL_S, POLLS_MAX = 0.02, 1_000


def scrub(**changes: object) -> Scrub:
    """Return an instant a fifth into a session of ten minutes, all of it proven."""
    fields: dict = {
        "cursor": 31_004, "cursors": 95_973, "seq": 48_211, "lines": 147_200, "hash": "9f3c" * 16,
        "ts_ns": fx.NOW_NS, "began_ns": fx.NOW_NS - 139 * fx.SECOND,
        "ended_ns": fx.NOW_NS + 461 * fx.SECOND, "known": 1.0, "is_whole": True,
        "decisions": 1_204, "decisions_known": 5_800, "diverged": 0, "is_playing": False,
        "speed": 3, "is_seeking": False,
    }  # fmt: skip
    return Scrub(**(fields | changes))


class StillLink:
    """Shows one instant and remembers what was wished for."""

    def __init__(self, view: View | None = None, at: Scrub | None = None) -> None:
        self.scrub = at or scrub()
        self.broken: Broken | None = None
        self.on_news: Callable[[], object] = lambda: None
        self.wishes: list[Ask] = []
        self.shown = Glance(view=view or fx.view(), welcome=welcome(mode="replay"))

    def glance(self) -> Glance:
        return self.shown

    def wish(self, ask: Ask) -> None:
        self.wishes.append(ask)


class Marks:
    """Bookmarks in memory."""

    def __init__(self, events: Sequence[int] = ()) -> None:
        self.events = sorted(events)

    def lines(self) -> list[int]:
        return self.events

    def toggle(self, seq: int) -> str:
        self.events = sorted({*self.events} ^ {seq})
        return f"bookmark {seq in self.events}"


class ReplayStage:
    """A running replay and what stands around it."""

    def __init__(self, app: ReplayWorkstation, pilot: Pilot) -> None:
        self.app, self.pilot = app, pilot

    @property
    def at(self) -> Scrub:
        found = self.app.link.scrub
        assert found is not None
        return found

    async def press(self, *keys: str) -> None:
        """Press, and wait until the wishes that came of it are met."""
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        await self.pilot.pause()
        self.app.look()
        await self.pilot.pause()

    async def until(self, holds: Callable[[Scrub], bool]) -> Scrub:
        """Wait for an instant that fits."""
        for _ in range(POLLS_MAX):
            found = self.app.link.scrub
            if found is not None and holds(found):
                await self.settle()
                return found
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"waited in vain: {self.app.link.scrub}")

    def rows(self) -> list[str]:
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    def text(self) -> str:
        return "\n".join(self.rows())


@asynccontextmanager
async def played(
    journal: Path, size: tuple[int, int] = M, marks: Sequence[int] = ()
) -> AsyncIterator[ReplayStage]:
    """Run the workstation on a real playback."""
    served = Served(lambda: open_player(journal))
    link = PlaybackLink(welcome(mode="replay"), served.asks, served.frames)
    app = ReplayWorkstation(link, Marks(marks), Surface())
    link.start()
    try:
        async with app.run_test(size=size) as pilot:
            stage = ReplayStage(app, pilot)
            await stage.until(lambda at: at.is_whole)
            yield stage
    finally:
        served.hang_up()


@asynccontextmanager
async def still(
    size: tuple[int, int] = M, *, link: StillLink | None = None, marks: Sequence[int] = ()
) -> AsyncIterator[ReplayStage]:
    """Run the workstation on one instant."""
    app = ReplayWorkstation(link or StillLink(), Marks(marks), Surface())
    async with app.run_test(size=size) as pilot:
        stage = ReplayStage(app, pilot)
        await stage.settle()
        yield stage
