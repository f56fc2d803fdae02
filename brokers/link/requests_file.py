"""`requests.jsonl` of a dry run: every request that would have left, without key and signature.

Rule 1: each is written once. A run that is resumed is made again from its journal, and what it asks
        for again is told apart by time, kind and order.
Rule 2: a line that was cut by a crash is taken off; what it told is asked for again.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from brokers.link.account import Refused
from brokers.link.rehearsal import Outcome
from engine.model.errors import StateDamaged

NAME: Final = "requests.jsonl"
_MODE: Final = 0o600


class Asked(NamedTuple):
    """What the session asked for."""

    ts_ns: int
    """The session's time."""
    command: str
    order_id: str = ""


class Line(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One line of the file."""

    ts_ns: int
    command: str
    order_id: str = ""
    method: str = ""
    path: str = ""
    query: str = ""
    headers: dict[str, str] = {}
    body: str = ""
    refused: str = ""
    """Why live would not have sent it."""
    detail: str = ""

    @property
    def asked(self) -> Asked:
        """What it answers."""
        return Asked(self.ts_ns, self.command, self.order_id)


_decode: Final = msgspec.json.Decoder(Line).decode
_encode: Final = msgspec.json.Encoder().encode


class RequestsFile:
    """Appends to the file of one run, which one process holds at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file, and know what an interrupted process wrote.

        Raises:
            StateDamaged: It can't be read or written.
        """
        self._path = path
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            self._fd = os.open(path, flags, _MODE)
            self._written = self._known()
        except OSError as error:
            raise self._trouble(error) from error

    def _known(self) -> set[Asked]:
        content = self._path.read_bytes()
        whole = content.rpartition(b"\n")[0].splitlines()
        os.ftruncate(self._fd, sum(len(line) + 1 for line in whole))
        try:
            return {_decode(line).asked for line in whole}
        except msgspec.DecodeError as error:
            raise StateDamaged(f"{self._path} is not what a dry run writes") from error

    def take(self, asked: Asked, outcomes: Iterable[Outcome]) -> None:
        """Write what came of one command, unless that was done before.

        Raises:
            StateDamaged: It can't be written.
        """
        if self._written and asked in self._written:
            return
        text = b"".join(_encode(_line(asked, outcome)) + b"\n" for outcome in outcomes)
        try:
            while text:
                text = text[os.write(self._fd, text) :]
        except OSError as error:
            raise self._trouble(error) from error

    def close(self) -> None:
        """Let the file go."""
        os.close(self._fd)

    def _trouble(self, error: OSError) -> StateDamaged:
        return StateDamaged(f"can't write {self._path}: {error.strerror or error}")


def _line(asked: Asked, outcome: Outcome) -> Line:
    if isinstance(outcome, Refused):
        return Line(**asked._asdict(), refused=outcome.reason, detail=outcome.detail)
    request, hidden = outcome
    path, _, query = request.path_and_query.partition("?")
    return Line(
        **asked._asdict(),
        method=request.method,
        path=path,
        query=_masked(query, hidden),
        headers={name: _masked(value, hidden) for name, value in request.headers.items()},
        body=_masked(request.body.decode(), hidden),
    )


def _masked(text: str, hidden: Iterable[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, f"<{len(secret)} characters>")
    return text
