"""What an HTTP/1.1 server answers, read piece by piece. Pure.

Rule 1: one answer a request. What does not follow the grammar, is longer than allowed or says its
        length in two ways is no answer: the connection is not to be trusted with another request.
Rule 2: the head is bounded by itself, so that a server can't make us keep lines for ever.

Source: RFC 9112 sections 4 to 7; reliability.md E5, F7.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

HEAD_BYTES_MAX: Final = 64 * 1024
"""Of status line and headers; also of one line of a chunked body."""
PASSING_MAX: Final = 8
"""Interim answers (1xx) before the real one."""
NO_BODY: Final = frozenset({204, 304})
SWITCHING: Final = 101

_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t -~\x80-\xff]*)?")
_HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[\t -~\x80-\xff]*)?[ \t]*")
_LENGTH: Final = re.compile(r"[0-9]{1,15}")


class BadAnswer(Exception):
    """It is no answer, or one that is too long."""


class Answer(NamedTuple):
    """A whole one."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name; of one that is there twice, the last."""
    body: bytes
    is_last: bool
    """Nothing more is to be sent on this connection."""


class AnswerReader:
    """Reads one answer."""

    def __init__(self, body_bytes_max: int) -> None:
        self._body_bytes_max = body_bytes_max
        self._buffer = bytearray()
        self._step: Callable[[], bool] = self._head
        self._status = 0
        self._headers: dict[str, str] = {}
        self._is_last = False
        self._passed = 0
        self._left = 0
        """Of a body or chunk whose length is known."""
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_whole = False

    def feed(self, data: bytes) -> Answer | None:
        """Take what came; return the answer once it is whole.

        Raises:
            BadAnswer: It is none.
        """
        self._buffer += data
        while not self._is_whole and self._step():
            pass
        return self._answer() if self._is_whole else None

    def end(self) -> Answer | None:
        """Take the end of the connection, which ends a body that said no length.

        Raises:
            BadAnswer: It ended in the middle of something.
        """
        if self._step != self._rest:
            raise BadAnswer("the connection ended first")
        self._is_last = True
        return self._answer()

    def _answer(self) -> Answer:
        is_last = self._is_last or bool(self._buffer)  # what was not asked for is not ours
        return Answer(self._status, self._headers, b"".join(self._pieces), is_last)

    # --- steps: each returns whether the next can be tried ---------------------------------------

    def _head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n", 0, HEAD_BYTES_MAX)
        if end < 0:
            if len(self._buffer) >= HEAD_BYTES_MAX:
                raise BadAnswer("a head without an end")
            return False
        first, *lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        status = _STATUS.fullmatch(first)
        if status is None:
            raise BadAnswer("no status line")
        self._status, self._headers = int(status[2]), {}
        for line in lines:
            self._header(line)
        if self._status >= 200:
            self._is_last = self._closes(status[1])
            self._frame()
        else:
            self._pass()
        return True

    def _header(self, line: bytes) -> None:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise BadAnswer("no header")
        name, value = header[1].decode().lower(), header[2].decode("latin-1")
        if name == "content-length" and self._headers.get(name, value) != value:
            raise BadAnswer("two lengths")
        self._headers[name] = value

    def _pass(self) -> None:
        self._passed += 1
        if self._status == SWITCHING or self._passed > PASSING_MAX:
            raise BadAnswer("another protocol, or no end of interim answers")

    def _closes(self, minor: bytes) -> bool:
        words = self._headers.get("connection", "").lower()
        return "close" in words or (minor == b"0" and "keep-alive" not in words)

    def _frame(self) -> None:
        """Find out how long the body is."""
        headers = self._headers
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if self._status in NO_BODY:
            self._is_whole = True
        elif coding is not None:
            if coding.strip().lower() != "chunked" or length is not None:
                raise BadAnswer("a body framed in a way we do not know")
            self._step = self._chunk
        elif length is None:
            self._step = self._rest
        else:
            if not _LENGTH.fullmatch(length):
                raise BadAnswer("a length that is no number")
            self._expect(int(length))
            self._step = self._body

    def _expect(self, size: int) -> None:
        self._size += size
        if self._size > self._body_bytes_max:
            raise BadAnswer(f"an answer over {self._body_bytes_max} bytes")
        self._left = size

    def _body(self) -> bool:
        if len(self._buffer) < self._left:
            return False
        self._pieces.append(bytes(self._buffer[: self._left]))
        del self._buffer[: self._left]
        self._is_whole = True
        return True

    def _rest(self) -> bool:
        self._expect(len(self._buffer))
        self._pieces.append(bytes(self._buffer))
        self._buffer.clear()
        return False

    # --- chunks ----------------------------------------------------------------------------------

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n", 0, HEAD_BYTES_MAX)
        if end < 0:
            if len(self._buffer) >= HEAD_BYTES_MAX:
                raise BadAnswer("a line without an end")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _chunk(self) -> bool:
        line = self._line()
        if line is None:
            return False
        size = _CHUNK.fullmatch(line)
        if size is None:
            raise BadAnswer("no length of a chunk")
        self._expect(int(size[1], 16))
        self._step = self._piece if self._left else self._trailer
        return True

    def _piece(self) -> bool:
        if len(self._buffer) < self._left + 2:
            return False
        if self._buffer[self._left : self._left + 2] != b"\r\n":
            raise BadAnswer("a chunk longer than it said")
        self._pieces.append(bytes(self._buffer[: self._left]))
        del self._buffer[: self._left + 2]
        self._step = self._chunk
        return True

    def _trailer(self) -> bool:
        line = self._line()
        if line:
            self._size += len(line)
            self._expect(0)
            return True
        self._is_whole = line is not None
        return self._is_whole
