"""One invented market: trades, quotes, depth and funding that agree with each other.

A hidden fair price diffuses at the regime's volatility. Quotes follow it with a lag, takers lean
toward it, and sizes at the touch lean the same way: so order flow and imbalance say a little about
the next move, as they do in life. Trades excite further trades (a Hawkes process sampled by Ogata's
thinning). What is printed always traded against the quote before it, and the quote after it shows
what is left.

Time here is the venue's; `ts_ns` adds a network delay that wanders between 5 and 40 ms.
"""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from random import Random
from typing import Final

from brokers.mock.book import BUY, SELL, MockBook
from brokers.mock.config import MockConfig
from brokers.mock.regimes import REGIMES, Regime, next_regime
from brokers.mock.universe import Listing
from engine.model.market import Depth, FeedEvent, Funding, Quote, Trade
from engine.model.orders import Side

YEAR_S: Final = 365 * 24 * 3600
SECOND_NS: Final = 1_000_000_000
_MS_NS: Final = 1_000_000
FUNDING_PERIOD_NS: Final = 8 * 3600 * SECOND_NS

_RATE_UNIT: Final = Decimal("0.00000001")
"""Funding rates have eight decimals."""
_PRINTS_MEAN: Final = 1.09
"""Measured: prints a market order makes, sweeps included."""
_TRADE_SHARE: Final = 0.16
"""Share of messages, after depth and funding, that are trades; each brings a quote along."""
_BRANCHING: Final = 0.5
"""Share of trades caused by earlier trades."""
_EXCITEMENT_S: Final = 0.5
"""How long a trade excites others."""
_IMPACT: Final = 0.3
"""Share of a typical trade's volatility that its direction explains."""
_SHOCK_MAX: Final = 4.0
"""How much wider, and half as much thinner, the book is after the largest trades."""
_LARGE: Final = 0.25
"""Share of a typical level from which a trade is large."""
_HEALING: Final = 0.95
"""Shock left after each requote; the book heals quote by quote, whatever their rate."""
_SWEEP_MAX: Final = 5
"""Levels one market order may eat."""
_FAIR_TICKS_MIN: Final = 50.0
"""Keeps prices positive; reached only after a loss of nearly everything."""


