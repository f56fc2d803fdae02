"""The account against a model that keeps every fill and computes everything anew, in fractions."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.model.account import Liquidity, OtherFee, RoundTrip
from engine.model.errors import IdentityBroken
from engine.model.orders import Side
from engine.model.venue_events import VenueFunding
from engine.portfolio.ledger import COST_GRID
from engine.portfolio.portfolio import HOUSE, SETTLEMENTS_MAX, Portfolio
from engine.portfolio.round_trips import ORDER_IDS_MAX
from tests.engine.factories import BTC, BUY, ETH, SECOND, SELL, D, fill, instrument
from tests.engine.kernel.rig import Rig, Scripted, market

F = Fraction
START = D(10_000)
INSTRUMENTS = {
    BTC: instrument(BTC),
    ETH: instrument(ETH, tick_size=D("0.01"), multiplier=D("0.1")),
}
ROUND = F(1, 10**20)
"""Averages are rounded to 28 digits."""


def half_tick(symbol: str) -> Fraction:
    """Quote currency per unit of quantity and half tick."""
    return F(INSTRUMENTS[symbol].tick_size * INSTRUMENTS[symbol].multiplier) / 2


class Cycle:
    """A round trip as the list of its parts, with every worth it was ever seen at."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.parts: list[tuple[Fraction, Fraction, Fraction, Fraction, Liquidity]] = []
        self.seen = [F(0)]
        self.funding = F(0)
        self.held = F(0)
        self.peak = F(0)
        self.transfers = 0

    def add(self, qty: Fraction, price: Fraction, slip: Fraction, fee: Fraction, kind: Liquidity):
        self.parts.append((qty, price, slip, fee, kind))
        self.held += qty
        self.peak = max(self.peak, abs(self.held))

    def cash(self, symbol: str) -> Fraction:
        multiplier = F(INSTRUMENTS[symbol].multiplier)
        return -sum((qty * price * multiplier for qty, price, *_ in self.parts), F(0))

    def see(self, symbol: str, mid2: int) -> None:
        self.seen.append(self.cash(symbol) + self.held * mid2 * half_tick(symbol))

    def vwap(self, sign: int) -> Fraction:
        """Average price of the parts on one side."""
        parts = [(abs(qty), price) for qty, price, *_ in self.parts if qty * sign > 0]
        return sum(qty * price for qty, price in parts) / sum(qty for qty, _ in parts)

    def fees(self, kind: Liquidity) -> Fraction:
        return sum((fee for *_, fee, liquidity in self.parts if liquidity is kind), F(0))


class Model:
    """Everything that ever happened, in lists."""

    def __init__(self) -> None:
        self.cash, self.fees, self.funding = F(START), F(0), F(0)
        self.fills: list[tuple[str, str, Fraction]] = []
        self.agent_funding: dict[tuple[str, str], Fraction] = {}
        self.mid2 = dict.fromkeys(INSTRUMENTS, 0)
        self.cycles: dict[tuple[str, str], Cycle] = {}

    def position(self, symbol: str, agent: str | None = None) -> Fraction:
        return sum(
            (qty for s, a, qty in self.fills if s == symbol and agent in (None, a)), F(0)
        )  # fmt: skip

    def agents(self, symbol: str) -> list[str]:
        return sorted({a for s, a, _ in self.fills if s == symbol})

    def equity(self) -> Fraction:
        return self.cash + sum(
            self.position(symbol) * mid2 * half_tick(symbol) for symbol, mid2 in self.mid2.items()
        )

    def mark(self, symbol: str, mid2: int) -> None:
        self.mid2[symbol] = mid2
        for (of, _), cycle in self.cycles.items():
            if of == symbol:
                cycle.see(symbol, mid2)

    def book(self, symbol, agent, qty, price, fee, slip, kind) -> list[Cycle]:
        """Book a signed quantity; return the cycles it closed."""
        held, ended, key = self.position(symbol, agent), [], (symbol, agent)
        self.cash -= qty * price * F(INSTRUMENTS[symbol].multiplier) + fee
        self.fees += fee
        self.fills.append((symbol, agent, qty))
        closing = -held if held * qty < 0 and abs(qty) > abs(held) else qty
        for part in (closing, qty - closing):
            if not part:
                continue
            cycle = self.cycles.setdefault(key, Cycle(BUY if part > 0 else SELL))
            cycle.add(part, price, slip, fee * part / qty, kind)
            if not cycle.held:
                cycle.seen.append(cycle.cash(symbol))
                ended.append(self.cycles.pop(key))
        return ended

    def fund(self, symbol: str, rate: Fraction, mark: Fraction, amount: Fraction) -> None:
        shares = {
            agent: -self.position(symbol, agent) * mark * F(INSTRUMENTS[symbol].multiplier) * rate
            for agent in self.agents(symbol)
        }
        shares[HOUSE] = shares.get(HOUSE, F(0)) + amount - sum(shares.values())
        for agent, share in shares.items():
            key = (symbol, agent)
            self.agent_funding[key] = self.agent_funding.get(key, F(0)) + share
            if key in self.cycles:
                self.cycles[key].funding += share
        self.cash += amount
        self.funding += amount


