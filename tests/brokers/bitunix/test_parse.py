"""Messages of the public line to events: every channel of the sheet, and what is wrong with some."""

import json
from decimal import Decimal

import pytest

from brokers.bitunix.listing import listed
from brokers.bitunix.moments import moment_ns
from brokers.bitunix.parse import PushParser
from brokers.link.grid import Grid, Refused
from engine.model.errors import DataUnavailable, UnknownInstrument
from engine.model.instrument import Instrument
from engine.model.market import Depth, Funding, Malformed, Quote, Trade
from engine.model.orders import Side

AT = 1_733_312_207_000_000_000
TS = 1_733_312_206_123


def pair(**fields: object) -> dict:
    row = {
        "symbol": "BTCUSDT", "base": "BTC", "quote": "USDT", "minTradeVolume": "0.0001",
        "minBuyPriceOffset": "-0.95", "maxSellPriceOffset": "100",
        "maxLimitOrderVolume": "300", "maxMarketOrderVolume": "100", "basePrecision": 4,
        "quotePrecision": 1, "minLeverage": 1, "maxLeverage": 125, "defaultLeverage": 20,
        "defaultMarginMode": "1", "priceProtectScope": "0.02", "symbolStatus": "OPEN",
        "isApiSupported": True, "maxFundingRate": "0.3", "minFundingRate": "-0.3",
    }  # fmt: skip
    return row | fields


def answer(*rows: object, code: object = 0) -> bytes:
    return json.dumps({"code": code, "data": list(rows), "msg": "Success"}).encode()


BTC = listed(answer(pair()), ["BTCUSDT"])[0]


def parser(**options: object) -> PushParser:
    return PushParser({"BTCUSDT": Grid(BTC)}, **options)


def push(ch: str, data: object, parse: PushParser | None = None, symbol: str = "BTCUSDT") -> tuple:
    parse = parse or parser()
    body = json.dumps({"ch": ch, "symbol": symbol, "ts": TS, "data": data}).encode()
    head = parse.head(body, AT)
    return (head,) if isinstance(head, Malformed) else parse.push(head, AT)


def flaw(ch: str, data: object) -> str:
    (event,) = push(ch, data)
    assert isinstance(event, Malformed), event
    return event.flaw


def test_a_quote() -> None:
    """The touch with its sizes; the venue's time is milliseconds."""
    data = {"b": [["60000.1", "0.0020"]], "a": [["60000.3", "3.34"]]}
    assert (Quote(AT, "BTCUSDT", 600001, 20, 600003, 33400, TS * 10**6),) == push(
        "depth_book1", data
    )


def test_a_book_is_whole() -> None:
    """A snapshot every time; a level without size is none."""
    data = {"b": [["60000.1", "0.002"], ["60000.0", "0"]], "a": [["60000.3", "1"]]}
    assert (
        Depth(AT, "BTCUSDT", ((600001, 20),), ((600003, 10000),), is_snapshot=True,
              ts_event_ns=TS * 10**6),
    ) == push("depth_book15", data)  # fmt: skip


PRINT = {"t": "2024-12-04T11:36:47.959908526Z", "p": "60000.5", "v": "0.001", "s": "buy"}


def test_trades_are_told_once_in_order() -> None:
    """To the nanosecond; nothing numbers them, so time, price, size and side do."""
    parse = parser()
    later = PRINT | {"t": "2024-12-04T11:36:48Z", "s": "sell"}
    first, second = push("trade", [later, PRINT], parse)

    at_ns = 1_733_312_207_959_908_526
    assert Trade(AT, "BTCUSDT", 600005, 10, Side.BUY, 0, at_ns) == first
    assert (Side.SELL, 1_733_312_208 * 10**9) == (second.aggressor, second.ts_event_ns)
    assert () == push("trade", [PRINT, later], parse)
    (other,) = push("trade", [PRINT, PRINT | {"v": "0.002"}], parse)
    assert 20 == other.qty_lots


def test_one_bad_trade_does_not_take_the_others_with_it() -> None:
    """Each is judged alone."""
    events = push("trade", [PRINT, PRINT | {"p": "-1"}, PRINT | {"s": "up"}])
    assert [Malformed, Malformed, Trade] == [type(event) for event in events]


PRICE = {"mp": "60000.123", "ip": None, "fr": "-0.0125", "ft": "2024-12-04T08:00:00Z"}


@pytest.mark.parametrize("nft", ["2024-12-04T16:00:00Z", "1733328000000", 1733328000000])
def test_funding_is_in_percentage_points(nft: object) -> None:
    """-0.0125 means -0.0125 %; the settlement is ISO or milliseconds."""
    expected = Funding(
        AT, "BTCUSDT", Decimal("60000.123"), Decimal("-0.000125"),
        1_733_328_000 * 10**9, TS * 10**6,
    )  # fmt: skip
    assert (expected,) == push("price", PRICE | {"nft": nft})
    assert (expected,) == push("market_price", PRICE | {"nft": nft})


def test_the_unit_of_funding_is_a_switch() -> None:
    """One source says fraction."""
    (event,) = push("price", PRICE | {"nft": 5}, parser(funding_in_percent=False))
    assert Decimal("-0.0125") == event.rate


def test_the_coming_rate_counts() -> None:
    """What REST says will be paid goes before what the line says was paid."""
    parse = parser()
    body = {"symbol": "BTCUSDT", "markPrice": "1", "fundingRate": "0.01", "indexPrice": None}
    head = parse.head(json.dumps({"code": 0, "data": body}).encode(), AT)
    assert () == parse.rate("BTCUSDT", head, AT)
    (event,) = push("price", PRICE | {"nft": 5}, parse)
    assert Decimal("0.0001") == event.rate

    (refused,) = parse.rate("BTCUSDT", head_of(parse, body | {"symbol": "ETHUSDT"}), AT)
    assert "unknown_symbol" == refused.flaw


