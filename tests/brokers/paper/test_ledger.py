"""The venue's ledger says what the venue knows, to whoever opens the file."""

import random
import resource
from decimal import Decimal
from pathlib import Path

import pytest

from brokers.paper.emergency import LedgerDesk
from brokers.paper.ledger import LINE_BYTES, NAME, Ledger, OrderLine
from engine.model.account import Liquidity
from engine.model.errors import StateDamaged
from engine.model.orders import Side
from engine.model.venue_events import VenueCanceled, VenueFill
from tests.brokers.paper.desk import BUY, FOK, GTC, IOC, SELL, STOP, Desk

RATE = Decimal("0.0005")


def new_ledger(folder: Path, *, orders: int = 50) -> Ledger:
    return Ledger.create(folder / NAME, "run", {"BTC": RATE}, orders)


def order(name: str, *, reduce_only: bool = False) -> OrderLine:
    return OrderLine(name, "BTC", "BUY", Decimal(1), reduce_only, "working", 1)


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_the_venue_at_every_step(tmp_path: Path, seed: int) -> None:
    """Whatever fills, rests, expires or is canceled: same working orders, same position."""
    ledger = new_ledger(tmp_path)
    desk = Desk(ledger=ledger)
    rng = random.Random(seed)  # noqa: S311 - a market, no secret
    reader = Ledger(tmp_path / NAME)
    desk.quote()
    for step in range(300):
        bid = 1_000 + rng.randint(-3, 3)
        match rng.randrange(5):
            case 0:
                desk.place(rng.choice([BUY, SELL]), rng.randint(1, 20), bid + rng.randint(-3, 3),
                           tif=rng.choice([GTC, IOC, FOK]))  # fmt: skip
            case 1:
                desk.place(rng.choice([BUY, SELL]), rng.randint(1, 20),
                           type=STOP, trigger=bid + 3, reduce_only=rng.random() < 0.5)  # fmt: skip
            case 2:
                desk.cancel(f"o{rng.randint(1, max(1, desk.count))}")
            case _:
                desk.quote(bid, bid + 1, rng.randint(1, 10), rng.randint(1, 10))
        working = {
            order_id
            for market in desk.venue._markets.values()
            for side in (market.buys, market.sells, market.conditionals)
            for order_id in side
        }
        lines = {line.order_id for _, line in reader.orders() if line.state == "working"}
        held = {line.symbol: line.qty for _, line in reader.positions() if line.qty}
        assert working == lines, step
        assert desk.venue.positions() == held, step


def test_the_sentinel_cancels_what_adds_risk_first(tmp_path: Path) -> None:
    """And in its own name, so that the file tells who ended an order."""
    ledger = new_ledger(tmp_path)
    ledger.add(order("stop", reduce_only=True))
    ledger.add(order("bid"))
    ledger.end(ledger.add(order("old")), "fill", 2)
    desk = LedgerDesk(tmp_path / NAME)
    events = [desk.cancel(working, 7) for working in desk.working()]

    assert [VenueCanceled(7, "BTC", "bid"), VenueCanceled(7, "BTC", "stop")] == events
    assert [] == desk.working()
    ended = {line.order_id: line.ended_by for _, line in ledger.orders()}
    assert {"stop": "sentinel", "bid": "sentinel", "old": "fill"} == ended


def test_a_position_is_closed_at_the_touch_seen_last(tmp_path: Path) -> None:
    """Long at the bid, with the fee of a taker; once."""
    desk = Desk(ledger=new_ledger(tmp_path), taker_fee_bps=Decimal(5))
    desk.quote(1000, 1001)
    desk.place(BUY, 5)
    desk.quote(990, 992)
    desk.venue.note_exits()
    emergency = LedgerDesk(tmp_path / NAME)
    (holding,) = emergency.holdings()
    fill = emergency.flatten(holding, 9)

    price, qty = Decimal("99.0"), Decimal("0.005")
    taken = ("BTC", "sentinel-1", "sentinel-1", Side.SELL, price, qty, price * qty * RATE)
    assert VenueFill(9, *taken, Liquidity.TAKER) == fill
    assert [] == emergency.holdings()
    assert emergency.flatten(holding, 9) is None


def test_a_position_without_a_price_is_left(tmp_path: Path) -> None:
    """A price nobody saw is not invented."""
    ledger = new_ledger(tmp_path)
    at, line = next(ledger.positions())
    ledger.write(at, type(line)("BTC", Decimal(1), None, RATE, "engine"))
    desk = LedgerDesk(tmp_path / NAME)

    assert desk.flatten(desk.holdings()[0], 1) is None
    assert [("BTC", Decimal(1))] == desk.holdings()


def test_a_limit_on_file_sizes_does_not_matter(tmp_path: Path) -> None:
    """Once it stands, writing asks nobody: the venue goes on knowing its orders."""
    ledger = new_ledger(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        ledger.add(order("bid"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert ["bid"] == [line.order_id for _, line in Ledger(tmp_path / NAME).orders()]


def test_places_are_taken_again_and_end(tmp_path: Path) -> None:
    """The oldest ended order makes room first; a full ledger is refused, never overwritten."""
    ledger = new_ledger(tmp_path, orders=3)
    for name in ("a", "b", "c"):
        ledger.end(ledger.add(order(name)), "fill", 2)
    ledger.add(order("d"))
    assert {"d", "b", "c"} == {line.order_id for _, line in ledger.orders()}

    ledger.add(order("e"))
    ledger.add(order("f"))
    with pytest.raises(StateDamaged, match="full"):
        ledger.add(order("g"))


def test_every_line_is_json_of_one_length(tmp_path: Path) -> None:
    """A person may read the file with `cat`, the longest names and numbers included."""
    ledger = new_ledger(tmp_path)
    digits = Decimal("1" * 18 + "." + "1" * 18)
    ledger.add(
        OrderLine("o" * 36, "S" * 64, "SELL", digits, False, "working", 2**62, 2**62, "sentinel")
    )
    content = (tmp_path / NAME).read_bytes()

    assert all(LINE_BYTES == len(line) + 1 for line in content.split(b"\n")[:-1])


def test_an_order_whose_line_is_torn_counts_as_working(tmp_path: Path) -> None:
    """Its writer was killed in the middle of a change: the sentinel cancels it all the same."""
    ledger = new_ledger(tmp_path)
    at = ledger.add(order("bid"))
    ledger.end(at, "cancel", 5)
    content = bytearray((tmp_path / NAME).read_bytes())
    content[at * LINE_BYTES + 100 : at * LINE_BYTES + 140] = b"\0" * 40
    (tmp_path / NAME).write_bytes(content)
    desk = LedgerDesk(tmp_path / NAME)
    (working,) = desk.working()

    assert ("bid", "BTC") == (working.order_id, working.symbol)
    assert VenueCanceled(3, "BTC", "bid") == desk.cancel(working, 3)
    assert [] == desk.working()


def test_a_torn_position_is_an_error_to_tell(tmp_path: Path) -> None:
    """What is held is not guessed."""
    ledger = new_ledger(tmp_path)
    content = bytearray((tmp_path / NAME).read_bytes())
    content[LINE_BYTES + 20] = 0
    (tmp_path / NAME).write_bytes(content)

    assert ledger.header.positions == 1
    with pytest.raises(OSError, match="torn"):
        LedgerDesk(tmp_path / NAME).holdings()


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    """Absent, empty or foreign: said at once, not when it is needed."""
    for content in (None, b"", b"x" * LINE_BYTES):
        path = tmp_path / NAME
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(StateDamaged, match="ledger"):
            LedgerDesk(path)
