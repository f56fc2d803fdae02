"""A simulated account beside which every request of the real one is built, signed and kept.

Orders and fills are the simulated venue's; nothing of this can send (reliability.md D5).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from brokers.link.rehearser import Rehearser
from engine.model.commands import Command
from engine.model.market import MarketEvent, Quote
from engine.venue import Capabilities, Margin, SessionBroker


class Both(msgspec.Struct):
    """The state of the two, each in its own words."""

    venue: msgspec.Raw
    waiting: msgspec.Raw


_decode: Final = msgspec.json.Decoder(Both).decode


class RehearsedBroker:
    """Implements `engine.venue.SessionBroker`."""

    def __init__(
        self, venue: SessionBroker, rehearser: Rehearser, capabilities: Capabilities
    ) -> None:
        """Stand before a simulated venue, whose sink is `Rehearser.hear` among others.

        Args:
            venue: Where orders go.
            rehearser: Hears of each.
            capabilities: What the session may ask for: what the real venue can do.

        """
        self._venue = venue
        self._rehearser = rehearser
        self._capabilities = capabilities

    @property
    def capabilities(self) -> Capabilities:
        """What a session may ask for; constant."""
        return self._capabilities

    def submit(self, commands: Sequence[Command]) -> None:
        """Write down what these would send, then let them be simulated."""
        for command in commands:
            self._rehearser.rehearse(command)
        self._venue.submit(commands)

    def observe(self, event: MarketEvent) -> None:
        """Let the simulated book move."""
        if type(event) is Quote:
            self._rehearser.observe(event)
        self._venue.observe(event)

    def advance(self, ts_ns: int) -> None:
        """Let everything happen that is due."""
        self._venue.advance(ts_ns)

    def next_due_ns(self) -> int | None:
        """When something pending happens next."""
        return self._venue.next_due_ns()

    def queue_ahead(self, order_id: str) -> Decimal | None:
        """Return the simulated estimate."""
        return self._venue.queue_ahead(order_id)

    def margin(self, symbol: str) -> Margin | None:
        """Return the simulated account's."""
        return self._venue.margin(symbol)

    def snapshot(self) -> bytes:
        """Encode both."""
        raw = msgspec.Raw
        return msgspec.json.encode(
            Both(raw(self._venue.snapshot()), raw(self._rehearser.snapshot()))
        )

    def restore(self, snapshot: bytes) -> None:
        """Continue from a snapshot of both."""
        both = _decode(snapshot)
        self._venue.restore(bytes(both.venue))
        self._rehearser.restore(bytes(both.waiting))
