"""One journal line: how it is written, and how it is proven.

    {"v":1,"seq":N,"ts":<ns>,"type":"...","data":{...},"prev":"<hex>","hash":"<hex>"}

`hash` is the SHA-256 of the line as it stands without its last member and newline; `prev` is the
hash of the line before, 64 zeros for the first. A line counts only if it ends in a newline, its
bytes hash to `hash`, `prev` fits and `seq` is the next number; all of that is decided on raw bytes,
before any JSON is parsed (interface.md; reliability.md section 0.3).
"""

from hashlib import sha256
from typing import Final

import msgspec

from engine.model.events import SCHEMA_VERSION, journal_type

GENESIS: Final = "0" * 64
"""`prev` of the first line."""

_HASH_TAIL: Final = len(',"hash":""}') + 64
_PREV_TAIL: Final = len(',"prev":""}') + 64

_encode = msgspec.json.Encoder().encode
_types: dict[type, str] = {}


class Chain:
    """Turns events into lines, each bound to the one before."""

    __slots__ = ("head", "seq")

    def __init__(self, head: str = GENESIS, seq: int = 0) -> None:
        self.head = head
        """Hash of the last line."""
        self.seq = seq
        """Number of the last line; the first is 1."""

    def event(self, event: msgspec.Struct) -> bytes:
        """Return the line of an input or a record; its `ts_ns` becomes the line's `ts`."""
        raw = _encode(event)
        comma = raw.find(b",")
        if comma < 0:
            return self._line(raw[9:-1], journal_type(event).encode(), b"}")
        return self._line(raw[9:comma], journal_type(event).encode(), raw[comma + 1 :])

    def data(self, name: str, ts_ns: int, data: object) -> bytes:
        """Return a line of the session's own: `session_started`, `heartbeat`, `session_ended`."""
        return self._line(str(ts_ns).encode(), name.encode(), _encode(data)[1:])

    def _line(self, ts: bytes, name: bytes, data: bytes) -> bytes:
        self.seq = seq = self.seq + 1
        head = b'{"v":%d,"seq":%d,"ts":%b,"type":"%b","data":{%b,"prev":"%b"' % (
            SCHEMA_VERSION,
            seq,
            ts,
            name,
            data,
            self.head.encode(),
        )
        self.head = sha256(head + b"}").hexdigest()
        return head + b',"hash":"' + self.head.encode() + b'"}\n'


def proven(line: bytes, prev: str, seq: int) -> str | None:
    """Return the line's hash if it is whole, unchanged and next in the chain, else None.

    Args:
        line: Raw bytes with the newline.
        prev: Hash of the line before.
        seq: The number this line must have.
    """
    if not line.endswith(b'"}\n') or len(line) < _HASH_TAIL + _PREV_TAIL:
        return None
    body = line[: -_HASH_TAIL - 1] + b"}"
    claimed = line[-67:-3]
    if not body.startswith(b'{"v":%d,"seq":%d,"ts":' % (SCHEMA_VERSION, seq)):
        return None
    if body[-66:-2] != prev.encode() or sha256(body).hexdigest().encode() != claimed:
        return None
    return claimed.decode()
