"""Every decoder of what comes from outside: what it is fed, and which refusals are its own."""

import gzip
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from brokers.binance.listing import listed, listed_now
from brokers.binance.parse import LineParser
from brokers.bitunix import rows
from brokers.bitunix.answers import (
    holding,
    order_report,
    read,
    said,
    to_cancel,
    to_placement,
)
from brokers.bitunix.batches import to_cancels, to_placements
from brokers.bitunix.funding import FundingSeen
from brokers.bitunix.listing import listed as bitunix_listed
from brokers.bitunix.listing import listed_now as bitunix_listed_now
from brokers.bitunix.parse import PushParser
from brokers.bitunix.user_stream import order_pushes
from brokers.bitunix.wire import read_head
from brokers.file.config import TradingRules
from brokers.file.klines import _bar
from brokers.file.rules import Sample, instrument_of
from brokers.hyperliquid.listing import listed_now as hyperliquid_listed_now
from brokers.link.account import OrderRef, Unclear
from brokers.link.answer import AnswerReader, BadAnswer
from brokers.link.exchanged import Reply
from brokers.link.grid import Grid, Refused
from brokers.link.rules_watch import Listed, difference
from engine.model.errors import DataUnavailable, StateDamaged, UnknownInstrument
from engine.model.events import INPUT_TYPES, Operator
from engine.model.instrument import Instrument
from engine.model.market import Malformed
from engine.session import checkpoint
from engine.session.control.attached import _ASKS, _GREETINGS
from engine.session.control.client import _WORDS
from engine.session.control.frames import (
    ANSWER_BYTES_MAX,
    ASK_BYTES_MAX,
    BadFrame,
    Frames,
    decode,
    encode,
)
from engine.session.control.views import View
from engine.session.control.words import Ask, Farewell, Hello, Outcome, Welcome
from engine.session.envelope import KEY_BYTES, Keyed
from engine.session.journal import MemoryJournal
from engine.session.journal_line import GENESIS
from engine.session.journal_reader import Line, input_of, proven_line
from laptop_agents.capsule import contents_of, members
from laptop_agents.profile_files import ProfileText, Unreadable
from laptop_agents.tarball import Broken, Limits, Reader, write
from tests.brokers.binance.test_listing import answer
from tests.brokers.bitunix.test_answers import ORDER_ROW
from tests.brokers.bitunix.test_parse import PRICE, PRINT, pair
from tests.brokers.bitunix.test_parse import answer as pairs
from tests.brokers.bitunix.test_user_stream import ORDER
from tests.brokers.file.captures import depth, mark, snapshot, stamped, ticker, trade
from tests.crash.journals import example


class Decoder(NamedTuple):
    """A decoder under attack."""

    make: Callable[[], Callable[[bytes], object]]
    """A fresh one, which may remember what it saw."""
    corpus: Sequence[bytes]
    refusals: tuple[type[Exception], ...]
    """How it says that a frame is none; anything else nobody catches."""


RULES: Final = TradingRules(tick_size=Decimal("0.1"), lot_size=Decimal("0.001"))
BTC: Final = instrument_of("BTCUSDT", Sample(), {"BTCUSDT": RULES})
TS: Final = 1_700_000_000_000_000_000


def _capture() -> Callable[[bytes], object]:
    return LineParser({"BTCUSDT": Grid(BTC)}).parse


def _live_frame() -> Callable[[bytes], object]:
    parser = LineParser({"BTCUSDT": Grid(BTC)})
    return lambda frame: parser.frame(frame, TS)


def _live_book() -> Callable[[bytes], object]:
    parser = LineParser({"BTCUSDT": Grid(BTC)})
    return lambda frame: parser.snapshot_of("BTCUSDT", frame, TS)


def _listing() -> Callable[[bytes], object]:
    return lambda frame: listed(frame, ["BTCUSDT", "ETHUSDT"])


def _pairs() -> Callable[[bytes], object]:
    return lambda frame: bitunix_listed(frame, ["BTCUSDT"])


def _again(read: Callable[[bytes, Sequence[Instrument]], Mapping[str, Listed]]) -> Any:
    """Compare a listing with one instrument, as a session that runs does."""
    return lambda: lambda frame: [difference(BTC, one) for one in read(frame, [BTC]).values()]


META: Final = (
    b'{"universe":[{"name":"BTCUSDT","szDecimals":5,"maxLeverage":40,"isDelisted":false}]}'
)


def _push() -> Callable[[bytes], object]:
    parser = PushParser({"BTCUSDT": Grid(BTC)})

    def take(frame: bytes) -> object:
        head = parser.head(frame, TS)
        return head if isinstance(head, Malformed) else parser.recorded(head, TS, ())

    return take


def _private_push() -> Callable[[bytes], object]:
    funding = FundingSeen()

    def take(frame: bytes) -> object:
        head = read_head(frame)
        return order_pushes(head), funding.pushed(head)

    return take


