"""One client of the control socket: its greeting, its commands, and never more than one view ahead.

Rule 1: nothing here waits. What a client does not take at once is kept by its transport, at most
        one frame, and by `_newest`, at most one view: the newest (architecture.md rule 8).
Rule 2: whoever breaks a rule of the protocol is told why, if they read, and dropped.
"""

import asyncio
import re
import time
from typing import Final, Protocol, cast

import msgspec

from engine.session.control.frames import ASK_BYTES_MAX, PROTOCOL, BadFrame, Frames, decode, encode
from engine.session.control.peer import Peer, peer_of
from engine.session.control.words import (
    Ask,
    Consider,
    Farewell,
    Foretold,
    Hello,
    Leave,
    Outcome,
    Refused,
    Welcome,
)

GREETING_S: Final = 2.0
"""How long a client may take for its greeting, and for any frame it has begun."""
STALLED_S: Final = 10.0
"""A client that took nothing for so long is dropped."""
UNSENT_BYTES_MAX: Final = 8 * 1024 * 1024
"""Answers a client may leave unread, besides one view; then it is dropped."""
ASKS_MAX: Final = 8
"""Commands of one client under way at once."""

_KIND: Final = re.compile(r"[a-z]{1,16}", re.ASCII)
_GREETINGS: Final = msgspec.json.Decoder(Hello)
_ASKS: Final = msgspec.json.Decoder(Ask | Consider | Leave)


class House(Protocol):
    """What a client needs of the server."""

    def welcome(self, client: "Attached") -> Welcome:
        """Return who the session is, to this client."""
        ...

    def admit(self, client: "Attached", peer: Peer) -> str | None:
        """Take in a connection; return why not."""
        ...

    def greet(self, client: "Attached") -> str | None:
        """Take in a greeted client that wants views; return why not."""
        ...

    def ask(self, client: "Attached", ask: Ask) -> None:
        """Put a command before the session."""
        ...

    def consider(self, client: "Attached", question: Consider) -> None:
        """Answer what has no effect."""
        ...

    def leave(self, client: "Attached") -> None:
        """Forget a connection."""
        ...


class Attached(asyncio.Protocol):
    """One connection."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._frames = Frames(ASK_BYTES_MAX)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._peer = Peer(None, None)
        self._newest: bytes | None = None
        self._is_refused = False
        self._stuck_s: float | None = None
        """Since when the client has not taken what was sent."""
        self.hello: Hello | None = None
        self.asks = 0
        """Commands under way."""
        self.considered_s = 0.0
        """When it last asked what would become of an order."""
        self.has_left = False
        """Whether it said that it closes on purpose."""

    @property
    def by(self) -> str:
        """Who gives this client's commands."""
        assert self.hello is not None, "commands come after the greeting"
        return self._peer.signature(self.hello.client)

    @property
    def is_stalled(self) -> bool:
        """Whether it has taken nothing for too long."""
        return self._stuck_s is not None and time.monotonic() - self._stuck_s > STALLED_S

    # --- what the loop tells -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask who it is."""
        self._transport = stream = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        stream.set_write_buffer_limits(high=0)
        self._peer = peer_of(transport.get_extra_info("socket"))
        problem = self._house.admit(self, self._peer)
        if problem is not None:
            self.refuse(problem)
            return
        self._hurry()

    def connection_lost(self, _: Exception | None) -> None:
        """Forget it; commands it gave go on."""
        self._calm()
        self._transport = None
        self._newest = None
        self._house.leave(self)

    def data_received(self, data: bytes) -> None:
        """Take words as they come."""
        try:
            for body in self._frames.feed(data):
                if not self._is_refused:  # one that hung up has still said what it said
                    self._take(body)
        except BadFrame as error:
            self.refuse(str(error))
            return
        if self._frames.is_partial:
            self._hurry()
        elif self.hello is not None:
            self._calm()

    def pause_writing(self) -> None:
        """Note that the client does not keep up."""
        self._stuck_s = time.monotonic()

    def resume_writing(self) -> None:
        """Send what is newest by now."""
        self._stuck_s = None
        newest, self._newest = self._newest, None
        if newest is not None:
            self.offer(newest)

    # --- what the server tells -----------------------------------------------------------------

    def offer(self, view: bytes) -> None:
        """Send a view, or keep it in place of the one that still waits."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._stuck_s is None:
            self._transport.write(view)
        else:
            self._newest = view

    def tell(self, word: Outcome | Foretold | Welcome | Refused | Farewell) -> None:
        """Send what must not be lost; drop a client that lets it pile up."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            self.drop()
            return
        self._transport.write(encode(word))

    def refuse(self, reason: str) -> None:
        """Say why, and close."""
        self._is_refused = True
        self.tell(Refused(PROTOCOL, reason))
        self.close()

    def close(self) -> None:
        """Close once everything is sent, at the latest when the greeting's time is over."""
        if self._transport is not None:
            self._transport.close()
            self._hurry()

    def drop(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    # --- words ---------------------------------------------------------------------------------

    def _take(self, body: bytes) -> None:
        if self.hello is None:
            self._greet(decode(body, _GREETINGS))
        else:
            self._hear(decode(body, _ASKS))

    def _hear(self, word: Ask | Consider | Leave) -> None:
        match word:
            case Ask():
                self._house.ask(self, word)
            case Consider():
                self._house.consider(self, word)
            case Leave():
                self.has_left = True
                self.close()

    def _greet(self, hello: Hello) -> None:
        if hello.version != PROTOCOL:
            raise BadFrame(
                f"this session speaks version {PROTOCOL} of the control protocol and the client"
                f" version {hello.version}: use the program that started the session"
            )
        if _KIND.fullmatch(hello.client) is None:
            raise BadFrame("a client names its kind with 1 to 16 small letters")
        self.hello = hello
        problem = self._house.greet(self) if hello.wants_views else None
        if problem is not None:
            self.refuse(problem)
            return
        self.tell(self._house.welcome(self))

    def _hurry(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GREETING_S, self.drop)

    def _calm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
