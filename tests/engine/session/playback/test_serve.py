"""The playing process's loop over real pipes: wishes in, frames out, an end to both."""

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from engine.model.money import use_exact_arithmetic
from engine.session.control.frames import ANSWER_BYTES_MAX, Frames, encode
from engine.session.playback.player import Player
from engine.session.playback.serve import FRAME_S, serve
from engine.session.playback.words import Ask, Broken, Frame, Play, Seek, Shown, Step
from tests.engine.session.playback.forward import open_player

DEADLINE_S = 20.0
DECODER = msgspec.json.Decoder(Frame)


class Served:
    """One server on a thread, and our ends of its pipes."""

    def __init__(self, make: Callable[[], Player]) -> None:
        asks, self._asks = os.pipe()
        self._frames, frames = os.pipe()
        self._inbox = Frames(ANSWER_BYTES_MAX)
        self._came: list[Frame] = []

        def run() -> None:
            use_exact_arithmetic()  # a context of this thread's own
            serve(make, asks, frames)
            os.close(asks)
            os.close(frames)

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def wish(self, ask: Ask) -> None:
        os.write(self._asks, encode(ask))

    def until(self, holds: Callable[[Frame], bool]) -> list[Frame]:
        """Take frames until one fits; return all that came."""
        deadline, came = time.monotonic() + DEADLINE_S, []
        while time.monotonic() < deadline:
            if not select.select([self._frames], [], [], 0.05)[0]:
                continue
            for body in self._inbox.feed(os.read(self._frames, 65_536)):
                came.append(DECODER.decode(body))
            if came and holds(came[-1]):
                return came
        raise AssertionError(f"waited in vain: {came[-1:]}")

    def hang_up(self) -> None:
        os.close(self._asks)
        self.thread.join(DEADLINE_S)
        os.close(self._frames)


@pytest.fixture
def served(short: Path) -> Iterator[Served]:
    one = Served(lambda: open_player(short))
    yield one
    one.hang_up()
    assert not one.thread.is_alive(), "a closed pipe ends the loop"


def whole(frame: Frame) -> bool:
    return isinstance(frame, Shown) and frame.scrub.is_whole


def test_it_shows_the_start_and_then_all_it_knows(served: Served) -> None:
    """Unasked, and it falls silent once everything is told."""
    first, *_, last = served.until(whole)
    assert isinstance(first, Shown)
    assert (0, False) == (first.scrub.cursor, first.scrub.is_whole)
    assert isinstance(last, Shown)
    assert 0 == last.scrub.cursor

    assert not select.select([served._frames], [], [], 3 * FRAME_S)[0]


def test_each_wish_is_met_by_a_frame_at_once(served: Served) -> None:
    """Not at the next beat: twenty steps take less than twenty beats."""
    served.until(whole)
    began = time.monotonic()
    for number in range(1, 21):
        served.wish(Step(by=1))
        served.until(lambda frame, n=number: isinstance(frame, Shown) and frame.scrub.cursor == n)

    assert time.monotonic() - began < 20 * FRAME_S


def test_playing_sends_ten_frames_a_second_at_most(served: Served) -> None:
    """From start to end, as fast as it goes."""
    served.until(whole)
    began = time.monotonic()
    served.wish(Play(is_on=True, speed=7))
    served.until(lambda frame: isinstance(frame, Shown) and frame.scrub.is_playing)
    frames = served.until(lambda frame: isinstance(frame, Shown) and not frame.scrub.is_playing)

    assert len(frames) <= (time.monotonic() - began) / FRAME_S + 2


def test_damage_is_told_with_its_exit_code(short: Path, tmp_path: Path) -> None:
    """File and line, then the end."""
    journal = tmp_path / "events.jsonl"
    journal.write_bytes(short.read_bytes()[:-5])
    one = Served(lambda: open_player(journal))
    *_, broken = one.until(lambda frame: isinstance(frame, Broken))
    one.hang_up()

    assert isinstance(broken, Broken)
    assert 6 == broken.exit_code
    assert f"{journal}:" in broken.reason


def test_a_seek_to_the_end_comes_true(served: Served) -> None:
    """Asked before anything is known."""
    served.wish(Seek(is_end=True))
    *_, last = served.until(
        lambda frame: whole(frame) and isinstance(frame, Shown) and not frame.scrub.is_seeking
        and frame.scrub.cursor > 0
    )  # fmt: skip

    assert isinstance(last, Shown)
    assert last.scrub.cursors == last.scrub.cursor
