"""The simulated venue: one account on the recorded or live market, in event time.

For each market event the session calls `advance(event.ts_ns)`, then `observe(event)`, then steps
its kernel. What the kernel asks for in answer comes back through `submit`, stamped with the time it
was asked. To react to an answer before later ones happen, advance from one `next_due_ns()` to the
next. The sink must only store: it may not call the venue.
"""

import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from heapq import heappop
from string import ascii_letters, digits
from typing import Any, Final

from brokers.paper import state
from brokers.paper.account import Account
from brokers.paper.answers import Answers
from brokers.paper.config import PaperConfig
from brokers.paper.courier import (
    AccountRequest,
    AmendRequest,
    CancelRequest,
    Courier,
    OrderRequest,
    PlaceRequest,
    Request,
    courier_of,
    request_of,
)
from brokers.paper.depth import DepthBook
from brokers.paper.door import Door
from brokers.paper.kept import KeptAnswers
from brokers.paper.ledger import Ledger
from brokers.paper.maker import traded_through
from brokers.paper.market import Market, Source, is_near, is_plausible
from brokers.paper.matching import Matching
from brokers.paper.settlement import Settlement
from brokers.paper.teller import Teller
from brokers.paper.terms import HALF, Terms
from brokers.paper.triggers import released, released_in
from engine.model.commands import CancelOrder, Command, PlaceOrder
from engine.model.instrument import Instrument
from engine.model.market import Bar, Depth, Funding, MarketEvent, Quote, Trade
from engine.model.venue_events import VenueEvent
from engine.venue import Capabilities, Margin

CAPABILITIES: Final = Capabilities(
    can_amend_price=True,
    can_amend_qty=True,
    amend_down_keeps_queue=True,
    has_triggers=True,
    client_id_max=36,
    client_id_alphabet=ascii_letters + digits + "-_",
    query_lag_ms=1_000,
    account_outlives_engine=False,
)


