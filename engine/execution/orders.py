"""The order state machine as one table: every state meets every event, decided.

Rule 1: a pair maps to the next state, or to REFUSED: the order stays as it is and the caller counts
and records it. Nothing is left undefined.
Rule 2: fills are facts. They apply in every state in which the venue can have seen the order, also
after CANCELED or EXPIRED (`late_fill`), and an unknown order becomes known by them.
Rule 3: ACCEPTED may only be inferred, from a cancel that was refused, so the venue's reject still
ends it. One that the venue has numbered is past rejecting: the caller refuses that.
Rule 4: whether a fill completes the order is arithmetic, not an event of the venue.

Source: domain.md section 4; reliability.md A3-A5.
"""

from collections.abc import Mapping
from typing import Final

from engine.model.orders import OrderState
from engine.model.words import Word

S = OrderState


class OrderEvent(Word):
    """What can happen to an order."""

    SUBMIT = "submit"
    DENY = "deny"
    ACCEPT = "accept"
    REJECT = "reject"
    FILL_PART = "fill_part"
    FILL_ALL = "fill_all"
    REQUEST_AMEND = "request_amend"
    AMENDED = "amended"
    AMEND_REJECTED = "amend_rejected"
    REQUEST_CANCEL = "request_cancel"
    CANCELED = "canceled"
    CANCEL_REJECTED = "cancel_rejected"
    EXPIRE = "expire"
    TRIGGER = "trigger"
    LOSE = "lose"
    """A request was sent and no answer came."""


E = OrderEvent
REFUSED: Final = None

_WORKING: Final = "working"
"""Target ACCEPTED, or PARTIALLY_FILLED where something has filled."""

LIVE: Final = frozenset(
    {
        S.SUBMITTED,
        S.ACCEPTED,
        S.PARTIALLY_FILLED,
        S.PENDING_UPDATE,
        S.PENDING_CANCEL,
        S.UNKNOWN,
    }
)
"""States that count at full size in every limit."""

IN_FLIGHT: Final = frozenset({S.SUBMITTED, S.PENDING_UPDATE, S.PENDING_CANCEL, S.UNKNOWN})
"""Live states in which a request of ours has not been answered."""

TERMINAL: Final = frozenset({S.DENIED, S.REJECTED, S.FILLED, S.CANCELED, S.EXPIRED})
"""States only a late fill can move; answers that lost a race against a fill change nothing."""

LATE_FILL_STATES: Final = frozenset({S.CANCELED, S.EXPIRED, S.REJECTED})
"""Terminal states in which a fill is real money and an alarm."""

_TABLE: Final[Mapping[OrderState, Mapping[OrderEvent, str]]] = {
    S.INITIALIZED: {E.SUBMIT: S.SUBMITTED, E.DENY: S.DENIED},
    S.SUBMITTED: {
        E.ACCEPT: S.ACCEPTED,
        E.REJECT: S.REJECTED,
        E.FILL_PART: S.PARTIALLY_FILLED,
        E.FILL_ALL: S.FILLED,
        E.REQUEST_CANCEL: S.PENDING_CANCEL,
        E.CANCELED: S.CANCELED,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: S.ACCEPTED,
        E.LOSE: S.UNKNOWN,
    },
    S.ACCEPTED: {
        E.ACCEPT: S.ACCEPTED,
        E.REJECT: S.REJECTED,
        E.FILL_PART: S.PARTIALLY_FILLED,
        E.FILL_ALL: S.FILLED,
        E.REQUEST_AMEND: S.PENDING_UPDATE,
        E.AMENDED: S.ACCEPTED,
        E.REQUEST_CANCEL: S.PENDING_CANCEL,
        E.CANCELED: S.CANCELED,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: S.ACCEPTED,
        E.LOSE: S.UNKNOWN,
    },
    S.PARTIALLY_FILLED: {
        E.ACCEPT: S.PARTIALLY_FILLED,
        E.FILL_PART: S.PARTIALLY_FILLED,
        E.FILL_ALL: S.FILLED,
        E.REQUEST_AMEND: S.PENDING_UPDATE,
        E.AMENDED: S.PARTIALLY_FILLED,
        E.REQUEST_CANCEL: S.PENDING_CANCEL,
        E.CANCELED: S.CANCELED,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: S.PARTIALLY_FILLED,
        E.LOSE: S.UNKNOWN,
    },
    S.PENDING_UPDATE: {
        E.ACCEPT: S.PENDING_UPDATE,
        E.FILL_PART: S.PENDING_UPDATE,
        E.FILL_ALL: S.FILLED,
        E.AMENDED: _WORKING,
        E.AMEND_REJECTED: _WORKING,
        E.REQUEST_CANCEL: S.PENDING_CANCEL,
        E.CANCELED: S.CANCELED,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: S.PENDING_UPDATE,
        E.LOSE: S.UNKNOWN,
    },
    S.PENDING_CANCEL: {
        E.ACCEPT: S.PENDING_CANCEL,
        E.REJECT: S.REJECTED,
        E.FILL_PART: S.PENDING_CANCEL,
        E.FILL_ALL: S.FILLED,
        E.AMENDED: S.PENDING_CANCEL,
        E.AMEND_REJECTED: S.PENDING_CANCEL,
        E.CANCELED: S.CANCELED,
        E.CANCEL_REJECTED: _WORKING,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: S.PENDING_CANCEL,
        E.LOSE: S.UNKNOWN,
    },
    S.UNKNOWN: {
        E.ACCEPT: _WORKING,
        E.REJECT: S.REJECTED,
        E.FILL_PART: S.PARTIALLY_FILLED,
        E.FILL_ALL: S.FILLED,
        E.AMENDED: _WORKING,
        E.AMEND_REJECTED: _WORKING,
        E.REQUEST_CANCEL: S.PENDING_CANCEL,
        E.CANCELED: S.CANCELED,
        E.CANCEL_REJECTED: _WORKING,
        E.EXPIRE: S.EXPIRED,
        E.TRIGGER: _WORKING,
        E.LOSE: S.UNKNOWN,
    },
    S.DENIED: {},
    S.REJECTED: {E.FILL_PART: S.REJECTED, E.FILL_ALL: S.FILLED, E.CANCEL_REJECTED: S.REJECTED},
    S.FILLED: {E.ACCEPT: S.FILLED, E.AMEND_REJECTED: S.FILLED, E.CANCEL_REJECTED: S.FILLED},
    S.CANCELED: {
        E.FILL_PART: S.CANCELED,
        E.FILL_ALL: S.FILLED,
        E.AMEND_REJECTED: S.CANCELED,
        E.CANCEL_REJECTED: S.CANCELED,
    },
    S.EXPIRED: {
        E.FILL_PART: S.EXPIRED,
        E.FILL_ALL: S.FILLED,
        E.AMEND_REJECTED: S.EXPIRED,
        E.CANCEL_REJECTED: S.EXPIRED,
    },
}


def _complete() -> dict[tuple[OrderState, OrderEvent, bool], OrderState | None]:
    rows: dict[tuple[OrderState, OrderEvent, bool], OrderState | None] = {}
    for state in OrderState:
        for event in OrderEvent:
            target = _TABLE[state].get(event, REFUSED)
            for has_fills in (False, True):
                if target == _WORKING:
                    rows[state, event, has_fills] = S.PARTIALLY_FILLED if has_fills else S.ACCEPTED
                else:
                    rows[state, event, has_fills] = None if target is None else OrderState(target)
    return rows


TRANSITIONS: Final = _complete()
"""(state, event, has filled something) to the next state; None is REFUSED. All triples present."""
