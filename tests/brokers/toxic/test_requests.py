"""Toxics on the way of requests: an order and its cancel, each once, whatever became of the answer.

A row says what may be told at once, and whether the venue has it; everything else must hold in
every row: nothing is placed twice, what is unknown is found out by the order's id, no fill is lost
or counted twice.
"""

from typing import Final, NamedTuple

import pytest

from engine.model.venue_events import (
    Standing,
    VenueAccepted,
    VenueCanceled,
    VenueCancelRejected,
    VenueRejected,
    VenueUnknown,
)
from tests.brokers.proxy import (
    BOTH,
    DOWN,
    UP,
    Bandwidth,
    Down,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)
from tests.brokers.toxic.desk import CALM_S, QTY, QUICK_S, VENUES, Desk, desk

GOOD: Final = (VenueAccepted,)
LOST: Final = (VenueUnknown,)
TOLD: Final = (VenueUnknown, VenueAccepted)
"""The line may tell what the answer does not."""
NEVER: Final = (VenueUnknown, VenueRejected)
"""Whether a dead connection was noticed before anything was written is not ours to choose."""


class Row(NamedTuple):
    name: str
    toxic: Toxic
    ways: tuple[str, ...]
    told: tuple[type, ...]
    arrives: bool
    of_line: bool = False
    """The account's line is struck too: nobody but the order's id can tell."""


ROWS = [
    Row("latency", Latency(0.1, 0.05), BOTH, GOOD, True),
    Row("latency beyond patience", Latency(3.0), (DOWN,), TOLD, True),
    Row("down", Down(), BOTH, NEVER, False),
    Row("bandwidth", Bandwidth(8_000), BOTH, GOOD, True),
    Row("slow close", SlowClose(0.3), BOTH, GOOD, True),
    Row("timeout of the request", Timeout(), (UP,), LOST, False),
    Row("timeout of the answer", Timeout(), (DOWN,), TOLD, True),
    Row("timeout that hangs up", Timeout(0.2), (DOWN,), TOLD, True),
    Row("reset before it arrives", ResetPeer(), (UP,), LOST, False),
    Row("reset in place of the answer", ResetPeer(), (DOWN,), TOLD, True),
    Row("slices", Slicer(3), BOTH, GOOD, True),
    Row("a request cut short", LimitData(40), (UP,), LOST, False),
    Row("an answer cut short", LimitData(40), (DOWN,), TOLD, True),
    Row("all lines: down", Down(), BOTH, NEVER, False, True),
    Row("all lines: silent", Timeout(), (DOWN,), LOST, True, True),
    Row("all lines: reset", ResetPeer(), (DOWN,), TOLD, True, True),
    Row("all lines: cut short", LimitData(20), (DOWN,), TOLD, True, True),
]


def strike(there: Desk, row: Row) -> None:
    for proxy in there.legs.proxies() if row.of_line else (there.legs.rest,):
        proxy.strike(row.toxic, *row.ways)


async def heal(there: Desk) -> None:
    for proxy in there.legs.proxies():
        await proxy.heal()
    await there.until(there.is_up)


async def placed(there: Desk, row: Row) -> str:
    """Place an order on a struck way; what is told, and what the venue has, is the row's."""
    strike(there, row)
    order = there.place(1)
    await there.until(lambda: there.about(order, *NEVER, *GOOD))
    assert isinstance(there.about(order, *NEVER, *GOOD)[0], row.told)
    await heal(there)
    wanted = Standing.WORKING if row.arrives else Standing.NOT_FOUND
    assert wanted is (await there.asked(order)).standing
    return order


async def canceled(there: Desk, row: Row, order: str) -> None:
    """Cancel it on a struck way; where that did not arrive it works on until it is asked again."""
    strike(there, row)
    before = len(there.about(order, *CANCELED))
    there.cancel(order)
    await there.until(lambda: len(there.about(order, *CANCELED)) > before)
    await heal(there)
    standing = (await there.asked(order)).standing
    assert (standing in GONE) is row.arrives
    if not row.arrives:
        there.cancel(order)
        await there.until(lambda: not there.working())


CANCELED: Final = (VenueCanceled, VenueCancelRejected, VenueUnknown)
GONE: Final = (Standing.CANCELED, Standing.NOT_FOUND)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_an_order_and_its_cancel_are_sent_once(venue: str, row: Row) -> None:
    async with desk(venue, QUICK_S if row.of_line else CALM_S) as there:
        order = await placed(there, row)
        if not row.arrives:
            order = there.place(2)
            await there.until(lambda: there.about(order, VenueAccepted))
        there.meet(990, QTY / 2)
        if row.of_line:
            await there.looked()
        await there.until(lambda: there.filled() == QTY / 2)
        await canceled(there, row, order)
        await there.looked()

        assert 0 == there.working()
        assert 1 == len(there.entered())
        written = 1 if row.arrives else 2
        assert there.placements() in ((1, 2) if row.toxic == Down() else (written,))
        assert 1 >= len(there.about(order, VenueAccepted))
        assert QTY / 2 == there.filled() == there.position()
