"""The contract between the engine and whatever it trades on or listens to.

A broker takes approved commands and answers with events; a feed offers market events. Neither ever
raises into the kernel: a refusal is a `VenueRejected`, an unknown outcome a `VenueUnknown`, a bad
frame a `Malformed`. What can't be reached at start raises `DataUnavailable`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from engine.model.events import Command, HealthChanged, OperatorCommand, VenueEvent
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent, MarketEvent

Sink = Callable[[VenueEvent], None]
"""Where a broker puts its answers, in the order they happened. Never blocks."""

FeedInput = FeedEvent | OperatorCommand | HealthChanged
"""What a source may bring; the last two are those of a recording, at their recorded time."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue can do, as data: the router reads it, nobody branches on a venue's name."""

    can_amend_price: bool
    can_amend_qty: bool
    amend_down_keeps_queue: bool
    has_triggers: bool
    """Stops, take-profits and trailing orders live on the venue."""
    client_id_max: int
    client_id_alphabet: str
    """Characters a client order id may use."""


class Broker(Protocol):
    """One account at one venue; the engine cannot tell paper from live."""

    @property
    def capabilities(self) -> Capabilities:
        """What this venue can do; constant over a session."""
        ...

    def submit(self, command: Command) -> None:
        """Send one command and return at once; every outcome arrives at the sink.

        A `PlaceOrder` is sent at most once for each order id. Never raises: what can't be sent is
        answered with a reject, what may have been sent with `VenueUnknown`.
        """
        ...


class SimulatedBroker(Broker, Protocol):
    """A broker that lives on market data and event time instead of a network."""

    def advance(self, ts_ns: int) -> None:
        """Let everything happen that was due up to and including `ts_ns`, in order."""
        ...

    def observe(self, event: MarketEvent) -> None:
        """Move the simulated book; fills it causes reach the sink stamped with its `ts_ns`."""
        ...

    def next_due_ns(self) -> int | None:
        """When something pending happens next; None when nothing is pending."""
        ...


class Feed(Protocol):
    """A source whose events carry their own time: mock, file, replay."""

    @property
    def name(self) -> str:
        """As typed after `--source`."""
        ...

    @property
    def is_simulated(self) -> bool:
        """True when the prices are invented: shown as SIMULATED everywhere."""
        ...

    @property
    def instruments(self) -> Sequence[Instrument]:
        """What it offers, in the order of `--symbols`."""
        ...

    def batches(self) -> Iterator[Sequence[FeedInput]]:
        """Yield events in non-decreasing `ts_ns`, in short batches, until the data ends.

        A defect inside the data is a `Malformed` event and a cut end is an end; only a source that
        offers nothing at all raises.

        Raises:
            BrokenCapture: Not one usable message.
        """
        ...
