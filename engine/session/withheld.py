"""What becomes of a command whose line could not be made durable: it never left.

The kernel is told so in the venue's words, so that nothing is counted as working which nobody has
sent. What only takes risk away leaves all the same (reliability.md A1, C4).
"""

from typing import Final, assert_never

from engine.model.commands import (
    AmendOrder,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
)
from engine.model.venue_events import RejectReason, VenueAmendRejected, VenueRejected

NOT_SENT: Final = "not sent: its journal line is not durable"


def is_reducing(command: Command) -> bool:
    """Whether a command adds no risk: a question, a cancel, or a reduce-only order."""
    match command:
        case CancelOrder() | QueryAccount() | QueryOrder():
            return True
        case PlaceOrder() | AmendOrder():
            return command.approved.intent.reduce_only
        case _:
            assert_never(command)


def refusal(command: Command) -> VenueRejected | VenueAmendRejected:
    """Return the answer to a placement or an amend that was not sent."""
    assert isinstance(command, PlaceOrder | AmendOrder), "nothing else waits"
    kind = VenueRejected if isinstance(command, PlaceOrder) else VenueAmendRejected
    symbol = command.approved.intent.symbol
    return kind(command.ts_ns, symbol, command.order_id, RejectReason.VENUE_UNAVAILABLE, NOT_SENT)
