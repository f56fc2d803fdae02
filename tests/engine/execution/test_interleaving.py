"""Any interleaving and duplication of what a venue says gives the same books (reliability.md A5)."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.execution.order_flow import OrderAnswer
from engine.execution.orders import OrderEvent
from engine.model.account import Liquidity
from engine.model.orders import OrderState, Side
from engine.model.venue_events import VenueFill
from engine.portfolio.portfolio import Portfolio
from tests.engine.execution.desk import ANSWERS, Desk
from tests.engine.factories import BTC, ETH, D, instrument, venue_fill

S, E = OrderState, OrderEvent
MARKS = {BTC: 20_000, ETH: 4_001}
SPECS = {BTC: instrument(BTC), ETH: instrument(ETH, multiplier=D("0.1"))}
SLICE = st.tuples(st.integers(1, 5), st.integers(9_000, 11_000), st.integers(-3, 9))
ORDERS = st.tuples(
    st.sampled_from(["a", "b"]), st.sampled_from([BTC, ETH]), st.sampled_from(Side),
    st.lists(SLICE, min_size=1, max_size=4), st.sampled_from([E.ACCEPT, E.CANCELED, E.EXPIRE]),
)  # fmt: skip


def story(orders: list) -> tuple[Desk, list[OrderAnswer | VenueFill]]:
    """Submit the orders; return everything the venue will say of them, each thing once."""
    desk, said = Desk(), []
    for number, (agent, symbol, side, slices, end) in enumerate(orders, 1):
        qty = D(sum(lots for lots, _, _ in slices))
        desk.submit(number, agent=agent, symbol=symbol, side=side, qty=qty)
        order_id = f"{agent}-{number}"
        said += [replace(ANSWERS[e](order_id), symbol=symbol) for e in (E.ACCEPT, end)]
        said += [
            venue_fill(
                order_id, f"{number}.{part}", str(lots), symbol=symbol, side=side,
                price=ticks * D("0.1"), fee=fee * D("0.01"), liquidity=Liquidity.MAKER,
            )
            for part, (lots, ticks, fee) in enumerate(slices)
        ]  # fmt: skip
    return desk, said


@given(st.lists(ORDERS, min_size=1, max_size=5), st.data())
@settings(derandomize=True, max_examples=150, deadline=None)
def test_any_interleaving_and_duplication_gives_the_same_books(orders: list, data) -> None:
    """Whatever the venue says, in any order and twice: the books are the sums of its fills (A5)."""
    desk, said = story(orders)
    again = data.draw(st.lists(st.sampled_from(said), max_size=10))
    portfolio, trips = Portfolio(list(SPECS.values()), D(10_000)), []
    for event in data.draw(st.permutations(said + again)):
        if not isinstance(event, VenueFill):
            desk.answer(event)
            continue
        booked, _ = desk.fill(event)
        if booked is not None:
            trips += portfolio.book(booked.fill, MARKS[event.symbol])[1]
            portfolio.check()

    fills = [event for event in said if isinstance(event, VenueFill)]
    assert_books(portfolio, fills)
    assert_orders(desk, fills)
    assert_trips(portfolio, fills, trips)


def assert_books(portfolio: Portfolio, fills: list[VenueFill]) -> None:
    for symbol in (BTC, ETH):
        own = [f for f in fills if f.symbol == symbol]
        for agent, ledger in portfolio.holdings[symbol].ledgers.items():
            mine = [f for f in own if f.order_id.startswith(agent)]
            assert sum(f.qty * f.side.sign for f in mine) == ledger.qty
            assert sum(f.fee for f in mine) == ledger.fees
        assert sum(f.qty * f.side.sign for f in own) == portfolio.holdings[symbol].qty
    assert sum(f.fee for f in fills) == portfolio.books.fees
    assert 10_000 + sum(map(worth, fills)) == portfolio.equity


def worth(fill: VenueFill) -> Decimal:
    """What one fill adds to equity once marked, fee included."""
    mark = MARKS[fill.symbol] * D("0.05")
    gain = fill.side.sign * fill.qty * (mark - fill.price) * SPECS[fill.symbol].multiplier
    return gain - fill.fee


def assert_orders(desk: Desk, fills: list[VenueFill]) -> None:
    for order_id in {f.order_id for f in fills}:
        found = desk.order(order_id)
        assert sum(f.qty for f in fills if f.order_id == order_id) == found.filled_qty == found.qty
        assert S.FILLED is found.state
    assert {} == desk.blotter.live
    for book in desk.blotter.open.values():
        assert (0, 0) == (book.buy_qty, book.sell_qty)


def assert_trips(portfolio: Portfolio, fills: list[VenueFill], trips: list) -> None:
    """Where an agent ends flat, its round trips add up to its cash."""
    for symbol, holding in portfolio.holdings.items():
        for agent, ledger in holding.ledgers.items():
            if ledger.qty:
                continue
            mine = [f for f in fills if f.symbol == symbol and f.order_id.startswith(agent)]
            own = [t for t in trips if (t.symbol, t.agent) == (symbol, agent)]
            assert sum(map(worth, mine)) == sum(t.net_pnl for t in own)
            assert ledger.realised == sum(t.gross_pnl for t in own)
