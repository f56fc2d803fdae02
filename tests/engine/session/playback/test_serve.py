"""The playing process's loop over real pipes: wishes in, frames out, an end to both."""

import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.session.playback.serve import FRAME_S
from engine.session.playback.words import Broken, Frame, Play, Seek, Shown, Step
from tests.engine.session.playback.forward import open_player
from tests.engine.session.playback.served import Served


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

    assert not select.select([served.frames], [], [], 3 * FRAME_S)[0]


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
