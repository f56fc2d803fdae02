"""When a breaker would trip, and how full the gate's limits are."""

from decimal import Decimal

import pytest

from engine.model.orders import Side
from engine.risk.breakers import Breakers, Reading
from engine.risk.limits import RiskLimits
from engine.session.control.appetite import appetite_faces
from engine.session.control.forecast import EVERY_S, WINDOW_S, Forecast
from tests.engine.kernel.rig import Rig, Scripted, limit, market

D = Decimal
SECOND = 1_000_000_000
BUY, SELL = Side.BUY, Side.SELL


def after(losses: dict[int, str], **limits: object) -> tuple[Forecast, Breakers]:
    """Equity has lost so much at each second."""
    breakers = Breakers(RiskLimits(**limits), D(10_000))  # type: ignore[arg-type]
    forecast = Forecast(breakers)
    for second, lost in losses.items():
        breakers.on_equity(D(10_000) - D(lost), second * SECOND)
        forecast.on_second(second * SECOND)
    return forecast, breakers


def reading(breakers: Breakers, name: str) -> Reading:
    return next(reading for reading in breakers.readings() if reading.name == name)


PACES = [
    # lost by second,                        seconds to a loss of 2 %
    ({0: "0"},                               None),
    ({0: "0", 4: "40"},                      None),
    ({0: "0", 10: "20"},                     90.0),
    ({0: "0", 10: "0"},                      None),
    ({0: "100", 10: "50"},                   None),
    ({0: "0", 30: "100", 60: "100"},         60.0),
    ({n: str(n) for n in range(0, 200, 5)},  5.0),
    ({0: "0", 10: "300"},                    None),
]  # fmt: skip


@pytest.mark.parametrize(("losses", "expected"), PACES)
def test_a_straight_line(losses: dict[int, str], expected: float | None) -> None:
    """At the pace of the last minute; unknown while standing still, falling, young or tripped."""
    forecast, breakers = after(losses)

    assert expected == forecast.breach_s(reading(breakers, "max_loss_pct"), max(losses) * SECOND)


def test_what_jumps_is_not_projected() -> None:
    """Errors of a minute forget by themselves, and losses in a row come one by one."""
    forecast, breakers = after({0: "0"})
    for second in range(1, 6):
        breakers.on_error(second * SECOND)
        breakers.on_round_trip(D(-1), second * SECOND)
        forecast.on_second((second + 5) * SECOND)

    assert reading(breakers, "max_errors_per_minute").reading
    for name in ("max_errors_per_minute", "max_consecutive_losses"):
        assert forecast.breach_s(reading(breakers, name), 20 * SECOND) is None
    assert Forecast(breakers).breach_s(reading(breakers, "max_loss_pct"), 1) is None


def test_a_minute_is_kept() -> None:
    """However long the session, however many seconds it is told of."""
    forecast, _ = after(dict.fromkeys(range(1000), "0"))

    assert WINDOW_S // EVERY_S + 1 == len(forecast._past)


REARMS = [
    # breaker,                   how,         what trips it,                           in seconds
    ("max_consecutive_losses",   "cooldown",  lambda b: b.on_round_trip(D(-1), 100 * SECOND), 160),
    ("max_daily_loss",           "day",       lambda b: b.on_equity(D(9_000), 100 * SECOND),  86_400),
    ("max_loss_pct",             "operator",  lambda b: b.on_equity(D(9_000), 100 * SECOND),  0),
    ("max_trades",               "never",     lambda b: b.on_fill(100 * SECOND),              0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "how", "trip", "at_s"), REARMS)
def test_when_it_re_arms(name: str, how: str, trip, at_s: int) -> None:
    """Nothing before it trips; then the time, where it re-arms by itself."""
    limits = RiskLimits(max_consecutive_losses=1, max_daily_loss=D(10), max_trades=1)
    breakers = Breakers(limits, D(10_000))
    breakers.on_equity(D(10_000), 1 * SECOND)
    before = reading(breakers, name)
    trip(breakers)
    tripped = reading(breakers, name)

    assert (how, 0, False) == (before.rearm, before.rearms_ns, before.is_tripped)
    assert (how, at_s * SECOND, True) == (tripped.rearm, tripped.rearms_ns, tripped.is_tripped)


def test_appetite() -> None:
    """What is held and works, against each limit that is set."""
    rig = Rig(
        Scripted("a"), symbols=("BTC", "ETH"),
        limits={"max_gross_notional": D(4_000), "max_net_notional": D(3_000),
                "max_position_notional": D(4_000), "max_leverage": D(3)},
    )  # fmt: skip
    rig.ask("a", market(BUY, "2"), "BTC")
    rig.ask("a", market(SELL, "1"), "ETH")
    rig.ask("a", limit(BUY, "1", "999.0"), "ETH")
    faces = {face.name: face for face in appetite_faces(rig.kernel)}

    assert [
        ("max_position_notional:BTC", D("2000.10")), ("max_gross_notional", D("3000.15")),
        ("max_net_notional", D("1000.05")),
    ] == [(name, face.reading) for name, face in list(faces.items())[:3]]  # fmt: skip
    assert D("0.2499625") == faces["max_gross_notional"].headroom
    assert 1 == faces["max_open_orders"].reading
    assert "max_position_size" not in faces
    assert {("refuse", False)} == {(f.action, f.is_tripped) for f in faces.values()}
