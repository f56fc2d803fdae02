"""Funding is paid once, at the announced rate; liquidation comes when the margin is gone."""

import gzip
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.market import Funding
from engine.model.money import ROUNDED
from engine.model.venue_events import VenueFunding
from tests.brokers.paper.desk import BUY, MS, SELL, START_NS, STOP, Desk, instrument

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("LAPTOP_AGENTS_DATA", ROOT.parent / "shared" / "data"))
CAPTURES = [
    DATA / "raw" / f"binance_usdm_btcusdt_{day}.jsonl.gz" for day in ("20230404", "20230405")
]
DUE = START_NS + 60_000 * MS
NEXT = DUE + 28_800_000 * MS


def held(lots: int) -> Desk:
    desk = Desk()
    desk.quote()
    desk.place(BUY if lots > 0 else SELL, abs(lots))
    return desk


SEQUENCES = [
    # (ms after start, rate, next), each; the amounts for a long of 10 lots at mark 100
    ([(0, "0.0001", DUE), (59_999, "0.0002", DUE)],                                             []),
    ([(0, "0.0001", DUE), (60_000, "0.0002", DUE), (61_000, "0.0009", NEXT)],                   ["-0.0002"]),
    ([(0, "0.0001", DUE), (60_500, "0.0009", NEXT), (61_000, "0.0009", NEXT)],                  ["-0.0001"]),
    ([(0, "-0.0001", DUE), (60_500, "0.0009", NEXT)],                                           ["0.0001"]),
    ([(60_010, "0.0003", DUE), (61_000, "0.0009", NEXT), (62_000, "0.0009", NEXT)],             ["-0.0003"]),
    ([(60_500, "0.0009", NEXT), (61_000, "0.0009", NEXT)],                                      []),
    ([(0, "0.0001", DUE), (60_500, "0.0009", NEXT), (60_400, "0.1", DUE), (61_000, "0.1", NEXT)], ["-0.0001"]),
]  # fmt: skip


@pytest.mark.parametrize(("messages", "expected"), SEQUENCES)
def test_settles_once(messages, expected) -> None:
    """The first message at or past the announced time settles, at the last rate announced for it."""
    desk = held(10)
    for at_ms, rate, next_ns in messages:
        desk.funding("100", rate, next_ns, ts_event_ns=START_NS + at_ms * MS)
    amounts = [event.amount for event in desk.events if isinstance(event, VenueFunding)]

    assert [Decimal(amount) for amount in expected] == amounts


def test_shorts_receive_and_flat_pays_nothing() -> None:
    """The sign follows the position; no position, no event."""
    for lots, expected in ((-10, ["funding 0.0001000"]), (0, [])):
        desk = held(lots) if lots else Desk()
        desk.funding("100", "0.0001", DUE)
        desk.now_ns = DUE

        assert expected == desk.funding("100", "0.0001", NEXT)


@pytest.mark.parametrize(
    ("mark", "rate"), [("NaN", "0.1"), ("0", "0.1"), ("-1", "0.1"), ("1", "NaN")]
)
def test_a_faulty_announcement_is_ignored(mark, rate) -> None:
    """Neither mark nor rate move."""
    desk = held(10)
    desk.funding("100", "0.0001", DUE)
    desk.now_ns = DUE

    assert [] == desk.funding(mark, rate, DUE)
    assert ["funding -0.0001000"] == desk.funding("100", "0.0001", NEXT)


def test_funding_moves_equity_exactly() -> None:
    """What the event says is what the account lost."""
    desk = held(10)
    desk.funding("100.05", "0.0001", DUE)
    before = desk.venue.equity
    desk.now_ns = DUE
    desk.funding("100.05", "0.0001", NEXT)

    assert before + desk.events[-1].amount == desk.venue.equity


@pytest.mark.skipif(
    not all(path.exists() for path in CAPTURES),
    reason="recorded data not found: LAPTOP_AGENTS_DATA",
)
@pytest.mark.parametrize("first", [0, 1])
def test_the_real_settlement_of_2023_04_05(first) -> None:
    """One payment at 00:00:00, at 0.00002760, with or without the day before."""
    desk = Desk(instruments=(instrument("BTCUSDT"),))
    messages = [mark for path in CAPTURES[first:] for mark in marks(path)]
    desk.now_ns = messages[0].ts_ns - 1
    desk.quote(281_550, 281_551, symbol="BTCUSDT")
    desk.place(BUY, 10, symbol="BTCUSDT")
    for message in messages:
        desk.observe(message)
    paid = [event for event in desk.events if isinstance(event, VenueFunding)]

    assert 1 == len(paid)
    assert Decimal("0.00002760") == paid[0].rate
    assert -Decimal("0.010") * paid[0].mark_price * paid[0].rate == paid[0].amount
    assert abs(paid[0].ts_ns - 1_680_652_800_000_000_000) < 1_500 * MS


def marks(path: Path) -> list[Funding]:
    """Read the markPrice lines of a capture and nothing else."""
    found = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if '"markPriceUpdate"' not in line:
                continue
            received, payload = line.split(" ", 1)
            data = json.loads(payload)["data"]
            mark, rate = Decimal(data["p"]), Decimal(data["r"])
            due_ns, event_ns = data["T"] * MS, data["E"] * MS
            found.append(Funding(int(received) * 1000, "BTCUSDT", mark, rate, due_ns, event_ns))
    return found


def leveraged(side, lots: int = 900, **settings) -> Desk:
    """About 90 of notional on 5 of balance: the margin is gone near 5 %."""
    desk = Desk(
        balance="5", leverage=Decimal(20), taker_fee_bps=Decimal(0), taker_model="touch", **settings
    )
    desk.quote()
    desk.place(side, lots, order_id="open")
    return desk