class MockMarket:
    """The market of one symbol; the same arguments always give the same events."""

    def __init__(
        self,
        listing: Listing,
        config: MockConfig,
        seed: int,
        start_ns: int,
        regimes: Sequence[Regime] = REGIMES,
    ) -> None:
        self.symbol = listing.instrument.symbol
        self._listing = listing
        self._levels = config.depth_levels
        # Seeding from text is stable over machines and versions, and no symbol touches another's.
        self._rng = Random(f"{seed}:{self.symbol}")
        self.book = MockBook(listing, self._rng)
        self._fair = float(self.book.bid) + 0.5
        self._sigma = config.volatility * listing.relative_volatility / math.sqrt(YEAR_S)
        self._set_rates(config.events_per_s)
        self._regimes = regimes
        self.regime = regimes[0]
        self._heat = 0.0
        self._shock = 0.0
        self._last_direction = BUY
        self._ns = start_ns
        self._arrival_ns = start_ns
        self._lag_ns = 20 * _MS_NS
        self._seq = self._trade_id = 0
        self._funding_points = self._rng.gauss(10_000, 3_000)
        self._regime_due_ns = start_ns + self._dwell_ns()
        self._depth_due_ns = self._funding_due_ns = self._due_ns = start_ns

    def events(self) -> Iterator[FeedEvent]:
        """Yield for ever, opening with a quote; call it once."""
        yield self._quote()
        rng = self._rng
        while True:
            quote_rate = self._quote_rate * self.regime.activity
            trade_rate = self._trade_rate * self.regime.activity + self._heat
            bound = quote_rate + trade_rate
            gap_s = rng.expovariate(bound)
            until_ns = self._ns + int(gap_s * SECOND_NS)
            if until_ns >= self._due_ns:
                yield from self._scheduled(until_ns)
            self._pass_time(until_ns, gap_s)
            draw = rng.random() * bound - quote_rate
            if draw < 0:
                self._requote()
                yield self._quote()
            elif draw < self._trade_rate * self.regime.activity + self._heat:
                yield from self._market_order()

    def _set_rates(self, events_per_s: float) -> None:
        """Split the budget; depth and funding slow down where it is too small for them."""
        self._depth_every_ns = int(max(0.25, 4 / events_per_s) * SECOND_NS)
        self._funding_every_ns = int(max(1.0, 20 / events_per_s) * SECOND_NS)
        scheduled = SECOND_NS / self._depth_every_ns + SECOND_NS / self._funding_every_ns
        rest = events_per_s - scheduled
        trades = rest * _TRADE_SHARE
        orders = trades / _PRINTS_MEAN
        self._quote_rate = rest - 2 * trades
        self._trade_rate = orders * (1 - _BRANCHING)
        self._impact = _IMPACT * self._sigma / math.sqrt(orders)

    def _pass_time(self, until_ns: int, gap_s: float) -> None:
        self._ns = until_ns
        self._heat *= math.exp(-gap_s / _EXCITEMENT_S)
        step = self._sigma * self.regime.volatility * math.sqrt(gap_s) * self._rng.gauss(0, 1)
        self._fair = max(self._fair * math.exp(step), _FAIR_TICKS_MIN)

    def _scheduled(self, until_ns: int) -> Iterator[FeedEvent]:
        """Send depth and funding and change the mood, each when due, earliest first."""
        while (due_ns := self._due_ns) <= until_ns:
            self._ns = due_ns
            if due_ns == self._depth_due_ns:
                self._depth_due_ns += self._depth_every_ns
                self._lag_ns += int(0.3 * (self._rng.uniform(6, 39) * _MS_NS - self._lag_ns))
                yield self._depth()
            elif due_ns == self._funding_due_ns:
                self._funding_due_ns += self._funding_every_ns
                yield self._funding()
            else:
                self.regime = next_regime(self.regime, self._regimes, self._rng)
                self._regime_due_ns = due_ns + self._dwell_ns()
            self._due_ns = min(self._depth_due_ns, self._funding_due_ns, self._regime_due_ns)

    def _dwell_ns(self) -> int:
        return int(self._rng.expovariate(1 / self.regime.dwell_s) * SECOND_NS) + 1

    def _thickness(self) -> float:
        return self.regime.depth / (1 + 0.5 * self._shock)

    def _pull(self) -> float:
        """Say where the fair price lies from mid, -1 to 1, in units of a spread and a jiffy."""
        book = self.book
        reach = book.ask - book.bid + self._fair * self._sigma * self.regime.volatility * 0.3
        return math.tanh((self._fair - (book.bid + book.ask) / 2) / reach)

    def _requote(self) -> None:
        book, rng = self.book, self._rng
        self._shock *= _HEALING
        pull = self._pull()
        bid, ask = book.bid, book.ask
        if rng.random() < 0.65:
            mean = self._listing.spread_ticks * self.regime.spread * (1 + self._shock)
            spread = max(1, int(mean * (0.7 + 0.6 * rng.random()) + rng.random()))
            center = (bid + ask) / 2 + 0.6 * (self._fair - (bid + ask) / 2)
            bid = max(1, round(center - spread / 2))
            ask = bid + spread
        book.move(bid, ask, self._thickness(), pull)

    def _market_order(self) -> Iterator[FeedEvent]:
        """Print one taker's order, level by level, each print followed by what it left."""
        book, touch = self.book, self._listing.touch_lots
        direction = self._direction()
        lots = int(touch * 0.02 * self._rng.lognormvariate(0, 1.7)) + 1
        size = min(lots / touch, 1.0)
        self._heat += _BRANCHING / _EXCITEMENT_S
        self._shock = min(self._shock + 4 * max(0.0, size - _LARGE), _SHOCK_MAX)
        self._fair *= math.exp(direction * self._impact * self.regime.volatility * (0.5 + 5 * size))
        for _ in range(_SWEEP_MAX):
            price = book.ask if direction == BUY else book.bid
            taken = book.take(direction, lots, self._thickness())
            lots -= taken
            yield self._trade(price, taken, direction)
            yield self._quote()
            if not lots or not book.is_deep():
                break

    def _direction(self) -> int:
        lean = 0.5 + 0.35 * self._pull() + 0.1 * self._last_direction
        self._last_direction = BUY if self._rng.random() < lean else SELL
        return self._last_direction

    def _arrive(self) -> int:
        self._arrival_ns = max(self._arrival_ns, self._ns + self._lag_ns)
        return self._arrival_ns

    def _stamp(self) -> int:
        """Return the venue's stamp; venues count in milliseconds."""
        return self._ns // _MS_NS * _MS_NS

    def _quote(self) -> Quote:
        self._seq += 1
        b = self.book
        at_ns, venue_ns = self._arrive(), self._stamp()
        return Quote(at_ns, self.symbol, b.bid, b.bid_lots, b.ask, b.ask_lots, venue_ns, self._seq)

    def _trade(self, ticks: int, lots: int, direction: int) -> Trade:
        self._trade_id += 1
        side = Side.BUY if direction == BUY else Side.SELL
        at_ns, venue_ns = self._arrive(), self._stamp()
        return Trade(at_ns, self.symbol, ticks, lots, side, self._trade_id, venue_ns)

    def _depth(self) -> Depth:
        bids, asks = self.book.levels(self._levels, self._thickness())
        return Depth(
            self._arrive(),
            self.symbol,
            bids,
            asks,
            is_snapshot=True,
            first_seq=self._seq,
            last_seq=self._seq,
            ts_event_ns=self._stamp(),
        )

    def _funding(self) -> Funding:
        """Mark the price near mid, in hundredths of a tick; let the rate wander around 0.01 %."""
        rng, tick = self._rng, self._listing.instrument.tick_size
        self._funding_points += 0.001 * (10_000 - self._funding_points) + rng.gauss(0, 60)
        noise = round(rng.gauss(0, 20 * self._listing.spread_ticks))
        mark = max(1, (self.book.bid + self.book.ask) * 50 + noise)
        return Funding(
            self._arrive(),
            self.symbol,
            mark * tick.scaleb(-2),
            _RATE_UNIT * round(self._funding_points),
            (self._ns // FUNDING_PERIOD_NS + 1) * FUNDING_PERIOD_NS,
            self._stamp(),
        )