class PaperVenue:
    """A `SessionBroker`. Seeded: the same inputs give the same answers, byte for byte."""

    __slots__ = (
        "_account",
        "_answers",
        "_courier",
        "_handlers",
        "_heap",
        "_kept",
        "_markets",
        "_matching",
        "_now_ns",
        "_rng",
        "_settlement",
        "_sink",
        "_teller",
        "run_id",
    )

    def __init__(  # noqa: PLR0917 - the shape every venue of the session is built with
        self,
        instruments: Sequence[Instrument],
        config: PaperConfig,
        seed: int,
        starting_balance: Decimal,
        sink: Callable[[VenueEvent], None],
        run_id: str = "",
        ledger: Ledger | None = None,
    ) -> None:
        self.run_id = run_id
        self._sink = sink
        self._now_ns = 0
        self._rng = random.Random(seed)
        self._markets = {
            instrument.symbol: Market(Terms.of(instrument, config), DepthBook())
            for instrument in instruments
        }
        self._courier: Courier = courier_of(config, self._rng, sink)
        self._heap = self._courier.heap
        self._account = Account(starting_balance, self._markets)
        self._kept = KeptAnswers(self._courier, ledger) if ledger else None
        self._answers = self._kept or Answers(self._courier)
        self._matching = Matching(self._markets, self._account, self._answers, config, self._rng)
        self._settlement = Settlement(self._markets, self._account, self._answers, self._matching)
        self._teller = Teller(self._markets, self._account, self._answers, self._courier)
        self._handlers: dict[type, Callable[[Market, Any], None]] = {
            Trade: self._on_trade,
            Depth: self._on_depth,
            Funding: self._settlement.announced,
            Bar: self._on_bar,
        }

    @property
    def capabilities(self) -> Capabilities:
        """What this venue can do; constant."""
        return CAPABILITIES

    @property
    def door(self) -> Door:
        """Where an exchange built on this venue takes orders in; it must have no latency."""
        assert self._courier.is_instant, "its answers would still be under way"
        return Door(self._markets, self._account, self._matching)

    @property
    def equity(self) -> Decimal:
        """The account's worth at the venue, to reconcile with: quote currency, at mark or mid."""
        return self._account.equity()

    def positions(self) -> dict[str, Decimal]:
        """Return the signed quantity of each open position, to reconcile with."""
        return {
            symbol: market.position * market.terms.lot_size
            for symbol, market in sorted(self._account.open.items())
        }

    def queue_ahead(self, order_id: str) -> Decimal | None:
        """Return what the fill model has ahead of a resting order; None for one it has no line for.

        Where nobody showed the level, the size of the touch stands for it (`brokers.paper.queue`).
        """
        for market in self._markets.values():
            order = market.buys.get(order_id) or market.sells.get(order_id)
            if order is not None:
                lots = self._matching.maker.ahead(order)
                return None if lots is None else lots * market.terms.lot_size
        return None

    def margin(self, symbol: str) -> Margin | None:
        """Return what an open position ties up of this cross-margined account."""
        market = self._account.open.get(symbol)
        if market is None:
            return None
        units = abs(market.position) * (market.bid + market.ask)
        initial = units * market.terms.margin_unit * HALF
        return Margin(initial, self._account.liquidation_price(market))

    def note_exits(self) -> None:
        """Let the ledger know what open positions could be closed at; nothing without a ledger."""
        if self._kept is not None:
            self._kept.note_exits(self._account.open)

    def submit(self, commands: Sequence[Command]) -> None:
        """Send a turn's commands; with no latency at all the answers are in the sink on return."""
        for command in commands:
            self._submit(command)

    def _submit(self, command: Command) -> None:
        if not self._courier.is_instant:
            self._courier.send(max(command.ts_ns, self._now_ns), request_of(command))
        elif type(command) is PlaceOrder:
            self._matching.place(command.ts_ns, command.order_id, command.approved.intent)
        elif type(command) is CancelOrder:
            self._matching.cancel(command.ts_ns, command.order_id, command.symbol)
        else:
            self._act(command.ts_ns, request_of(command))

    def advance(self, ts_ns: int) -> None:
        """Let everything happen that is due up to and including `ts_ns`, in order."""
        heap = self._heap
        while heap and heap[0][0] <= ts_ns:
            due_ns, _, message = heappop(heap)
            self._courier.arrived(due_ns, message)
            if isinstance(message, Request):
                self._act(due_ns, message)
            else:
                self._sink(message)
        self._now_ns = ts_ns

    def next_due_ns(self) -> int | None:
        """When something pending happens next; None when nothing is pending."""
        return self._heap[0][0] if self._heap else None

    def observe(self, event: MarketEvent) -> None:
        """Move the simulated market; implausible data and unknown symbols change nothing."""
        market = self._markets.get(event.symbol)
        if market is None:
            return
        if type(event) is Quote:
            bid, bid_lots = event.bid_ticks, event.bid_lots
            ask, ask_lots = event.ask_ticks, event.ask_lots
            if not 0 < bid < ask or bid_lots <= 0 or ask_lots <= 0:
                return
            if not market.low < bid + ask < market.high and not is_plausible(market, bid + ask):
                return
            # Written out rather than called: this is the one path taken a million times.
            if bid != market.bid or bid_lots != market.bid_lots:
                market.bid, market.bid_lots, market.bid_taken = bid, bid_lots, 0
            if ask != market.ask or ask_lots != market.ask_lots:
                market.ask, market.ask_lots, market.ask_taken = ask, ask_lots, 0
            market.event_ns = event.ts_event_ns
            market.source = QUOTES
            if market.is_engaged:
                self._react(market, event.ts_ns)
        else:
            self._handlers[type(event)](market, event)

    def snapshot(self) -> bytes:
        """Return the complete state, the generator's included, as JSON."""
        return state.encode(
            state.Saved(
                run_id=self.run_id,
                now_ns=self._now_ns,
                rng=self._rng.getstate(),
                cash=self._account.cash,
                markets=list(self._markets.values()),
                numbers=self._answers.numbers,
                journey=state.journey_of(self._courier),
                pending=state.pack(self._heap),
            )
        )

    def restore(self, snapshot: bytes) -> None:
        """Continue from `snapshot()` of a venue with the same instruments and settings."""
        saved = state.decode(snapshot)
        self.run_id, self._now_ns = saved.run_id, saved.now_ns
        self._rng.setstate(saved.rng)
        self._account.cash = saved.cash
        self._account.open.clear()
        for market in saved.markets:
            symbol = market.terms.instrument.symbol
            market.terms = self._markets[symbol].terms
            self._markets[symbol] = market
            if market.position:
                self._account.open[symbol] = market
        self._answers.numbers = saved.numbers
        if self._kept is not None:
            self._kept.adopt(self._markets.values())
        state.resume(self._courier, saved)

    def _act(self, ts_ns: int, request: Request) -> None:
        matching = self._matching
        match request:
            case PlaceRequest():
                matching.place(ts_ns, request.order_id, request.intent)
            case CancelRequest():
                matching.cancel(ts_ns, request.order_id, request.symbol)
            case AmendRequest():
                matching.amend(ts_ns, request.order_id, request.symbol, request.price, request.qty)
            case AccountRequest():
                self._teller.account(ts_ns, request)
            case OrderRequest():
                self._teller.order(ts_ns, request.symbol, request.order_id)

    def _react(self, market: Market, ts_ns: int) -> None:
        """Draw the consequences of a new touch: passive fills, triggers, margin."""
        if market.buys or market.sells:
            for order, lots in self._matching.maker.quoted(market):
                self._matching.fill_resting(market, order, lots, ts_ns)
        if market.conditionals:
            for order in released(market):
                self._matching.release(market, order, ts_ns)
        if market.position:
            self._guard_margin(market, ts_ns)

    def _guard_margin(self, market: Market, ts_ns: int) -> None:
        """Check the margin at a new touch, where the band says that it may matter."""
        if not market.liquidation_low < market.bid + market.ask < market.liquidation_high:
            self._settlement.check_margin(ts_ns)

    def _on_trade(self, market: Market, trade: Trade) -> None:
        is_believed = trade.price_ticks > 0 and trade.qty_lots > 0
        if not is_believed or not is_near(market, trade.price_ticks):
            return
        if market.buys or market.sells:
            for order, lots in self._matching.maker.printed(market, trade):
                self._matching.fill_resting(market, order, lots, trade.ts_ns)

    def _on_depth(self, market: Market, depth: Depth) -> None:
        market.depth.apply(depth)
        if market.source is not Source.QUOTES:
            self._touch_from_depth(market, depth)
        elif market.buys or market.sells:
            self._matching.maker.deepened(market, depth.ts_event_ns)

    def _touch_from_depth(self, market: Market, depth: Depth) -> None:
        """Where no quotes exist, the ladder's best levels are the touch."""
        touch = market.depth.touch()
        if touch is None:
            return
        (bid, bid_lots), (ask, ask_lots) = touch
        if not bid < ask or not is_plausible(market, bid + ask):
            return
        market.source = Source.DEPTH
        market.event_ns = depth.ts_event_ns
        market.show(bid, bid_lots, ask, ask_lots)
        market.ask_taken = market.depth.taken_at(is_buy=True, ticks=ask)
        market.bid_taken = market.depth.taken_at(is_buy=False, ticks=bid)
        if market.is_engaged:
            self._matching.maker.deepened(market, depth.ts_event_ns)
            self._react(market, depth.ts_ns)

    def _on_bar(self, market: Market, bar: Bar) -> None:
        """Trade what the bar's range reached, then show its close as the touch.

        Longer intervals than the shortest seen are ignored: they tell of a past in which our
        orders did not exist.
        """
        low, high = bar.low_ticks, bar.high_ticks
        is_sound = 0 < low <= bar.open_ticks <= high and low <= bar.close_ticks <= high
        is_late = 0 < market.bar_interval_s < bar.interval_s
        if market.source > BARS or is_late or not is_sound:
            return
        total = 2 * bar.open_ticks
        if not market.low < total < market.high and not is_plausible(market, total):
            return
        market.source, market.bar_interval_s = BARS, bar.interval_s
        if market.is_engaged:
            self._trade_range(market, bar)
        market.show(bar.close_ticks, 0, bar.close_ticks, 0)
        if market.position:
            self._guard_margin(market, bar.ts_ns)

    def _trade_range(self, market: Market, bar: Bar) -> None:
        matching = self._matching
        if market.conditionals:
            for order, ticks in released_in(market, bar):
                market.show(ticks, 0, ticks, 0)
                matching.release(market, order, bar.ts_ns)
        if market.buys or market.sells:
            for order, lots in traded_through(market, bar):
                matching.fill_resting(market, order, lots, bar.ts_ns)
        if market.position:
            worst = bar.low_ticks if market.position > 0 else bar.high_ticks
            market.show(worst, 0, worst, 0)
            self._guard_margin(market, bar.ts_ns)


QUOTES: Final = Source.QUOTES
BARS: Final = Source.BARS
"""Module globals: one lookup instead of two on the path of a quote or bar."""
