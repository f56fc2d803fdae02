"""What the sentinel does once a row of its table holds: stop, cancel, close, write down.

Rule 1: cancels come first and wait for nothing: no disk, no terminal, no report.
Rule 2: they are repeated until the venue shows nothing that should not work, at most
        `ROUNDS_MAX` times; what is left then is told, never hidden.
"""

from time import monotonic, sleep
from typing import Final, Protocol

import msgspec

from engine.model.venue_events import VenueCanceled, VenueFill
from engine.session.sentinel.segment import ACTED, Segment
from engine.session.sentinel.triggers import Cause, Response, Rule
from engine.venue import EmergencyDesk, Holding, WorkingOrder

DEATH_DEADLINE_S: Final = 0.3
"""How long a killed engine may take to be gone before its orders are canceled all the same: a
process that waits for a dead disk can't be reaped, but it can't send either."""

ROUNDS_MAX: Final = 40
ROUND_PAUSE_S: Final = 0.25
"""Ten seconds of asking a venue that refuses or can't be reached."""


class Killable(Protocol):
    """The engine's process."""

    def kill(self, deadline_s: float) -> bool:
        """Send SIGKILL and wait for the end; False if it does not come in time."""
        ...


class Deeds(msgspec.Struct, kw_only=True):
    """What was done; times are seconds since the sentinel decided."""

    cause: str
    is_final: bool = False
    """Whether the run is over for good."""
    is_dead: bool = True
    """False where the engine was killed and its end was not seen in time."""
    killed_s: float = 0.0
    """When the engine was gone."""
    first_cancel_s: float | None = None
    clear_s: float | None = None
    """When the venue showed nothing more to cancel; None if it never did."""
    canceled: list[VenueCanceled] = []
    closed: list[VenueFill] = []
    left: list[WorkingOrder] = []
    """Orders the venue would not take out."""
    kept: list[WorkingOrder] = []
    """Orders that wait for the resume of an engine that died."""
    held: list[Holding] = []
    """Positions that stay: none were to be closed, or no price was known."""
    errors: list[str] = []


class Clearing:
    """One clean-up."""

    def __init__(
        self, desk: EmergencyDesk, segment: Segment, event_ns: int, *, keeps_orders: bool
    ) -> None:
        """Take over.

        Args:
            event_ns: How far the engine was.
            keeps_orders: Whether the orders of an engine that died wait for its resume.

        """
        self._desk, self._segment, self._event_ns = desk, segment, event_ns
        self._keeps_orders = keeps_orders
        self._began_s = monotonic()

    def run(self, rule: Rule, engine: Killable) -> Deeds:
        """Carry out a rule's response and return what came of it."""
        response = rule.response
        deeds = Deeds(cause=rule.cause, is_final=response.is_sticky)
        if response.stops_engine:
            deeds.is_dead = engine.kill(DEATH_DEADLINE_S)
            deeds.killed_s = self._since()
        if self._keeps_orders and rule.cause is Cause.GONE:
            response = response._replace(cancels=False)
        told = {"cause": rule.cause, "is_sticky": response.is_sticky}
        self._segment.note(ACTED, told)
        for attempt in range(ROUNDS_MAX):
            if attempt:
                sleep(ROUND_PAUSE_S)
            if self._try(response, deeds):
                break
        return deeds

    def _try(self, response: Response, deeds: Deeds) -> bool:
        """Do one round; True when nothing is left that should not be there."""
        try:
            for order in self._unwanted(response):
                self._cancel(order, deeds)
            deeds.left = self._unwanted(response)
            if deeds.left:
                return False
            deeds.clear_s = deeds.clear_s or self._since()
            deeds.kept = [] if response.cancels else list(self._desk.working())
            self._close(response, deeds)
        except OSError as error:
            deeds.errors.append(str(error))
            return False
        return True

    def _unwanted(self, response: Response) -> list[WorkingOrder]:
        """Return what must go: where the position stays, what only reduces it stays too."""
        working = self._desk.working() if response.cancels else ()
        return [order for order in working if response.flattens or not order.is_reducing]

    def _cancel(self, order: WorkingOrder, deeds: Deeds) -> None:
        canceled = self._desk.cancel(order, self._event_ns)
        if canceled is None:
            return
        if deeds.first_cancel_s is None:
            deeds.first_cancel_s = self._since()
        deeds.canceled.append(canceled)
        self._segment.event(canceled)

    def _close(self, response: Response, deeds: Deeds) -> None:
        if response.flattens:
            self._flatten(deeds)
        deeds.held = list(self._desk.holdings())

    def _flatten(self, deeds: Deeds) -> None:
        """Close what is held; what filled behind the engine's back is written down before."""
        for known in self._desk.latest_fills(self._event_ns):
            self._segment.event(known)
        for holding in self._desk.holdings():
            fill = self._desk.flatten(holding, self._event_ns)
            if fill is not None:
                deeds.closed.append(fill)
                self._segment.event(fill)

    def _since(self) -> float:
        return monotonic() - self._began_s
