"""Circuit breakers: what happens is counted here, what trips is a row of `breaker_rules`.

Rule 1: a trip is reported once; the breaker stays tripped until it re-arms by its row.
Rule 2: equity is compared with floors worked out before, since every quote asks; they change only
    with a new peak, a new day, a trip or a re-arm. A floor is exact: rounding is for people.
Rule 3: nothing is forgotten by a restart; `snapshot` holds every reading and every trip.

The class has more than 16 methods because each kind of input is one.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from engine.model.money import ROUNDED, ZERO, ratio
from engine.model.records import BreakerTripped
from engine.risk.breaker_rules import BreakerState, Rule, rules_of
from engine.risk.limits import RiskLimits
from engine.risk.states import FsmEvent
from engine.risk.windows import count_event

DAY_NS: Final = 86_400_000_000_000
_SHOWN: Final = Decimal("0.000001")
_BOTTOMLESS: Final = Decimal("-Infinity")


class Trip(NamedTuple):
    """A breaker tripped or re-armed: what to journal, and what to tell the lifecycle, if any.

    The scope of the lifecycle event is `record.breaker`: each pausing breaker holds its own cause.
    """

    record: BreakerTripped
    event: FsmEvent | None


class Reading(NamedTuple):
    """How far one breaker is from its limit."""

    name: str
    limit: Decimal
    reading: Decimal
    """In the unit of `limit`, never negative, rounded to six places."""
    headroom: Decimal
    """1 untouched, 0 at the limit or beyond."""
    action: str
    is_tripped: bool
    rearm: str = ""
    """`cooldown`, `day`, `operator` or `never`, see `breaker_rules`; of a reference market
    `agreed` or `heard`."""
    rearms_ns: int = 0
    """When it re-arms by itself; 0 unless it tripped and will."""


Guard = tuple[Rule, Decimal]
"""A rule with its limit."""

NO_TRIPS: Final[Sequence[Trip]] = ()


class Breakers:
    """The breakers of one session."""

    __slots__ = (
        "_by_error",
        "_by_fill",
        "_by_reject",
        "_by_round_trip",
        "_ceiling",
        "_day_end_ns",
        "_floor",
        "_floors",
        "_limits",
        "_rules",
        "_state",
    )

    def __init__(self, limits: RiskLimits, starting_balance: Decimal) -> None:
        self._limits = limits
        self._rules = rules_of(limits)
        self._by_round_trip = self._guards("max_consecutive_losses", "max_loss_per_round_trip")
        self._by_fill = self._guards("max_trades")
        self._by_error = self._guards("max_errors_per_minute")
        self._by_reject = self._guards("max_rejects_per_minute")
        self._resume(BreakerState.fresh(starting_balance))

    def on_equity(self, equity: Decimal, ts_ns: int) -> Sequence[Trip]:
        """Take the marked equity. Hot: called for every quote while a position is open."""
        state = self._state
        state.equity = equity
        state.now_ns = ts_ns
        if self._floor < equity <= self._ceiling and ts_ns < self._day_end_ns:
            return NO_TRIPS
        return self._examine(equity, ts_ns)

    def on_round_trip(self, net_pnl: Decimal, ts_ns: int) -> Sequence[Trip]:
        """Count a closed round trip; a net of zero is no loss."""
        state = self._state
        state.now_ns = ts_ns
        state.losses = state.losses + 1 if net_pnl < ZERO else 0
        state.last_loss = max(ZERO, -net_pnl)
        return self._judge(self._by_round_trip)

    def on_fill(self, ts_ns: int) -> Sequence[Trip]:
        """Count one of our fills."""
        self._state.now_ns = ts_ns
        self._state.trades += 1
        return self._judge(self._by_fill)

    def on_error(self, ts_ns: int) -> Sequence[Trip]:
        """Count an error that the session survived."""
        self._state.now_ns = ts_ns
        count_event(self._state.errors, ts_ns, self._limits.max_errors_per_minute or 1)
        return self._judge(self._by_error)

    def on_reject(self, ts_ns: int) -> Sequence[Trip]:
        """Count an order that the venue refused."""
        self._state.now_ns = ts_ns
        count_event(self._state.rejects, ts_ns, self._limits.max_rejects_per_minute or 1)
        return self._judge(self._by_reject)

    def on_time(self, ts_ns: int) -> Sequence[Trip]:
        """Begin a new UTC day, and re-arm what has cooled down; ask on every timer."""
        self._state.now_ns = ts_ns
        trips = self._begin_day(ts_ns) if ts_ns >= self._day_end_ns else []
        since_ns = ts_ns - round(self._limits.cooldown_s * 1e9)
        due = [
            name
            for name, tripped_ns in self._state.tripped.items()
            if self._rules[name].rearm == "cooldown" and tripped_ns <= since_ns
        ]
        trips.extend(self._rearm(name, FsmEvent.BREAKER_REARMED) for name in due)
        return trips

    def rearm(self, ts_ns: int) -> Sequence[Trip]:
        """Re-arm by a person's resume or reset; a loss that still stands trips again at once."""
        self._state.now_ns = ts_ns
        due = [name for name in self._state.tripped if self._rules[name].rearm != "never"]
        return [self._rearm(name, None) for name in due]

    def readings(self) -> tuple[Reading, ...]:
        """Return every breaker that is set, for the screen and the report."""
        return tuple(_read(rule, self._limits, self._state) for rule in self._rules.values())

    @property
    def session_peak(self) -> Decimal:
        """Highest equity since the session began."""
        return self._state.session_peak

    def snapshot(self) -> bytes:
        """Encode the whole state."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot under the limits of now; a trip nothing guards is dropped."""
        self._resume(msgspec.msgpack.decode(snapshot, type=BreakerState))

    def _resume(self, state: BreakerState) -> None:
        state.tripped = {name: at for name, at in state.tripped.items() if name in self._rules}
        self._state = state
        self._day_end_ns = (state.day + 1) * DAY_NS
        self._set_floors()

    def _set_floors(self) -> None:
        limits, state = self._limits, self._state
        floors = {
            "max_loss_pct": _after_fall(state.start, limits.max_loss_pct),
            "max_daily_loss": state.day_baseline - (limits.max_daily_loss or ZERO),
            "max_session_drawdown_pct": _after_fall(
                state.session_peak, limits.max_session_drawdown_pct
            ),
            "max_daily_drawdown_pct": _after_fall(state.day_peak, limits.max_daily_drawdown_pct),
        }
        is_armed = self._rules.keys() - state.tripped.keys()
        self._floors = {name: floor for name, floor in floors.items() if name in is_armed}
        self._floor = max(self._floors.values(), default=_BOTTOMLESS)
        self._ceiling = min(state.session_peak, state.day_peak)

    def _examine(self, equity: Decimal, ts_ns: int) -> Sequence[Trip]:
        state = self._state
        trips = self._begin_day(ts_ns) if ts_ns >= self._day_end_ns else []
        if equity > self._ceiling:
            state.session_peak = max(state.session_peak, equity)
            state.day_peak = max(state.day_peak, equity)
            self._set_floors()
        broken = [name for name, floor in self._floors.items() if equity <= floor]
        trips.extend(self._trip(name) for name in broken)
        return trips

    def _begin_day(self, ts_ns: int) -> list[Trip]:
        state = self._state
        is_first = state.day < 0
        state.day = ts_ns // DAY_NS
        self._day_end_ns = (state.day + 1) * DAY_NS
        if is_first:
            return []
        state.day_baseline = state.day_peak = state.equity
        due = [name for name in state.tripped if self._rules[name].rearm == "day"]
        rearmed = [self._rearm(name, None) for name in due]
        self._set_floors()
        return rearmed

    def _guards(self, *names: str) -> Sequence[Guard]:
        rules = [self._rules[name] for name in names if name in self._rules]
        return [(rule, _limit(self._limits, rule.name)) for rule in rules]

    def _judge(self, guards: Sequence[Guard]) -> Sequence[Trip]:
        state = self._state
        broken: list[str] | None = None
        for rule, limit in guards:
            if rule.reading(state) >= limit and rule.name not in state.tripped:
                broken = [*(broken or ()), rule.name]
        return [self._trip(name) for name in broken] if broken else NO_TRIPS

    def _trip(self, name: str) -> Trip:
        self._state.tripped[name] = self._state.now_ns
        self._set_floors()
        return Trip(self._record(name), self._rules[name].event)

    def _rearm(self, name: str, event: FsmEvent | None) -> Trip:
        del self._state.tripped[name]
        if name == "max_consecutive_losses":
            self._state.losses = 0
        self._set_floors()
        return Trip(self._record(name), event)

    def _record(self, name: str) -> BreakerTripped:
        reading = _read(self._rules[name], self._limits, self._state)
        return BreakerTripped(
            ts_ns=self._state.now_ns,
            breaker=name,
            scope="session",
            limit=f"{reading.limit:f}",
            reading=f"{reading.reading:f}",
            action=reading.action,
            is_tripped=reading.is_tripped,
        )


