"""Hostile frames for each decoder, 100,000 in `make sweeps` (reliability.md section 3): none uncaught, slow or large.

What is slow is told by the processor time of the thread, which a crowded machine does not stretch.
"""

import resource
from collections.abc import Callable
from itertools import islice
from time import thread_time
from typing import Final

import pytest

from tests.hostile.decoders import DECODERS, Decoder
from tests.hostile.mutation import frames
from tests.sweeps import counted

FRAMES: Final = counted(100_000, sample=15_000)
SHARDS: Final = counted(4, sample=1)
FRAME_S_MAX: Final = 0.050
GROWTH_KB_MAX: Final = 50 * 1024


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("name", DECODERS)
def test_no_frame_gets_through(name: str, shard: int) -> None:
    """Each is taken or refused by the decoder's own word, in no time and no room."""
    decoder = DECODERS[name]
    decode, before_kb = decoder.make(), _peak_kb()
    taken, slow = 0, []
    for frame in frames(decoder.corpus, FRAMES // SHARDS, shard):
        took_s, is_taken = _take(decoder, decode, frame)
        taken += is_taken
        if took_s > FRAME_S_MAX:
            slow.append(frame)

    assert [] == [frame[:300] for frame in slow if _is_slow(decoder, frame)]
    assert _peak_kb() - before_kb <= GROWTH_KB_MAX
    assert taken > FRAMES // SHARDS // 20, "so few that nothing behind the first check was tried"


def _take(decoder: Decoder, decode: Callable[[bytes], object], frame: bytes) -> tuple[float, bool]:
    """Return how long a frame took, and whether it was taken; what is not refused escapes."""
    began_s = thread_time()
    try:
        decode(frame)
    except decoder.refusals:
        return thread_time() - began_s, False
    return thread_time() - began_s, True


def _is_slow(decoder: Decoder, frame: bytes) -> bool:
    """Whether it is slow by itself: one of many pays for a collection of the others' garbage."""
    return min(_take(decoder, decoder.make(), frame)[0] for _ in range(3)) > FRAME_S_MAX


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("name", DECODERS)
def test_frames_are_good_before_they_are_damaged(name: str) -> None:
    """A corpus that is refused as it stands would prove nothing."""
    decoder = DECODERS[name]
    decode = decoder.make()
    for frame in decoder.corpus:
        decode(frame)


def test_the_same_seed_makes_the_same_frames() -> None:
    """A failure comes back from its shard alone."""
    corpus = DECODERS["capture_line"].corpus
    first, again, other = (list(islice(frames(corpus, 50, seed), 50)) for seed in (1, 1, 2))

    assert first == again
    assert first != other
