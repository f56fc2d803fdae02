"""The contract between the engine and whatever it trades on or listens to.

A broker takes approved commands and answers with events; a feed offers market events. Neither ever
raises into the kernel: a refusal is a `VenueRejected`, an unknown outcome a `VenueUnknown`, a bad
frame a `Malformed`. What can't be reached at start raises `DataUnavailable`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol, Self, runtime_checkable

import msgspec

from engine.model.account import MarginMode
from engine.model.client_ids import ClientIds
from engine.model.commands import Command
from engine.model.events import HealthChanged, OperatorCommand
from engine.model.instrument import Instrument
from engine.model.market import FeedEvent, MarketEvent, ReferenceEvent
from engine.model.sightings import AccountSeen, AccountUnseen
from engine.model.venue_events import VenueCanceled, VenueEvent, VenueFill

Sink = Callable[[VenueEvent], None]
"""Where a broker puts its answers, in the order they happened. Never blocks."""

FeedInput = FeedEvent | ReferenceEvent | OperatorCommand | HealthChanged
"""What a source may bring; the last two are those of a recording, at their recorded time."""
Take = Callable[[FeedEvent], bool]
"""Takes an event at once, or says that it can't."""


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
    picture_gap_s: float = 0.0
    """Least time between two questions for the whole account: its limits allow no more."""
    places_per_request: int = 1
    """Orders of one instrument that one request may place."""
    cancels_per_request: int = 1
    """Orders of one instrument that one request may take out."""
    query_lag_ms: int = 5_000
    """How long after a request the venue may still not find its order, as documented."""
    account_outlives_engine: bool = True
    """Orders and positions live on while no engine runs: nothing is trusted before both sides were
    compared. A simulated account stands still with its engine."""

    def ids_of(self, run_id: str) -> ClientIds:
        """Return a run's names for its orders, in what this venue takes."""
        return ClientIds(run_id, self.client_id_max, self.client_id_alphabet)


class Charges(msgspec.Struct, frozen=True, kw_only=True):
    """What trading on an account costs and ties up; for previews, the venue's fills decide."""

    maker_fee_bps: Decimal
    """Of notional; negative is a rebate."""
    taker_fee_bps: Decimal
    leverage: Decimal
    """Initial margin is notional over this."""
    leverages: Mapping[str, int] = {}
    """Of each instrument at the venue, where it tells: then the least of them counts."""


class MarginTerms(msgspec.Struct, frozen=True):
    """What positions of an instrument are made with."""

    symbol: str
    leverage: int
    mode: MarginMode | None
    """None where the venue says something that nobody has described."""

    def __str__(self) -> str:
        """Return it as people say it."""
        return f"{self.symbol} {self.leverage}x {self.mode or 'of an unknown margin mode'}"


class Margin(NamedTuple):
    """What one open position ties up, and where the venue would close it."""

    initial: Decimal
    """Quote currency."""
    liquidation_price: Decimal | None
    """Mark price at which the account no longer covers its maintenance margin, all other prices
    standing still; None where no positive price gets there."""


class Broker(Protocol):
    """One account at one venue; the engine cannot tell paper from live."""

    @property
    def capabilities(self) -> Capabilities:
        """What this venue can do; constant over a session."""
        ...

    def submit(self, commands: Sequence[Command]) -> None:
        """Send a turn's commands and return at once; every outcome arrives at the sink.

        A `PlaceOrder` is sent at most once for each order id. Never raises: what can't be sent is
        answered with a reject, what may have been sent with `VenueUnknown`. A query is always
        answered, a failed one by a snapshot with `failure` or by `Standing.UNANSWERED`: a page that
        could not be fetched is never an empty one.
        """
        ...

    def queue_ahead(self, order_id: str) -> Decimal | None:
        """Return the quantity estimated to trade before a resting order at its price.

        None where the venue does not say, or holds no such order: one that waits for a trigger
        stands in no line. For people only; nothing is decided by it.
        """
        ...

    def margin(self, symbol: str) -> Margin | None:
        """Return what an open position ties up; None where the venue does not say, or if flat.

        For people only; nothing is decided by it.
        """
        ...


class SessionBroker(Broker, Protocol):
    """A broker as a session drives it: what it has to tell comes out in event time."""

    def advance(self, ts_ns: int) -> None:
        """Let everything happen that was due up to and including `ts_ns`, in order."""
        ...

    def observe(self, event: MarketEvent) -> None:
        """See a market event: a simulated book moves, and its fills are stamped with `ts_ns`."""
        ...

    def next_due_ns(self) -> int | None:
        """When something pending happens next; None when nothing is pending."""
        ...

    def snapshot(self) -> bytes:
        """Encode its whole state, what is under way included."""
        ...

    def restore(self, snapshot: bytes) -> None:
        """Continue from a snapshot of a broker with the same instruments and settings."""
        ...