AGENTS = st.sampled_from(["a", "b", HOUSE])
SYMBOLS = st.sampled_from(sorted(INSTRUMENTS))
MIDS = st.sampled_from([1_999, 2_000]) | st.integers(1_900, 2_100)
"""Most marks repeat the one before."""
TICKS = st.integers(950, 1_050)


class PortfolioMachine(RuleBasedStateMachine):
    """Fills of several agents, marks, funding, transfers to the house and restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.portfolio = Portfolio(list(INSTRUMENTS.values()), START)
        self.model = Model()
        self.now_ns = 0

    @rule(
        agent=AGENTS, symbol=SYMBOLS, side=st.sampled_from(Side), lots=st.integers(1, 5),
        ticks=TICKS, fee=st.integers(-20, 60), mid2=MIDS, kind=st.sampled_from(Liquidity),
        arrival=st.none() | TICKS,
    )  # fmt: skip
    def fill(self, agent, symbol, side, lots, ticks, fee, mid2, kind, arrival) -> None:
        self.now_ns += SECOND
        tick, lot = INSTRUMENTS[symbol].tick_size, INSTRUMENTS[symbol].lot_size
        price, mid = ticks * tick, None if arrival is None else arrival * tick
        ours = fill(
            side, str(lots * lot), str(price), ts_ns=self.now_ns, agent=agent, symbol=symbol,
            fee=fee * D("0.001"), liquidity=kind, arrival_mid=mid,
        )  # fmt: skip
        position, trips = self.portfolio.book(ours, mid2)
        self.model.mark(symbol, mid2)
        slip = F(0) if mid is None else (F(price) - F(mid)) * side.sign
        qty = F(ours.qty) * side.sign
        ended = self.model.book(symbol, agent, qty, F(price), F(ours.fee), slip, kind)
        self.model.mark(symbol, mid2)

        self.compare(symbol, agent, ended, trips)
        assert self.model.position(symbol) == F(position.qty)
        assert (position.entry_price is None) is (position.qty == 0)

    @rule(symbol=SYMBOLS, mid2=MIDS)
    def mark(self, symbol: str, mid2: int) -> None:
        self.portfolio.mark(symbol, mid2)
        self.model.mark(symbol, mid2)

    @rule(symbol=SYMBOLS, rate=st.integers(-30, 30), off=st.integers(-1, 1), mark=TICKS)
    def fund(self, symbol: str, rate: int, off: int, mark: int) -> None:
        """The venue pays on the net position, sometimes a little beside it."""
        per, price = rate * D("0.00001"), mark * INSTRUMENTS[symbol].tick_size
        held = self.portfolio.holdings[symbol].qty
        amount = -held * price * INSTRUMENTS[symbol].multiplier * per + off * D("0.00000001")
        self.portfolio.fund(VenueFunding(self.now_ns, symbol, per, price, held, amount))
        self.model.fund(symbol, F(per), F(price), F(amount))

    @rule(symbol=SYMBOLS, ticks=TICKS, mid2=MIDS)
    def settle_house(self, symbol: str, ticks: int, mid2: int) -> None:
        """The house trades the net away, then takes over what cancels out; no total moves."""
        lots = int(self.model.position(symbol) / F(INSTRUMENTS[symbol].lot_size))
        if lots:
            side = SELL if lots > 0 else BUY
            self.fill(HOUSE, symbol, side, abs(lots), ticks, 0, mid2, Liquidity.TAKER, None)
        else:
            self.mark(symbol, mid2)
        price = ticks * INSTRUMENTS[symbol].tick_size
        before = self.portfolio.equity
        trips = self.portfolio.settle_house(symbol, self.now_ns, price)
        for agent in self.model.agents(symbol):
            qty = self.model.position(symbol, agent)
            if agent == HOUSE or not qty:
                continue
            ended = {
                owner: self.model.book(symbol, owner, part, F(price), F(0), F(0), Liquidity.TAKER)
                for owner, part in ((agent, -qty), (HOUSE, qty))
            }
            for owner, cycles in ended.items():
                own, trips = trips[: len(cycles)], trips[len(cycles) :]
                self.compare(symbol, owner, cycles, own)

        assert [] == trips
        assert before == self.portfolio.equity
        assert not any(ledger.qty for ledger in self.portfolio.holdings[symbol].ledgers.values())

    @rule()
    def restart(self) -> None:
        """A restored account goes on as if nothing had happened."""
        fresh = Portfolio(list(INSTRUMENTS.values()), D(1))
        fresh.restore(self.portfolio.snapshot())
        self.portfolio = fresh

    def compare(self, symbol: str, agent: str, ended: list[Cycle], trips: list[RoundTrip]) -> None:
        assert len(ended) == len(trips)
        for cycle, trip in zip(ended, trips, strict=True):
            assert (symbol, agent, cycle.side) == (trip.symbol, trip.agent, trip.side)
            self.compare_sums(symbol, cycle, trip)
            self.compare_fees(cycle, trip)

    def compare_sums(self, symbol: str, cycle: Cycle, trip: RoundTrip) -> None:
        """Quantities and profit to the last digit; averages to 28."""
        entered = sum(abs(q) for q, *_ in cycle.parts if q * cycle.side.sign > 0)
        slipped = sum(abs(q) * slip for q, _, slip, *_ in cycle.parts)
        assert (entered, cycle.peak) == (F(trip.qty), F(trip.peak_qty))
        assert cycle.cash(symbol) == F(trip.gross_pnl)
        assert cycle.funding == F(trip.funding)
        assert slipped * F(INSTRUMENTS[symbol].multiplier) == F(trip.slippage)
        assert (min(cycle.seen), max(cycle.seen)) == (F(trip.mae), F(trip.mfe))
        assert abs(cycle.vwap(cycle.side.sign) - F(trip.entry_price)) < ROUND
        assert abs(cycle.vwap(-cycle.side.sign) - F(trip.exit_price)) < ROUND
        assert len(cycle.parts) == trip.fills

    def compare_fees(self, cycle: Cycle, trip: RoundTrip) -> None:
        """Only the first and the last part of a cycle can be a share of a fill."""
        grid = 2 * F(COST_GRID)
        assert abs(cycle.fees(Liquidity.MAKER) - F(trip.maker_fees)) <= grid
        assert abs(cycle.fees(Liquidity.TAKER) - F(trip.taker_fees)) <= grid
        net = trip.gross_pnl - trip.maker_fees - trip.taker_fees + trip.funding
        assert net == trip.net_pnl

    @invariant()
    def the_identity_holds(self) -> None:
        books = self.portfolio.books
        self.portfolio.check()
        assert self.model.equity() == F(self.portfolio.equity)
        assert F(START) + F(books.realised) - F(books.fees) + F(books.funding) == F(
            self.portfolio.balance
        )
        assert self.model.fees == F(books.fees)
        assert self.model.funding == F(books.funding)

    @invariant()
    def positions_are_the_sums_of_fills(self) -> None:
        for symbol, holding in self.portfolio.holdings.items():
            assert self.model.position(symbol) == F(holding.qty)
            for agent, ledger in holding.ledgers.items():
                key = (symbol, agent)
                assert self.model.position(symbol, agent) == F(ledger.qty)
                assert self.model.agent_funding.get(key, F(0)) == F(ledger.funding)
                assert (key in self.model.cycles) is bool(ledger.qty)

    @invariant()
    def open_cycles_know_their_extremes(self) -> None:
        """Of every worth they were seen at since they opened, zero included."""
        for (symbol, agent), cycle in self.model.cycles.items():
            worst, best = self.portfolio.excursion(symbol, agent)
            assert (min(cycle.seen), max(cycle.seen)) == (F(worst), F(best))

    @invariant()
    def the_net_is_the_sum_of_its_agents(self) -> None:
        books = self.portfolio.books
        ledgers = [x for h in self.portfolio.holdings.values() for x in h.ledgers.values()]
        for name in ("realised", "fees", "funding"):
            assert getattr(books, name) == sum((getattr(x, name) for x in ledgers), D(0))
        for symbol in INSTRUMENTS:
            own = self.portfolio.holdings[symbol].ledgers.values()
            told = self.portfolio.position(symbol, self.now_ns)
            for name in ("qty", "realised", "fees", "funding"):
                assert getattr(told, name) == sum((getattr(x, name) for x in own), D(0))

    @invariant()
    def exposure_is_what_is_held_at_the_marks(self) -> None:
        held = [
            self.model.position(s) * mid2 * half_tick(s) for s, mid2 in self.model.mid2.items()
        ]  # fmt: skip
        gross, net = self.portfolio.exposure()
        assert (sum(map(abs, held)), sum(held)) == (F(gross), F(net))
        assert self.portfolio.is_flat() is not any(self.model.position(s) for s in INSTRUMENTS)


PortfolioMachine.TestCase.settings = settings(
    max_examples=120, stateful_step_count=40, deadline=None, derandomize=True
)
TestPortfolioMachine = PortfolioMachine.TestCase


def account(multiplier: str = "1") -> Portfolio:
    return Portfolio([instrument(BTC, multiplier=D(multiplier))], START)


def book(portfolio: Portfolio, side: Side, qty: str, price: str, mid2: int, **changes: object):
    """Book one fill, return the round trips it closed."""
    return portfolio.book(fill(side, qty, price, **changes), mid2)[1]


def test_a_round_trip_by_hand() -> None:
    """Bought 2 at 100 and 1 at 103, sold 3 at 105: everything the record says of it."""
    portfolio = account()
    changes = {"arrival_mid": D("99.5"), "liquidity": Liquidity.MAKER}
    book(portfolio, BUY, "2", "100", 2_000, fee=D("0.2"), order_id="a-1", ts_ns=SECOND, **changes)
    portfolio.mark(BTC, 1_960)
    portfolio.mark(BTC, 2_080)
    book(portfolio, BUY, "1", "103", 2_060, fee=D("0.1"), order_id="a-2", ts_ns=2 * SECOND)
    (trip,) = book(
        portfolio, SELL, "3", "105", 2_100, fee=D("0.3"), order_id="a-3", ts_ns=4 * SECOND
    )

    assert trip == RoundTrip(
        ts_ns=4 * SECOND, symbol=BTC, agent="a", side=BUY, opened_ns=SECOND, duration_s=3.0,
        entry_price=D(101), exit_price=D(105), qty=D(3), peak_qty=D(3), gross_pnl=D(12),
        maker_fees=D("0.2"), taker_fees=D("0.4"), funding=D(0), net_pnl=D("11.4"),
        slippage=D(1), mae=D(-4), mfe=D(12), fills=3, order_ids=("a-1", "a-2", "a-3"),
    )  # fmt: skip
    assert D("10011.4") == portfolio.equity == portfolio.balance
    assert 3 == portfolio.books.fills


def test_a_position_is_told_by_its_average_price() -> None:
    """Of the contract, not of what a contract is worth."""
    portfolio = account("10")
    assert portfolio.position(BTC, 7).entry_price is None
    book(portfolio, SELL, "1", "100", 2_000)
    book(portfolio, SELL, "3", "102", 2_040)
    told = portfolio.position(BTC, 7)

    assert (7, D(-4), D("101.5")) == (told.ts_ns, told.qty, told.entry_price)


@pytest.mark.parametrize(("side", "gross"), [(BUY, "10"), (SELL, "-10")])
def test_a_flip_splits_the_fill(side: Side, gross: str) -> None:
    """One record for what closed, one open cycle for the rest, the fee by quantity."""
    portfolio = account("10")
    book(portfolio, side, "1", "100", 2_000)
    (first,) = book(portfolio, side.opposite, "4", "101", 2_020, fee=D("0.8"))
    (second,) = book(portfolio, side, "3", "101", 2_020)

    assert (side, D(1), D(gross), D("0.2")) == (
        first.side, first.qty, first.gross_pnl, first.taker_fees,
    )  # fmt: skip
    assert (side.opposite, D(3), D(0), D("0.6")) == (
        second.side, second.qty, second.gross_pnl, second.taker_fees,
    )  # fmt: skip


def test_a_fee_that_does_not_divide_is_shared_to_the_last_digit() -> None:
    """A third of 0.1 is rounded on one side of the flip and made up for on the other."""
    portfolio = account()
    book(portfolio, BUY, "1", "100", 2_000)
    (first,) = book(portfolio, SELL, "3", "100", 2_000, fee=D("0.1"))
    (second,) = book(portfolio, BUY, "2", "100", 2_000)

    assert D("0.033333333333") == first.taker_fees
    assert D("0.1") == first.taker_fees + second.taker_fees


def test_a_trip_lists_its_first_orders_once() -> None:
    """A market maker's cycle can have thousands of orders; the list is bounded."""
    portfolio = account()
    for number in range(ORDER_IDS_MAX + 5):
        for _ in range(2):
            book(portfolio, BUY, "1", "100", 2_000, order_id=f"a-{number}")
    (trip,) = book(portfolio, SELL, str(2 * ORDER_IDS_MAX + 10), "100", 2_000, order_id="a-99")

    assert tuple(f"a-{n}" for n in range(ORDER_IDS_MAX)) == trip.order_ids
    assert 2 * ORDER_IDS_MAX + 11 == trip.fills


