"""Frame by frame: what each channel becomes, and what each piece of nonsense becomes."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.hyperliquid.grid import CoinGrid
from brokers.hyperliquid.listing import listed, places
from brokers.hyperliquid.parse import DETAIL_CHARS_MAX, FrameParser
from engine.model.errors import DataUnavailable, UnknownInstrument
from engine.model.instrument import Instrument
from engine.model.market import Depth, Funding, Malformed, Quote, Trade
from engine.model.orders import Side

AT_NS = 1_723_161_255_000_000_000
MS = 1_723_161_256_313
EVENT_NS = MS * 10**6
HOUR_NS = 3_600 * 10**9


def rules(tick: str = "1", coin: str = "BTC") -> Instrument:
    lot = Decimal("0.00001")
    return Instrument(
        symbol=coin, base=coin, quote="USDC", settlement="USDC", tick_size=Decimal(tick),
        lot_size=lot, min_qty=lot, min_notional=Decimal(10),
    )  # fmt: skip


def parser(tick: str = "1") -> FrameParser:
    return FrameParser({"BTC": CoinGrid(rules(tick))})


def level(px: object, sz: object = "0.5") -> dict[str, object]:
    return {"px": px, "sz": sz, "n": 3}


def bbo(bid: object = "61800", ask: object = "61801", coin: str = "BTC") -> dict[str, Any]:
    sides = [side and level(side) for side in (bid, ask)]
    return {"channel": "bbo", "data": {"coin": coin, "time": MS, "bbo": sides}}


def book(bids: list, asks: list) -> dict[str, Any]:
    data = {"coin": "BTC", "time": MS, "levels": [bids, asks]}
    return {"channel": "l2Book", "data": data}


def prints(*rows: dict[str, Any]) -> dict[str, Any]:
    whole = {
        "coin": "BTC", "side": "B", "px": "61801", "sz": "0.006", "hash": "0x0", "time": MS,
        "tid": 118906512037719, "users": ["0x1", "0x2"],
    }  # fmt: skip
    return {"channel": "trades", "data": [whole | row for row in rows]}


def asset(**changed: object) -> dict[str, Any]:
    ctx = {"funding": "0.0000125", "openInterest": "1", "markPx": "61800.5", "midPx": None}
    return {"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": ctx | changed}}


def read(frame: object, source: FrameParser | None = None) -> list:
    raw = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
    return list((source or parser()).frame(raw, AT_NS))


def flaw(frame: object) -> str:
    (event,) = read(frame)
    assert isinstance(event, Malformed), event
    return event.flaw


def test_touch() -> None:
    """In ticks and lots, stamped twice."""
    expected = Quote(AT_NS, "BTC", 61800, 50_000, 61801, 50_000, EVENT_NS)

    assert [expected] == read(bbo())


def test_book() -> None:
    """Whole, in the venue's order."""
    frame = book([level("61800", "0.1"), level("61790", "2")], [level("61801", "0.00001")])
    expected = Depth(
        AT_NS,
        "BTC",
        ((61800, 10_000), (61790, 200_000)),
        ((61801, 1),),
        is_snapshot=True,
        ts_event_ns=EVENT_NS,
    )

    assert [expected] == read(frame)


def test_prints() -> None:
    """Several in a frame, or none; a bad one spoils itself only."""
    bought = Trade(AT_NS, "BTC", 61801, 600, Side.BUY, 118906512037719, EVENT_NS)
    sold = Trade(AT_NS, "BTC", 61801, 600, Side.SELL, 8, EVENT_NS)

    assert [] == read(prints())
    assert [bought, sold] == read(prints({}, {"side": "A", "tid": 8}))
    bad, good = read(prints({"sz": "0"}, {}))
    assert ("non_positive", bought) == (bad.flaw, good)


@pytest.mark.parametrize("rate", ["0.0000125", "-0.00037500", "0.0"])
def test_funding_is_paid_on_the_next_hour(rate: str) -> None:
    """An hour's fraction, its sign kept; the mark stays decimal."""
    (event,) = read(asset(funding=rate))

    assert isinstance(event, Funding)
    assert (Decimal(rate), Decimal("61800.5")) == (event.rate, event.mark_price)
    assert 0 == event.next_ns % HOUR_NS
    assert AT_NS < event.next_ns <= AT_NS + HOUR_NS


def test_a_finer_grid_is_rounded_away_from_mid() -> None:
    """A bid down, an ask up, a print to its side of the book; a ladder's sizes add up."""
    (quote,) = read(bbo("9999.9", "10000"), parser("1"))
    assert (9999, 10000) == (quote.bid_ticks, quote.ask_ticks)
    (quote,) = read(bbo("9999.1", "9999.2"), parser("1"))
    assert (9999, 10000) == (quote.bid_ticks, quote.ask_ticks)
    (depth,) = read(
        book([level("99.9", "1"), level("99.2", "2"), level("98.7", "4")], [level("100.1", "8")])
    )
    assert (((99, 300_000), (98, 400_000)), ((101, 800_000),)) == (depth.bids, depth.asks)
    bought, sold = read(prints({"px": "99.5"}, {"px": "99.5", "side": "A"}))
    assert (100, 99) == (bought.price_ticks, sold.price_ticks)


QUIET = [
    b"Websocket connection established.",
    {"channel": "pong"},
    {"channel": "subscriptionResponse", "data": {"method": "subscribe", "subscription": {}}},
]


