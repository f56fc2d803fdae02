"""Line by line: what each stream becomes, and what each piece of nonsense becomes."""

import re
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from brokers.binance.parse import (
    DETAIL_CHARS_MAX,
    LINE_BYTES_MAX,
    STREAMS_MAX,
    LineParser,
    split_stream,
)
from brokers.file.config import TradingRules
from brokers.file.rules import Sample, instrument_of
from brokers.link.grid import Grid
from engine.model.market import Depth, Funding, Malformed, Quote, Trade
from engine.model.orders import Side
from tests.brokers.file.captures import T0_NS, depth, mark, snapshot, stamped, ticker, trade

RULES = TradingRules(tick_size=Decimal("0.1"), lot_size=Decimal("0.001"))
EVENT_NS = 1_723_161_256_313_000_000


def grid(symbol: str = "BTCUSDT") -> Grid:
    return Grid(instrument_of(symbol, Sample(), {symbol: RULES}))


def parser(**kw) -> LineParser:
    return LineParser({"BTCUSDT": grid()}, **kw)


def flaw(line: bytes, source: LineParser | None = None) -> str:
    event = (source or parser()).parse(line)
    assert isinstance(event, Malformed), event
    return event.flaw


def test_quote() -> None:
    """A bookTicker becomes a quote in ticks and lots, stamped twice."""
    quote = Quote(T0_NS, "BTCUSDT", 618002, 2507, 619003, 2510, EVENT_NS, 7)

    assert quote == parser().parse(ticker())


@pytest.mark.parametrize("kind", ["trade", "aggTrade"])
def test_trade(kind: str) -> None:
    """A print's aggressor is the side that did not make."""
    expected = Trade(T0_NS, "BTCUSDT", 618003, 6, Side.BUY, 11, 1_723_161_256_321_000_000)
    sold = trade(kind=kind).replace(b'"m":false', b'"m":true')

    assert expected == parser().parse(trade(kind=kind))
    assert parser().parse(sold).aggressor is Side.SELL


def test_depth() -> None:
    """A diff keeps its order, its zero sizes and its three sequence numbers."""
    expected = Depth(
        T0_NS,
        "BTCUSDT",
        ((587102, 14), (615109, 0)),
        ((619003, 1500),),
        first_seq=100,
        last_seq=105,
        prev_seq=99,
        ts_event_ns=1_723_161_256_298_000_000,
    )

    assert expected == parser().parse(depth())


def test_spot_depth_names_its_predecessor_by_contiguity() -> None:
    """Without `pu` and `T`, the update before ends one below `U`, and `E` is the time."""
    line = depth().replace(b'"pu":99,', b"").replace(b'"T":1723161256298,', b"")
    event = parser().parse(line)

    assert event.prev_seq == 99
    assert event.ts_event_ns == 1_723_161_256_299_000_000


def test_snapshot() -> None:
    """A line without a stream but with lastUpdateId is the whole book of the file's symbol."""
    expected = Depth(
        T0_NS,
        "BTCUSDT",
        ((618002, 2909), (618001, 696)),
        ((618003, 500),),
        is_snapshot=True,
        first_seq=105,
        last_seq=105,
        ts_event_ns=1_723_161_256_493_000_000,
    )

    assert expected == parser().parse(snapshot())


def test_snapshot_of_two_symbols_is_nobodys() -> None:
    """Where a file has two symbols, an unnamed snapshot is not guessed at."""
    both = LineParser({"BTCUSDT": grid(), "ETHUSDT": grid("ETHUSDT")})
    named = snapshot().replace(b'"E":', b'"symbol":"ETHUSDT","E":')

    assert flaw(snapshot(), both) == "unknown_symbol"
    assert flaw(snapshot(), parser(ignored={"ETHUSDT"})) == "unknown_symbol"
    assert both.parse(named).symbol == "ETHUSDT"


@pytest.mark.parametrize("rate", ["0.00002760", "-0.00037500", "0"])
def test_funding(rate: str) -> None:
    """A mark price stays decimal, the rate keeps its sign, `T` is the next settlement."""
    expected = Funding(
        T0_NS,
        "BTCUSDT",
        Decimal("28155.10000001"),
        Decimal(rate),
        1_680_681_600_000_000_000,
        1_680_652_800_010_000_000,
    )

    assert expected == parser().parse(mark(rate))


PRICES = [
    # raw JSON of the bid, flaw
    ('"NaN"', "nan"),
    ('"Infinity"', "nan"),
    ('"-Infinity"', "nan"),
    ('"1e999"', "malformed"),
    ('"-1"', "non_positive"),
    ('"0"', "non_positive"),
    ('"0.00"', "non_positive"),
    ('""', "malformed"),
    ("null", "malformed"),
    ("true", "malformed"),
    ("NaN", "malformed"),
    ("1e999", "malformed"),
    ("61800.2", "malformed"),
    ("[]", "malformed"),
    ("[" * 100_000, "malformed"),
    ("9" * 5_000, "malformed"),
    (f'"{"9" * 5_000}"', "malformed"),
    ('"61800.25"', "off_grid"),
    ('"\\ud800"', "malformed"),
]


@pytest.mark.parametrize(("price", "expected"), PRICES, ids=lambda text: text[:12])
def test_hostile_price(price: str, expected: str) -> None:
    """Row 13 of the fault table: refused with the right flaw, at the right time and symbol."""
    event = parser().parse(ticker(price))

    assert isinstance(event, Malformed)
    assert (T0_NS, "BTCUSDT", expected) == (event.ts_ns, event.symbol, event.flaw)


