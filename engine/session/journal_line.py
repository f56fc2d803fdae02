"""One journal line: how it is written, and how it is proven.

    {"v":1,"seq":N,"ts":<ns>,"type":"...","data":{...},"prev":"<hex>","hash":"<hex>"}

`hash` is the SHA-256 of the line as it stands without its last member and newline; `prev` is the
hash of the line before, 64 zeros for the first. A line counts only if it ends in a newline, its
bytes hash to `hash`, `prev` fits and `seq` is the next number; all of that is decided on raw bytes,
before any JSON is parsed (interface.md; reliability.md section 0.3).
"""

from binascii import hexlify
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import msgspec

from engine.model.events import JOURNAL_TYPES, SCHEMA_VERSION
from engine.model.orders import OrderState

GENESIS: Final = "0" * 64
"""`prev` of the first line."""

_HASH_TAIL: Final = len(',"hash":""}') + 64
_PREV: Final = slice(-141, -77)
"""Where a line's `prev` stands, counted from its end."""

_PREV_TAIL: Final = len(',"prev":""}') + 64

assert SCHEMA_VERSION == 1, "the version is spelled out in `Chain`, for speed"

_encode: Final = msgspec.json.Encoder().encode

_MIDDLE: Final = b',"type":"%b","data":{'
_BY_TYPE: Final = {cls: _MIDDLE % name.encode() for cls, name in JOURNAL_TYPES.items()}
_BY_STATE: Final = {state: _MIDDLE % f"order_{state.lower()}".encode() for state in OrderState}
"""What stands between a line's `ts` and the fields of its `data`."""


class Chain:
    """Turns events into lines, each bound to the one before."""

    __slots__ = ("_head", "seq")

    def __init__(self, head: str = GENESIS, seq: int = 0) -> None:
        self._head = head.encode()
        self.seq = seq
        """Number of the last line; the first is 1."""

    @property
    def head(self) -> str:
        """Hash of the last line."""
        return self._head.decode()

    def adopt(self, digest: str) -> None:
        """Count a line that is on disk already."""
        self.seq += 1
        self._head = digest.encode()

    def take_back(self, line: bytes) -> None:
        """Forget the last line made: it never reached the file whole."""
        self.seq -= 1
        self._head = line[_PREV]

    def events(self, events: Iterable[msgspec.Struct]) -> list[bytes]:
        """Return the lines of inputs or records; each `ts_ns` becomes its line's `ts`.

        Hot, hence one loop without calls of ours: a session writes hundreds of lines a second, a
        backtest a million in all.
        """
        lines: list[bytes] = []
        add, seq, head = lines.append, self.seq, self._head
        for event in events:
            ts, comma, data = _encode(event).partition(b",")
            middle = _BY_TYPE.get(type(event)) or _BY_STATE[event.state]  # type: ignore[attr-defined]
            seq += 1
            body = b'{"v":1,"seq":%d,"ts":%b%b%b,"prev":"%b"}' % (
                seq,
                ts[9:] if comma else ts[9:-1],
                middle,
                data or b"}",
                head,
            )
            head = hexlify(sha256(body).digest())
            add(body[:-1] + b',"hash":"' + head + b'"}\n')
        self.seq, self._head = seq, head
        return lines

    def data(self, name: str, ts_ns: int, data: object) -> bytes:
        """Return a line of the session's own: `session_started`, `heartbeat`, `session_ended`."""
        self.seq += 1
        body = b'{"v":1,"seq":%d,"ts":%d,"type":"%b","data":%b,"prev":"%b"' % (
            self.seq,
            ts_ns,
            name.encode(),
            _encode(data),
            self._head,
        )
        self._head = sha256(body + b"}").hexdigest().encode()
        return b'%b,"hash":"%b"}\n' % (body, self._head)


def proven(line: bytes, prev: str, seq: int, version: int = SCHEMA_VERSION) -> str | None:
    """Return the line's hash if it is whole, unchanged and next in the chain, else None.

    Args:
        line: Raw bytes with the newline.
        prev: Hash of the line before.
        seq: The number this line must have.
        version: The `v` it must have.
    """
    if not line.endswith(b'"}\n') or len(line) < _HASH_TAIL + _PREV_TAIL:
        return None
    if line[-76:-67] != b',"hash":"':
        return None
    body = line[: -_HASH_TAIL - 1] + b"}"
    claimed = line[-67:-3]
    if not body.startswith(b'{"v":%d,"seq":%d,"ts":' % (version, seq)):
        return None
    if body[-66:-2] != prev.encode() or sha256(body).hexdigest().encode() != claimed:
        return None
    return claimed.decode()
