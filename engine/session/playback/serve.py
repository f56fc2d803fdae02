"""The loop of a process that plays a recorded session: wishes in, frames out, by two pipes.

Rule 1: frames are at most ten a second while something moves, and one at once when a wish is met.
Rule 2: nothing waits here for anybody else's sake: a screen that reads nothing stops this loop, and
        no session with it. Whoever closes the wishes' end ends the process.
"""

import os
import select
import time
from collections.abc import Callable
from typing import Final

import msgspec

from engine.model.errors import LaptopAgentsError
from engine.session.control.frames import ASK_BYTES_MAX, Frames, decode, encode
from engine.session.playback.player import Player
from engine.session.playback.words import Ask, Broken, Frame

FRAME_S: Final = 0.1
SLICE_S: Final = 0.01
"""Work between two looks for wishes."""
BEAT_S: Final = 0.02
"""Between two looks at the clock while a session plays at a speed it can hold."""
READ_BYTES: Final = 64 * 1024

_ASKS: Final = msgspec.json.Decoder(Ask)


class Server:
    """Serves one screen."""

    def __init__(self, player: Player, asks: int, frames: int) -> None:
        self._player = player
        self._asks, self._frames = asks, frames
        self._inbox = Frames(ASK_BYTES_MAX)
        self._sent_s = -FRAME_S
        self._stamp: tuple[object, ...] = ()

    def serve(self) -> None:
        """Play until the screen is gone.

        Raises:
            LaptopAgentsError: The journal can't be played any further.
        """
        player = self._player
        while self._hear(self._patience_s()):
            player.work(SLICE_S)
            if self._is_news() and (self._is_met() or self._left_s() <= 0):
                self._stamp, self._sent_s = player.stamp, time.monotonic()
                send(self._frames, player.frame())

    def _is_news(self) -> bool:
        return self._player.stamp != self._stamp

    def _is_met(self) -> bool:
        """Whether a wish was made since the last frame, and led somewhere."""
        return self._player.is_settled and self._player.stamp[:1] != self._stamp[:1]

    def _left_s(self) -> float:
        return self._sent_s + FRAME_S - time.monotonic()

    def _patience_s(self) -> float | None:
        """Return how long to wait for a wish; None for ever."""
        if not (self._player.is_settled and self._player.tape.is_whole):
            return 0.0
        if self._player.is_busy:
            return BEAT_S
        return max(0.0, self._left_s()) if self._is_news() else None

    def _hear(self, patience_s: float | None) -> bool:
        """Take the wishes that are there; False once nobody can make one."""
        if not select.select([self._asks], [], [], patience_s)[0]:
            return True
        data = os.read(self._asks, READ_BYTES)
        for body in self._inbox.feed(data):
            self._player.ask(decode(body, _ASKS))
        return bool(data)


def serve(make: Callable[[], Player], asks: int, frames: int) -> None:
    """Play what `make` makes; say so where it can't be played."""
    try:
        Server(make(), asks, frames).serve()
    except LaptopAgentsError as error:
        send(frames, Broken(error.exit_code, str(error)))
    except OSError as error:
        send(frames, Broken(5, f"the journal can't be read: {error.strerror}"))


def send(frames: int, frame: Frame) -> None:
    """Write a whole frame."""
    left = memoryview(encode(frame))
    while left:
        left = left[os.write(frames, left) :]
