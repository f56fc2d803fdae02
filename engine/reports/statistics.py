"""What a session achieved, accumulated as it goes in constant memory.

Money is exact `Decimal`; what divides money by money is rounded to 28 digits in `ROUNDED`; ratios
of a series (Sharpe, Sortino) are float. A figure that can't be known is None, never 0.
"""

import math
from decimal import Decimal
from typing import Final

import msgspec

from engine.model.account import RoundTrip
from engine.model.money import HUNDRED, ROUNDED, ZERO

YEAR_S: Final = 365 * 24 * 3600
"""Crypto trades every hour of the year."""
RETURNS_MIN: Final = 30
"""Fewer returns say nothing about their spread."""
NS: Final = 1_000_000_000


class Drawdown(msgspec.Struct, frozen=True, gc=False):
    """The worst falls from a peak; all None before the first reading."""

    abs: Decimal | None = None
    """Quote currency."""
    pct: Decimal | None = None
    """Percent of the peak it fell from, 0 to 100."""
    duration_s: float | None = None
    """Longest time from a peak until equity was back at it, or until the last reading."""


class RoundTripStatistics:
    """Win rate and friends, by net profit: a round trip that nets exactly 0 is neither.

    Source: domain.md section 7 for what a round trip nets; the ratios are the usual definitions.
    """

    __slots__ = ("_gain", "_loss", "count", "losses", "wins")

    def __init__(self) -> None:
        self.count = self.wins = self.losses = 0
        self._gain = self._loss = ZERO

    def add(self, trip: RoundTrip) -> None:
        """Count one closed round trip."""
        self.count += 1
        if trip.net_pnl > ZERO:
            self.wins += 1
            self._gain += trip.net_pnl
        elif trip.net_pnl < ZERO:
            self.losses += 1
            self._loss += trip.net_pnl

    @property
    def win_rate(self) -> float | None:
        """Winning share of all round trips, 0 to 1."""
        return self.wins / self.count if self.count else None

    @property
    def profit_factor(self) -> Decimal | None:
        """Sum of wins over sum of losses; None without a loss, when it would be infinite."""
        return ROUNDED.divide(self._gain, -self._loss) if self.losses else None

    @property
    def expectancy(self) -> Decimal | None:
        """Mean net profit of a round trip, quote currency."""
        return _mean(self._gain + self._loss, self.count)

    @property
    def avg_win(self) -> Decimal | None:
        """Mean net profit of the winning ones."""
        return _mean(self._gain, self.wins)

    @property
    def avg_loss(self) -> Decimal | None:
        """Mean net profit of the losing ones: a negative number."""
        return _mean(self._loss, self.losses)


