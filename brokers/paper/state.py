"""The whole venue at rest, as msgspec JSON: a restart goes on as if nothing had happened."""

from collections.abc import Sequence
from decimal import Decimal
from heapq import heapify
from typing import Any

import msgspec

from brokers.paper.answers import Numbers
from brokers.paper.courier import Courier, DelayedCourier, Journey, Pending, Request
from brokers.paper.depth import DepthBook, SavedDepth
from brokers.paper.market import Market
from engine.model.events import INPUT_TYPES, journal_type
from engine.model.venue_events import VenueEvent

RngState = tuple[int, tuple[int, ...], float | None]

REQUEST = "request"
"""Kind of a pending message on its way to the venue; answers are named as in the journal."""


class Saved(msgspec.Struct):
    """Everything that changes while a venue runs."""

    run_id: str
    now_ns: int
    rng: RngState
    cash: Decimal
    markets: list[Market]
    numbers: Numbers
    journey: Journey
    pending: list[tuple[int, int, str, msgspec.Raw]]


def pack(heap: Sequence[Pending]) -> list[tuple[int, int, str, msgspec.Raw]]:
    """Name and encode each pending message, soonest first."""
    packed = []
    for due_ns, sequence, message in sorted(heap, key=lambda pending: pending[:2]):
        kind = REQUEST if isinstance(message, Request) else journal_type(message)
        packed.append((due_ns, sequence, kind, msgspec.Raw(msgspec.json.encode(message))))
    return packed


def unpack(packed: Sequence[tuple[int, int, str, msgspec.Raw]]) -> list[Pending]:
    """Rebuild what `pack` returned."""
    heap: list[Pending] = []
    for due_ns, sequence, kind, raw in packed:
        message: Request | VenueEvent
        if kind == REQUEST:
            message = msgspec.json.decode(raw, type=Request)
        else:
            message = msgspec.json.decode(raw, type=INPUT_TYPES[kind])
        heap.append((due_ns, sequence, message))
    return heap


def journey_of(courier: Courier) -> Journey:
    """Return what the courier keeps beside its heap."""
    return courier.journey if isinstance(courier, DelayedCourier) else Journey()


def resume(courier: Courier, saved: Saved) -> None:
    """Put the messages under way back into the courier's own heap."""
    courier.heap[:] = unpack(saved.pending)
    heapify(courier.heap)
    if isinstance(courier, DelayedCourier):
        courier.journey = saved.journey


def encode(saved: Saved) -> bytes:
    """Encode; the same state gives the same bytes."""
    return msgspec.json.encode(saved, enc_hook=_plain)


def decode(raw: bytes) -> Saved:
    """Decode what `encode` returned; anything else raises `msgspec.MsgspecError`."""
    return msgspec.json.decode(raw, type=Saved, dec_hook=_rich)


def _plain(value: object) -> object:
    if isinstance(value, DepthBook):
        return value.save()
    raise NotImplementedError(type(value))


def _rich(kind: type, value: Any) -> object:  # noqa: ANN401 - what msgspec hands over
    if kind is DepthBook:
        return DepthBook.load(msgspec.convert(value, SavedDepth, str_keys=True))
    raise NotImplementedError(kind)
