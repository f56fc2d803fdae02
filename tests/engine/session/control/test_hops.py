"""The hops of an order, by hand."""

from engine.model.account import Fill, Liquidity
from engine.model.market import Trade
from engine.model.money import ZERO
from engine.model.orders import OrderState as S
from engine.model.orders import OrderType, Side, TimeInForce
from engine.model.records import OrderChanged, OrderSubmitted
from engine.session.control.hops import PENDING_MAX, Hops

MS = 1_000_000


def sent(at_ms: int, order_id: str = "a-1") -> OrderSubmitted:
    return OrderSubmitted(
        at_ms * MS, order_id, "a", "BTCUSDT", "bid", Side.BUY, OrderType.LIMIT, ZERO, ZERO, None,
        None, TimeInForce.GTC, True, False,
    )  # fmt: skip


def changed(at_ms: int, state: S, order_id: str = "a-1") -> OrderChanged:
    return OrderChanged(at_ms * MS, order_id, "BTCUSDT", state, ZERO, ZERO, ZERO)


def fill(at_ms: int, liquidity: Liquidity = Liquidity.TAKER, order_id: str = "a-1") -> Fill:
    return Fill(at_ms * MS, order_id, "a", "BTCUSDT", "t", Side.BUY, ZERO, ZERO, ZERO, liquidity)


def longest_ms(hops: Hops) -> tuple[float | None, ...]:
    return tuple(
        None if hop.quantiles().max is None else hop.quantiles().max / 1_000
        for hop in (hops.feed, hops.ack, hops.fill)
    )


def test_from_request_to_fill() -> None:
    """Acknowledged after 20 ms, filled 5 ms later; the second fill of an order is no hop."""
    hops = Hops()
    hops.submitted(sent(100))
    hops.changed(changed(120, S.ACCEPTED))
    hops.changed(changed(125, S.PARTIALLY_FILLED))
    hops.filled(fill(125))
    hops.changed(changed(900, S.FILLED))
    hops.filled(fill(900))

    assert (None, 20.0, 5.0) == longest_ms(hops)


def test_a_fill_before_the_answer_counts_from_the_request() -> None:
    """And is no acknowledgement."""
    hops = Hops()
    hops.submitted(sent(100))
    hops.changed(changed(130, S.FILLED))
    hops.filled(fill(130))

    assert (None, None, 30.0) == longest_ms(hops)


def test_waiting_is_no_hop() -> None:
    """A resting order's fill and an order canceled measure nothing; an amend is no answer twice."""
    hops = Hops()
    for order_id in ("rests", "gone"):
        hops.submitted(sent(0, order_id))
        hops.changed(changed(7, S.ACCEPTED, order_id))
    hops.changed(changed(500, S.ACCEPTED, "rests"))
    hops.filled(fill(900, Liquidity.MAKER, "rests"))
    hops.changed(changed(901, S.CANCELED, "gone"))
    hops.filled(fill(950, order_id="gone"))

    assert (None, 7.0, None) == longest_ms(hops)


def test_the_way_of_a_print() -> None:
    """By both stamps; without one, or from the future, nothing is measured."""
    hops = Hops()
    for event_ms in (0, 58, 61):
        hops.printed(Trade(60 * MS, "BTCUSDT", 1, 1, Side.BUY, 0, event_ms * MS))

    assert (2.0, None, None) == longest_ms(hops)


def test_orders_nobody_answers_are_forgotten() -> None:
    """The oldest first."""
    hops = Hops()
    for n in range(PENDING_MAX + 1):
        hops.submitted(sent(n, f"a-{n}"))
    hops.changed(changed(PENDING_MAX, S.ACCEPTED, "a-0"))
    assert (None, None, None) == longest_ms(hops)
    hops.changed(changed(PENDING_MAX, S.ACCEPTED, "a-1"))

    assert PENDING_MAX - 1 == longest_ms(hops)[1]
