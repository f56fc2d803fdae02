"""What is counted, by events as the kernel writes them down."""

from decimal import Decimal

import msgspec
import pytest

from engine.model.account import Fill, Liquidity, OtherFee, Position
from engine.model.events import Timer
from engine.model.instrument import Instrument
from engine.model.market import FeedStatus, Malformed, Quote
from engine.model.orders import OrderState as S
from engine.model.orders import OrderType, Side, TimeInForce
from engine.model.records import (
    BreakerTripped,
    ErrorRecord,
    FsmTransition,
    GateVerdict,
    OrderChanged,
    OrderSubmitted,
    RouterDecision,
)
from engine.model.venue_events import VenueFunding
from engine.reports.gaps import GAPS_MAX, DataGap
from engine.reports.tally import KEPT_MAX, KINDS_MAX, Tally

D = Decimal

NS = 1_000_000_000


def submitted(order_id: str = "maker-1") -> OrderSubmitted:
    """Submit a new limit order."""
    return OrderSubmitted(
        1, order_id, "maker", "BTCUSDT", "bid", Side.BUY, OrderType.LIMIT, D(1), D(100),
        None, None, TimeInForce.GTC, True, False,
    )  # fmt: skip


def changed(state: S, order_id: str = "maker-1", price: int = 100, qty: int = 1) -> OrderChanged:
    """Move the order to a state."""
    return OrderChanged(2, order_id, "BTCUSDT", state, D(0), D(qty), D(price))


def fill(
    symbol: str = "BTCUSDT", agent: str = "maker", price: str = "100", fee: str = "0.1"
) -> Fill:
    """Fill half a unit."""
    return Fill(
        3, "maker-1", agent, symbol, "t1", Side.BUY, D(price), D("0.5"), D(fee), Liquidity.MAKER
    )