def test_opposite_agents_are_settled_against_the_house() -> None:
    """Net flat, both sides open: each closes at the price, with the extremes seen since its fill."""
    portfolio = account()
    book(portfolio, BUY, "1", "100", 2_000, agent="a")
    book(portfolio, SELL, "1", "100", 2_000, agent="b")
    portfolio.mark(BTC, 1_900)
    portfolio.mark(BTC, 2_040)
    trips = {trip.agent: trip for trip in portfolio.settle_house(BTC, 9, D(101))}

    assert {"a", "b", HOUSE} == set(trips)
    assert (D(1), D(-1)) == (trips["a"].gross_pnl, trips["b"].gross_pnl)
    assert (D(-5), D(2)) == (trips["a"].mae, trips["a"].mfe)
    assert (D(-2), D(5)) == (trips["b"].mae, trips["b"].mfe)
    assert portfolio.is_flat()
    portfolio.check()


def test_what_the_house_flattened_is_taken_over_once() -> None:
    """It closes against each agent, whoever's name comes first, and never against itself."""
    portfolio = account()
    for agent, qty in (("a", "1"), ("z", "2")):
        book(portfolio, BUY, qty, "100", 2_000, agent=agent)
    assert [] == book(portfolio, SELL, "3", "101", 2_020, agent=HOUSE)

    trips = portfolio.settle_house(BTC, 9, D(101))

    assert [("a", D(1)), ("z", D(2)), (HOUSE, D(3))] == [(t.agent, t.qty) for t in trips]