@runtime_checkable
class LiveBroker(SessionBroker, Protocol):
    """A broker at a real venue. Used as a context on the session's loop.

    Until `go_live` it sends nothing and only learns what the session has asked for: a run that is
    made again must not send again.
    """

    def go_live(self, since_ns: int) -> None:
        """Begin to listen and to send; the account's past before `since_ns` is not ours."""
        ...

    def recall(self, event: VenueEvent) -> None:
        """Learn from what an interrupted run was told."""
        ...

    def beat(self, ts_ns: int) -> None:
        """Hear that the session decides: the venue's dead-man switch is renewed by this alone."""
        ...

    async def __aenter__(self) -> "LiveBroker":
        """Open; nothing is sent."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Let requests under way end, and leave."""
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


@runtime_checkable
class LiveFeed(Feed, Protocol):
    """A source that happens now. Its batches never wait: an empty one says that nothing has come.

    Used as a context on the session's loop. Its events carry the time they arrived; a session
    stamps them again as it takes them, for its own clock never goes back.
    """

    async def discover(self) -> None:
        """Learn what is traded; before that, `instruments` are empty.

        Raises:
            DataUnavailable: The venue can't be reached, or makes no sense.
            UnknownInstrument: It does not list one of the symbols.
        """
        ...

    async def arrived(self, within_s: float, take: Take | None = None) -> None:
        """Wait until something has come, or `nudge`, at most so many seconds.

        Args:
            within_s: Seconds.
            take: Offered what comes first, in the very callback it comes with. True: it is taken,
                and will be in no batch. What it raises is raised here.
        """
        ...

    def nudge(self) -> None:
        """End a wait: something else has come."""
        ...

    async def __aenter__(self) -> "LiveFeed":
        """Begin to listen."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        ...


@runtime_checkable
class BarSource(LiveFeed, Protocol):
    """A live source that keeps bars of the past."""

    def want_bars(self, intervals_s: Sequence[int], count: int) -> None:
        """Bring so many past bars of some lengths before anything else, as far as they are had.

        To be said before it is entered. Each is a `BarHistory`; one that could not be had is one
        with a failure, and takes a few seconds at most.
        """
        ...


class AccountWatch(Protocol):
    """A real account that is looked at beside a session; an async context on its loop.

    Nothing of it can act. What it brings has no time yet: whoever takes it stamps it.
    """

    def recall(self, event: AccountSeen | AccountUnseen) -> None:
        """Know what an interrupted session was told: nothing is told twice."""
        ...

    def go_live(self) -> None:
        """Begin to look."""
        ...

    def take(self) -> AccountSeen | AccountUnseen | None:
        """Return the next thing seen; None where there is nothing new."""
        ...

    async def last(self) -> AccountSeen | AccountUnseen | None:
        """Look once more, for seconds at most, and then never again."""
        ...

    async def __aenter__(self) -> Self:
        """Open; nothing is asked yet."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        ...


class WorkingOrder(NamedTuple):
    """An order that could still fill."""

    order_id: str
    symbol: str
    is_reducing: bool
    """Can only make a position smaller."""


class Holding(NamedTuple):
    """A position, quantity signed."""

    symbol: str
    qty: Decimal


class EmergencyDesk(Protocol):
    """One account for whoever has to clear it up when the engine can't: the sentinel.

    It shares nothing with the engine's broker. A paper desk reads the venue's ledger; a live one is
    a client with a key handle and deadlines of its own. `event_ns` stamps what it answers.
    """

    def working(self) -> Sequence[WorkingOrder]:
        """Return every order that works, those that add risk first.

        Raises:
            OSError: The venue can't be asked.
        """
        ...

    def cancel(self, order: WorkingOrder, event_ns: int) -> VenueCanceled | None:
        """Take an order out; None where that is not confirmed, to be asked again.

        Raises:
            OSError: The venue can't be reached.
        """
        ...

    def holdings(self) -> Sequence[Holding]:
        """Return every open position.

        Raises:
            OSError: The venue can't be asked.
        """
        ...

    def latest_fills(self, event_ns: int) -> Sequence[VenueFill]:
        """Return the venue's latest fills, oldest first; the engine may have heard of them or not.

        Raises:
            OSError: The venue can't be asked.
        """
        ...

    def flatten(self, holding: Holding, event_ns: int) -> VenueFill | None:
        """Close a position, reduce-only; None where no price for it is known.

        Raises:
            OSError: The venue can't be reached.
        """
        ...
