"""Holds our account against the venue's: asks, confirms, raises doubts, and takes them back.

Rule 1: a difference counts once two pictures in a row show it, see `engine.execution.syncer`; the
        second asked for after the first was had, for two on the way at once are as good as one.
Rule 2: no answer, and one that is not whole, is never "nothing there": it is counted, and after a
        few the venue's account counts as unreachable (reliability.md A9).
Rule 3: what the books lack is booked, what we forgot is canceled; nothing else is ever repaired.
        Foreign orders and positions are told once and left alone.
Rule 4: while both sides agree nothing is decided, hence nothing is written but the answer itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from engine.execution.blotter import Blotter
from engine.execution.config import SyncConfig
from engine.execution.syncer import (
    FOREIGN,
    Mismatch,
    MismatchKind,
    OurAccount,
    compare,
    digest,
    missing_fills,
)
from engine.kernel.conduct import Conduct
from engine.model.commands import CancelOrder, QueryAccount
from engine.model.effects import Outbox
from engine.model.instrument import Instrument
from engine.model.records import Alert, ErrorRecord, SyncReport
from engine.model.venue_events import VenueFill, VenueSnapshot, VenueUnknown
from engine.portfolio.portfolio import Portfolio
from engine.risk.lifecycle import SESSION, FsmEvent, FsmState

NS_PER_S: Final = 1_000_000_000
RECHECK_NS: Final = 2_000_000_000
"""Time to the second picture, once the first shows a difference or could not be had."""
ANSWER_MAX_NS: Final = 15_000_000_000
"""An adapter answers every question within its own deadline; this catches one that does not."""
FAILURES_MAX: Final = 3
"""Questions in a row without a whole answer, until the account counts as unreachable."""
OVERLAP_NS: Final = 10_000_000_000
"""How far before the last agreement fills are asked for again; venues book late."""
FINDINGS_MAX: Final = 32
"""Differences named in one report."""
ACCOUNT: Final = "account"
"""Scope of VENUE_DOWN while the account can't be read."""


@dataclass(slots=True)
class TruthState:
    """What a checkpoint holds."""

    asked_ns: int = 0
    """When we last asked, by our time: liveness."""
    answered_ns: int = 0
    """When a whole answer last came."""
    agreed_ns: int = 0
    """Venue time of the last picture without a difference."""
    taken_ns: int = 0
    """Venue time of the newest picture."""
    changed_ns: int = 0
    """Venue time of the picture in which the account last changed: freshness."""
    digest: str = ""
    is_awaiting: bool = False
    failures: int = 0
    """Questions in a row without a whole answer."""
    told_ns: int = 0
    """When somebody asked on purpose: what that answer says is told, whatever it is."""
    is_reconciled: bool = False
    """Both sides have agreed since the session began or went on."""
    suspects: tuple[Mismatch, ...] = ()
    """Found in the newest picture."""
    held: tuple[Mismatch, ...] = ()
    """Found in two in a row."""
    held_since_ns: int = 0
    """When there was last none that casts doubt."""
    repaired: list[str] = field(default_factory=list)