def test_a_fee_from_another_wallet_costs_and_leaves_ours_alone() -> None:
    """What it is worth is in fees, balance and equity; the venue's wallet of the quote stays."""
    paid = OtherFee("BNB", D("0.001"), D("0.65"))
    portfolio = account()
    portfolio.book(fill(price="100", fee=D("0.65"), other_fee=paid), 2_000)
    portfolio.book(fill(SELL, price="100", fee=D("0.25"), trade_id="t2"), 2_000)
    portfolio.check()
    again = account()
    again.restore(portfolio.snapshot())

    for books in (portfolio, again):
        assert START - D("0.9") == books.balance == books.equity
        assert START - D("0.25") == books.quote_wallet
        assert D("0.9") == books.books.fees


def test_a_settlement_pays_once() -> None:
    """However often it is told, as far back as settlements are remembered; unnamed ones always."""
    portfolio = account()
    book(portfolio, BUY, "1", "100", 2_000)

    def paid(funding_ns: int) -> bool:
        return portfolio.fund(VenueFunding(0, BTC, D("0.01"), D(100), D(1), D(-1), funding_ns))

    named = range(1, SETTLEMENTS_MAX + 2)
    assert [True] * len(named) == [paid(at_ns) for at_ns in named]
    assert [False, False] == [paid(2), paid(SETTLEMENTS_MAX + 1)]
    assert [True, True, True] == [paid(0), paid(0), paid(1)]
    assert SETTLEMENTS_MAX == len(portfolio.holdings[BTC].settled_ns)
    assert D(-1) * (len(named) + 3) == portfolio.books.funding


