"""Holds our market against a second one of the same instruments, and stops new risk in doubt.

Two doubts, each of one instrument: BASIS_DEPEG while the two disagree, REFERENCE_LOST while there
is nothing to hold ours against: a guard that is blind must not pretend to watch.
Nothing else is made of a reference's prices: no view, feature, agent, order or fill sees them.

Source: domain.md sections 1, 3 and 8; ADR 15; row 21 of the fault matrix.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine.kernel.conduct import Conduct
from engine.kernel.config import KernelConfig
from engine.market.band import Rules
from engine.market.market import Market
from engine.market.quality import QualityFilter
from engine.model.effects import Outbox
from engine.model.instrument import Instrument
from engine.model.market import Flaw, Malformed, ReferenceQuote, ReferenceStatus
from engine.model.money import ROUNDED, ZERO, ratio
from engine.model.records import Alert, BreakerTripped
from engine.risk.basis import Basis
from engine.risk.breakers import Reading
from engine.risk.lifecycle import FsmEvent, FsmState

DEVIATION: Final = "max_basis_deviation_bps"
LAG: Final = "max_reference_lag_s"
DOWN: Final = "max_reference_down_s"
ACTION: Final = "reduce_only"
REARMS: Final = {DEVIATION: "agreed", LAG: "heard", DOWN: "heard"}
"""When each re-arms: once the two agree again, once the reference is heard again."""
_SHOWN: Final = Decimal("0.01")
LINES_MAX: Final = 16
"""Lines of a reference remembered as down: a venue of ours has two."""


@dataclass(slots=True)
class Counterpart:
    """What stands beside one of our instruments."""

    filter: QualityFilter
    """Of the reference's quotes, as strict as with our own."""
    basis: Basis = field(default_factory=Basis)
    mid2_ticks: int = 0
    lost: str = ""
    """The limit by which it counts as lost; empty while it is seen."""


@dataclass(slots=True)
class ReferenceState:
    """All that a checkpoint must hold."""

    counterparts: dict[str, Counterpart] = field(default_factory=dict)
    began_ns: int = 0
    """First timer of the session: since when it is waited for."""
    down: dict[str, int] = field(default_factory=dict)
    """Lines that are down, and since when."""


