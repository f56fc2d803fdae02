"""Who may in: the one place that decides, before any handler, whether a request is the owner's.

Rule 1: every route asks here first, the page, its files and the WebSocket alike.
Rule 2: a browser carries its owner's cookies to whatever page asks it to, and a name may be made
        to point at this machine. So the Host must be ours, and an Origin, where there is one, too.
Rule 3: the token opens once and is then out of the address line: a cookie of its own goes on, for
        one path that nobody else knows, because browsers send cookies to every port of a host.
Rule 4: after too many wrong words nobody gets in for a while; who is in stays in.

Source: reliability.md F6, rows 112 and 113.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, NamedTuple

HOST: Final = "127.0.0.1"
NAMES: Final = (HOST, "localhost")
"""What a browser of this machine may call us."""
SECRET_BYTES: Final = 32
ROOM_BYTES: Final = 16
WRONG_MAX: Final = 10
"""Wrong tokens and cookies before the door is locked."""
LOCKED_S: Final = 60.0
TOKEN: Final = "token"  # noqa: S105 - the name of a query field
COOKIE: Final = "laptop-agents"


class Verdict(Enum):
    """What becomes of a request: its HTTP status, and what is said where it is refused."""

    ENTER = (200, "")
    OPEN = (303, "")
    """The token is right: a cookie, and on to the page."""
    FOREIGN = (403, "not from here: this page answers to 127.0.0.1 and to itself only")
    STRANGER = (401, "open the address that laptop-agents serve printed")
    LOCKED = (429, "too many wrong tokens: wait a minute")

    @property
    def status(self) -> int:
        """Of the HTTP answer."""
        return self.value[0]

    @property
    def words(self) -> str:
        """What a refused visitor reads."""
        return self.value[1]


class Knock(NamedTuple):
    """What a request says of itself; a field it lacks is None."""

    path: str
    host: str | None
    origin: str | None
    site: str | None
    """`Sec-Fetch-Site`: what a browser says of who asked it to."""
    token: str | None
    cookie: str | None


def knock_of(path: str, headers: Mapping[str, str], token: str | None, cookie: str | None) -> Knock:
    """Return what counts of a request's headers."""
    return Knock(
        path, headers.get("Host"), headers.get("Origin"), headers.get("Sec-Fetch-Site"),
        token, cookie,
    )  # fmt: skip


class Door:
    """Knows the secrets of one server."""

    def __init__(self, port: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.port = port
        self.token = secrets.token_urlsafe(SECRET_BYTES)
        self.cookie = secrets.token_urlsafe(SECRET_BYTES)
        self.room = f"/{secrets.token_urlsafe(ROOM_BYTES)}/"
        """Where everything is; the cookie is good beneath it only."""
        self._hosts = {f"{name}:{port}" for name in NAMES}
        self._clock = clock
        self._wrong = 0
        self._locked_until_s = 0.0

    @property
    def address(self) -> str:
        """What the owner opens."""
        return f"http://{HOST}:{self.port}/?{TOKEN}={self.token}"

    def judge(self, knock: Knock) -> Verdict:
        """Say what becomes of a request."""
        if not self._is_from_here(knock):
            return Verdict.FOREIGN
        if knock.path.startswith(self.room) and _same(knock.cookie, self.cookie):
            return Verdict.ENTER
        if self._clock() < self._locked_until_s:
            return Verdict.LOCKED
        if knock.path == "/" and _same(knock.token, self.token):
            self._wrong = 0
            return Verdict.OPEN
        if knock.token is not None or knock.cookie is not None:
            self._count()
        return Verdict.STRANGER

    def _is_from_here(self, knock: Knock) -> bool:
        is_ours = knock.host in self._hosts
        is_own_page = knock.origin in (None, f"http://{knock.host}")
        return is_ours and is_own_page and knock.site in (None, "none", "same-origin")

    def _count(self) -> None:
        self._wrong += 1
        if self._wrong >= WRONG_MAX:
            self._wrong = 0
            self._locked_until_s = self._clock() + LOCKED_S


def _same(given: str | None, expected: str) -> bool:
    """Compare in a time that says nothing of where they differ."""
    if given is None:
        return False
    return secrets.compare_digest(given.encode(errors="backslashreplace"), expected.encode())
