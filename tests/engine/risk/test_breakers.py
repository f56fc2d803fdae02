"""The breakers, row by row, then against a model that keeps every equity it was shown."""

import decimal
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.model.money import use_exact_arithmetic
from engine.risk.breaker_rules import rules_of
from engine.risk.breakers import DAY_NS, Breakers, Trip
from engine.risk.lifecycle import FsmEvent
from engine.risk.limits import RiskLimits
from engine.risk.windows import count_in_window

D = Decimal
E = FsmEvent
SECOND = 1_000_000_000
START = D(1_000)
NONE = dict.fromkeys(
    [
        "max_loss_pct",
        "max_session_drawdown_pct",
        "max_consecutive_losses",
        "max_errors_per_minute",
        "max_rejects_per_minute",
    ]
)


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    """Judge in the arithmetic of a session, which traps an inexact result."""
    with decimal.localcontext():
        use_exact_arithmetic()
        yield


def breakers(**limits: object) -> Breakers:
    return Breakers(RiskLimits(**(NONE | limits)), START)


def equity(*values: str) -> list:
    return [("on_equity", D(value)) for value in values]


def repeat(times: int, *call: object) -> list:
    return [call] * times


def feed(subject: Breakers, calls: list, step_ns: int = 1, start_ns: int = 0) -> list[Trip]:
    trips: list[Trip] = []
    for at, (name, *arguments) in enumerate(calls, 1):
        trips.extend(getattr(subject, name)(*arguments, start_ns + at * step_ns))
    return trips


ROWS = [
    # breaker,                   limit,     just below,                              at the limit,                           above,                           action,   event
    ("max_loss_pct",             D("2"),    equity("980.01"),                        equity("980"),                          equity("979.99"),                "halt",   E.MAX_LOSS),
    ("max_loss_pct",             D("0.3"),  equity("997.000001"),                    equity("997"),                          equity("996"),                   "halt",   E.MAX_LOSS),
    ("max_daily_loss",           D("15"),   equity("985.01"),                        equity("985"),                          equity("984"),                   "halt",   E.MAX_LOSS),
    ("max_session_drawdown_pct", D("3"),    equity("1100", "1067.01"),               equity("1100", "1067"),                 equity("1100", "1066"),          "halt",   E.MAX_DRAWDOWN),
    ("max_session_drawdown_pct", D("3"),    equity("990", "970.01"),                 equity("990", "970"),                   equity("990", "960"),            "halt",   E.MAX_DRAWDOWN),
    ("max_daily_drawdown_pct",   D("3"),    equity("1100", "1067.01"),               equity("1100", "1067"),                 equity("1100", "1066"),          "halt",   E.MAX_DRAWDOWN),
    ("max_consecutive_losses",   3,         repeat(2, "on_round_trip", D("-1")),     repeat(3, "on_round_trip", D("-1")),    repeat(9, "on_round_trip", D("-1")),  "pause",  E.BREAKER_PAUSE),
    ("max_loss_per_round_trip",  D("5"),    [("on_round_trip", D("-4.99"))],         [("on_round_trip", D("-5"))],           [("on_round_trip", D("-6"))],    "pause",  E.BREAKER_PAUSE),
    ("max_trades",               3,         repeat(2, "on_fill"),                    repeat(3, "on_fill"),                   repeat(9, "on_fill"),            "stop",   E.MAX_TRADES),
    ("max_errors_per_minute",    3,         repeat(2, "on_error"),                   repeat(3, "on_error"),                  repeat(9, "on_error"),           "pause",  E.BREAKER_PAUSE),
    ("max_rejects_per_minute",   3,         repeat(2, "on_reject"),                  repeat(3, "on_reject"),                 repeat(9, "on_reject"),          "pause",  E.BREAKER_PAUSE),
]  # fmt: skip


@pytest.mark.parametrize(("name", "limit", "below", "at", "above", "action", "event"), ROWS)
def test_row(
    name: str, limit: object, below: list, at: list, above: list, action: str, event: FsmEvent
) -> None:
    """Each breaker trips when its reading reaches the limit, once, and says what to do."""
    assert feed(breakers(**{name: limit}), below) == []
    for calls in (at, above):
        subject = breakers(**{name: limit})
        trips = feed(subject, [*calls, calls[-1], calls[-1]])

        assert [event] == [trip.event for trip in trips]
        record = trips[0].record
        assert (name, "session", action, True) == (
            record.breaker, record.scope, record.action, record.is_tripped
        )  # fmt: skip
        assert D(record.reading) >= D(record.limit)
        (reading,) = subject.readings()
        assert (D(0), True) == (reading.headroom, reading.is_tripped)