class Curve:
    """The equity curve, reduced as it is drawn: drawdown, returns and time in the market."""

    __slots__ = (
        "_abs", "_down", "_elapsed_ns", "_exposed_ns", "_first_ns", "_is_exposed", "_is_under",
        "_last", "_last_ns", "_longest_ns", "_m2", "_mean", "_n", "_pct", "_peak", "_peak_ns",
    )  # fmt: skip

    def __init__(self) -> None:
        self._first_ns: int | None = None
        self._last_ns = self._peak_ns = self._longest_ns = self._exposed_ns = self._elapsed_ns = 0
        self._is_exposed = self._is_under = False
        self._last = self._peak = self._abs = self._pct = ZERO
        self._n: int | None = 0
        """Returns seen; None once equity was not positive, when a return means nothing."""
        self._mean = self._m2 = self._down = 0.0

    def add(self, ts_ns: int, equity: Decimal, is_exposed: bool) -> None:  # noqa: FBT001  (a reading)
        """Add one reading, usually one a second; `is_exposed` says whether any position is open.

        Readings come in order of time. One with the time of the last adds no return.
        """
        if self._first_ns is None:
            self._first_ns = self._last_ns = self._peak_ns = ts_ns
            self._peak = self._last = equity
        assert ts_ns >= self._last_ns, "readings come in order of time"
        self._fall(ts_ns, equity)
        if ts_ns > self._last_ns:
            self._spend(ts_ns - self._last_ns)
            self._move(equity)
        self._last_ns, self._is_exposed = ts_ns, is_exposed

    @property
    def max_drawdown(self) -> Drawdown:
        """The deepest and the longest fall so far."""
        if self._first_ns is None:
            return Drawdown()
        return Drawdown(self._abs, self._pct, self._longest_ns / NS)

    @property
    def exposure_pct(self) -> float | None:
        """Share of time with a position, in percent; None before any time has passed."""
        return 100 * self._exposed_ns / self._elapsed_ns if self._elapsed_ns else None

    @property
    def sharpe(self) -> float | None:
        """Annualised mean over standard deviation of returns: `mean / std * sqrt(year / interval)`.

        Returns are of equity from reading to reading, `std` divides by n - 1, the risk-free rate is
        0, the year has 365 days of 24 h and `interval` is the mean time between readings. None with
        fewer than 30 returns, without variance, or after equity was not positive.

        Caveat: annualising assumes independent returns. Second-by-second returns of one strategy
        are not, and the factor is about 5,600, so ten minutes of luck read like genius: compare
        sessions of like length with it, never promise a year by it.

        Source: Sharpe, "The Sharpe Ratio" (1994), with the square-root-of-time rule.
        """
        if self._n is None or self._n < RETURNS_MIN:
            return None
        return self._annualised(math.sqrt(self._m2 / (self._n - 1)))

    @property
    def sortino(self) -> float | None:
        """Annualised mean over downside deviation: the root of the mean squared negative return.

        The target return is 0 and the mean runs over all n returns, losing or not. None and caveat
        as for `sharpe`; also None while no return was negative.

        Source: Sortino and Price (1994).
        """
        if self._n is None or self._n < RETURNS_MIN:
            return None
        return self._annualised(math.sqrt(self._down / self._n))

    def _annualised(self, deviation: float) -> float | None:
        assert self._n, "the callers count first"
        if deviation <= 1e-9 * abs(self._mean):  # equal returns, but for the rounding of floats
            return None
        interval_s = self._elapsed_ns / NS / self._n
        return self._mean / deviation * math.sqrt(YEAR_S / interval_s)

    def _fall(self, ts_ns: int, equity: Decimal) -> None:
        was_under, self._is_under = self._is_under, equity < self._peak
        if was_under or self._is_under:
            self._longest_ns = max(self._longest_ns, ts_ns - self._peak_ns)
        if not self._is_under:
            self._peak, self._peak_ns = equity, ts_ns
        elif self._peak - equity > self._abs:
            # A peak never sinks, so a relative fall can only be a record when the absolute one is.
            self._abs = self._peak - equity
            percent = ROUNDED.divide(self._abs * HUNDRED, self._peak)
            self._pct = max(self._pct, percent)

    def _spend(self, elapsed_ns: int) -> None:
        self._elapsed_ns += elapsed_ns
        if self._is_exposed:
            self._exposed_ns += elapsed_ns

    def _move(self, equity: Decimal) -> None:
        before, self._last = self._last, equity
        if self._n is None or before <= ZERO:
            self._n = None
            return
        change = float(ROUNDED.divide(equity - before, before)) if equity != before else 0.0
        self._n += 1
        delta = change - self._mean
        self._mean += delta / self._n
        self._m2 += delta * (change - self._mean)
        self._down += min(change, 0.0) ** 2


def turnover(traded: Decimal, starting_balance: Decimal) -> Decimal | None:
    """Return how many times the starting balance was traded, by notional of all fills."""
    return ROUNDED.divide(traded, starting_balance) if starting_balance > ZERO else None


def _mean(total: Decimal, count: int) -> Decimal | None:
    return ROUNDED.divide(total, Decimal(count)) if count else None
