"""A playing server on a thread, and our ends of its pipes."""

import os
import select
import threading
import time
from collections.abc import Callable

import msgspec

from engine.model.money import use_exact_arithmetic
from engine.session.control.frames import ANSWER_BYTES_MAX, Frames, encode
from engine.session.playback.player import Player
from engine.session.playback.serve import serve
from engine.session.playback.words import Ask, Frame

DEADLINE_S = 20.0
DECODER = msgspec.json.Decoder(Frame)


class Served:
    """One server on a thread, and our ends of its pipes."""

    def __init__(self, make: Callable[[], Player]) -> None:
        asks, self.asks = os.pipe()
        self.frames, frames = os.pipe()
        self._inbox = Frames(ANSWER_BYTES_MAX)

        def run() -> None:
            use_exact_arithmetic()  # a context of this thread's own
            serve(make, asks, frames)
            os.close(asks)
            os.close(frames)

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def wish(self, ask: Ask) -> None:
        os.write(self.asks, encode(ask))

    def until(self, holds: Callable[[Frame], bool]) -> list[Frame]:
        """Take frames until one fits; return all that came."""
        deadline, came = time.monotonic() + DEADLINE_S, []
        while time.monotonic() < deadline:
            if not select.select([self.frames], [], [], 0.05)[0]:
                continue
            for body in self._inbox.feed(os.read(self.frames, 65_536)):
                came.append(DECODER.decode(body))
            if came and holds(came[-1]):
                return came
        raise AssertionError(f"waited in vain: {came[-1:]}")

    def hang_up(self) -> None:
        os.close(self.asks)
        self.thread.join(DEADLINE_S)
        os.close(self.frames)