@pytest.mark.parametrize(("side", "step"), [(BUY, -1), (SELL, 1)])
def test_liquidation_comes_exactly_when_equity_is_below_maintenance(side, step) -> None:
    """Tick by tick, the venue and the formula written out agree on the quote that ends it."""
    desk = leveraged(side)
    entry = 1001 if side is BUY else 1000
    for drift in range(200):
        bid, ask = 1000 + step * drift, 1001 + step * drift
        words = desk.quote(bid, ask)
        mid = Decimal(bid + ask) / 20
        held = side.sign * Decimal("0.9")
        equity = 5 + held * (mid - entry * Decimal("0.1"))
        is_dead = equity < Decimal("0.9") * mid * Decimal("0.004")

        assert is_dead == bool(words)
        if is_dead:
            closing = bid if side is BUY else ask
            assert [f"liquidation-1 fill 900@{closing} taker"] == words
            return
    pytest.fail("never liquidated")


def test_liquidation_cancels_everything_first() -> None:
    """No order of ours survives it; each gets its terminal answer."""
    desk = leveraged(BUY, 850)
    desk.place(BUY, 5, 920, order_id="bid")
    desk.place(SELL, 5, order_id="stop", type=STOP, trigger=905)
    desk.quote(970, 971)
    words = desk.quote(930, 931)

    assert ["bid canceled", "stop canceled", "liquidation-1 fill 850@930 taker"] == words
    assert 0 == desk.position()


def test_mark_price_rules_where_announced() -> None:
    """With a mark, quotes don't liquidate; the next mark does."""
    desk = leveraged(BUY)
    desk.funding("100", "0", 0)

    assert [] == desk.quote(955, 956)
    assert [] == desk.quote(940, 941)
    assert ["liquidation-1 fill 900@940 taker"] == desk.funding("94", "0", 0)


def test_what_the_book_can_not_take_waits_for_the_next_quote() -> None:
    """A liquidation is a taker like any other: only displayed size, trade ids of its own."""
    desk = Desk(balance="5", leverage=Decimal(20), taker_fee_bps=Decimal(0))
    desk.quote(ask_lots=900)
    desk.depth(((1000, 10),), ((1001, 900),), is_snapshot=True, last_seq=1)
    desk.place(BUY, 900)
    desk.quote(955, 956)

    assert ["liquidation-1 fill 500@945 taker"] == desk.quote(945, 946, bid_lots=500)[:1]
    assert ["liquidation-2 fill 400@944 taker"] == desk.quote(944, 945, bid_lots=500)


def test_two_positions_share_one_margin() -> None:
    """The bands of both shrink together: the exact sum decides, whichever moves."""
    coins = (instrument("A"), instrument("B"))
    desk = Desk(
        instruments=coins,
        balance="5",
        leverage=Decimal(20),
        taker_fee_bps=Decimal(0),
        taker_model="touch",
    )
    for symbol in ("A", "B"):
        desk.quote(symbol=symbol)
        desk.place(BUY, 450, symbol=symbol)
    words: list[str] = []
    drift = 0
    while not words:
        drift += 1
        symbol = "AB"[drift % 2]
        words = desk.quote(1000 - drift, 1001 - drift, symbol=symbol)
        bids = {"AB"[drift % 2]: 1000 - drift, "AB"[(drift + 1) % 2]: 1001 - drift}
        mids = [Decimal(2 * bid + 1) / 20 for bid in bids.values()]
        equity = 5 + sum(Decimal("0.45") * (mid - Decimal("100.1")) for mid in mids)
        margin = sum(Decimal("0.45") * mid * Decimal("0.004") for mid in mids)

        assert (equity < margin) == bool(words)

    assert "liquidation-1" in words[0]


@pytest.mark.parametrize("has_mark", [False, True])
@pytest.mark.parametrize("lots", [2_000, -2_000])
def test_liquidation_comes_at_the_price_that_was_told(lots: int, has_mark: bool) -> None:
    """A tick before it nothing happens, at it the venue closes; told before and near to it alike."""
    desk = Desk(balance="45")
    desk.quote(1000, 1002, 10**6, 10**6)
    desk.place(BUY if lots > 0 else SELL, abs(lots))
    told = []
    step = -1 if lots > 0 else 1
    for ticks in range(1001, 1001 + 300 * step, step):
        if has_mark:
            words = desk.funding(f"{Decimal(ticks) / 10}", "0", DUE)
        else:
            words = desk.quote(ticks - 1, ticks + 1, 10**6, 10**6)
        if words:
            break
        margin = desk.venue.margin("BTC")
        assert margin is not None
        assert margin.liquidation_price is not None
        told.append(ROUNDED.quantize(margin.liquidation_price, Decimal("1e-9")))
        assert (told[0] - Decimal(ticks) / 10) * step > 0

    assert len(told) > 50
    assert 1 == len(set(told))
    assert words[0].startswith("liquidation-")
    assert (told[0] - Decimal(ticks) / 10) * step <= 0
    assert desk.venue.margin("BTC") is None


def test_what_a_position_ties_up() -> None:
    """Initial margin at the mid; a rich account's long can't be liquidated at any price."""
    desk = held(10)
    margin = desk.venue.margin("BTC")

    assert margin is not None
    assert Decimal("0.2001") == margin.initial
    assert margin.liquidation_price is None
    assert Desk().venue.margin("BTC") is None
    assert Desk().venue.margin("LOST") is None
