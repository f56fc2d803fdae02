"""What the reader takes from a socket is what the library would, however the bytes come."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri
from websockets.utils import accept_key

from brokers.link.reader import Head, Reader, head

SIZE_MAX = 70_000
URI = parse_uri("ws://127.0.0.1/")


class Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def write(self, data: Any) -> None: ...
    def write_eof(self) -> None: ...
    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None: ...
    def abort(self) -> None: ...
    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def set_write_buffer_limits(self, high: Any = None, low: Any = None) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


def protocol() -> ClientProtocol:
    made = ClientProtocol(URI, max_size=SIZE_MAX)
    made.send_request(made.connect())
    return made


def answer(made: ClientProtocol) -> bytes:
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_key(made.key).encode() + b"\r\n\r\n"
    )


def frame(opcode: int, payload: bytes, *, fin: bool = True, mask: bool = False) -> bytes:
    return Frame(Opcode(opcode), payload, fin=fin).serialize(mask=mask)


TEXT, BINARY, MORE, CLOSE, PING = 1, 2, 0, 8, 9
LIKE = b"\x81\x01"
"""Looks like the head of a frame."""
payloads = st.sampled_from([b"", b"a", b"x" * 125, b"y" * 126, LIKE * 150, LIKE * 33_000])
messages = payloads.map(lambda p: frame(TEXT, p)) | payloads.map(lambda p: frame(BINARY, p))
pieces = st.tuples(payloads, payloads).map(
    lambda two: frame(TEXT, two[0], fin=False) + frame(PING, b"?") + frame(MORE, two[1])
)
broken = st.sampled_from([
    frame(TEXT, b"masked", mask=True), frame(MORE, b"of nothing"), b"\xc1\x01a", b"\x83\x00",
    frame(TEXT, b"v" * (SIZE_MAX + 1)), frame(TEXT, b"begun", fin=False) + frame(TEXT, b"anew"),
    frame(CLOSE, b"\x03\xe8"), frame(PING, b"p" * 125), b"\x81\x7f" + b"\xff" * 8,
])  # fmt: skip
lines = st.lists(messages | pieces | broken, max_size=6)
cuts = st.lists(st.integers(0, 400), max_size=12)


def chunks(data: bytes, lengths: list[int]) -> Iterator[bytes]:
    for length in lengths:
        if length:
            yield data[:length]
            data = data[length:]
    yield data


def by_the_library(line: bytes, lengths: list[int]) -> tuple[list[bytes], State, Any]:
    made, told, parts = protocol(), list[bytes](), list[bytes]()
    for chunk in chunks(answer(made) + line, lengths):
        if chunk:
            made.receive_data(chunk)
        for event in made.events_received():
            if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
                parts.append(bytes(event.data))
                if event.fin:
                    told.append(b"".join(parts))
                    parts.clear()
    return told, made.state, type(made.parser_exc)


async def by_us(line: bytes, lengths: list[int]) -> tuple[list[bytes], State, Any]:
    made, told = protocol(), list[bytes]()
    reader = Reader(made, ping_interval=None)
    reader.connection_made(Wire())
    reader.begin(told.append)
    for chunk in chunks(answer(made) + line, lengths):
        if chunk:
            reader.data_received(chunk)
    return told, made.state, type(made.parser_exc)


@given(line=lines.map(b"".join), lengths=cuts)
@settings(max_examples=150)
def test_any_frames_in_any_chunks(line: bytes, lengths: list[int]) -> None:
    """Whole, in pieces, controls between them, and what a server must not send."""
    ours = asyncio.run(by_us(line, lengths))
    assert by_the_library(line, lengths) == ours


@pytest.mark.parametrize("at", range(12))
def test_a_frame_cut_anywhere_in_its_head(at: int) -> None:
    line = frame(TEXT, b"a" * 66_000) + frame(TEXT, b"next")
    made_answer = len(answer(protocol()))
    told, state, _ = asyncio.run(by_us(line, [made_answer, at, 1]))
    assert ([b"a" * 66_000, b"next"], State.OPEN) == (told, state)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_the_head_of_every_length(size: int) -> None:
    """RFC 6455 section 5.2: one, two or eight bytes say it."""
    data = b"??" + frame(TEXT, b"x" * size)
    assert Head(True, len(data) - size, len(data)) == head(data, 2)


def test_what_comes_whole_never_reaches_the_library() -> None:
    """Or all of this is for nothing."""

    async def tell() -> int:
        made, told = protocol(), list[bytes]()
        reader = Reader(made, ping_interval=None)
        reader.connection_made(Wire())
        reader.data_received(answer(made))
        reader.begin(told.append)
        made.receive_data = None  # type: ignore[method-assign]
        reader.data_received(frame(TEXT, b"one") + frame(TEXT, b"x" * 200))
        return len(told)

    assert 2 == asyncio.run(tell())
