"""Toxics on the account's line: told when it breaks, back by itself, and no fill lost or doubled."""

from typing import Final, NamedTuple

import pytest

from engine.model.venue_events import VenueAccepted
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
from tests.brokers.toxic.desk import CALM_S, QTY, QUICK_S, VENUES, desk

HALF: Final = QTY / 2


class Row(NamedTuple):
    name: str
    toxic: Toxic
    ways: tuple[str, ...]
    breaks: bool
    fault: str = ""
    """What the venue does meanwhile."""


ROWS = [
    Row("latency", Latency(0.2, 0.1), BOTH, False),
    Row("down", Down(), BOTH, True),
    Row("bandwidth", Bandwidth(4_000), BOTH, False),
    Row("slow close", SlowClose(0.4), BOTH, True, "kill_streams"),
    Row("timeout of what is told", Timeout(), (DOWN,), True),
    Row("timeout of what we say", Timeout(), (UP,), True),
    Row("reset", ResetPeer(), (DOWN,), True),
    Row("reset at our ping", ResetPeer(), (UP,), True),
    Row("slices", Slicer(3), BOTH, False),
    Row("cut short", LimitData(30), (DOWN,), True),
]


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_what_fills_meanwhile_is_known_once(venue: str, row: Row) -> None:
    async with desk(venue, QUICK_S if row.breaks else CALM_S) as there:
        order = there.place(1)
        await there.until(lambda: there.about(order, VenueAccepted))
        there.legs.line.strike(row.toxic, *row.ways)
        if row.fault:
            there.fault(row.fault)
        there.meet(990, HALF)
        if row.breaks:
            await there.until(there.breaks)
            assert not there.is_up()
        else:
            await there.until(lambda: there.streamed() == HALF)
        await there.legs.line.heal()
        await there.until(there.is_up)
        seen = await there.looked()
        assert [HALF] == [one.filled_qty for one in seen.orders]
        assert [HALF] == [one.qty for one in seen.positions]
        assert HALF == there.filled()
        there.meet(990, HALF)
        await there.until(lambda: there.filled() == QTY)
        await there.looked()

        assert row.breaks is bool(there.breaks())
        assert QTY == there.filled() == there.position()
        assert 0 == there.working()