class Truth:
    """Asks the venue on a grid of event time, and whenever there is a reason."""

    def __init__(
        self,
        config: SyncConfig,
        instruments: Sequence[Instrument],
        *,
        portfolio: Portfolio,
        blotter: Blotter,
        conduct: Conduct,
        out: Outbox,
        book: Callable[[VenueFill, int], None],
        lose: Callable[[VenueUnknown, int], None],
        picture_gap_s: float = 0.0,
    ) -> None:
        """Take over the parts.

        Args:
            config: How often, and what is let pass.
            instruments: Of the session.
            portfolio: What we have.
            blotter: What works.
            conduct: Where doubts are raised.
            out: Where questions leave.
            book: Enters a fill that never arrived.
            lose: Takes an order as lost.
            picture_gap_s: Least time between two questions, by the venue's limits.
        """
        self._config = config
        self._lot_sizes = {i.symbol: i.lot_size for i in instruments}
        self._portfolio = portfolio
        self._blotter = blotter
        self._conduct = conduct
        self._out = out
        self._book = book
        self._lose = lose
        gap_ns = round(picture_gap_s * NS_PER_S)
        self._interval_ns = round((config.interval_s or 0) * NS_PER_S)
        self._interval_ns = self._interval_ns and max(self._interval_ns, gap_ns)
        self._recheck_ns = max(RECHECK_NS, gap_ns // 3)
        self.state = TruthState()

    # --- asking ----------------------------------------------------------------------------------

    def on_time(self, now_ns: int) -> None:
        """Ask when it is time; count an answer that does not come; escalate what does not end."""
        state = self.state
        if not self._interval_ns:
            return
        if state.is_awaiting:
            if now_ns - state.asked_ns > ANSWER_MAX_NS:
                self._fail("no answer", now_ns)
        elif self._is_due(now_ns):
            self.ask(now_ns)
        if self._doubted() and now_ns - state.held_since_ns > self._config.escalate_s * 1e9:
            self._escalate(now_ns)

    def _is_due(self, now_ns: int) -> bool:
        asked_ns, interval_ns = self.state.asked_ns, self._interval_ns
        if (self.state.suspects or self.state.failures) and now_ns - asked_ns >= self._recheck_ns:
            return True
        return now_ns // interval_ns > asked_ns // interval_ns

    def _escalate(self, now_ns: int) -> None:
        event = FsmEvent.RECONCILE_FAILED
        if (event, SESSION) not in self._conduct.lifecycle.reasons:
            self._conduct.raise_event(event, SESSION, now_ns)

    def ask(self, now_ns: int) -> None:
        """Ask for a picture of the account, and for what has filled since both sides agreed."""
        self.state.asked_ns, self.state.is_awaiting = now_ns, True
        self._send(now_ns)

    def ask_unless_asked(self, now_ns: int) -> None:
        """Ask where no answer is on its way; who still lacks something after it asks again.

        Twenty lost orders that each asked would use up what a venue lets us ask, and see nothing.
        """
        if not self.state.is_awaiting:
            self.ask(now_ns)

    def reconcile(self, now_ns: int, *, is_trusted: bool) -> None:
        """Ask because the session was interrupted.

        An account that stood still with its engine is only looked at: the answer is told, and
        changes nothing that would not have happened anyway. One that went on is doubted until both
        sides agree.
        """
        self.state.told_ns = now_ns
        if is_trusted:
            self._send(now_ns)
            return
        self.state.is_reconciled = False
        self.state.held_since_ns = now_ns  # no difference lasts while nobody looks
        self._conduct.raise_event(FsmEvent.VENUE_DOWN, ACCOUNT, now_ns)
        self.ask(now_ns)

    def _send(self, now_ns: int) -> None:
        self._out.send(QueryAccount(now_ns, max(0, self.state.agreed_ns - OVERLAP_NS)))

    # --- comparing -------------------------------------------------------------------------------

    def on_snapshot(self, theirs: VenueSnapshot, now_ns: int) -> None:
        """Compare one picture."""
        state = self.state
        is_asked_for = theirs.asked_ns == state.told_ns
        found = () if theirs.failure else self._compare(theirs)
        if is_asked_for:
            state.told_ns = 0  # once, though the regular question had the same instant
            self._tell(theirs, found, now_ns)
        is_due = state.is_awaiting and theirs.asked_ns == state.asked_ns
        if is_asked_for and state.is_reconciled and not is_due:
            return
        state.is_awaiting = False
        if theirs.failure:
            self._fail(theirs.failure, now_ns)
        else:
            self._take(theirs, found, now_ns)

    def _compare(self, theirs: VenueSnapshot) -> tuple[Mismatch, ...]:
        return compare(
            theirs,
            self._ours(),
            last_taken_ns=self.state.taken_ns,
            mismatch_tolerance=self._config.mismatch_tolerance,
            balance_tolerance=self._config.balance_tolerance,
        )

    def _take(self, theirs: VenueSnapshot, found: tuple[Mismatch, ...], now_ns: int) -> None:
        """Hold a picture against the one before: what both show is a difference."""
        state = self.state
        proving = state.suspects if theirs.asked_ns >= state.answered_ns else state.held
        state.failures, state.answered_ns = 0, now_ns
        doubtful = {one for one in found if one.kind not in FOREIGN}
        self._remember(theirs, found, is_agreed=not doubtful)
        confirmed = tuple(one for one in found if one in proving)
        fresh = tuple(one for one in confirmed if one not in state.held)
        had_any, state.suspects, state.held = bool(state.held), found, confirmed
        repaired = self._repair(theirs, confirmed, now_ns) if self._may_repair() else ()
        if fresh or (had_any and not found):
            self._report(fresh, repaired, now_ns)
        self._set_doubts({one.scope for one in doubtful}, now_ns)
        self._lose_ghosts(fresh, now_ns)

    def _ours(self) -> OurAccount:
        return OurAccount(
            positions={s: holding.qty for s, holding in self._portfolio.holdings.items()},
            lot_sizes=self._lot_sizes,
            orders=self._blotter.live,
            is_booked=self._blotter.has_fill,
            cash=self._portfolio.quote_wallet,
        )

    def _remember(
        self, theirs: VenueSnapshot, found: Sequence[Mismatch], *, is_agreed: bool
    ) -> None:
        state, seen = self.state, digest(theirs)
        if any(one.kind is MismatchKind.TS_REGRESSION for one in found):
            return
        state.taken_ns = max(state.taken_ns, theirs.taken_ns)
        if seen != state.digest:
            state.digest, state.changed_ns = seen, theirs.taken_ns
        if is_agreed:
            state.agreed_ns = theirs.taken_ns

    def _doubted(self) -> tuple[Mismatch, ...]:
        return tuple(one for one in self.state.held if one.kind not in FOREIGN)

    def _set_doubts(self, found: set[str], now_ns: int) -> None:
        """Raise what two pictures show, and take back what this one does not show any more.

        Also doubts of others about a position: a fill that was too much, or of no order of ours.

        Args:
            found: Scopes in which this picture differs.
            now_ns: Event time.
        """
        state, conduct = self.state, self._conduct
        doubted = self._doubted()
        if not doubted:
            state.held_since_ns = now_ns
        for scope in dict.fromkeys(one.scope for one in doubted):
            conduct.raise_event(FsmEvent.POSITION_MISMATCH, scope, now_ns)
        lifecycle = conduct.lifecycle
        for event, scope in (*lifecycle.reasons, *lifecycle.suspended):
            if event is FsmEvent.POSITION_MISMATCH and not found & {scope, SESSION}:
                conduct.clear(event, scope, now_ns)
        state.is_reconciled = state.is_reconciled or not found
        if state.is_reconciled:
            conduct.clear(FsmEvent.VENUE_DOWN, ACCOUNT, now_ns)

    # --- what follows ----------------------------------------------------------------------------

    def _may_repair(self) -> bool:
        return self._config.repair and self._conduct.lifecycle.state is not FsmState.EMERGENCY

    def _repair(
        self,
        theirs: VenueSnapshot,
        confirmed: Sequence[Mismatch],
        now_ns: int,
    ) -> tuple[str, ...]:
        """Book what never arrived, and cancel what of ours nobody here knows of."""
        done: list[str] = []
        lost = {o.key for o in confirmed if o.kind is MismatchKind.MISSING_FILL}
        for fill in missing_fills(theirs, self._ours()):
            if fill.trade_id in lost:
                self._book(replace(fill, ts_ns=now_ns), now_ns)  # time in a journal never goes back
                done.append(f"booked {fill.trade_id}")
        for one in confirmed:
            if one.kind is MismatchKind.ORPHAN_ORDER:
                self._out.send(CancelOrder(now_ns, one.key, one.scope))
                done.append(f"canceled {one.key}")
        return tuple(done)

    def _lose_ghosts(self, fresh: Sequence[Mismatch], now_ns: int) -> None:
        """Admit that we don't know what became of orders the venue does not show."""
        for one in fresh:
            if one.kind is MismatchKind.GHOST_ORDER and one.key in self._blotter.live:
                self._lose(
                    VenueUnknown(now_ns, one.scope, one.key, "not among the venue's"), now_ns
                )

    def _report(self, fresh: Sequence[Mismatch], repaired: tuple[str, ...], now_ns: int) -> None:
        state, emit = self.state, self._out.emit
        held = tuple(map(str, state.held[:FINDINGS_MAX]))
        outcome = "mismatch" if self._doubted() else "agreed"
        emit(SyncReport(now_ns, outcome, state.taken_ns, state.digest, held, repaired))
        for one in fresh[:FINDINGS_MAX]:
            emit(ErrorRecord(now_ns, one.kind, one.scope, f"{one.key}: {one.gap}"))
            severity = "warning" if one.kind in FOREIGN else "critical"
            emit(Alert(now_ns, one.kind, severity, f"{one} ({one.scope})"))

    def _tell(self, theirs: VenueSnapshot, found: Sequence[Mismatch], now_ns: int) -> None:
        """Say what an answer that somebody waits for says."""
        outcome = "failed" if theirs.failure else "mismatch" if found else "agreed"
        told = (theirs.failure,) if theirs.failure else tuple(map(str, found[:FINDINGS_MAX]))
        self._out.emit(SyncReport(now_ns, outcome, theirs.taken_ns, digest(theirs), told))

    def _fail(self, why: str, now_ns: int) -> None:
        """Count a question without a whole answer."""
        state = self.state
        state.is_awaiting = False
        state.failures += 1
        if not self._doubted():
            state.held_since_ns = now_ns  # no difference lasts while nobody can look
        if state.failures == FAILURES_MAX:
            self._out.emit(SyncReport(now_ns, "failed", state.taken_ns, "", (why,)))
            self._conduct.raise_event(FsmEvent.VENUE_DOWN, ACCOUNT, now_ns)
