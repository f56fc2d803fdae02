"""What a venue's refusals say of more than the order they refuse.

An account without margin, a closed market or a key that is no longer taken will refuse the next
order too. To ask at once again is a loop that spends request limits and hides the cause: so the
first such refusal raises a doubt, new risk waits, and after a while one order may find out.

Rule 1: margin, market and form concern the instrument, for `risk.refusal_hold_s`.
Rule 2: a key concerns everything. What the venue does at our word, and not by itself, proves that
        it is taken; so what could add risk is canceled again and again. A key that was refused a
        second time, and has not been taken `sync.escalate_s` after the first, halts the session:
        nobody here can open, cancel or close.

Source: reliability.md rows 41, 42, 47.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from engine.execution.blotter import Blotter
from engine.kernel.conduct import Conduct
from engine.model.effects import Outbox
from engine.model.orders import OrderState
from engine.model.records import Alert
from engine.model.venue_events import (
    RejectReason,
    VenueAccepted,
    VenueAmended,
    VenueAmendRejected,
    VenueCanceled,
    VenueCancelRejected,
    VenueRejected,
    VenueSnapshot,
)
from engine.risk.lifecycle import SESSION, FsmEvent

NS_PER_S: Final = 1_000_000_000
Done = VenueAccepted | VenueAmended | VenueCanceled
DONE: Final[Mapping[type, OrderState]] = {
    VenueAccepted: OrderState.SUBMITTED,
    VenueAmended: OrderState.PENDING_UPDATE,
    VenueCanceled: OrderState.PENDING_CANCEL,
}
"""What a venue says it has done, and the state of an order that waited for that. In any other the
venue did it by itself, as a dead-man switch does, or says it twice."""
Refusal = VenueRejected | VenueAmendRejected | VenueCancelRejected
REFUSALS: Final = frozenset({VenueRejected, VenueAmendRejected, VenueCancelRejected})
AGAIN_NS: Final = 1_000_000_000
"""Refusals of one moment count as one."""
RETRY_NS: Final = 5_000_000_000
"""Between two tries to cancel with a doubted key."""


class Meaning(NamedTuple):
    """What a refusal raises."""

    event: FsmEvent
    after: int = 1
    """So many in a row, without an order of the instrument that was taken."""


MEANINGS: Final[Mapping[RejectReason, Meaning]] = {
    RejectReason.INSUFFICIENT_BALANCE: Meaning(FsmEvent.MARGIN_SHORT),
    RejectReason.MARKET_CLOSED: Meaning(FsmEvent.MARKET_CLOSED),
    RejectReason.INVALID_ORDER: Meaning(FsmEvent.ORDERS_REFUSED, after=3),
}


@dataclass(slots=True)
class Held:
    """A doubt about an instrument, and until when."""

    event: FsmEvent
    symbol: str
    until_ns: int


@dataclass(slots=True)
class DenialsState:
    """What a checkpoint holds."""

    held: list[Held] = field(default_factory=list)
    in_a_row: dict[str, int] = field(default_factory=dict)
    """Refusals of a symbol's orders that mean something only together."""
    key_doubted_ns: int = 0
    """Since when the key is; 0 while nothing speaks against it."""
    key_tried_ns: int = 0
    """When it was last used on purpose."""
    is_unreadable: bool = False
    """The last word on the account was that the key may not read it."""
    is_key_refused_again: bool = False
    """Nothing was done at our word between two refusals of it."""


