"""Frames arrive whole, however they are cut, and nothing else gets past."""

import struct
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.events import Operator
from engine.session.control.frames import ASK_BYTES_MAX, BadFrame, Frames, decode, encode
from engine.session.control.words import Ask, Hello, Outcome, Ruling

ASKS = msgspec.json.Decoder(Ask)
WORDS = [Ask(n, Operator.PAUSE_AGENT, "x" * n * 7) for n in range(9)]


@given(st.lists(st.integers(1, 40), max_size=60))
def test_cut_anywhere(cuts: list[int]) -> None:
    """The same words come out of any slicing of the stream."""
    stream = b"".join(map(encode, WORDS))
    frames, heard, place = Frames(ASK_BYTES_MAX), [], 0
    for size in [*cuts, len(stream)]:
        heard += [decode(body, ASKS) for body in frames.feed(stream[place : place + size])]
        place += size

    assert WORDS == heard
    assert not frames.is_partial


def test_a_begun_frame_is_known() -> None:
    """So that somebody can ask how long it has been."""
    frames = Frames(100)

    assert [] == list(frames.feed(encode(WORDS[0])[:-1]))
    assert frames.is_partial


@pytest.mark.parametrize("size", [0, 101, 2**32 - 1])
def test_a_bad_length_is_refused_before_its_body(size: int) -> None:
    """Nothing is buffered for it."""
    with pytest.raises(BadFrame, match=f"{size} bytes, at most 100"):
        list(Frames(100).feed(struct.pack(">I", size)))


BAD = [b"", b"{}", b"null", b"\xff\xfe", b'{"type":"hello"}', b'{"type":"ask","ask_id":1}',
       b'{"type":"ask","ask_id":1,"command":"sudo"}', b"[" * 4_000,
       b'{"type":"ask","ask_id":"1","command":"pause"}']  # fmt: skip


@pytest.mark.parametrize("body", BAD)
def test_what_is_no_word_is_refused(body: bytes) -> None:
    """Garbage, other words, commands nobody knows."""
    with pytest.raises(BadFrame):
        decode(body, ASKS)


def test_money_keeps_every_digit() -> None:
    """Decimals travel as strings."""
    outcome = Outcome(
        ask_id=1, command=Operator.PAUSE, argument="", ruling=Ruling.DONE, seconds=0.1, ts_ns=1,
        state="PAUSED", reasons=(), orders_canceled=0, fills=0, open_orders=0,
        positions={"BTC": Decimal("-0.100000000000000000000000001")},
        equity=Decimal("9999.10000000000000000001"),
    )  # fmt: skip

    assert outcome == msgspec.json.decode(encode(outcome)[4:], type=Outcome)


def test_the_greeting_keeps_its_shape() -> None:
    """A client of any version must be able to say, and read, this much (ADR 0008)."""
    assert (
        b'{"type":"hello","version":7,"client":"cli","wants_views":false}'
        == (encode(Hello(7, "cli"))[4:])
    )
