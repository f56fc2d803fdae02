"""The account: every agent's ledger, the net position per instrument, and equity.

An agent's fills are booked in its own ledger; the net position is the sum of ledgers, and so are
realised profit, fees and funding. Equity is kept twice, by average cost and by cash flow, and the
two must agree to the last digit (`check`).

Source: domain.md section 7; ADR 0003 says why round trips follow agents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from engine.model.account import Fill, Liquidity, Position, RoundTrip
from engine.model.errors import IdentityBroken
from engine.model.instrument import Instrument
from engine.model.money import ROUNDED, ZERO
from engine.model.orders import BUY, Side
from engine.model.venue_events import VenueFunding
from engine.portfolio.ledger import COST_GRID, Ledger, split
from engine.portfolio.round_trips import Cycle

HOUSE: Final = "house"
"""Owner of what no agent ordered: flattening, liquidations, rounding of funding."""


SETTLEMENTS_MAX: Final = 64
"""Funding settlements remembered per instrument: three weeks of three a day."""


@dataclass(slots=True)
class Holding:
    """The net position of one instrument, with its mark."""

    qty: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    unrealised: Decimal = ZERO
    mid2_ticks: int = 0
    low_mid2: int = 0
    """Lowest and highest twice-mid since the last fill, for the round trips' extremes."""
    high_mid2: int = 0
    settled_ns: list[int] = field(default_factory=list)
    """Funding settlements booked, the latest."""
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    cycles: dict[str, Cycle] = field(default_factory=dict)


@dataclass(slots=True)
class _Books:
    """Everything a checkpoint must hold."""

    starting_balance: Decimal
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    unrealised: Decimal = ZERO
    cash: Decimal = ZERO
    fees_elsewhere: Decimal = ZERO
    """What of `fees` was paid in other assets, and is no cash."""
    fills: int = 0
    holdings: dict[str, Holding] = field(default_factory=dict)