def head_of(parse: PushParser, data: object) -> object:
    return parse.head(json.dumps({"code": 0, "data": data}).encode(), AT)


FLAWS = [
    ("depth_book1", {"b": [], "a": [["1", "1"]]}, "non_positive"),
    ("depth_book1", {"b": [["0", "1"]], "a": [["1", "1"]]}, "non_positive"),
    ("depth_book1", {"b": [["1", "0"]], "a": [["1", "1"]]}, "non_positive"),
    ("depth_book1", {"b": [["NaN", "1"]], "a": [["1", "1"]]}, "nan"),
    ("depth_book1", {"b": [["1.05", "1"]], "a": [["2", "1"]]}, "off_grid"),
    ("depth_book1", {"b": [["1"]], "a": [["2", "1"]]}, "malformed"),
    ("depth_book1", None, "malformed"),
    ("depth_book15", {"b": [[1.5, 1]], "a": []}, "malformed"),
    ("trade", [PRINT | {"t": "yesterday"}], "malformed"),
    ("trade", [PRINT | {"t": "2024-13-04T11:36:47Z"}], "malformed"),
    ("trade", [PRINT | {"v": "0"}], "non_positive"),
    ("trade", "none", "malformed"),
    ("price", {"mp": "0", "fr": "0", "nft": 5}, "non_positive"),
    ("price", {"mp": "1", "fr": "inf", "nft": 5}, "nan"),
    ("price", {"mp": "1", "fr": "0", "nft": -5}, "malformed"),
    ("price", {"mp": "1", "fr": "0", "nft": 10**30}, "malformed"),
]


@pytest.mark.parametrize(("ch", "data", "expected"), FLAWS)
def test_what_is_wrong_is_named(ch: str, data: object, expected: str) -> None:
    """As a `Malformed`, never as an exception."""
    assert expected == flaw(ch, data)


def test_other_symbols_and_other_channels() -> None:
    """The first is a flaw, the second none of our business; new keys are skipped."""
    (event,) = push("depth_book1", {}, symbol="DOGEUSDT")
    assert "unknown_symbol" == event.flaw
    assert () == push("mark_kline_1min", {"o": "1"})
    data = {"b": [["1.1", "1"]], "a": [["1.2", "1"]], "new": [1]}
    assert isinstance(push("depth_book1", data)[0], Quote)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"ch":5}', b"[" * 100_000, b'{"ts":-1}'])
def test_no_message_at_all(body: bytes) -> None:
    """Any bytes in, never an exception out."""
    assert "malformed" == parser().head(body, AT).flaw


@pytest.mark.parametrize(
    "told",
    ["", "x", "2024-12-04", "-5", "9" * 41, 2**80, "2262-05-01T00:00:00Z", "1960-01-01T00:00:00Z"],
)
def test_no_time_at_all(told: object) -> None:
    """Refused, however it is written."""
    with pytest.raises(Refused):
        moment_ns(told)


def test_times_with_another_zone() -> None:
    """Are converted; without one it is UTC."""
    assert 1_733_312_207 * 10**9 == moment_ns("2024-12-04T12:36:47+01:00")
    assert 1_733_312_207 * 10**9 + 5 * 10**8 == moment_ns("2024-12-04 11:36:47.5")


def test_a_listing() -> None:
    """Steps are powers of ten; sizes and leverage as told; rows nobody asked for may be anything."""
    odd = {"symbol": "XUSDT", "quote": "USDT", "basePrecision": "many"}
    found = listed(answer(odd, 5, {"symbol": 5, "quote": "USDT"}, pair(), pair(symbol="AUSDT", minTradeVolume="10", basePrecision=0,
                                            maxLeverage="50")), ["AUSDT", "BTCUSDT"])  # fmt: skip
    assert [
        Instrument(symbol="AUSDT", base="BTC", quote="USDT", settlement="USDT",
                   tick_size=Decimal("0.1"), lot_size=Decimal(1), min_qty=Decimal(10),
                   max_leverage=50),
        Instrument(symbol="BTCUSDT", base="BTC", quote="USDT", settlement="USDT",
                   tick_size=Decimal("0.1"), lot_size=Decimal("0.0001"),
                   min_qty=Decimal("0.0001"), max_leverage=125),
    ] == found  # fmt: skip
    assert "10" == f"{found[0].min_qty}"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (answer(pair(symbolStatus="CANCEL_ONLY")), "can't be traded now: CANCEL_ONLY"),
        (answer(pair(symbolStatus="PRE\x1bVIEW")), "can't be traded now: PRE"),
        (answer(pair(isApiSupported=False)), "not by programs"),
        (answer(pair(quotePrecision=99)), "can't be read"),
        (answer(code=10006), "answered 10006"),
        (b'{"code":"403","data":null,"msg":"no\\u001b"}', "answered 403: no"),
        (b"<html>", "can't be read"),
    ],
)
def test_no_listing(body: bytes, said: str) -> None:
    """Says why, in harmless words."""
    with pytest.raises(DataUnavailable, match=said) as refused:
        listed(body, ["BTCUSDT"])
    assert "\x1b" not in str(refused.value)


def test_a_symbol_nobody_lists() -> None:
    """Names what there is; contracts in other coins are none."""
    with pytest.raises(UnknownInstrument, match="offers BTCUSDT"):
        listed(answer(pair(), pair(symbol="BTCUSD", quote="USD")), ["BTCUSD"])
