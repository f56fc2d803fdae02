"""What the lifecycle orders, and how a session that closes everything comes to its end."""

from decimal import Decimal

from engine.agents.roster import Roster
from engine.execution.blotter import Blotter
from engine.kernel.booking import Booking
from engine.kernel.conduct import Conduct
from engine.kernel.house import House
from engine.market.market import Market
from engine.model.effects import Outbox
from engine.model.records import Alert
from engine.portfolio.portfolio import Portfolio
from engine.risk.lifecycle import (
    SESSION,
    CancelAll,
    CancelScope,
    Effect,
    Finish,
    Flatten,
    FsmEvent,
    FsmState,
)
from engine.risk.limits import RiskLimits


class Ending:
    """Carries out effects of the lifecycle; sees to it that flat is flat."""

    def __init__(
        self,
        limits: RiskLimits,
        *,
        market: Market,
        portfolio: Portfolio,
        roster: Roster,
        blotter: Blotter,
        conduct: Conduct,
        house: House,
        booking: Booking,
        out: Outbox,
    ) -> None:
        self._limits = limits
        self._market = market
        self._portfolio = portfolio
        self._roster = roster
        self._blotter = blotter
        self._conduct = conduct
        self._house = house
        self._booking = booking
        self._out = out
        self.finish: str | None = None
        """`stop_reason` once the lifecycle asked for an end."""

    def act(self, effect: Effect, at_ns: int) -> None:
        """Do what a transition asks for."""
        match effect:
            case CancelScope(scope):
                self._house.cancel_scope(scope, at_ns)
            case CancelAll():
                self._house.cancel_all(at_ns)
            case Flatten():
                self._house.flatten(at_ns)
            case Finish(stop_reason):
                self.finish = stop_reason
            case _:
                self.set_factors()

    def set_factors(self) -> None:
        """Tell every desk how small and wide state and operator want its agent to trade."""
        limits = self._limits
        is_throttled = self._conduct.lifecycle.state is FsmState.THROTTLED
        size = limits.throttled_size_factor if is_throttled else Decimal(1)
        for desk in self._roster.desks():
            desk.size_factor = size * self._roster.weight(desk.agent)
            desk.spacing_factor = limits.throttled_spacing_factor if is_throttled else 1.0

    def press_on(self, now_ns: int) -> None:
        """Cancel and close again what is being closed and not flat yet: venues lose requests."""
        if self._conduct.is_flattening:
            self._house.cancel_all(now_ns)
            self._house.flatten(now_ns)
        elif self._house.closing:
            for symbol in self._house.go_on_closing(now_ns):
                self._out.emit(Alert(now_ns, "symbol_flat", "info", f"{symbol} is flat"))

    def settle_when_done(self, now_ns: int) -> None:
        """Report FLAT when everything is being closed and there is nothing left to close."""
        is_closing = self._conduct.is_flattening
        if not is_closing or self._blotter.live or not self._portfolio.is_flat():
            return
        for symbol, view in self._market.views.items():
            if view.mid is not None:
                self._booking.settle(symbol, view.mid, now_ns)
        if self._conduct.lifecycle.state is not FsmState.STOPPED:
            self._conduct.raise_event(FsmEvent.FLAT, SESSION, now_ns)

    @property
    def is_settled(self) -> bool:
        """Whether a requested end has nothing left to wait for."""
        if self.finish is None or self._blotter.live:
            return False
        return not self._conduct.is_flattening or self._portfolio.is_flat()
