"""A websocket that hands each message on within the loop's own callback.

The library keeps messages in a queue and wakes a task for each, which under load costs more than to
read them. Everything else is the library's: handshake, pings, limits, the end.
"""

from collections.abc import Callable
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event

EARLY_MAX: Final = 1_024
"""Messages that may come before somebody reads; then the line stands still."""


class Reader(ClientConnection):
    """Reads for whoever `begin`s; `recv` returns nothing and ends with the connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(*args, **kwargs)
        self._take: Callable[[bytes], None] = self._keep
        self._early: list[bytes] = []
        self._pieces: list[bytes] = []
        """Of a message that comes in several frames; the library bounds their sum."""

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
