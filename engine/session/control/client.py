"""The other end of the control socket: greet a session, give commands, watch.

Blocking, with a limit on every wait, so that a script needs no event loop and a screen can run it
in a thread of its own. Views that come while an outcome is waited for are passed over: the next is
whole again.
"""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from engine.model.errors import SessionUnreachable
from engine.model.events import Operator
from engine.session.control.address import find
from engine.session.control.frames import (
    ANSWER_BYTES_MAX,
    PROTOCOL,
    BadFrame,
    Frames,
    decode,
    encode,
)
from engine.session.control.views import View
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

CONNECT_S: Final = 2.0
"""How long a session may take to greet; it does within a batch of events."""
LEAVE_S: Final = 1.0
"""How long taking leave may take; after that the screen counts as lost."""
READ_BYTES: Final = 256 * 1024

_WORDS: Final = msgspec.json.Decoder(Welcome | Refused | Outcome | Foretold | View | Farewell)


Said = Outcome | Foretold | View | Farewell | Welcome


class Connection:
    """A greeted connection to one session; close it, or use it as a context."""

    def __init__(self, sock: socket.socket, path: Path) -> None:
        self._sock = sock
        self._path = path
        self._frames = Frames(ANSWER_BYTES_MAX)
        self._words: list[Said] = []
        self._asked = 0
        self.welcome: Welcome

    @classmethod
    def open(cls, folder: Path, client: str, *, wants_views: bool = False) -> "Connection":
        """Connect to the session of a run folder.

        Raises:
            SessionUnreachable: There is none, or it does not want this client.

        """
        path = find(folder)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection = cls(sock, path)
        try:
            sock.settimeout(CONNECT_S)
            sock.connect(str(path))
            connection._send(Hello(PROTOCOL, client, wants_views))
            connection.welcome = connection._greeting()
        except (ConnectionRefusedError, FileNotFoundError):
            sock.close()
            raise SessionUnreachable(f"no session listens at {path}") from None
        except OSError as error:
            sock.close()
            reason = error.strerror or "no answer"
            raise SessionUnreachable(f"the session at {path} can't be reached: {reason}") from error
        except BaseException:
            sock.close()
            raise
        return connection

    def ask(self, command: Operator, argument: str = "", *, within_s: float) -> Outcome | None:
        """Give a command and return what became of it; None when nobody said so in time.

        Raises:
            SessionUnreachable: The connection broke before an outcome came.

        """
        self._asked += 1
        self._send(Ask(self._asked, command, argument))
        deadline_s = time.monotonic() + within_s
        while (word := self._next(deadline_s)) is not None:
            if isinstance(word, Outcome) and word.ask_id == self._asked:
                return word
        return None

    def consider(self, command: Operator, argument: str, *, within_s: float) -> Foretold | None:
        """Ask what would become of an order; None when nobody said in time.

        Raises:
            SessionUnreachable: The connection broke before an answer came.

        """
        self._asked += 1
        self._send(Consider(self._asked, command, argument))
        deadline_s = time.monotonic() + within_s
        while (word := self._next(deadline_s)) is not None:
            if isinstance(word, Foretold) and word.ask_id == self._asked:
                return word
        return None

    def leave(self) -> None:
        """Say that this screen closes on purpose, and wait until that was heard."""
        self._send(Leave())
        with contextlib.suppress(OSError):  # it has hung up already
            self._sock.settimeout(LEAVE_S)
            while self._sock.recv(READ_BYTES):
                pass

    def views(self, *, within_s: float) -> Iterator[View | Farewell]:
        """Yield the newest view as it comes, and the farewell; end when none came in time.

        Raises:
            SessionUnreachable: The connection broke.

        """
        while (word := self._next(time.monotonic() + within_s)) is not None:
            if isinstance(word, View | Farewell):
                yield word
            if isinstance(word, Farewell):
                return

    def close(self) -> None:
        """Leave; commands that were given go on."""
        self._sock.close()

    def __enter__(self) -> "Connection":
        """Stay connected for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave."""
        self.close()

    def _send(self, word: Hello | Ask | Consider | Leave) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._sock.sendall(encode(word))  # whoever has hung up may have said why: read on

    def _greeting(self) -> Welcome:
        word = self._next(time.monotonic() + CONNECT_S)
        if not isinstance(word, Welcome):
            raise SessionUnreachable(f"the session at {self._path} does not answer a greeting")
        return word

    def _next(self, deadline_s: float) -> Said | None:
        """Return the next word; None when none came in time."""
        while not self._words:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return None
            self._sock.settimeout(left_s)
            try:
                data = self._sock.recv(READ_BYTES)
            except TimeoutError:
                return None
            except OSError as error:
                raise self._broken() from error
            if not data:
                raise self._broken()
            self._take(data)
        return self._words.pop(0)

    def _take(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                word = decode(body, _WORDS)
                if isinstance(word, Refused):
                    raise SessionUnreachable(f"the session at {self._path} refuses: {word.reason}")
                self._words.append(word)
        except BadFrame as error:
            raise SessionUnreachable(
                f"what answers at {self._path} does not speak version {PROTOCOL} of our protocol:"
                f" {error}"
            ) from error

    def _broken(self) -> SessionUnreachable:
        return SessionUnreachable(f"the session at {self._path} closed the connection")