LINES = [
    # name,                  line,                                                    flaw
    ("bad JSON", stamped('{"stream":"btcusdt@trade","data":{'), "malformed"),
    ("not JSON", stamped("hello"), "malformed"),
    ("JSON of nothing", stamped("{}"), "malformed"),
    ("an array", stamped("[1]"), "malformed"),
    ("no time", ticker().partition(b" ")[2], "malformed"),
    ("time in words", ticker(at="yesterday"), "malformed"),
    ("time of 5,000 digits", ticker(at="1" * 5_000), "malformed"),
    ("time below zero", ticker(at=-1_723_161_255), "malformed"),
    ("time in other digits", ticker(at="١٧٢٣١٦١٢٥٥"), "malformed"),
    ("invalid UTF-8", ticker('"\xff"').replace(b"\xc3\xbf", b"\xff"), "malformed"),
    ("over a MiB", ticker(f'"{"1" * LINE_BYTES_MAX}"'), "oversize"),
    ("another symbol", ticker(symbol="ETHUSDT"), "unknown_symbol"),
    ("two symbols", ticker().replace(b'"s":"BTC', b'"s":"ETH'), "unknown_symbol"),
    ("unknown stream", ticker().replace(b"@bookTicker", b"@gossip"), "malformed"),
    ("payload of another type", trade().replace(b"@trade", b"@bookTicker"), "malformed"),
    ("no size traded", trade().replace(b'"0.006"', b'"0"'), "non_positive"),
    ("an empty side", ticker().replace(b'"2.510"', b'"0.000"'), "non_positive"),
    ("depth at price zero", depth().replace(b"58710.20", b"0.00"), "non_positive"),
    ("id past 64 bits", ticker().replace(b'"u":7', b'"u":9223372036854775808'), "malformed"),
    ("time past 64 bits", ticker().replace(b"1723161256313", b"9223372036855"), "malformed"),
    ("funding rate NaN", mark("NaN"), "nan"),
    ("funding rate nothing", mark(""), "malformed"),
    ("mark price zero", mark(price="0.0"), "non_positive"),
]


@pytest.mark.parametrize(
    ("line", "expected"), [row[1:] for row in LINES], ids=[r[0] for r in LINES]
)
def test_hostile_line(line: bytes, expected: str) -> None:
    """Whatever is wrong with a line, it is a value and has a name."""
    assert expected == flaw(line)


QUIET = [
    stamped('{"stream":"btcusdt@kline_1m","data":{}}'),
    stamped('{"stream":"btcusdt@forceOrder","data":{}}'),
    stamped('{"result":null,"id":1}'),
    ticker(symbol="ETHUSDT"),
    trade(kind="aggTrade"),
]


@pytest.mark.parametrize("line", QUIET, ids=range(len(QUIET)))
def test_quiet_line(line: bytes) -> None:
    """What we have no use for is neither an event nor a flaw."""
    source = parser(ignored={"ETHUSDT"}, muted=["btcusdt@aggTrade"])

    assert source.parse(line) is None
    assert source.parse(line) is None
    assert source.parse(ticker()) is not None


def test_spacing_and_key_order_do_not_matter() -> None:
    """JSON is JSON: the quick look at the first bytes is an optimization only."""
    compact = ticker()
    time, _, body = compact.partition(b" ")
    stream, data = re.fullmatch(rb'\{("stream":"[^"]*"),("data":.*)\}', body).groups()

    for other in (b"{ " + stream + b" , " + data + b"}", b"{" + data + b"," + stream + b"}"):
        assert parser().parse(compact) == parser().parse(time + b" " + other)


def test_streams_remembered_are_bounded() -> None:
    """Endless new stream names cost no memory."""
    source = parser()
    for n in range(STREAMS_MAX + 50):
        source.parse(ticker().replace(b"@bookTicker", b"@bookTicker@%d" % n))

    assert len(source._routes) <= STREAMS_MAX


@settings(deadline=None)
@given(st.text(max_size=300))
def test_detail_is_harmless(text: str) -> None:
    """No control, format, surrogate, private or line-end character gets out; nor too many."""
    detail = parser().flawed("malformed", text).detail

    assert len(detail) <= DETAIL_CHARS_MAX
    assert not {unicodedata.category(c) for c in detail} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert len(detail) == min(len(text), DETAIL_CHARS_MAX)


def test_escape_sequences_of_a_venue_do_not_get_out() -> None:
    """A price that is a terminal command arrives defused."""
    event = parser().parse(ticker('"\\u001b]0;pwned\\u0007\\u202e"'))

    assert event.detail.isprintable()
    assert "pwned" in event.detail


@settings(deadline=None)
@given(st.binary(max_size=400))
@example(b"")
@example(b" ")
@example(b"1723161255000000000 ")
@example(b'1723161255000000000 {"stream":"')
def test_any_bytes_give_an_event_or_nothing(line: bytes) -> None:
    """No bytes raise."""
    event = parser().parse(line)

    assert event is None or isinstance(event, Malformed)


@settings(deadline=None)
@given(st.sampled_from([ticker(), trade(), depth(), mark(), snapshot()]), st.data())
def test_any_damage_gives_an_event_or_nothing(line: bytes, data: st.DataObject) -> None:
    """No damaged message raises, and the one after it is read as ever."""
    source = parser(start_ns=T0_NS)
    damaged = bytearray(line)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))
    source.parse(bytes(damaged))

    assert source.parse(ticker(at=T0_NS)).bid_ticks == 618002


def test_split_stream() -> None:
    """Symbol and kind, without interval or speed."""
    assert split_stream("btcusdt@kline_1m") == ("BTCUSDT", "kline")
    assert split_stream("btcusdt@depth@100ms") == ("BTCUSDT", "depth")
    assert split_stream("btcusd_perp@trade") == ("BTCUSD_PERP", "trade")
    assert split_stream("") == ("", "")
