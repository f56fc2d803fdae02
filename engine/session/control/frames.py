"""How words travel over the control socket: four bytes of length, then JSON. Pure.

Rule 1: a length is judged before a byte of the body is taken, so nobody fills our memory.
Rule 2: `Hello` and `Refused` keep their shape in every version of the protocol: a client of another
        version is told so in words it can read.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, TypeVar

import msgspec

PROTOCOL: Final = 1
"""Raised by any change that an older peer would misread; new fields with defaults are none."""

ASK_BYTES_MAX: Final = 4_096
"""Largest frame to a session: a command is a few hundred bytes."""

ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
"""Largest frame from a session: a view of 50 symbols with 20 levels each is a third of it."""

_LENGTH: Final = Struct(">I")
_ENCODER: Final = msgspec.json.Encoder()

T = TypeVar("T")


class BadFrame(Exception):
    """What came is no frame of ours; the connection can't go on."""


def encode(word: msgspec.Struct) -> bytes:
    """Return a word as one frame; decimals become strings with every digit."""
    body = _ENCODER.encode(word)
    return _LENGTH.pack(len(body)) + body


def decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Return the word in a frame's body.

    Raises:
        BadFrame: It is none that the decoder knows.

    """
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFrame("a frame that is no word of this protocol") from error


class Frames:
    """Cuts a stream of bytes into frames; holds at most one unfinished frame."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._buffer = bytearray()

    @property
    def is_partial(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes as they come and yield the bodies that are whole.

        Raises:
            BadFrame: A frame announces more than `bytes_max`, or nothing.

        """
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._buffer)
            if not 0 < size <= self._bytes_max:
                raise BadFrame(f"a frame of {size} bytes, at most {self._bytes_max}")
            end = _LENGTH.size + size
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield body
