"""The workstation on a recorded session: keys move through its time, and nothing is ordered.

Rule 1: what is shown is made by the playback's process; here is neither kernel nor journal.
Rule 2: a new frame is painted when it comes, not at the next look: a key is answered at once.
"""

from collections.abc import Sequence
from typing import ClassVar, Final, Protocol

from textual.binding import Binding, BindingType
from textual.message import Message

from engine.model.events import Operator
from engine.session.playback.landmarks import Landmark
from engine.session.playback.words import SPEEDS, Play, Scrub, Seek, Step
from tui.app import Workstation
from tui.dialogs.filter import FilterLine
from tui.overlays import ACTS
from tui.replay import keys
from tui.replay.desk import ReplayDesk
from tui.replay.link import PlaybackLink
from tui.replay.seek import HINT, parse
from tui.surface import Ending, Surface

HINT_S: Final = 4.0
"""How long a refusal stays on the alert line."""
RECORDED: Final = "REPLAY: this is a recorded session, nothing can be ordered or changed"


class Bookmarks(Protocol):
    """Where a person's marks are kept."""

    def lines(self) -> Sequence[int]:
        """Return the event numbers that are marked, rising."""
        ...

    def toggle(self, seq: int) -> str:
        """Mark an event, or take its mark away; return what was done, or why not."""
        ...


class ReplayWorkstation(Workstation):
    """One screen of one recorded session."""

    CSS_PATH = "../workstation.tcss"
    KEYS: ClassVar[Sequence[Binding]] = keys.BINDINGS
    BINDINGS: ClassVar[list[BindingType]] = list(keys.BINDINGS)
    DEAD: ClassVar[frozenset[str]] = keys.DEAD

    class Arrived(Message):
        """There is a new frame."""

        def can_replace(self, message: Message) -> bool:
            """One look shows whatever came since the last."""
            return isinstance(message, ReplayWorkstation.Arrived)

    def __init__(
        self, link: PlaybackLink, bookmarks: Bookmarks, surface: Surface | None = None
    ) -> None:
        super().__init__(link, surface)
        self.desk: ReplayDesk = ReplayDesk()
        self.link = link
        self.bookmarks = bookmarks
        self._heard = 0
        """Wishes whose refusal, if any, was told."""
        self._speed = Play(is_on=False).speed

    def on_mount(self) -> None:
        """Dress, and begin to look whenever something comes."""
        super().on_mount()
        self.desk.stars = self.bookmarks.lines()
        self.link.on_news = lambda: self.post_message(self.Arrived())

    def on_replay_workstation_arrived(self) -> None:
        """Show it."""
        self.look()

    def look(self) -> None:
        """Show the newest instant, or close where there will be none any more."""
        if self.link.broken is not None:
            self.exit(Ending("broken", self.link.broken.reason))
            return
        scrub = self.desk.scrub = self.link.scrub
        if scrub is not None and scrub.asked > self._heard:
            self._heard = scrub.asked
            if scrub.refusal:
                self.say(scrub.refusal, "warn", HINT_S)
        super().look()

    # --- what acts on a session ------------------------------------------------------------------

    def send(self, command: Operator, argument: str = "") -> None:
        """Say that nothing is sent."""
        self.say(RECORDED, "warn bold", HINT_S)

    def action_open(self, name: str) -> None:
        """Open what shows something; of what acts, say that nothing can be changed."""
        if name in ACTS:
            self.say(RECORDED, "warn bold", HINT_S)
        else:
            super().action_open(name)

    def action_danger(self) -> None:
        """Say that nothing is at risk."""
        self.say(RECORDED, "warn bold", HINT_S)

    def action_pause(self) -> None:
        """Say what pauses here."""
        self.say(f"{RECORDED}; space pauses the replay", "warn bold", HINT_S)

    def action_leave(self) -> None:
        """Close at once: nothing is lost."""
        self.exit(Ending("left"))

    # --- through recorded time -------------------------------------------------------------------

    @property
    def _at(self) -> Scrub | None:
        return self.link.scrub

    def action_play(self) -> None:
        """Play, or stop."""
        is_on = self._at is not None and self._at.is_playing
        self.link.wish(Play(is_on=not is_on, speed=self._speed))

    def action_speed(self, by: int) -> None:
        """Choose the next speed; while paused it waits."""
        self._speed = max(0, min(self._speed + by, len(SPEEDS) - 1))
        is_on = self._at is not None and self._at.is_playing
        self.link.wish(Play(is_on=is_on, speed=self._speed))

    def action_step(self, by: int, to: str) -> None:
        """Go to the next or previous instant of a kind; of any, without one."""
        self.link.wish(Step(by=1 if by > 0 else -1, to=Landmark(to) if to else None))

    def action_edge(self, is_end: int) -> None:
        """Go to the start or the end."""
        self.link.wish(Seek(is_end=True) if is_end else Seek(seq=0))

    def action_seek(self) -> None:
        """Ask where to go."""
        self.push_screen(FilterLine("", HINT), self._seek)

    def _seek(self, typed: str | None) -> None:
        if not typed or self._at is None:
            return
        goal = parse(typed, self._at.began_ns, self._at.ended_ns)
        if isinstance(goal, str):
            self.say(goal, "warn", HINT_S)
        else:
            self.link.wish(goal)

    # --- bookmarks -------------------------------------------------------------------------------

    def action_bookmark(self) -> None:
        """Mark this instant, or take its mark away."""
        if self._at is not None:
            self.say(self.bookmarks.toggle(self._at.seq), "ok", HINT_S)
            self.desk.stars = self.bookmarks.lines()
            self.look()

    def action_star(self, by: int) -> None:
        """Go to the next or previous bookmark, round the end."""
        stars = self.bookmarks.lines()
        if not stars or self._at is None:
            self.say("no bookmarks: * sets one", "warn", HINT_S)
            return
        here = self._at.seq
        ahead = [s for s in stars if (s - here) * by > 0] or stars
        self.link.wish(Seek(seq=min(ahead) if by > 0 else max(ahead)))