class Reference:
    """The second market of a session; without one it is empty and does nothing."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        market: Market,
        conduct: Conduct,
        config: KernelConfig,
        out: Outbox,
    ) -> None:
        """Stand beside.

        Args:
            instruments: Those of the reference, by the symbol of ours.
            market: Ours; it counts what is refused of the other one, too, under no symbol.
            conduct: Told of every doubt.
            config: Where to doubt, and how good a quote of the reference has to be; without a limit
                on the deviation nothing is watched.
            out: Where trips are written to.
        """
        self._market, self._conduct, self._out = market, conduct, out
        self._views = views = market.views
        self._limits = limits = config.limits
        self._rules = Rules.of(config.market)
        self._is_on = limits.max_basis_deviation_bps is not None
        self._limit_bps = float(limits.max_basis_deviation_bps or 0)
        self._ticks = {s: float(i.tick_size) for s, i in instruments.items() if s in views}
        self._lag_ns = round(limits.max_reference_lag_s * 1e9)
        self._down_ns = round(limits.max_reference_down_s * 1e9)
        self.state = ReferenceState(
            {
                symbol: Counterpart(QualityFilter(self._rules, instrument.tick_size))
                for symbol, instrument in instruments.items()
                if self._is_on and symbol in views
            }
        )

    def is_ready(self, now_ns: int) -> bool:
        """Whether trading may begin: everything was heard, or waited for in vain."""
        state = self.state
        is_late = bool(state.began_ns) and now_ns - state.began_ns > self._lag_ns
        return is_late or all(it.mid2_ticks for it in state.counterparts.values())

    def on_quote(self, quote: ReferenceQuote, now_ns: int) -> None:
        """Take a quote, if it is a good one, and hold ours against it."""
        it = self.state.counterparts.get(quote.symbol)
        if it is None:
            if self._is_on:
                self._refuse("unknown_symbol", now_ns)
            return
        flaw = it.filter.quote(quote)
        if flaw is not None:
            self._refuse(flaw, now_ns)
            return
        it.mid2_ticks = quote.bid_ticks + quote.ask_ticks
        self._look(quote.symbol, it, now_ns)

    def _refuse(self, flaw: Flaw, now_ns: int) -> None:
        self._market.malformed(Malformed(now_ns, "", flaw))

    def on_status(self, status: ReferenceStatus, now_ns: int) -> None:
        """Learn that a line is up or down; what numbered quotes may count anew."""
        down = self.state.down
        if not status.is_connected:
            if len(down) < LINES_MAX:
                down.setdefault(status.source, now_ns)
            return
        down.pop(status.source, None)
        for it in self.state.counterparts.values():
            it.filter.forget_sequence()

    def on_time(self, now_ns: int) -> None:
        """Look at every instrument, also where nothing comes any more."""
        state = self.state
        if not state.counterparts:
            return
        state.began_ns = state.began_ns or now_ns
        for symbol, it in state.counterparts.items():
            self._look(symbol, it, now_ns)

    def accept(self, now_ns: int) -> None:
        """Take the present basis for fair: a person lets the session go on."""
        for symbol, it in self.state.counterparts.items():
            if it.basis.is_apart and not it.lost:
                before = it.basis.accept()
                said = f"{symbol}: a basis of {it.basis.basis_bps:.2f} bps is fair from now on"
                message = f"{said}, a person resumed; before it was {before:.2f}"
                self._out.emit(Alert(now_ns, "basis_accepted", "warning", message))
                self._tell_basis(symbol, it.basis, now_ns)

    def readings(self, now_ns: int) -> tuple[Reading, ...]:
        """Return how far each limit is, by the worst instrument; for people."""
        state, limits = self.state, self._limits
        if not state.counterparts or limits.max_basis_deviation_bps is None:
            return ()
        those = state.counterparts.values()
        heard_ns = min(it.filter.quote_ns or state.began_ns or now_ns for it in those)
        down_ns = min(state.down.values(), default=now_ns)
        lost = {it.lost for it in those}
        worst = max(it.basis.deviation_bps for it in those)
        is_apart = any(it.basis.is_apart for it in those)
        lag, down = limits.max_reference_lag_s, limits.max_reference_down_s
        return (
            _reading(DEVIATION, limits.max_basis_deviation_bps, worst, is_tripped=is_apart),
            _reading(LAG, _exact(lag), (now_ns - heard_ns) / 1e9, is_tripped=LAG in lost),
            _reading(DOWN, _exact(down), (now_ns - down_ns) / 1e9, is_tripped=DOWN in lost),
        )

    def restore(self, state: ReferenceState) -> None:
        """Go on from a snapshot, under the thresholds of now."""
        self.state.began_ns, self.state.down = state.began_ns, state.down
        for symbol in self.state.counterparts:
            it = self.state.counterparts[symbol] = state.counterparts[symbol]
            it.filter.use_rules(self._rules)

    # --- judging ---------------------------------------------------------------------------------

    def _look(self, symbol: str, it: Counterpart, now_ns: int) -> None:
        if self._conduct.lifecycle.state is FsmState.INIT:
            return  # nothing is allowed yet, and nobody would remember the doubt
        self._miss(symbol, it, now_ns)
        view = self._views[symbol]
        # An old price of ours says nothing; its silence is a doubt of its own.
        if it.lost or not it.mid2_ticks or now_ns - view.priced_ns > self._lag_ns:
            return
        ours = view.mid2_ticks * float(view.instrument.tick_size)
        theirs = it.mid2_ticks * self._ticks[symbol]
        alpha = self._limits.basis_alpha
        if it.basis.read(ours, theirs, now_ns, alpha=alpha, limit_bps=self._limit_bps):
            self._tell_basis(symbol, it.basis, now_ns)

    def _tell_basis(self, symbol: str, basis: Basis, now_ns: int) -> None:
        limit = f"{self._limits.max_basis_deviation_bps:f}"
        reading = f"{basis.deviation_bps:.2f}"
        self._tell(DEVIATION, symbol, limit, reading, now_ns, is_tripped=basis.is_apart)
        move = self._conduct.raise_event if basis.is_apart else self._conduct.clear
        move(FsmEvent.BASIS_DEPEG, symbol, now_ns)

    def _miss(self, symbol: str, it: Counterpart, now_ns: int) -> None:
        """Doubt what is not seen any more, or see it again."""
        silent_ns = now_ns - (it.filter.quote_ns or self.state.began_ns or now_ns)
        down_ns = now_ns - min(self.state.down.values(), default=now_ns)
        lost = LAG if silent_ns > self._lag_ns else ""
        if not lost and down_ns > self._down_ns:
            lost = DOWN
        if bool(lost) is bool(it.lost):
            return
        why, it.lost = lost or it.lost, lost
        reading_ns = silent_ns if why == LAG else down_ns
        limit, reading = f"{getattr(self._limits, why):g}", f"{reading_ns / 1e9:.2f}"
        self._tell(why, symbol, limit, reading, now_ns, is_tripped=bool(lost))
        move = self._conduct.raise_event if lost else self._conduct.clear
        move(FsmEvent.REFERENCE_LOST, symbol, now_ns)

    def _tell(
        self, name: str, symbol: str, limit: str, reading: str, now_ns: int, *, is_tripped: bool
    ) -> None:
        self._out.emit(
            BreakerTripped(now_ns, name, symbol, limit, reading, ACTION, is_tripped=is_tripped)
        )


def _exact(number: float) -> Decimal:
    return Decimal(repr(number))


def _reading(name: str, limit: Decimal, reading: float, *, is_tripped: bool) -> Reading:
    shown = ROUNDED.quantize(Decimal(repr(max(0.0, reading))), _SHOWN)
    headroom = max(ZERO, 1 - ROUNDED.quantize(ratio(shown, limit), _SHOWN))
    return Reading(name, limit, shown, headroom, ACTION, is_tripped, REARMS[name])