def test_funding_is_shared_by_quantity() -> None:
    """Each agent pays for its own share; what the venue rounded away is the house's."""
    portfolio = account()
    book(portfolio, BUY, "3", "100", 2_000, agent="a")
    book(portfolio, SELL, "1", "100", 2_000, agent="b")
    portfolio.fund(VenueFunding(0, BTC, D("0.01"), D(100), D(2), D("-2.001")))
    ledgers = portfolio.holdings[BTC].ledgers

    assert {"a": D(-3), "b": D(1), HOUSE: D("-0.001")} == {n: x.funding for n, x in ledgers.items()}
    assert D("9997.999") == portfolio.equity


def test_a_fill_before_the_first_quote_is_marked_at_its_own_price() -> None:
    """An unknown mid is no price of zero: only the fee is lost."""
    portfolio = Portfolio([INSTRUMENTS[ETH]], START)
    book(portfolio, SELL, "2", "10.01", 0, symbol=ETH, fee=D("0.5"))

    assert D("9999.5") == portfolio.equity
    assert (D("2.002"), D("-2.002")) == portfolio.exposure()
    portfolio.check()


def test_extremes_are_seen_while_the_net_is_flat() -> None:
    """Two agents on opposite sides: the account does not move, their round trips do."""
    rig = Rig(Scripted("a"), Scripted("b"))
    rig.ask("a", market(BUY, "0.2"))
    rig.ask("b", market(SELL, "0.2"))
    rig.quote(bid=9_950, ask=9_951)
    rig.quote(bid=10_000, ask=10_001)
    rig.ask("a", market(SELL, "0.2", reduce_only=True))
    (trip,) = rig.lines("round_trip")

    assert D(trip["mae"]) == D("0.2") * (D("995.05") - D(trip["entry_price"]))


def broken(change: str) -> Portfolio:
    """An account with one figure off by the smallest amount."""
    portfolio = account()
    book(portfolio, BUY, "1", "100", 2_000)
    slip: Decimal = D("1E-12")
    books, holding = portfolio.books, portfolio.books.holdings[BTC]
    match change:
        case "cash":
            books.cash += slip
        case "realised":
            books.realised += slip
        case "unrealised":
            books.unrealised += slip
        case "equity":
            portfolio.equity += slip
        case "net":
            holding.qty += slip
        case "ledger":
            holding.ledgers["a"].qty += slip
    return portfolio


@pytest.mark.parametrize("change", ["cash", "realised", "unrealised", "equity", "net", "ledger"])
def test_check_notices_any_figure(change: str) -> None:
    """The identity is checked to the last digit."""
    with pytest.raises(IdentityBroken):
        broken(change).check()
