"""Figures by hand, and against a naive reading of their definitions over the whole list."""

import itertools
import math
import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.account import RoundTrip
from engine.model.orders import Side
from engine.reports.statistics import YEAR_S, Curve, Drawdown, RoundTripStatistics, turnover

D = Decimal

NS = 1_000_000_000


def trip(net: D, agent: str = "maker", symbol: str = "BTCUSDT") -> RoundTrip:
    """Build a round trip of which only the net matters."""
    zero = D(0)
    return RoundTrip(
        ts_ns=1, symbol=symbol, agent=agent, side=Side.BUY, opened_ns=0, duration_s=1.0,
        entry_price=D(1), exit_price=D(1), qty=D(1), peak_qty=D(1), gross_pnl=net + D("0.5"),
        maker_fees=D("0.5"), taker_fees=zero, funding=zero, net_pnl=net, slippage=zero,
        mae=zero, mfe=zero, fills=2, order_ids=(),
    )  # fmt: skip


ROUND_TRIPS = [
    # nets,                 win_rate, profit_factor, expectancy, avg_win, avg_loss
    ([],                    None,     None,          None,       None,    None),
    (["3"],                 1.0,      None,          "3",        "3",     None),
    (["-2"],                0.0,      "0",           "-2",       None,    "-2"),
    (["0"],                 0.0,      None,          "0",        None,    None),
    (["3", "1", "-2", "0"], 0.5,      "2",           "0.5",      "2",     "-2"),
    (["0.1", "0.2", "-0.3"], 2 / 3,   "1",           "0",        "0.15",  "-0.3"),
]  # fmt: skip


@pytest.mark.parametrize(("nets", "rate", "factor", "expectancy", "win", "loss"), ROUND_TRIPS)
def test_round_trips(nets, rate, factor, expectancy, win, loss) -> None:
    """Each figure is the hand-computed one; what has no denominator is None."""
    figures = RoundTripStatistics()
    for net in nets:
        figures.add(trip(D(net)))

    assert rate == figures.win_rate
    expected = [None if text is None else D(text) for text in (factor, expectancy, win, loss)]
    assert expected == [
        figures.profit_factor, figures.expectancy, figures.avg_win, figures.avg_loss,
    ]  # fmt: skip