def _private_answer() -> Callable[[bytes], object]:
    def take(frame: bytes) -> object:
        told = said(Reply(200, {}, frame, 0, 0))
        if isinstance(told, Unclear):
            return told
        pages = read(told, rows.order_pages.all), read(told, rows.trade_pages.all)
        orders = [order_report(row, TS) for row in _rows_of(read(told, rows.orders.any))]
        held = [holding(row) for row in _rows_of(read(told, rows.positions.all))]
        some = to_placements(told, ["la-1"]), to_cancels(told, [OrderRef("la-1", "1", None, "")])
        return pages, orders, held, to_placement(told), to_cancel(told), some

    return take


def _http() -> Callable[[bytes], object]:
    return lambda frame: AnswerReader(1_000_000).feed(frame)


HTTP: Final = [
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}',
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{ }\r\n0\r\n\r\n",
    b"HTTP/1.1 429 Slow\r\nRetry-After: 5\r\nConnection: close\r\n\r\nwait",
]


def _rows_of(told: object) -> list[Any]:
    return told if isinstance(told, list) else []


def _json_lines(*messages: object) -> list[bytes]:
    return [msgspec.json.encode(message) for message in messages]


def _bodies(*lines: bytes) -> list[bytes]:
    """Leave out the receive times: a live source has none."""
    return [line.partition(b" ")[2] for line in lines]


def _kline() -> Callable[[bytes], object]:
    """Read a row as long as the file's reader makes every row."""

    def take(frame: bytes) -> object:
        cells = frame.decode("utf-8", "replace").split(",")
        return _bar([*cells, *[""] * 7][:7], BTC, 0)

    return take


def _asks() -> Callable[[bytes], object]:
    """Read a connection as a session does: bytes in pieces, a greeting, then commands."""

    def take(frame: bytes) -> None:
        frames = Frames(ASK_BYTES_MAX)
        for piece in (frame[:3], frame[3:]):
            for body in frames.feed(piece):
                decode(body, _ASKS if body.startswith(b'{"type":"ask"') else _GREETINGS)

    return take


def _answers() -> Callable[[bytes], object]:
    def take(frame: bytes) -> None:
        for body in Frames(ANSWER_BYTES_MAX).feed(frame):
            decode(body, _WORDS)

    return take


def _framed(*words: msgspec.Struct) -> list[bytes]:
    return [encode(word) for word in words]


def _lines() -> list[bytes]:
    """Lines of every input, each as the first one of a journal, so that one proof fits all."""
    made = []
    for seed, kind in enumerate(INPUT_TYPES.values(), start=1):
        journal = MemoryJournal()
        journal.extend([example(kind, seed)])
        made += journal.lines
    return made


def _journal() -> Callable[[bytes], object]:
    """Read a line as it stands, and again with a hash that fits what it says now."""

    def take(frame: bytes) -> object:
        proven = proven_line(frame, GENESIS, 1)
        body = frame[:-77] + b"}"
        forged = body[:-1] + b',"hash":"' + sha256(body).hexdigest().encode() + b'"}\n'
        other = proven_line(forged, GENESIS, 1)
        return [input_of(line) for line in (proven, other) if isinstance(line, Line)]

    return take


def _checkpoints() -> list[bytes]:
    shell = checkpoint.ShellState(1, None, 2, 3, 4, 5)
    state = checkpoint.Checkpoint("1", 9, "ab" * 32, 100, TS, shell, b"kernel" * 9, b"venue" * 9)
    return [checkpoint.encode(state)]


def _checkpoint() -> Callable[[bytes], object]:
    """Read a file as it stands, and again with a digest that fits what it says now."""
    head = len(checkpoint._MAGIC) + checkpoint._DIGEST

    def take(frame: bytes) -> object:
        body = frame[head:]
        sealed = checkpoint._MAGIC + sha256(body).digest() + body
        return checkpoint.decode(frame), checkpoint.decode(sealed)

    return take


KEYED: Final = Keyed(bytes(KEY_BYTES))


def _sealed() -> Callable[[bytes], object]:
    return lambda frame: KEYED.open(frame, b"run/file")


def _profile(is_json: bool) -> Callable[[], Callable[[bytes], object]]:
    def take(frame: bytes) -> object:
        return ProfileText("x", frame.decode("utf-8", "replace"), is_json=is_json).tree()

    return lambda: take


TOML: Final = (
    b'mode = "paper"\nsymbols = ["BTCUSDT"]\n',
    b"[risk]\nmax_loss_pct = 1.5\nmax_open_orders = 20\n",
    b'[agents]\nenabled = ["trend"]\ntrend.fast = 8\n',
    b"# words\n[session]\nspeed = 1\nstart_ns = 17_000\n",
)
JSON: Final = (
    b'{"mode": "paper", "symbols": ["BTCUSDT"]}',
    b'{"risk": {"max_loss_pct": 1.5, "max_open_orders": 20}}',
)


