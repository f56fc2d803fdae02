"""A workstation on a stage: a source that shows what it is given and records what it is asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from engine.model.events import Operator
from engine.model.prospect import Prospect
from engine.session.control.views import View
from engine.session.control.words import Foretold, Welcome
from tests.tui.fixtures import NOW_NS, prospect, view
from tui.app import Workstation
from tui.link import Done, Glance
from tui.lookahead import Question
from tui.surface import Surface

S, M, L = (80, 24), (120, 40), (200, 60)
POLLS_MAX = 200


def welcome(**changes: object) -> Welcome:
    """A paper session on an invented market."""
    fields: dict = {
        "version": 1, "run_id": "20261120T115238Z-kqzt", "pid": 4711, "mode": "paper",
        "is_simulated": True, "source": "mock", "symbols": ("BTCUSDT",), "agents": ("maker",),
        "started_at": "2026-11-20T11:52:38Z", "profile": "btc-maker",
    }  # fmt: skip
    return Welcome(**(fields | changes))


class FakeSource:
    """Shows one glance; commands wait in `asked` for the test to answer them."""

    def __init__(self, shown: View | None, **changes: object) -> None:
        self.seen = Glance(view=shown, welcome=welcome())._replace(**changes)
        self.asked: list[tuple[Operator, str]] = []
        self.waiting: list[Done] = []
        self.is_full = False
        self.considered: list[str] = []
        self.foresee: Callable[[str], Prospect | str | None] = lambda _: prospect()
        """What the session answers to an order's words: its future, a flaw, or nothing yet."""

    def glance(self) -> Glance:
        return self.seen

    def ask(self, command: Operator, argument: str, done: Done) -> bool:
        if self.is_full:
            return False
        self.asked.append((command, argument))
        self.waiting.append(done)
        return True

    def consider(self, question: Question) -> None:
        self.considered.append(question.argument)
        seen = self.foresee(question.argument)
        if seen is None:
            return
        is_flaw = isinstance(seen, str)
        question.seen(
            Foretold(
                ask_id=len(self.considered),
                argument=question.argument,
                flaw=seen if is_flaw else "",
                prospect=None if is_flaw else seen,
            )
        )

    def show(self, shown: View) -> None:
        """Let the session go on to this."""
        self.seen = self.seen._replace(view=shown)


class FakeClock:
    """Moves when told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Stage:
    """A running workstation and what stands around it."""

    def __init__(
        self, app: Workstation, source: FakeSource, clock: FakeClock, pilot: Pilot
    ) -> None:
        self.app, self.source, self.clock, self.pilot = app, source, clock, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def later(self, seconds: float) -> None:
        """Let time pass for dialogs and menus, then let them notice."""
        self.clock.now_s += seconds
        await self.settle()

    async def settle(self) -> None:
        await self.pilot.pause()
        self.app.look()
        await self.pilot.pause()

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(POLLS_MAX):
            if holds():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("waited in vain")

    def rows(self) -> list[str]:
        """What stands on the screen, as text."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    def text(self) -> str:
        return "\n".join(self.rows())


@asynccontextmanager
async def staged(
    shown: View | None = None, size: tuple[int, int] = S, *, source: FakeSource | None = None,
    **surface: object,
) -> AsyncIterator[Stage]:  # fmt: skip
    """Run a workstation at a size on a fixed view and a clock that stands still."""
    source = source or FakeSource(shown or view())
    clock = FakeClock()
    looks = Surface(monotonic_s=clock, wall_ns=lambda: NOW_NS)._replace(**surface)
    app = Workstation(source, looks)
    async with app.run_test(size=size) as pilot:
        stage = Stage(app, source, clock, pilot)
        await stage.settle()
        yield stage
