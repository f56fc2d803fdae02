"""The screen's end of a playback: one thread that reads frames, wishes that leave at once.

Rule 1: the newest frame wins, as with a session's views; whoever wants to paint looks in.
Rule 2: commands of a session lead nowhere: what is recorded can't be changed.
"""

import os
from collections.abc import Callable
from threading import Thread
from typing import Final

import msgspec

from engine.model.events import Operator
from engine.session.control.frames import ANSWER_BYTES_MAX, BadFrame, Frames, decode, encode
from engine.session.control.words import Welcome
from engine.session.playback.words import Ask, Broken, Frame, Scrub, Shown
from tui.link import Done, Glance
from tui.lookahead import Question

READ_BYTES: Final = 64 * 1024
GONE: Final = Broken(1, "the process that plays the session is gone")

_FRAMES: Final = msgspec.json.Decoder(Frame)


class PlaybackLink:
    """Follows one playback over two pipes."""

    def __init__(self, welcome: Welcome, asks: int, frames: int) -> None:
        self._asks, self._frames = asks, frames
        self._glance = Glance(welcome=welcome, trouble="reading the journal")
        self.scrub: Scrub | None = None
        """Where the newest view lies; None before the first."""
        self.broken: Broken | None = None
        """Why there will be no more frames."""
        self.on_news: Callable[[], object] = lambda: None
        """Called on a thread of ours when there is something new to see."""
        self._thread = Thread(target=self._follow, name="playback-link", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def glance(self) -> Glance:
        """Return what is known now; recorded figures never grow old."""
        return self._glance

    def ask(self, command: Operator, argument: str, done: Done) -> bool:
        """Refuse: see rule 2."""
        return False

    def consider(self, question: Question) -> None:
        """Leave it unanswered: there is no gate that could judge an order of the past."""

    def wish(self, ask: Ask) -> None:
        """Ask for another instant, or to play; of a process that is gone, nothing."""
        if self.broken is None:
            try:
                os.write(self._asks, encode(ask))  # far below what a pipe takes at once
            except BrokenPipeError:
                self._take(GONE)

    def _follow(self) -> None:
        inbox = Frames(ANSWER_BYTES_MAX)
        try:
            while data := os.read(self._frames, READ_BYTES):
                for body in inbox.feed(data):
                    self._take(decode(body, _FRAMES))
        except (BadFrame, OSError) as error:
            self._take(Broken(1, f"the playback can't be followed: {error}"))
        else:
            self._take(GONE)

    def _take(self, frame: Frame) -> None:
        match frame:
            case Shown(view, scrub):
                self._glance = self._glance._replace(view=view, trouble="")
                self.scrub = scrub
            case Broken():
                self.broken = self.broken or frame
        self.on_news()