ORDERS = [
    # states reached (price, qty),                            accepted, amended, canceled, rejected
    ([],                                                      0, 0, 0, 0),
    ([(S.ACCEPTED, 100, 1)],                                  1, 0, 0, 0),
    ([(S.REJECTED, 100, 1)],                                  0, 0, 0, 1),
    ([(S.UNKNOWN, 100, 1)],                                   0, 0, 0, 0),
    ([(S.FILLED, 100, 1)],                                    1, 0, 0, 0),
    ([(S.ACCEPTED, 100, 1), (S.PARTIALLY_FILLED, 100, 1), (S.FILLED, 100, 1)], 1, 0, 0, 0),
    ([(S.ACCEPTED, 100, 1), (S.PENDING_UPDATE, 100, 1), (S.ACCEPTED, 101, 1)], 1, 1, 0, 0),
    ([(S.ACCEPTED, 100, 1), (S.PENDING_UPDATE, 101, 1), (S.ACCEPTED, 100, 1)], 1, 0, 0, 0),
    ([(S.ACCEPTED, 100, 1), (S.ACCEPTED, 100, 2), (S.ACCEPTED, 99, 2)],        1, 2, 0, 0),
    ([(S.ACCEPTED, 100, 1), (S.PENDING_CANCEL, 100, 1), (S.CANCELED, 100, 1)], 1, 0, 1, 0),
    ([(S.ACCEPTED, 100, 1), (S.CANCELED, 100, 1), (S.CANCELED, 100, 1)],       1, 0, 1, 0),
    ([(S.ACCEPTED, 100, 1), (S.EXPIRED, 100, 1), (S.FILLED, 100, 1)],          1, 0, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("states", "accepted", "amended", "canceled", "rejected"), ORDERS)
def test_orders(states, accepted, amended, canceled, rejected) -> None:
    """Each order counts once in each column, whatever path it took."""
    tally = Tally()
    tally.see(submitted())
    for state, price, qty in states:
        tally.see(changed(state, price=price, qty=qty))

    orders = tally.orders
    assert orders["submitted"] == 1
    assert (accepted, amended, canceled, rejected) == (
        orders["accepted"], orders["amended"], orders["canceled"], orders["rejected"],
    )  # fmt: skip


def test_memory_of_orders_ends_with_them() -> None:
    """Ten thousand canceled orders leave nothing behind."""
    tally = Tally()
    for number in range(10_000):
        tally.see(submitted(f"maker-{number}"))
        tally.see(changed(S.CANCELED, f"maker-{number}"))

    assert tally._working == {}
    assert tally.orders["canceled"] == 10_000


def test_refusals_count_by_rule_and_waiting_is_none() -> None:
    """Parked in the throttle is not refused; approved is not either."""
    tally = Tally()
    tally.see(GateVerdict(1, "i", "BTCUSDT", False, "order size"))
    tally.see(GateVerdict(1, "i", "BTCUSDT", False, "throttle", is_waiting=True))
    tally.see(GateVerdict(1, "i", "BTCUSDT", True))

    assert tally.blocked == {"order size": 1}


def test_fills_count_by_symbol_and_agent() -> None:
    """Volume is notional with the instrument's multiplier; fees add up exactly."""
    contract = Instrument(
        symbol="ETHUSDT", base="ETH", quote="USDT", settlement="USDT", tick_size=D("0.1"),
        lot_size=D("0.1"), min_qty=D("0.1"), multiplier=D(10),
    )  # fmt: skip
    tally = Tally(("BTCUSDT",), ("maker",), (contract,))
    for event in (fill(), fill(fee="0.2"), fill("ETHUSDT", "taker")):
        tally.see(event)

    assert (3, D(600)) == (tally.trades, tally.volume)
    btc, eth = tally.by_symbol["BTCUSDT"], tally.by_symbol["ETHUSDT"]
    assert (2, D(100), D("0.3")) == (btc.trades, btc.volume, btc.fees)
    assert (1, D(500), D("0.1")) == (eth.trades, eth.volume, eth.fees)
    assert (tally.by_agent["maker"].trades, tally.by_agent["taker"].trades) == (2, 1)


def test_realised_is_the_last_position_and_funding_the_sum() -> None:
    """Positions are cumulative, funding payments are not."""
    tally = Tally()
    for realised in ("5", "3"):
        tally.see(Position(1, "BTCUSDT", D(0), None, D(realised), D(0), D(0)))
    for amount in ("0.5", "-0.2"):
        tally.see(VenueFunding(1, "BTCUSDT", D(0), D(1), D(1), D(amount)))

    share = tally.by_symbol["BTCUSDT"]
    assert (D(3), D("0.3")) == (share.gross, share.funding)


def test_lists_are_bounded_and_say_so() -> None:
    """What is dropped is counted among the errors."""
    tally = Tally()
    for _ in range(KEPT_MAX + 7):
        tally.see(FsmTransition(1, "ACTIVE", "PAUSED", "OPERATOR_PAUSE", "session", ()))
    for _ in range(KEPT_MAX + 3):
        tally.see(BreakerTripped(1, "max_loss_pct", "session", "2", "3", "halt", True))

    assert (len(tally.transitions), len(tally.breakers)) == (KEPT_MAX, KEPT_MAX)
    assert tally.errors == {"report_transitions_dropped": 7, "report_breakers_dropped": 3}
    assert tally.state == "PAUSED"


def test_kinds_of_error_are_bounded() -> None:
    """A flood of invented kinds becomes `other`."""
    tally = Tally()
    for number in range(KINDS_MAX + 50):
        tally.see(ErrorRecord(1, f"kind_{number}", "", ""))

    assert len(tally.errors) == KINDS_MAX + 1
    assert tally.errors["other"] == 50


def test_reconnects_and_gaps() -> None:
    """The first connect is no reconnect; an outage is a gap with its length; the last stays open."""
    tally = Tally()
    for at_s, is_connected in ((0, True), (5, False), (6, False), (8, True), (9, False)):
        tally.see(FeedStatus(at_s * NS, "mock", is_connected, "reset" if not is_connected else ""))

    closed = DataGap(source="mock", from_ns=5 * NS, to_ns=8 * NS, duration_s=3.0, reason="reset")
    still = DataGap(source="mock", from_ns=9 * NS, to_ns=None, duration_s=None, reason="reset")
    assert tally.gaps.reconnects == 1
    assert (closed, still) == tally.gaps.all()


def test_a_sequence_gap_is_a_data_gap() -> None:
    """Of all flaws only missing messages leave a gap, and gaps are bounded."""
    tally = Tally()
    tally.see(Malformed(1, "BTCUSDT", "nan"))
    for _ in range(GAPS_MAX + 2):
        tally.see(Malformed(1, "BTCUSDT", "sequence_gap"))

    assert (len(tally.gaps.all()), tally.gaps.dropped) == (GAPS_MAX, 2)


def test_other_events_are_none_of_its_business() -> None:
    """Quotes and timers pass without a trace."""
    tally = Tally()
    for event in (Quote(1, "BTCUSDT", 1, 1, 2, 1), Timer(1)):
        tally.see(event)

    assert (tally.trades, dict(tally.orders), dict(tally.errors)) == (0, {}, {})


EDGES = [
    # side,     price, arrival mid, liquidity,       spread,  slippage
    (Side.BUY,  "99",  "100",       Liquidity.MAKER, "10",    "0"),
    (Side.SELL, "99",  "100",       Liquidity.MAKER, "-10",   "0"),
    (Side.BUY,  "101", "100",       Liquidity.TAKER, "0",     "-10"),
    (Side.SELL, "101", None,        Liquidity.TAKER, "0",     "0"),
]  # fmt: skip


@pytest.mark.parametrize(("side", "price", "mid", "liquidity", "spread", "slippage"), EDGES)
def test_edge_of_a_fill(side, price, mid, liquidity, spread, slippage) -> None:
    """Distance from the mid its order was decided at, in money: ten units of base a contract."""
    contract = Instrument(
        symbol="X", base="X", quote="USDT", settlement="USDT", tick_size=D(1), lot_size=D(1),
        min_qty=D(1), multiplier=D(10),
    )  # fmt: skip
    tally = Tally(instruments=[contract])
    arrival = None if mid is None else D(mid)
    tally.see(Fill(1, "a-1", "a", "X", "t", side, D(price), D(1), D(0), liquidity, arrival))

    assert (D(spread), D(slippage)) == (tally.spread, tally.slippage)


def test_routes() -> None:
    """By decision and reason."""
    tally = Tally()
    for reason in ("WITHIN_TOLERANCE", "TOO_SOON", "TOO_SOON"):
        tally.see(RouterDecision(1, "a-1", "X", "NOOP", reason))

    assert {("NOOP", "WITHIN_TOLERANCE"): 1, ("NOOP", "TOO_SOON"): 2} == tally.routed


def test_fees_of_other_assets_are_summed_by_asset() -> None:
    """Of so many assets; what nobody can list is counted as an error."""
    tally, unit = Tally(), D("0.01")
    for asset in ("BNB", "BNB", *(f"X{number}" for number in range(KINDS_MAX)), "BNB"):
        tally.see(msgspec.structs.replace(fill(), other_fee=OtherFee(asset, unit, 650 * unit)))
    tally.see(msgspec.structs.replace(fill(), other_fee=OtherFee("X1", -unit, None)))
    tally.see(msgspec.structs.replace(fill(), other_fee=OtherFee("X1", unit, None)))
    tally.see(fill())

    assert OtherFee("X1", unit, 650 * unit) == tally.other_fees["X1"]
    assert OtherFee("BNB", 3 * unit, 1_950 * unit) == tally.other_fees["BNB"]
    assert (KINDS_MAX, 1) == (len(tally.other_fees), tally.errors["report_fees_dropped"])
