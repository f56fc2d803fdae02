"""The quoter, quote by quote; ticks of 0.1, so 10,000 ticks are a price of 1,000."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.agents.desk import Desk
from engine.agents.quoter import Quoter, QuoterParams, QuoterState
from engine.model.orders import CancelIntent, OrderState, OrderType, Side
from tests.engine.agents.build import MS, SYMBOL, D, desk, fill, hold, touch, work


def stage(bid: int = 9_999, ask: int = 10_001, **params: object) -> tuple[Quoter, Desk]:
    agent, seat = Quoter(QuoterParams(**params)), desk("quoter")
    touch(seat, bid, ask)
    return agent, seat


def prices(intents: list) -> dict:
    return {intent.slot: intent.price for intent in intents}


def test_nothing_until_priced() -> None:
    """Without a mid there is nothing to quote around, nor to judge a fill by."""
    agent, seat = stage(0, 0)

    assert list(agent.on_quote(seat)) == []
    assert list(agent.on_fill(seat, fill())) == []


def test_two_post_only_quotes() -> None:
    """Fair 10,000 ticks and 2 bps are two ticks a side; 300 of quote currency are 0.3 or less."""
    agent, seat = stage()

    bid, ask = agent.on_quote(seat)

    assert ("bid", Side.BUY, D("999.8"), D("0.300")) == (bid.slot, bid.side, bid.price, bid.qty)
    assert ("ask", Side.SELL, D("1000.2"), D("0.299")) == (ask.slot, ask.side, ask.price, ask.qty)
    for intent in (bid, ask):
        assert (
            intent.type, intent.post_only, intent.reduce_only
        ) == (OrderType.LIMIT, True, False)  # fmt: skip
        assert intent.reason == "fair 1000, inventory +0.00 of the largest"


PRICES = [
    # touch and sizes,         params,                       position, spacing, bid,      ask
    ((9_999, 10_001, 1, 1),    {},                           "0",      1.0,     "999.8",  "1000.2"),
    ((9_990, 10_010, 3, 1),    {},                           "0",      1.0,     "1000.2", "1000.8"),  # leans up
    ((9_990, 10_010, 0, 0),    {},                           "0",      1.0,     "999.8",  "1000.2"),  # no sizes: mid
    ((9_999, 10_001, 1, 1),    {},                           "0",      1.5,     "999.7",  "1000.3"),  # throttled
    ((9_999, 10_001, 1, 1),    {"half_spread_bps": 0.01},    "0",      1.0,     "999.9",  "1000.1"),  # snapped outward
    ((9_990, 9_991, 99, 1),    {"half_spread_bps": 0.01},    "0",      1.0,     "999.0",  "999.1"),   # not through the touch
    ((9_999, 10_001, 1, 1),    {"inventory_skew_bps": 4},    "0.75",   1.0,     "999.6",  "1000.0"),  # half long
    ((9_999, 10_001, 1, 1),    {"inventory_skew_bps": 4},    "-0.75",  1.0,     "1000.0", "1000.4"),  # half short
    ((9_999, 10_001, 1, 1),    {},                           "1.5",    1.0,     None,     "1000.0"),  # full
    ((9_999, 10_001, 1, 1),    {},                           "9",      1.0,     None,     "1000.0"),  # skew is bounded
    ((9_999, 10_001, 1, 1),    {},                           "-1.5",   1.0,     "1000.0", None),
    ((9_999, 10_001, 1, 1),    {"inventory_skew_bps": 40},   "1.5",    1.0,     None,     "1000.0"),  # in a hurry, still maker
    ((9_999, 10_001, 1, 1),    {"inventory_skew_bps": 40},   "-1.5",   1.0,     "1000.0", None),
    ((1, 2, 1, 1),             {"half_spread_bps": 9_000},   "0",      1.0,     None,     "0.3"),     # no price below a tick
]  # fmt: skip


@pytest.mark.parametrize(("book", "params", "position", "spacing", "bid", "ask"), PRICES)
def test_prices(
    book: tuple, params: dict, position: str, spacing: float, bid: str | None, ask: str | None
) -> None:
    """Each side stands where fair, spread and inventory put it, snapped outward."""
    agent, seat = stage(**params)
    touch(seat, *book)
    hold(seat, position)
    seat.spacing_factor = spacing

    expected = {"bid": bid and D(bid), "ask": ask and D(ask)}

    assert {s: p for s, p in expected.items() if p} == prices(list(agent.on_quote(seat)))


def test_size_is_throttled_and_lots_are_whole() -> None:
    """The session's size factor counts; below the least lot nothing is quoted."""
    agent, seat = stage()
    seat.size_factor = D("0.5")
    assert [D("0.150"), D("0.149")] == [intent.qty for intent in agent.on_quote(seat)]

    agent, seat = stage(order_notional=D("0.5"))

    assert list(agent.on_quote(seat)) == []
    assert QuoterState() == agent.state


def quoted(**params: object) -> tuple[Quoter, Desk]:
    """Let both quotes around 10,000 ticks work, with the interval over.

    A half spread a little under two ticks moves with the touch tick by tick.
    """
    agent, seat = stage(half_spread_bps=1.95, **params)
    for intent in agent.on_quote(seat):
        work(seat, intent)
    seat.now_ns += 500 * MS
    return agent, seat