class Portfolio:
    """What we have. `equity` is current after every `mark`, `book` and `fund`."""

    def __init__(self, instruments: Sequence[Instrument], starting_balance: Decimal) -> None:
        self._half_tick = {i.symbol: i.tick_size * i.multiplier / 2 for i in instruments}
        self._multiplier = {i.symbol: i.multiplier for i in instruments}
        self.books = _Books(starting_balance=starting_balance, cash=starting_balance)
        self.books.holdings = {i.symbol: Holding() for i in instruments}
        self.holdings: Mapping[str, Holding] = self.books.holdings
        """Net position by symbol, flat ones included."""
        self.equity = starting_balance

    @property
    def balance(self) -> Decimal:
        """Equity without unrealised profit."""
        books = self.books
        return books.starting_balance + books.realised - books.fees + books.funding

    @property
    def quote_wallet(self) -> Decimal:
        """What a venue's wallet of the quote currency should hold, by all that was paid."""
        return self.books.cash + self.books.fees_elsewhere

    def mark(self, symbol: str, mid2_ticks: int) -> None:
        """Revalue one instrument at twice its mid. Hot: called for each quote while not flat.

        Most quotes change a size and leave the mid where it was: they change nothing here.
        """
        holding = self.holdings[symbol]
        if mid2_ticks != holding.mid2_ticks:
            self._revalue(symbol, holding, mid2_ticks)

    def _revalue(self, symbol: str, holding: Holding, mid2_ticks: int) -> None:
        """Work out anew what a holding is worth: the mid moved, or what is held changed."""
        holding.mid2_ticks = mid2_ticks
        if mid2_ticks < holding.low_mid2:
            holding.low_mid2 = mid2_ticks
        elif mid2_ticks > holding.high_mid2:
            holding.high_mid2 = mid2_ticks
        value = holding.qty * mid2_ticks * self._half_tick[symbol] - holding.cost
        change = value - holding.unrealised
        holding.unrealised = value
        self.books.unrealised += change
        self.equity += change

    def book(self, fill: Fill, mid2_ticks: int) -> tuple[Position, list[RoundTrip]]:
        """Book one fill in its agent's ledger, once; the caller has removed duplicates.

        Args:
            mid2_ticks: Twice the current mid, 0 where none is known: the fill's price then.

        """
        books, symbol, fee = self.books, fill.symbol, fill.fee
        holding, multiplier = books.holdings[symbol], self._multiplier[symbol]
        if not mid2_ticks:
            mid2_ticks = int(2 * fill.price * multiplier / (2 * self._half_tick[symbol]))
        if holding.cycles:
            self.mark(symbol, mid2_ticks)
            self._fold_extremes(symbol, holding)
        holding.low_mid2 = holding.high_mid2 = mid2_ticks
        signed = fill.qty if fill.side is BUY else -fill.qty
        books.cash -= signed * fill.price * multiplier + fee
        books.fees += fee
        if fill.other_fee:
            books.fees_elsewhere += fill.other_fee.worth or ZERO
        holding.fees += fee
        books.fills += 1
        trips = self._book_agent(holding, fill, signed, multiplier)
        self._revalue(symbol, holding, mid2_ticks)
        self.equity = self.balance + books.unrealised
        return self.position(symbol, fill.ts_ns), trips

    def _book_agent(
        self, holding: Holding, fill: Fill, signed: Decimal, multiplier: Decimal
    ) -> list[RoundTrip]:
        ledger = holding.ledgers.get(fill.agent)
        if ledger is None:
            ledger = holding.ledgers[fill.agent] = Ledger()
        closing, opening = split(ledger.qty, signed)
        if not opening:
            return self._book_part(holding, fill, signed, fill.fee, multiplier)
        share = ROUNDED.divide(fill.fee * closing, signed)
        fee = ROUNDED.quantize(share, COST_GRID)
        trips = self._book_part(holding, fill, closing, fee, multiplier)
        return trips + self._book_part(holding, fill, opening, fill.fee - fee, multiplier)

    def _book_part(
        self, holding: Holding, fill: Fill, signed: Decimal, fee: Decimal, multiplier: Decimal
    ) -> list[RoundTrip]:
        agent = fill.agent
        ledger = holding.ledgers[agent]
        cycle = holding.cycles.get(agent)
        if cycle is None:
            cycle = Cycle(fill.ts_ns, fill.side, ledger.realised, ledger.funding)
            holding.cycles[agent] = cycle
        cost = ledger.cost
        profit = ledger.book(signed, fill.price, multiplier, fee)
        holding.qty += signed
        holding.cost += ledger.cost - cost
        if profit:
            holding.realised += profit
            self.books.realised += profit
        cycle.add(fill, abs(signed), fee, ledger.qty)
        if ledger.qty:
            return []
        del holding.cycles[agent]
        realised, funding = ledger.realised, ledger.funding
        return [cycle.close(fill, realised=realised, funding=funding, multiplier=multiplier)]

    def _fold_extremes(self, symbol: str, holding: Holding) -> None:
        for agent, cycle in holding.cycles.items():
            cycle.stretch(*self._extremes(symbol, holding, agent))

    def _extremes(self, symbol: str, holding: Holding, agent: str) -> tuple[Decimal, Decimal]:
        """Return a cycle's gross profit at the lowest and the highest mid since the last fill."""
        half_tick, ledger = self._half_tick[symbol], holding.ledgers[agent]
        gained = ledger.realised - holding.cycles[agent].realised_before - ledger.cost
        low = ledger.qty * holding.low_mid2 * half_tick + gained
        high = ledger.qty * holding.high_mid2 * half_tick + gained
        return low, high

    def excursion(self, symbol: str, agent: str) -> tuple[Decimal, Decimal]:
        """Return an open cycle's worst and best gross profit so far, quote currency.

        The first is zero or negative, the second zero or positive, as in `RoundTrip`.
        """
        holding = self.books.holdings[symbol]
        cycle, ends = holding.cycles[agent], self._extremes(symbol, holding, agent)
        return min(cycle.mae, *ends), max(cycle.mfe, *ends)

    def settle_house(self, symbol: str, ts_ns: int, price: Decimal) -> list[RoundTrip]:
        """Close every agent's open share against the house at `price`, once the net is flat.

        Flattening trades the net position in the house's name. When it is done, agents that were
        on opposite sides still hold shares that cancel out; transferring them at one price changes
        no total and leaves every ledger flat.
        """
        holding = self.books.holdings[symbol]
        self._fold_extremes(symbol, holding)
        trips: list[RoundTrip] = []
        for agent in sorted(holding.ledgers):
            qty = holding.ledgers[agent].qty
            if agent != HOUSE and qty:
                trips += self._transfer(symbol, ts_ns, agent, qty, price)
        return trips

    def _transfer(
        self, symbol: str, ts_ns: int, agent: str, qty: Decimal, price: Decimal
    ) -> list[RoundTrip]:
        holding, multiplier = self.books.holdings[symbol], self._multiplier[symbol]
        trips: list[RoundTrip] = []
        for owner, signed in ((agent, -qty), (HOUSE, qty)):
            leg = Fill(
                ts_ns=ts_ns,
                order_id=f"{HOUSE}-transfer",
                agent=owner,
                symbol=symbol,
                trade_id="",
                side=Side.BUY if signed > 0 else Side.SELL,
                price=price,
                qty=abs(signed),
                fee=ZERO,
                liquidity=Liquidity.TAKER,
            )
            trips += self._book_agent(holding, leg, signed, multiplier)
        self._revalue(symbol, holding, holding.mid2_ticks)
        self.equity = self.balance + self.books.unrealised
        return trips

    def fund(self, event: VenueFunding) -> bool:
        """Book a funding payment, shared among ledgers by their quantity, the rest to the house.

        Returns:
            Whether it counts: one settlement pays once, however often it is told.

        """
        holding = self.books.holdings[event.symbol]
        if event.funding_ns:
            if event.funding_ns in holding.settled_ns:
                return False
            holding.settled_ns = [*holding.settled_ns[1 - SETTLEMENTS_MAX :], event.funding_ns]
        rate = event.mark_price * self._multiplier[event.symbol] * event.rate
        left = event.amount
        for agent in sorted(holding.ledgers):
            share = -holding.ledgers[agent].qty * rate
            holding.ledgers[agent].funding += share
            left -= share
        if left:
            holding.ledgers.setdefault(HOUSE, Ledger()).funding += left
        holding.funding += event.amount
        self.books.funding += event.amount
        self.books.cash += event.amount
        self.equity += event.amount
        return True

    def position(self, symbol: str, ts_ns: int) -> Position:
        """Describe the net position as the journal and the screen show it."""
        holding = self.books.holdings[symbol]
        qty = holding.qty
        entry = ROUNDED.divide(holding.cost, qty * self._multiplier[symbol]) if qty else None
        return Position(ts_ns, symbol, qty, entry, holding.realised, holding.fees, holding.funding)

    def is_flat(self) -> bool:
        """Whether no instrument has a net position."""
        return not any(holding.qty for holding in self.books.holdings.values())

    def exposure(self) -> tuple[Decimal, Decimal]:
        """Return gross and net notional at the current marks, quote currency."""
        gross = net = ZERO
        for symbol, holding in self.books.holdings.items():
            if holding.qty:
                value = holding.qty * holding.mid2_ticks * self._half_tick[symbol]
                gross += abs(value)
                net += value
        return gross, net

    def check(self) -> None:
        """Assert the identity of domain.md section 7 by the independent path of cash flows.

        Raises:
            IdentityBroken: The two ways to compute equity, or position and its ledgers, differ.

        """
        books = self.books
        worth = books.cash
        for symbol, holding in books.holdings.items():
            worth += holding.qty * holding.mid2_ticks * self._half_tick[symbol]
            for name in ("qty", "cost", "realised", "fees", "funding"):
                total = sum((getattr(x, name) for x in holding.ledgers.values()), ZERO)
                if total != getattr(holding, name):
                    raise IdentityBroken(f"{symbol}: net {name} is not {total}, its ledgers' sum")
        by_cost = self.balance + books.unrealised
        if not worth == by_cost == self.equity:
            raise IdentityBroken(f"cash {worth}, cost {by_cost}, running {self.equity}")

    def snapshot(self) -> bytes:
        """Encode the whole state for a checkpoint."""
        return msgspec.json.encode(self.books)

    def restore(self, state: bytes) -> None:
        """Continue from a snapshot of the same instruments."""
        self.books = msgspec.json.decode(state, type=_Books)
        self.holdings = self.books.holdings
        self.equity = self.balance + self.books.unrealised