@pytest.mark.parametrize("frame", QUIET, ids=range(len(QUIET)))
def test_quiet_frame(frame: object) -> None:
    """The greeting is no JSON, and no flaw."""
    assert [] == read(frame)


PRICES = [
    ("NaN", "nan"),
    ("Infinity", "nan"),
    ("-1", "non_positive"),
    ("0", "non_positive"),
    ("0.0", "non_positive"),
    ("1e9", "malformed"),
    ("9" * 41, "malformed"),
    ("9" * 40, "malformed"),
    ("0." + "9" * 37, "non_positive"),
    (" 1", "malformed"),
    ("١", "malformed"),
    (61800.5, "malformed"),
    (True, "malformed"),
    ([], "malformed"),
]


@pytest.mark.parametrize(("price", "expected"), PRICES, ids=lambda p: str(p)[:12])
def test_hostile_price(price: object, expected: str) -> None:
    """Row 13 of the fault table."""
    assert expected == flaw(bbo(price))


FRAMES = [
    ("an empty side", bbo(None), "non_positive"),
    ("a size off the grid", book([level("1", "0.000001")], []), "off_grid"),
    ("nobody's coin", bbo(coin="DOGE"), "unknown_symbol"),
    ("one side", {"channel": "bbo", "data": {"coin": "BTC", "time": MS, "bbo": [None]}}, "malformed"),
    ("a third side", prints({"side": "X"}), "malformed"),
    ("an id below zero", prints({"tid": -1}), "malformed"),
    ("a time past 64 bits", prints({"time": 2**63}), "malformed"),
    ("a mark of zero", asset(markPx="0.0"), "non_positive"),
    ("a rate that is none", asset(funding="x"), "malformed"),
    ("a channel of tomorrow", {"channel": "bboV2", "data": {}}, "malformed"),
    ("an error", {"channel": "error", "data": "Invalid subscription \u001b[31m"}, "malformed"),
    ("an error of another kind", {"channel": "error", "data": {}}, "malformed"),
    ("no channel", {"data": {}}, "malformed"),
    ("no object", [], "malformed"),
    ("no JSON", b"hello", "malformed"),
    ("depth of brackets", b"[" * 100_000, "malformed"),
    ("no UTF-8", b'{"channel":"\xff"}', "malformed"),
    ("nothing", b"", "malformed"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "expected"), [r[1:] for r in FRAMES], ids=[r[0] for r in FRAMES])
def test_hostile_frame(frame: object, expected: str) -> None:
    """Whatever is wrong with it, it is a value and has a name."""
    assert expected == flaw(frame)


def test_what_the_venue_says_is_harmless() -> None:
    """And short."""
    (event,) = read({"channel": "error", "data": "\u001b]0;pwned\u0007\u202e" + "x" * 999})

    assert event.detail.isprintable()
    assert len(event.detail) <= DETAIL_CHARS_MAX


def test_keys_of_tomorrow_are_skipped() -> None:
    """Everywhere."""
    frame = bbo()
    frame["fresh"] = frame["data"]["fresh"] = frame["data"]["bbo"][0]["fresh"] = {"x": [1]}

    assert read(bbo()) == read(frame)


@settings(deadline=None)
@given(
    st.sampled_from([bbo(), prints({}, {}), book([level("5")], [level("6")]), asset()]),
    st.data(),
)
def test_any_damage_gives_events_or_flaws(frame: object, data: st.DataObject) -> None:
    """No bytes raise."""
    damaged = bytearray(json.dumps(frame).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))

    for event in read(bytes(damaged)):
        assert isinstance(event, Quote | Trade | Depth | Funding | Malformed)


def listing(*coins: dict[str, Any], price: object = "61800.5") -> bytes:
    universe = [{"name": "OLD", "szDecimals": 1, "maxLeverage": 3, "isDelisted": True}, *coins]
    contexts = [{"funding": "0", "markPx": price, "midPx": price} for _ in universe]
    return json.dumps([{"universe": universe}, contexts]).encode()


BTC = {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "onlyIsolated": False}


def test_listing() -> None:
    """Ticks from the price; the delisted row counts."""
    (item,) = listed(listing(BTC), ["BTC"])
    assert (Decimal(1), Decimal("0.00001")) == (item.tick_size, item.lot_size)
    (item,) = listed(listing(BTC, price="999.5"), ["BTC"])
    assert Decimal("0.1") == item.tick_size

    universe = json.dumps(json.loads(listing(BTC))[0]).encode()
    assert {"OLD": (0, 1), "BTC": (1, 5)} == places(universe)


LISTINGS = [
    b"",
    b"{}",
    b"[]",
    b"[{}, []]",
    b'[{"universe":[{"name":"BTC","szDecimals":-1}]},[]]',
    listing(BTC, price="0"),
    listing(BTC, price="NaN"),
    listing(BTC, price=None),
]


@pytest.mark.parametrize("body", LISTINGS, ids=range(len(LISTINGS)))
def test_a_listing_that_makes_no_sense(body: bytes) -> None:
    """Ends in one line, never in a wrong tick."""
    with pytest.raises((DataUnavailable, UnknownInstrument)):
        listed(body, ["BTC"])


def test_unknown_coins_name_a_few() -> None:
    """Not two hundred of them."""
    many = [BTC | {"name": f"C{n}"} for n in range(200)]
    with pytest.raises(UnknownInstrument) as refused:
        listed(listing(*many), ["NOPE"])

    assert len(str(refused.value)) < 120