MOVES = [
    # moved by, tolerance, requoted
    (0,         2,         []),
    (2,         2,         []),
    (-2,        2,         []),
    (3,         2,         ["bid", "ask"]),
    (-3,        2,         ["bid", "ask"]),
    (1,         0,         ["bid", "ask"]),
]  # fmt: skip


@pytest.mark.parametrize(("move", "tolerance", "slots"), MOVES)
def test_requotes_beyond_the_tolerance_only(move: int, tolerance: int, slots: list) -> None:
    """A quote near enough is left alone, and then nothing at all is answered."""
    agent, seat = quoted(requote_ticks=tolerance)
    touch(seat, 9_999 + move, 10_001 + move)

    assert slots == [intent.slot for intent in agent.on_quote(seat)]


def test_only_the_side_astray_moves() -> None:
    """A wider ask moves the ask; a missing bid is quoted anew."""
    agent, seat = quoted()
    seat.working["ask"].price = D("1000.6")
    assert [intent.slot for intent in agent.on_quote(seat)] == ["ask"]

    agent, seat = quoted()
    del seat.working["bid"]

    assert [intent.slot for intent in agent.on_quote(seat)] == ["bid"]


def test_interval_between_changes() -> None:
    """However far the market moved, the next change waits; then the next interval begins."""
    agent, seat = quoted()
    seat.now_ns -= 1
    touch(seat, 11_000, 11_002)
    assert list(agent.on_quote(seat)) == []
    assert agent.state.next_ns == {SYMBOL: 500 * MS}

    seat.now_ns += 1

    assert len(agent.on_quote(seat)) == 2
    assert agent.state.next_ns == {SYMBOL: 1_000 * MS}


@pytest.mark.parametrize(
    ("state", "slots"),
    [
        (OrderState.ACCEPTED, ["bid", "ask"]),
        (OrderState.PARTIALLY_FILLED, ["bid", "ask"]),
        (OrderState.SUBMITTED, ["ask"]),
        (OrderState.PENDING_UPDATE, ["ask"]),
        (OrderState.PENDING_CANCEL, ["ask"]),
        (OrderState.UNKNOWN, ["ask"]),
    ],
)
def test_an_order_in_flight_is_left_alone(state: OrderState, slots: list) -> None:
    """What was sent and not answered can't be judged yet."""
    agent, seat = quoted()
    seat.working["bid"].state = state
    touch(seat, 10_099, 10_101)

    assert slots == [intent.slot for intent in agent.on_quote(seat)]


def test_a_strange_order_in_the_slot_is_left_alone() -> None:
    """An order without a price has no distance."""
    agent, seat = quoted()
    seat.working["bid"].price = None

    assert list(agent.on_quote(seat)) == []


@pytest.mark.parametrize(("position", "adding"), [("1.5", "bid"), ("-1.5", "ask")])
@pytest.mark.parametrize("by", ["fill", "quote"])
def test_full_inventory_cancels_the_adding_side(position: str, adding: str, by: str) -> None:
    """At once by the fill that filled it, interval or not, and once only."""
    agent, seat = quoted()
    hold(seat, position)
    seat.now_ns -= 500 * MS * (by == "fill")

    def ask() -> list:
        return list(agent.on_fill(seat, fill()) if by == "fill" else agent.on_quote(seat))

    cancels = [intent for intent in ask() if isinstance(intent, CancelIntent)]
    assert [adding] == [cancel.slot for cancel in cancels]
    assert "of the largest" in cancels[0].reason
    seat.working[adding].state = OrderState.PENDING_CANCEL
    seat.now_ns += 500 * MS
    assert [intent for intent in ask() if isinstance(intent, CancelIntent)] == []
    del seat.working[adding]
    assert [intent for intent in ask() if isinstance(intent, CancelIntent)] == []


def test_a_fill_below_the_largest_asks_for_nothing() -> None:
    """The next quote will see to it."""
    agent, seat = quoted()
    hold(seat, "1.499")

    assert list(agent.on_fill(seat, fill())) == []


def test_two_runs_say_the_same_and_state_survives() -> None:
    """Deterministic, also when the state goes through a checkpoint."""
    (first, seat), (second, other) = quoted(), quoted()
    state = msgspec.json.decode(msgspec.json.encode(second.state), type=QuoterState)
    assert state == second.state
    second = Quoter(second.params)
    second.state = state
    for table in (seat, other):
        touch(table, 10_050, 10_052)

    assert list(first.on_quote(seat)) == list(second.on_quote(other)) != []


@given(
    bid=st.integers(2, 10**7), spread=st.integers(1, 500), lots=st.tuples(*[st.integers(0, 10**6)] * 2),
    half=st.floats(0.001, 500), skew=st.floats(0, 500), position=st.decimals(-5, 5, places=3),
)  # fmt: skip
def test_quotes_never_cross(
    bid: int, spread: int, lots: tuple, half: float, skew: float, position: object
) -> None:
    """Post-only quotes stay off the other side of the touch, and bid below ask, always."""
    agent, seat = stage(half_spread_bps=half, inventory_skew_bps=skew)
    touch(seat, bid, bid + spread, *lots)
    hold(seat, str(position))
    seat.market.instrument = seat.instrument

    found = prices(list(agent.on_quote(seat)))

    tick = seat.instrument.tick_size
    assert found.get("bid", D(0)) < (bid + spread) * tick
    assert found.get("ask", D(10**12)) > bid * tick
    assert found.get("bid", D(0)) < found.get("ask", D(10**12))
    assert all(price > 0 and price % tick == 0 for price in found.values())
