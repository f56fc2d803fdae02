"""RFC 9112 from the client's side: what is an answer, where it ends, and what is none."""

import pytest

from brokers.link.answer import HEAD_BYTES_MAX, Answer, AnswerReader, BadAnswer

CAP = 100
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

WHOLE = [
    # what comes,                                                    status, body,    is_last
    (OK + b"Content-Length: 2\r\n\r\n{}",                            200, b"{}",      False),
    (OK + b"content-length:0\r\n\r\n",                               200, b"",        False),
    (OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}",       200, b"{}",      True),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",               200, b"x",       True),
    (b"HTTP/1.0 200\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", 200, b"x", False),
    (b"HTTP/1.1 418 \r\nContent-Length: 1\r\n\r\nx",                 418, b"x",       False),
    (b"HTTP/1.1 204 No Content\r\n\r\n",                             204, b"",        False),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nx", 200, b"x", False),
    (OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",        200, b"x",       False),
    (CHUNKED + b"3\r\nabc\r\n2;q=1\r\nde\r\n0\r\n\r\n",              200, b"abcde",   False),
    (CHUNKED + b"A\r\n0123456789\r\n000\r\nTrailer: t\r\n\r\n",      200, b"0123456789", False),
    (OK + b"Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK",             200, b"{}",      True),
]  # fmt: skip

NONE = [
    b"\xff\xfe no HTTP\r\n\r\n",
    b"HTTP/2 200 OK\r\n\r\n",
    b"HTTP/1.1 99 OK\r\n\r\n",
    b"HTTP/1.1 200 \x00\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\n" * 9,
    OK + b"No colon\r\n\r\n",
    OK + b"Spaced : name\r\n\r\n",
    OK + b"A: b\r\n folded\r\n\r\n",
    OK + b"Content-Length: -1\r\n\r\n",
    OK + b"Content-Length: 1_0\r\n\r\n",
    OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    OK + b"Content-Length: 101\r\n\r\n",
    OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    OK + b"\r\n" + b"x" * 101,
    OK + b"A: " + b"x" * HEAD_BYTES_MAX,
    CHUNKED + b"-1\r\n",
    CHUNKED + b"5\r\nabcdefg\r\n",
    CHUNKED + b"40\r\n" + b"x" * 64 + b"\r\n40\r\n",
    CHUNKED + b"0\r\n" + b"Trailer: ttttttttt\r\n" * 9,
    CHUNKED + b"1" * HEAD_BYTES_MAX,
]


def read(pieces: list[bytes]) -> Answer | None:
    reader = AnswerReader(CAP)
    told = None
    for piece in pieces:
        assert told is None, "told before it was whole"
        told = reader.feed(piece)
    return told


@pytest.mark.parametrize(("raw", "status", "body", "is_last"), WHOLE)
def test_a_whole_answer(raw: bytes, status: int, body: bytes, is_last: bool) -> None:
    """Where it ends is known, and so is whether another request may follow."""
    told = read([raw])

    assert told is not None
    assert (status, body, is_last) == (told.status, told.body, told.is_last)


@pytest.mark.parametrize("raw", [row[0] for row in WHOLE[:-1]])
def test_in_pieces(raw: bytes) -> None:
    """Byte by byte it is the same, and whole with its last byte only."""
    assert read([raw]) == read([raw[n : n + 1] for n in range(len(raw))])


@pytest.mark.parametrize("raw", NONE)
def test_what_is_none(raw: bytes) -> None:
    """No body is guessed from it."""
    with pytest.raises(BadAnswer):
        read([raw])


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    """And with nothing else; the connection is gone then."""
    reader = AnswerReader(CAP)
    assert reader.feed(OK + b"X-A: 1\r\nX-A: 2\r\n\r\nab") is None
    assert reader.feed(b"c") is None

    assert Answer(200, {"x-a": "2"}, b"abc", True) == reader.end()


@pytest.mark.parametrize("raw", [b"", OK, OK + b"Content-Length: 2\r\n\r\n{", CHUNKED + b"0\r\n"])
def test_an_end_in_the_middle(raw: bytes) -> None:
    """Half an answer is none."""
    reader = AnswerReader(CAP)
    assert reader.feed(raw) is None

    with pytest.raises(BadAnswer):
        reader.end()