class Denials:
    """Raises doubts by what a venue refuses, and takes them back."""

    def __init__(
        self,
        conduct: Conduct,
        blotter: Blotter,
        out: Outbox,
        *,
        hold_s: float,
        escalate_s: float,
        cancel: Callable[[str, int], None],
    ) -> None:
        """Take over the parts; `cancel` takes out what of a scope could add risk."""
        self._conduct = conduct
        self._blotter = blotter
        self._out = out
        self._cancel = cancel
        self._hold_ns = round(hold_s * NS_PER_S)
        self._escalate_ns = round(escalate_s * NS_PER_S)
        self.state = DenialsState()

    def on_refusal(self, answer: Refusal, now_ns: int) -> None:
        """Look at what a venue would not do."""
        if answer.reason is RejectReason.AUTH:
            self._doubt_key(now_ns)
        elif not isinstance(answer, VenueCancelRejected) and answer.reason in MEANINGS:
            self._count(answer.symbol, answer.reason, answer.detail, now_ns)

    def before_done(self, answer: Done, now_ns: int) -> None:
        """Learn that the venue did something, before the order does: what it waits for counts."""
        if not isinstance(answer, VenueCanceled):
            self.state.in_a_row.pop(answer.symbol, None)
        order = self._blotter.find(answer.order_id)
        if order is not None and order.state is DONE[type(answer)]:
            self.state.is_key_refused_again = False
            self._believe_key(now_ns)

    @property
    def is_open(self) -> bool:
        """Whether anything would be learnt from what the venue does."""
        state = self.state
        return bool(state.in_a_row or state.key_doubted_ns or state.is_key_refused_again)

    def _count(self, symbol: str, reason: RejectReason, detail: str, now_ns: int) -> None:
        meaning, in_a_row = MEANINGS[reason], self.state.in_a_row
        if meaning.after > 1:
            in_a_row[symbol] = in_a_row.get(symbol, 0) + 1
            if in_a_row[symbol] < meaning.after:
                return
            del in_a_row[symbol]
        self._hold(
            Held(meaning.event, symbol, now_ns + self._hold_ns), f"{reason} {detail}", now_ns
        )

    def _hold(self, new: Held, why: str, now_ns: int) -> None:
        held = self.state.held
        known = next((h for h in held if (h.event, h.symbol) == (new.event, new.symbol)), None)
        if known is not None:
            known.until_ns = new.until_ns
            return
        held.append(new)
        message = f"{new.symbol}: the venue refuses: {why.strip()}; no new risk for a while"
        self._out.emit(Alert(now_ns, "venue_refuses", "warning", message))
        self._conduct.raise_event(new.event, new.symbol, now_ns)

    def on_picture(self, theirs: VenueSnapshot, now_ns: int) -> None:
        """Look at whether the account could be read; that it can again proves the key."""
        if theirs.is_denied:
            self.state.is_unreadable = True
            self._doubt_key(now_ns)
        elif self.state.is_unreadable and not theirs.failure:
            self.state.is_unreadable = False
            self._believe_key(now_ns)

    def _doubt_key(self, now_ns: int) -> None:
        state = self.state
        if state.key_doubted_ns:
            is_again = now_ns - state.key_doubted_ns >= AGAIN_NS
            state.is_key_refused_again = state.is_key_refused_again or is_again
        else:
            state.key_doubted_ns = state.key_tried_ns = now_ns
            message = "the venue refuses the key: no new risk until it is taken again"
            self._out.emit(Alert(now_ns, "venue_refuses", "critical", message))
            self._conduct.raise_event(FsmEvent.KEY_DOUBTED, SESSION, now_ns)

    def on_time(self, now_ns: int) -> None:
        """Let orders try again whose time has come; halt where the key stays refused."""
        if self.state.key_doubted_ns:
            self._press_key(now_ns)
        state = self.state
        if state.held:
            over = [held for held in state.held if held.until_ns <= now_ns]
            state.held = [held for held in state.held if held.until_ns > now_ns]
            for held in over:
                self._conduct.clear(held.event, held.symbol, now_ns)

    def _press_key(self, now_ns: int) -> None:
        """Find out whether the key is taken; without an answer, let the next order do so, once."""
        state = self.state
        if now_ns - state.key_tried_ns >= RETRY_NS:
            state.key_tried_ns = now_ns
            self._cancel(SESSION, now_ns)
        if now_ns - state.key_doubted_ns < self._escalate_ns:
            return
        if not state.is_key_refused_again:
            state.is_key_refused_again = True  # the next refusal is the second
            self._believe_key(now_ns)
        elif (FsmEvent.KEY_REFUSED, SESSION) not in self._conduct.lifecycle.reasons:
            self._conduct.raise_event(FsmEvent.KEY_REFUSED, SESSION, now_ns)

    def _believe_key(self, now_ns: int) -> None:
        if self.state.key_doubted_ns:
            self.state.key_doubted_ns = 0
            self._conduct.clear(FsmEvent.KEY_DOUBTED, SESSION, now_ns)
