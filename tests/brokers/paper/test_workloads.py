"""The common benchmark workloads in small: twenty naive lines and the venue agree to the cent."""

import random
from decimal import Decimal

from engine.model.commands import CancelOrder
from engine.model.venue_events import VenueFill
from tests.brokers.paper.desk import BUY, LOT, SELL, TICK, Desk

SIMPLE = {"taker_model": "touch", "maker_model": "touch"}


def walk(count: int) -> list[tuple[int, int]]:
    """The quotes of bench/workloads.py, from another generator."""
    rng, bid, quotes = random.Random(7), 500_000, []  # noqa: S311 - reproducible on purpose
    for _ in range(count):
        bid += rng.choices((-1, 0, 1), (3, 4, 3))[0]
        quotes.append((bid, bid + rng.randrange(1, 4)))
    return quotes


def worth(desk: Desk, bid: int, ask: int) -> tuple[int, Decimal]:
    """Count fills and return profit after fees, the open position at mid, from events alone."""
    fills = [event for event in desk.events if isinstance(event, VenueFill)]
    cash = sum((-fill.side.sign * fill.price * fill.qty - fill.fee for fill in fills), Decimal(0))
    held = sum((fill.side.sign * fill.qty for fill in fills), Decimal(0))
    return len(fills), cash + held * (bid + ask) * TICK / 2


def naive_maker(quotes: list[tuple[int, int]]) -> tuple[int, int]:
    """W3: count fills and return profit in ticks x lots x 10,000, fees of 2 bp included."""
    buy = sell = None
    fills = held = cash = 0
    for bid, ask in quotes:
        if buy is not None and ask <= buy:
            fills, held, cash = fills + 1, held + 10, cash - 10 * buy * 10_002
        if sell is not None and bid >= sell:
            fills, held, cash = fills + 1, held - 10, cash + 10 * sell * 9_998
        buy, sell = bid, ask
    bid, ask = quotes[-1]
    return fills, cash + held * (bid + ask) * 5_000


def test_market_making_equals_the_naive_loop() -> None:
    """W3: at each quote cancel both and quote bid and ask again, post-only."""
    quotes = walk(4_000)
    desk = Desk(**SIMPLE, balance="1E9")
    ids: list[str] = []
    for bid, ask in quotes:
        desk.quote(bid, ask, 1, 1)
        for order_id in ids:
            desk.venue.submit([CancelOrder(desk.now_ns, order_id, "BTC")])
        ids = [f"o{desk.count + 1}", f"o{desk.count + 2}"]
        desk.place(BUY, 10, bid, post_only=True)
        desk.place(SELL, 10, ask, post_only=True)
    fills, profit = naive_maker(quotes)

    assert fills > 500
    assert (fills, profit * TICK * LOT / 10_000) == worth(desk, *quotes[-1])
    assert desk.venue.equity - 10**9 == worth(desk, *quotes[-1])[1]


def naive_taker(quotes: list[tuple[int, int]]) -> tuple[int, int]:
    """W1: the same for crossing averages at market, 5 bp."""
    fast = slow = sum(quotes[0]) / 2
    fills = held = cash = 0
    for index, (bid, ask) in enumerate(quotes):
        mid = (bid + ask) / 2
        fast, slow = fast + (mid - fast) * 2 / 11, slow + (mid - slow) * 2 / 21
        if index < 20:
            continue
        if fast > slow and not held:
            fills, held, cash = fills + 1, 10, cash - 10 * ask * 10_005
        elif fast <= slow and held:
            fills, held, cash = fills + 1, 0, cash + 10 * bid * 9_995
    return fills, cash + held * sum(quotes[-1]) * 5_000


def test_crossing_averages_equal_the_naive_loop() -> None:
    """W1: buy and sell at the touch of the same quote, with no latency."""
    quotes = walk(4_000)
    desk = Desk(**SIMPLE, balance="1E9")
    fast = slow = sum(quotes[0]) / 2
    for index, (bid, ask) in enumerate(quotes):
        desk.quote(bid, ask, 1, 1)
        mid = (bid + ask) / 2
        fast, slow = fast + (mid - fast) * 2 / 11, slow + (mid - slow) * 2 / 21
        if index >= 20 and (fast > slow) != bool(desk.position()):
            desk.place(BUY if fast > slow else SELL, 10)
    fills, profit = naive_taker(quotes)

    assert fills > 100
    assert (fills, profit * TICK * LOT / 10_000) == worth(desk, *quotes[-1])