CURVES = [
    # equity a second,                   abs,  pct,  duration_s
    ([100],                              "0",  "0",  0.0),
    ([100, 101, 102],                    "0",  "0",  0.0),
    ([100, 90, 100],                     "10", "10", 2.0),
    ([100, 90],                          "10", "10", 1.0),
    ([100, 200, 150, 160, 250, 240],     "50", "25", 3.0),
    ([100, 80, 100, 1000, 975, 976, 977, 978, 979], "25", "20", 5.0),
    ([100, 100, 100, 90],                "10", "10", 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("equities", "fall", "pct", "duration_s"), CURVES)
def test_drawdown(equities, fall, pct, duration_s) -> None:
    """The deepest fall in money, the deepest in percent and the longest may be three different."""
    curve = Curve()
    for second, equity in enumerate(equities):
        curve.add(second * NS, D(equity), False)

    assert Drawdown(D(fall), D(pct), duration_s) == curve.max_drawdown


def test_an_empty_curve_knows_nothing() -> None:
    """Before the first reading every figure is None, not 0."""
    curve = Curve()

    assert Drawdown(None, None, None) == curve.max_drawdown
    assert (curve.sharpe, curve.sortino, curve.exposure_pct) == (None, None, None)


def test_exposure_is_a_share_of_time() -> None:
    """One second exposed of four is 25 %, however many readings there were."""
    curve = Curve()
    for at_ms, is_exposed in ((0, False), (1000, True), (1500, True), (2000, False), (4000, True)):
        curve.add(at_ms * 1_000_000, D(100), is_exposed)

    assert curve.exposure_pct == 25.0


def test_ratios_by_hand() -> None:
    """Thirty returns, alternately +2 % and -1 %: mean 0.5 %, std by n-1, downside by n."""
    curve, equity = Curve(), D(100)
    curve.add(0, equity, False)
    for second in range(1, 31):
        equity *= D("1.02") if second % 2 else D("0.99")
        curve.add(second * NS, equity, False)

    deviation = 0.015 * math.sqrt(30 / 29)
    assert math.isclose(0.005 / deviation * math.sqrt(31_536_000), curve.sharpe)
    assert math.isclose(0.005 / (0.01 / math.sqrt(2)) * math.sqrt(31_536_000), curve.sortino)


@pytest.mark.parametrize("step", ["1", "1.001", "0.999"])
def test_no_ratio_without_variance(step) -> None:
    """Equal returns have no spread to divide by."""
    curve = Curve()
    for second in range(100):
        curve.add(second * NS, D(100) * D(step) ** second, True)

    assert curve.sharpe is None


def test_no_ratio_from_few_returns() -> None:
    """29 returns are too few."""
    curve = Curve()
    for second in range(30):
        curve.add(second * NS, D(100 + second % 3), True)

    assert (curve.sharpe, curve.sortino) == (None, None)


def test_no_ratio_after_ruin() -> None:
    """A return of an account without money means nothing, then and ever after."""
    curve = Curve()
    for second in range(100):
        curve.add(second * NS, D(0) if second == 50 else D(100 + second % 3), True)

    assert (curve.sharpe, curve.sortino) == (None, None)


def test_two_readings_of_one_moment_are_no_return() -> None:
    """The last view of a session may carry the time of the last heartbeat."""
    curve = Curve()
    for at_s, equity in ((0, 100), (1, 100), (1, 90), (2, 90)):
        curve.add(at_s * NS, D(equity), True)

    assert Drawdown(D(10), D(10), 1.0) == curve.max_drawdown
    assert curve.exposure_pct == 100.0


def test_turnover() -> None:
    """Traded notional over the starting balance; unknown without one."""
    assert D("2.5") == turnover(D(25_000), D(10_000))
    assert turnover(D(1), D(0)) is None


prices = st.decimals(min_value="0.01", max_value="1000000", places=2)


@given(st.lists(st.tuples(st.integers(1, 10**10), prices, st.booleans()), min_size=1))
def test_curve_against_a_naive_one(steps) -> None:
    """The online figures are those of the definitions, read over the whole list."""
    curve, at_ns, readings = Curve(), 0, []
    for gap_ns, equity, is_exposed in steps:
        at_ns += gap_ns
        readings.append((at_ns, equity, is_exposed))
        curve.add(at_ns, equity, is_exposed)

    fall, pct, longest = naive_drawdown(readings)
    assert fall == curve.max_drawdown.abs
    assert math.isclose(pct, curve.max_drawdown.pct, rel_tol=1e-12)
    assert math.isclose(longest, curve.max_drawdown.duration_s)
    returns = [float(b / a - 1) for (_, a, _), (_, b, _) in itertools.pairwise(readings)]
    if len(returns) >= 30 and statistics.stdev(returns) > 1e-6:
        mean_gap_s = (readings[-1][0] - readings[0][0]) / NS / len(returns)
        expected = statistics.mean(returns) / statistics.stdev(returns)
        expected *= math.sqrt(YEAR_S / mean_gap_s)
        assert math.isclose(expected, curve.sharpe, rel_tol=1e-6, abs_tol=1e-6)


def naive_drawdown(readings):
    """Look back from every reading; slow and plain."""
    falls = [
        (peak := max(e for _, e, _ in readings[: i + 1]), peak - equity)
        for i, (_, equity, _) in enumerate(readings)
    ]
    pct = max(fall / peak * 100 for peak, fall in falls)
    return max(fall for _, fall in falls), pct, naive_longest_ns(readings) / NS


def naive_longest_ns(readings):
    """From each reading: how long until equity is first back at it, while it never was above."""
    longest = 0
    for i, (from_ns, equity, _) in enumerate(readings):
        if i + 1 < len(readings) and readings[i + 1][1] < equity == max(
            e for _, e, _ in readings[: i + 1]
        ):
            later = readings[i + 1 :]
            back_ns = next((t for t, e, _ in later if e >= equity), later[-1][0])
            longest = max(longest, back_ns - from_ns)
    return longest


@given(st.lists(st.decimals(min_value=-1000, max_value=1000, places=4)))
def test_round_trips_against_naive_sums(nets) -> None:
    """Sums of wins and losses are exact, whatever their order."""
    figures = RoundTripStatistics()
    for net in nets:
        figures.add(trip(net))

    wins, losses = [n for n in nets if n > 0], [n for n in nets if n < 0]
    assert (len(nets), len(wins), len(losses)) == (figures.count, figures.wins, figures.losses)
    assert (sum(wins) / len(wins) if wins else None) == figures.avg_win
    assert (sum(losses) / len(losses) if losses else None) == figures.avg_loss
    assert (sum(wins) / -sum(losses) if losses else None) == figures.profit_factor