def _capsules() -> list[bytes]:
    """Tar files as the program writes them, unpacked: damage behind a checksum is never read."""
    files = {"manifest.json": b'{"run_id":"one"}', "events.jsonl": b"".join(_lines()[:2])}
    described = {
        name: {"bytes": len(text), "sha256": sha256(text).hexdigest()}
        for name, text in files.items()
    }
    contents = {
        "capsule": 1, "run_id": "one", "files": described, "lines": 2, "head_hash": "ab" * 32,
        "program": "1", "exported_at": "now",
    }  # fmt: skip
    packed = io.BytesIO()
    every = {"capsule.json": msgspec.json.encode(contents), **files}
    write(packed, [(name, io.BytesIO(text), len(text)) for name, text in every.items()])
    return [gzip.decompress(packed.getvalue())[:6_144]]


def _capsule() -> Callable[[bytes], object]:
    def take(frame: bytes) -> None:
        file: Any = io.BytesIO(gzip.compress(frame, 0))
        with closing(Reader(file, Limits())) as reader:
            for _, content in members(reader, contents_of(reader)):
                for _ in content:
                    pass

    return take


def _packed_capsule() -> Callable[[bytes], object]:
    def take(frame: bytes) -> None:
        file: Any = io.BytesIO(frame)
        with closing(Reader(file, Limits(bytes=1 << 20))) as reader:
            for _ in reader.members():
                pass

    return take


ASKS: Final = _framed(
    Hello(1, "cli"), Hello(1, "screen", True), Ask(1, Operator.PAUSE), Ask(2, Operator.KILL, "x")
)
ANSWERS: Final = _framed(
    *(example(kind, 3) for kind in (Welcome, Outcome, View)), Farewell("duration")
)
KLINES: Final = (
    b"1499040000000,100.0,101.5,99.9,100.1,12.345,BTCUSDT",
    b"1499040000000000,100.0,100.0,100.0,100.0,0,BTCUSDT",
)

DECODERS: Final = {
    "capture_line": Decoder(
        _capture, [ticker(), trade(), depth(), mark(), snapshot(), stamped('{"id":1}')], ()
    ),
    "live_frame": Decoder(_live_frame, _bodies(ticker(), trade(), depth(), mark()), ()),
    "live_book": Decoder(_live_book, _bodies(snapshot()), ()),
    "live_listing": Decoder(_listing, [answer()], (DataUnavailable, UnknownInstrument)),
    "bitunix_push": Decoder(
        _push,
        _json_lines(
            {
                "ch": "depth_book1",
                "symbol": "BTCUSDT",
                "ts": 5,
                "data": {"b": [["60000.1", "0.002"]], "a": [["60000.3", "1"]]},
            },
            {"ch": "trade", "symbol": "BTCUSDT", "ts": 5, "data": [PRINT]},
            {"ch": "price", "symbol": "BTCUSDT", "ts": 5, "data": PRICE | {"nft": "1733328000000"}},
            {"code": 0, "data": {"symbol": "BTCUSDT", "fundingRate": "0.01"}},
        ),
        (),
    ),
    "bitunix_listing": Decoder(_pairs, [pairs(pair())], (DataUnavailable, UnknownInstrument)),
    "live_listing_again": Decoder(_again(listed_now), [answer()], (DataUnavailable,)),
    "bitunix_listing_again": Decoder(
        _again(bitunix_listed_now), [pairs(pair())], (DataUnavailable,)
    ),
    "hyperliquid_listing_again": Decoder(
        _again(hyperliquid_listed_now), [META], (DataUnavailable,)
    ),
    "bitunix_private_push": Decoder(
        _private_push,
        _json_lines(
            {"ch": "order", "ts": 5, "data": ORDER},
            {"ch": "position", "ts": 5, "data": {"positionId": "7", "funding": "0.5"}},
        ),
        (msgspec.MsgspecError, UnicodeDecodeError, RecursionError),
    ),
    "bitunix_private_answer": Decoder(
        _private_answer,
        _json_lines(
            {"code": 0, "data": {"orderList": [ORDER_ROW]}, "msg": "Success"},
            {"code": 0, "data": [ORDER_ROW], "msg": "Success"},
            {"code": 0, "data": [{"symbol": "BTCUSDT", "side": "BUY", "qty": "1.5"}]},
            {"code": "20007", "data": None, "msg": "Order not found"},
            {"code": 0, "data": {"successList": [], "failureList": [{"errorCode": 20007}]}},
        ),
        (),
    ),
    "http_answer": Decoder(_http, HTTP, (BadAnswer,)),
    "kline_row": Decoder(_kline, KLINES, (Refused,)),
    "control_asks": Decoder(_asks, ASKS, (BadFrame,)),
    "control_answers": Decoder(_answers, ANSWERS, (BadFrame,)),
    "journal_line": Decoder(_journal, _lines(), (StateDamaged,)),
    "checkpoint": Decoder(_checkpoint, _checkpoints(), ()),
    "sealed_checkpoint": Decoder(
        _sealed, [KEYED.seal(content, b"run/file") for content in _checkpoints()], ()
    ),
    "profile_toml": Decoder(_profile(False), TOML, (Unreadable,)),
    "profile_json": Decoder(_profile(True), JSON, (Unreadable,)),
    "capsule_tar": Decoder(_capsule, _capsules(), (Broken,)),
    "capsule_gzip": Decoder(
        _packed_capsule, [gzip.compress(tar, mtime=0) for tar in _capsules()], (Broken,)
    ),
}