def _read(rule: Rule, limits: RiskLimits, state: BreakerState) -> Reading:
    limit = _limit(limits, rule.name)
    reading = _shown(max(ZERO, rule.reading(state)))
    headroom = max(ZERO, 1 - _shown(ratio(reading, limit)))
    tripped_ns = state.tripped.get(rule.name)
    return Reading(
        rule.name,
        limit,
        reading,
        headroom,
        rule.action,
        tripped_ns is not None,
        rule.rearm,
        0 if tripped_ns is None else _rearms_ns(rule, limits, state, tripped_ns),
    )


def _rearms_ns(rule: Rule, limits: RiskLimits, state: BreakerState, tripped_ns: int) -> int:
    if rule.rearm == "cooldown":
        return tripped_ns + round(limits.cooldown_s * 1e9)
    return (state.day + 1) * DAY_NS if rule.rearm == "day" else 0


def _limit(limits: RiskLimits, name: str) -> Decimal:
    return Decimal(getattr(limits, name))


def _after_fall(peak: Decimal, percent: Decimal | None) -> Decimal:
    """Return what a fall of `percent` leaves of `peak`, exactly; from nothing, no fall is known."""
    return peak * (1 - percent.scaleb(-2)) if percent and peak > 0 else _BOTTOMLESS


def _shown(exact: Decimal) -> Decimal:
    return ROUNDED.quantize(exact, _SHOWN) if exact else ZERO
