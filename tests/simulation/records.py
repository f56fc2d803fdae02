"""What the venue's side writes down: plain data, in no type of the engine's."""

from decimal import Decimal
from typing import Any, Final

from engine.model.commands import AmendOrder, CancelOrder, Command, PlaceOrder
from engine.model.events import journal_type
from engine.model.venue_events import VenueEvent
from engine.session.journal import Journal

REQUESTS: Final = {PlaceOrder: "place", AmendOrder: "amend", CancelOrder: "cancel"}


class VenueLog:
    """Requests as they arrived and facts as they happened, in one order."""

    def __init__(self, journal: Journal) -> None:
        self.entries: list[dict[str, Any]] = []
        self._journal = journal

    def request(self, command: Command) -> None:
        """Write down a request, and how much of the journal was written before it came."""
        journal = self._journal
        entry: dict[str, Any] = {
            "entry": "request",
            "what": REQUESTS[type(command)],
            "ts": command.ts_ns,
            "order_id": command.order_id,
            "lines": journal.events,
            "is_journal_sound": journal.failure is None,
        }
        if isinstance(command, AmendOrder):
            entry |= {"qty": str(command.qty), "price": str(command.price)}
        elif isinstance(command, PlaceOrder):
            wish = command.approved.intent
            fields = ("symbol", "side", "qty", "price", "type", "reduce_only")
            entry |= {name: _plain(getattr(wish, name)) for name in fields}
        self.entries.append(entry)

    def fact(self, event: VenueEvent) -> None:
        """Write down what really happened."""
        names = [name for name in event.__struct_fields__ if name != "ts_ns"]
        fields = {name: _plain(getattr(event, name)) for name in names}
        head = {"entry": "fact", "what": journal_type(event), "ts": event.ts_ns}
        self.entries.append(head | fields)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Decimal | str) else value
