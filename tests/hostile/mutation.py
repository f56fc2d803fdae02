"""Frames an enemy, or a broken recorder, would send: good ones, damaged in every way we know."""

import random
from collections.abc import Iterator, Sequence
from typing import Final

NASTY: Final = (
    b"NaN", b"-Infinity", b"1e999", b"-1", b"0", b'""', b"null", b"true", b"[]", b"{}", b'"\\ud800"',
    b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"\x1b]0;x\x07", b"9" * 5_000, b"0." + b"0" * 400 + b"1",
    b"[" * 2_000, b'{"a":' * 2_000, b'"' + b"x" * 70_000 + b'"', b"-0", b"1_0", b" 1", b"1e-999",
    b"18446744073709551616", "٣".encode(), b'"a":1,"a":2', b"\n", b"\r\n", b"\xef\xbb\xbf",
)  # fmt: skip
"""Values no venue means and every reader must survive (reliability.md rows 13 and 18)."""
SPLICE_MAX: Final = 4
"""Damages of one frame: more than a few leave nothing that a decoder gets past."""


def frames(corpus: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield so many frames made of good ones; the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - damage, no secret
    for _ in range(count):
        frame = rng.choice(corpus)
        for _ in range(rng.randrange(SPLICE_MAX)):
            frame = DAMAGES[int(rng.random() * len(DAMAGES))](rng, frame, corpus)
        yield frame


def _flip(rng: random.Random, frame: bytes, _: Sequence[bytes]) -> bytes:
    at = int(rng.random() * len(frame))
    byte = frame[at : at + 1] or b"\0"
    return frame[:at] + bytes([byte[0] ^ 1 << rng.randrange(8)]) + frame[at + 1 :]


def _cut(rng: random.Random, frame: bytes, _: Sequence[bytes]) -> bytes:
    return frame[: int(rng.random() * (len(frame) + 1))]


def _omit(rng: random.Random, frame: bytes, _: Sequence[bytes]) -> bytes:
    at = int(rng.random() * (len(frame) + 1))
    return frame[:at] + frame[at + rng.choice((1, 4, 30)) :]


def _insert(rng: random.Random, frame: bytes, _: Sequence[bytes]) -> bytes:
    at = int(rng.random() * (len(frame) + 1))
    return frame[:at] + rng.choice(NASTY) + frame[at:]


def _replace(rng: random.Random, frame: bytes, _: Sequence[bytes]) -> bytes:
    """Put a nasty value where a value stands: behind a colon or a comma."""
    places = [at for at, byte in enumerate(frame[:500]) if byte in b":,= "]
    if not places:
        return rng.choice(NASTY)
    at = rng.choice(places) + 1
    end = next((n for n in range(at, len(frame)) if frame[n] in b",}]\n "), len(frame))
    return frame[:at] + rng.choice(NASTY) + frame[end:]


def _splice(rng: random.Random, frame: bytes, corpus: Sequence[bytes]) -> bytes:
    other = rng.choice(corpus)
    return frame[: int(rng.random() * (len(frame) + 1))] + other[int(rng.random() * len(other)) :]


def _repeat(rng: random.Random, frame: bytes, _: Sequence[bytes]) -> bytes:
    at, size = int(rng.random() * (len(frame) + 1)), rng.choice((1, 8, 60))
    return frame[:at] + frame[at : at + size] * rng.choice((2, 10, 300)) + frame[at + size :]


DAMAGES: Final = (_flip, _flip, _cut, _omit, _insert, _replace, _replace, _splice, _repeat)