def test_every_rule_is_in_the_table() -> None:
    """A new breaker fails here until its row is decided."""
    every = {field: 1 for field in RiskLimits.__dataclass_fields__ if field.startswith("max_")}

    assert {row[0] for row in ROWS} == rules_of(RiskLimits(**every)).keys()


@pytest.mark.parametrize("name", sorted({row[0] for row in ROWS}))
def test_a_limit_of_none_guards_nothing(name: str) -> None:
    """None switches the breaker off, and takes it from the readings."""
    subject = breakers(**{name: None})

    calls = [*equity("1"), *repeat(50, "on_round_trip", D(-9)), *repeat(50, "on_fill")]
    calls += [*repeat(50, "on_error"), *repeat(50, "on_reject")]

    assert feed(subject, calls) == []
    assert subject.readings() == ()


ACTIONS = [
    # action,       tells the lifecycle,        re-arms after the cooldown
    ("pause",       E.BREAKER_PAUSE,            True),
    ("reduce_only", E.BREAKER_PAUSE,            False),
    ("halt",        E.MAX_CONSECUTIVE_LOSSES,   False),
]  # fmt: skip


@pytest.mark.parametrize(("action", "event", "cools"), ACTIONS)
def test_consecutive_losses_do_as_set(action: str, event: FsmEvent, cools: bool) -> None:
    """The one breaker whose action is a setting; re-armed, it counts from zero."""
    subject = breakers(
        max_consecutive_losses=2, consecutive_losses_action=action, cooldown_s=1.5
    )  # fmt: skip
    (trip,) = feed(subject, repeat(2, "on_round_trip", D(-1)), start_ns=8)
    assert (event, action) == (trip.event, trip.record.action)

    assert list(subject.on_time(9 + SECOND * 3 // 2)) == []
    rearmed = subject.on_time(10 + SECOND * 3 // 2)

    expected = [(E.BREAKER_REARMED, False, "0")] if cools else []
    assert expected == [(t.event, t.record.is_tripped, t.record.reading) for t in rearmed]
    assert list(subject.on_time(99 * SECOND)) == []
    trips = feed(subject, repeat(2, "on_round_trip", D(-1)), start_ns=100 * SECOND)
    assert ([event] if cools else []) == [trip.event for trip in trips]


def test_a_win_ends_the_row_of_losses() -> None:
    """Losses in a row, not in total; a round trip of exactly zero is no loss."""
    subject = breakers(max_consecutive_losses=2)

    calls = [("on_round_trip", D(net)) for net in ("-1", "0", "-1", "2", "-1")]

    assert feed(subject, calls) == []


def test_a_person_rearms_what_halted() -> None:
    """After a reset the breaker is armed, and a loss that stands trips it again."""
    subject = breakers(max_loss_pct=D(2), max_trades=1)
    feed(subject, [*equity("970"), ("on_fill",)])

    (rearmed,) = subject.rearm(5)

    record = rearmed.record
    assert ("max_loss_pct", False, 5) == (record.breaker, record.is_tripped, record.ts_ns)
    assert rearmed.event is None
    assert [trip.event for trip in subject.on_equity(D("970"), 6)] == [E.MAX_LOSS]


REARMS = [
    # limits,                                            calls,            re-arms by, at
    ({"max_loss_pct": D(2)},                             equity("970"),    "operator", 0),
    ({"max_daily_loss": D(10)},                          equity("980"),    "day",      4 * DAY_NS),
    ({"max_trades": 1},                                  [("on_fill",)],   "never",    0),
    ({"max_errors_per_minute": 1, "cooldown_s": 1.5},    [("on_error",)],  "cooldown", 3 * DAY_NS + 1 + 3 * SECOND // 2),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "calls", "rearm", "rearms_ns"), REARMS)
def test_a_reading_says_when_it_rearms(limits, calls: list, rearm: str, rearms_ns: int) -> None:
    """Of a breaker that tripped and comes back by itself; the rest wait for a person, or ever."""
    subject = breakers(**limits)
    feed(subject, equity("1000"), start_ns=3 * DAY_NS)
    (before,) = subject.readings()

    feed(subject, calls, start_ns=3 * DAY_NS)
    (after,) = subject.readings()

    assert (False, rearm, 0) == (before.is_tripped, before.rearm, before.rearms_ns)
    assert (True, rearm, rearms_ns) == (after.is_tripped, after.rearm, after.rearms_ns)


# --- Days ----------------------------------------------------------------------------------------

DAY_LIMITS = {"max_daily_loss": D(10), "max_daily_drawdown_pct": D(50)}


def test_the_first_day_starts_from_the_balance() -> None:
    """The costs of the first entry are part of the day's loss."""
    assert [trip.event for trip in breakers(**DAY_LIMITS).on_equity(D(990), 5)] == [E.MAX_LOSS]


@pytest.mark.parametrize("by", ["quote", "timer"])
def test_midnight_resets_the_day_once(by: str) -> None:
    """The first event of a UTC day sets its baseline, whichever kind it is; later ones don't."""
    subject = breakers(**DAY_LIMITS)
    subject.on_equity(D(995), DAY_NS - 1)
    if by == "timer":
        assert list(subject.on_time(DAY_NS)) == []
    else:
        assert list(subject.on_equity(D(995), DAY_NS)) == []

    assert list(subject.on_equity(D("985.01"), DAY_NS + 1)) == []
    assert list(subject.on_time(DAY_NS + 2)) == []
    assert [trip.event for trip in subject.on_equity(D(985), DAY_NS + 3)] == [E.MAX_LOSS]
    rearmed = subject.on_time(2 * DAY_NS)
    assert [(trip.record.breaker, trip.record.is_tripped, trip.event) for trip in rearmed] == [
        ("max_daily_loss", False, None)
    ]
    assert list(subject.on_equity(D("975.01"), 2 * DAY_NS + 1)) == []
    assert [trip.event for trip in subject.on_equity(D(975), 2 * DAY_NS + 2)] == [E.MAX_LOSS]


def test_the_day_peak_falls_back_at_midnight() -> None:
    """Daily drawdown counts from the day's own peak, session drawdown from the session's."""
    subject = breakers(max_daily_drawdown_pct=D(10), max_session_drawdown_pct=D(50))
    feed(subject, equity("1500", "1400"))

    assert list(subject.on_equity(D(1300), DAY_NS + 1)) == []
    assert list(subject.on_equity(D("1170.01"), DAY_NS + 2)) == []
    (trip,) = subject.on_equity(D(1170), DAY_NS + 3)
    assert (trip.record.breaker, trip.record.reading) == ("max_daily_drawdown_pct", "10.000000")


FALLS = [
    # the day begins with, falls to, reading, trips?
    ("-5",                 "-50",    "0",     False),
    ("-0.5",               "-0.6",   "0",     False),
    ("0",                  "-50",    "0",     False),
    ("0.5",                "0.46",   "8",     False),
    ("0.5",                "0.45",   "10",    True),
]  # fmt: skip


@pytest.mark.parametrize(("begins", "falls", "reading", "trips"), FALLS)
def test_a_day_without_equity_has_no_drawdown(begins: str, falls: str, reading: str, trips: bool):
    """From nothing there is no percentage to fall; from little there is."""
    subject = breakers(max_daily_drawdown_pct=D(10))
    subject.on_equity(D(begins), 1)
    subject.on_time(DAY_NS)

    assert trips is bool(subject.on_equity(D(falls), DAY_NS + 1))
    assert D(reading) == subject.readings()[0].reading


# --- Windows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["on_error", "on_reject"])
@pytest.mark.parametrize(("spacing_s", "trips"), [(29.999, 1), (30, 0)])
def test_the_window_slides(kind: str, spacing_s: float, trips: int) -> None:
    """Three in less than 60 s trip; three spread over a minute or more never do."""
    subject = breakers(max_errors_per_minute=3, max_rejects_per_minute=3, cooldown_s=10_000)

    found = feed(subject, repeat(20, kind), step_ns=int(spacing_s * SECOND))

    assert trips == len(found)


def test_an_event_counts_for_a_minute() -> None:
    """From its own time until sixty seconds later, exclusive."""
    assert [1, 0] == [count_in_window([5], 5 + age) for age in (60 * SECOND - 1, 60 * SECOND)]


def test_windows_are_bounded() -> None:
    """A storm of errors costs no memory, guarded or not."""
    for limit in (None, 5):
        subject = breakers(max_errors_per_minute=limit, max_rejects_per_minute=limit)
        feed(subject, repeat(1_000, "on_error") + repeat(1_000, "on_reject"))

        assert len(subject.snapshot()) < 500


# --- Readings and snapshots ----------------------------------------------------------------------


def test_readings_and_headroom() -> None:
    """Headroom goes from 1 to 0 as the reading goes from 0 to the limit; gains read zero."""
    subject = breakers(max_loss_pct=D(3), max_daily_loss=D(40), max_errors_per_minute=4)
    feed(subject, [*equity("990"), ("on_error",)])

    assert [
        ("max_loss_pct", D(3), D(1), D("0.666667")),
        ("max_daily_loss", D(40), D(10), D("0.75")),
        ("max_errors_per_minute", D(4), D(1), D("0.75")),
    ] == [reading[:4] for reading in subject.readings()]
    subject.on_equity(D(1010), 61 * SECOND)
    assert D(1010) == subject.session_peak
    assert {D(1)} == {reading.headroom for reading in subject.readings()}


def test_a_restored_breaker_does_not_forget() -> None:
    """Losses, peaks, windows and trips all survive; a trip is not told twice."""
    limits = {
        "max_loss_pct": D(2), "max_session_drawdown_pct": D(9), "max_daily_loss": D(100),
        "max_errors_per_minute": 2, "max_consecutive_losses": 2, "max_trades": 2,
    }  # fmt: skip
    first = breakers(**limits)
    feed(first, [*equity("1080", "1001", "979"), ("on_error",), ("on_fill",)])
    feed(first, [("on_round_trip", D(-1))], start_ns=10)
    second = breakers(**limits)
    second.on_error(1)

    second.restore(first.snapshot())

    assert first.readings() == second.readings()
    rest = [*equity("975"), ("on_error",), ("on_fill",), ("on_round_trip", D(-1)), ("on_time",)]
    assert feed(first, rest, start_ns=20) == feed(second, rest, start_ns=20) != []
    assert first.snapshot() == second.snapshot()


def test_restored_under_other_limits() -> None:
    """A tightened limit holds at once; the trip of a breaker now switched off is dropped."""
    first = breakers(max_loss_pct=D(2), max_trades=1)
    feed(first, [*equity("990"), ("on_fill",)])
    second = breakers(max_loss_pct=D(1))

    second.restore(first.snapshot())

    assert [trip.event for trip in second.on_equity(D(990), 9)] == [E.MAX_LOSS]
    assert list(second.on_time(10)) == []
    assert ["max_loss_pct"] == [trip.record.breaker for trip in second.rearm(11)]


# --- Against a model -----------------------------------------------------------------------------

LIMITS = RiskLimits(
    max_loss_pct=D(8),
    max_daily_loss=D(30),
    max_session_drawdown_pct=D("7.5"),
    max_daily_drawdown_pct=D("2.5"),
    max_consecutive_losses=2,
    max_loss_per_round_trip=D(20),
    max_errors_per_minute=3,
    max_rejects_per_minute=2,
    max_trades=4,
    cooldown_s=40.0,
)
AMOUNTS = st.decimals(-25, 25, places=2, allow_nan=False)
STEPS = st.sampled_from([1, 7 * SECOND, 31 * SECOND, 60 * SECOND, DAY_NS // 3])
COOLING = {
    "max_consecutive_losses", "max_loss_per_round_trip",
    "max_errors_per_minute", "max_rejects_per_minute",
}  # fmt: skip


class Model(RuleBasedStateMachine):
    """Every input is kept whole, every reading worked out from all of it, in fractions."""

    @initialize()
    def begin(self) -> None:
        self.subject = Breakers(LIMITS, START)
        self.now = 3 * DAY_NS // 4
        self.equities: list[tuple[int, Fraction]] = [(-1, Fraction(START))]
        self.days: dict[int, list[Fraction]] = {}
        self.trips: list[Fraction] = []
        self.times: dict[str, list[int]] = {"error": [], "reject": [], "fill": []}
        self.tripped: dict[str, int] = {}
        self.expected: list[tuple[str, bool]] = []
        self.streak = 0

    def pass_time(self, step: int) -> None:
        self.now += step

    def in_day(self, value: Fraction) -> None:
        """Note an equity known on the present day, and what a new day re-arms."""
        day = self.now // DAY_NS
        if day not in self.days:
            is_first = not self.days
            self.days[day] = [Fraction(START) if is_first else value]
            for name in ("max_daily_loss", "max_daily_drawdown_pct"):
                if not is_first and name in self.tripped:
                    self.rearm(name)
        self.days[day].append(value)

    def rearm(self, name: str) -> None:
        del self.tripped[name]
        self.expected.append((name, False))
        if name == "max_consecutive_losses":
            self.streak = 0

    def readings(self) -> dict[str, Fraction]:
        now = self.equities[-1][1]
        day = self.days[max(self.days)] if self.days else [Fraction(START)]
        session_peak = max(value for _, value in self.equities)

        def recent(kind: str) -> int:
            return sum(at > self.now - 60 * SECOND for at in self.times[kind])

        return {
            "max_loss_pct": (Fraction(START) - now) / Fraction(START) * 100,
            "max_daily_loss": day[0] - now,
            "max_session_drawdown_pct": (session_peak - now) / session_peak * 100,
            "max_daily_drawdown_pct": (max(day) - now) / max(day) * 100,
            "max_consecutive_losses": Fraction(self.streak),
            "max_loss_per_round_trip": max(Fraction(0), -self.trips[-1] if self.trips else 0),
            "max_trades": Fraction(len(self.times["fill"])),
            "max_errors_per_minute": Fraction(recent("error")),
            "max_rejects_per_minute": Fraction(recent("reject")),
        }

    def judge(self, found, *names: str) -> None:
        readings = self.readings()
        for name in names:
            if name not in self.tripped and readings[name] >= Fraction(getattr(LIMITS, name)):
                self.tripped[name] = self.now
                self.expected.append((name, True))
        told = [(trip.record.breaker, trip.record.is_tripped) for trip in found]
        assert sorted(self.expected) == sorted(told)
        self.expected = []

    @rule(change=AMOUNTS, step=STEPS)
    def equity(self, change: Decimal, step: int) -> None:
        self.pass_time(step)
        value = self.equities[-1][1] + Fraction(change)
        self.equities.append((self.now, value))
        self.in_day(value)
        exact_value = D(value.numerator) / D(value.denominator)
        found = self.subject.on_equity(exact_value, self.now)
        self.judge(
            found, "max_loss_pct", "max_daily_loss",
            "max_session_drawdown_pct", "max_daily_drawdown_pct",
        )  # fmt: skip

    @rule(step=STEPS)
    def time(self, step: int) -> None:
        self.pass_time(step)
        self.in_day(self.equities[-1][1])
        for name, at in list(self.tripped.items()):
            if name in COOLING and at <= self.now - 40 * SECOND:
                self.rearm(name)
        self.judge(self.subject.on_time(self.now))

    @rule(net=AMOUNTS, step=STEPS)
    def round_trip(self, net: Decimal, step: int) -> None:
        self.pass_time(step)
        self.trips.append(Fraction(net))
        self.streak = self.streak + 1 if net < 0 else 0
        found = self.subject.on_round_trip(net, self.now)
        self.judge(found, "max_consecutive_losses", "max_loss_per_round_trip")

    @rule(kind=st.sampled_from(["error", "reject", "fill"]), step=STEPS)
    def count(self, kind: str, step: int) -> None:
        self.pass_time(step)
        self.times[kind].append(self.now)
        found = getattr(self.subject, f"on_{kind}")(self.now)
        name = "max_trades" if kind == "fill" else f"max_{kind}s_per_minute"
        self.judge(found, name)

    @precondition(lambda self: self.tripped)
    @rule()
    def person_rearms(self) -> None:
        for name in list(self.tripped):
            if name != "max_trades":
                self.rearm(name)
        self.judge(self.subject.rearm(self.now))

    @rule()
    def restart(self) -> None:
        fresh = Breakers(LIMITS, D(5))
        fresh.restore(self.subject.snapshot())
        self.subject = fresh

    @invariant()
    def trips_agree(self) -> None:
        told = {reading.name for reading in self.subject.readings() if reading.is_tripped}
        assert set(self.tripped) == told

    @precondition(lambda self: self.days)
    @invariant()
    def readings_agree(self) -> None:
        if self.now // DAY_NS not in self.days:
            return
        expected = self.readings()
        for reading in self.subject.readings():
            capped = expected[reading.name]
            if reading.name.endswith("_per_minute"):
                capped = min(capped, Fraction(reading.limit))
            assert abs(max(Fraction(0), capped) - Fraction(reading.reading)) <= Fraction(1, 10**6)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
