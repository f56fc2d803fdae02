"""A websocket that hands each message on within the loop's own callback.

The library keeps messages in a queue and wakes a task for each, which under load costs more than to
read them; and it parses bytes in generators, which between sparse frames costs more than all we do
with them. So what nearly every frame is, a whole message that came in one piece, is read here.
Everything else is the library's: handshake, pings, pieces, limits and the end.

Source: RFC 6455 section 5.2.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event, State

EARLY_MAX: Final = 1_024
"""Messages that may come before somebody reads; then the line stands still."""
WHOLE: Final = (0x81, 0x82)
"""First byte of a message in one frame, text or binary, no extension used."""
SHORT_MAX: Final = 125
IN_2: Final = 126
"""Says that the length is in the next two bytes; the one above it, in eight."""
HEADERS_END: Final = b"\r\n\r\n"


class Head(NamedTuple):
    """Where a frame is among some bytes."""

    is_whole: bool
    """A message of its own; not a piece of one, a ping, or what a server must not send."""
    start: int
    """Of its payload."""
    end: int


def head(data: bytes, at: int) -> Head | None:
    """Return the frame that begins at `at`; None where its head has not come whole."""
    if len(data) < at + 2:
        return None
    length, start = data[at + 1] & 0x7F, at + 2
    if length > SHORT_MAX:
        start += 2 if length == IN_2 else 8
        if len(data) < start:
            return None
        length = int.from_bytes(data[at + 2 : start])
    is_masked = data[at + 1] & 0x80
    start += 4 if is_masked else 0
    return Head(data[at] in WHOLE and not is_masked, start, start + length)


class Reader(ClientConnection):
    """Reads for whoever `begin`s; `recv` returns nothing and ends with the connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(*args, **kwargs)
        self._take: Callable[[bytes], None] = self._keep
        self._early: list[bytes] = []
        self._pieces: list[bytes] = []
        """Of a message that comes in several frames; the library bounds their sum."""
        self._is_answered = False
        """Whether the handshake is over."""
        self._tail = b""
        """Last bytes of an answer that goes on."""
        self._rest = b""
        """Of a frame's head, until all of it has come."""
        self._owed = 0
        """Bytes still to come of a frame that is the library's."""

    def begin(self, take: Callable[[bytes], None]) -> None:
        """Hand over what came already, and from now on what comes."""
        early, self._early = self._early, []
        self._take = take
        for message in early:
            take(message)
        self.transport.resume_reading()

    def _keep(self, message: bytes) -> None:
        self._early.append(message)
        if len(self._early) == EARLY_MAX:
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Take what has come on the socket."""
        if not self._is_answered:
            data = self._after_answer(data)
        if self._rest:
            data, self._rest = self._rest + data, b""
        at = self._read(data) if self.protocol.state is State.OPEN else 0
        if at < len(data):
            super().data_received(data[at:] if at else data)

    def _after_answer(self, data: bytes) -> bytes:
        """Give the library its handshake's answer; return what came behind it."""
        seen = self._tail + data
        end = seen.find(HEADERS_END)
        if end < 0:
            self._tail = seen[1 - len(HEADERS_END) :]
            super().data_received(data)
            return b""
        rest = seen[end + len(HEADERS_END) :]
        super().data_received(data[: len(data) - len(rest)])
        self._is_answered = True
        return rest

    def _read(self, data: bytes) -> int:
        """Take frames while the line is open; return how much of the data that were."""
        at = 0
        while at < len(data) and self.protocol.state is State.OPEN:
            if self._owed:
                end = min(at + self._owed, len(data))
                self._owed -= end - at
                super().data_received(data[at:end])
                at = end
                continue
            frame = head(data, at)
            if frame is None:
                self._rest = data[at:]
                return len(data)
            if self._is_ours(frame) and frame.end <= len(data):
                self._take(data[frame.start : frame.end])
                at = frame.end
            else:
                self._owed = frame.end - at
        return at

    def _is_ours(self, frame: Head) -> bool:
        size_max = self.protocol.max_message_size
        is_small = size_max is None or frame.end - frame.start <= size_max
        return frame.is_whole and is_small and not self._pieces

    def process_event(self, event: Event) -> None:
        """Take one event of the protocol."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
        elif event.fin and not self._pieces:
            self._take(bytes(event.data))
        else:
            self._pieces.append(bytes(event.data))
            if event.fin:
                message = b"".join(self._pieces)
                self._pieces.clear()
                self._take(message)
