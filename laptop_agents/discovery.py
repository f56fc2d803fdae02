"""Learns what a live source trades, with patience for one that does not answer at once."""

import asyncio
import time
from typing import Final

from engine.model.errors import DataUnavailable
from engine.venue import LiveFeed

RETRY_S: Final = 0.5


async def discover(feed: LiveFeed, patience_s: float) -> None:
    """Ask until it answers, for so many seconds; a symbol it does not list is an answer.

    Raises:
        DataUnavailable: It can't be reached.
        UnknownInstrument: It does not list one of the symbols.
    """
    until_s = time.monotonic() + patience_s
    while True:
        try:
            async with asyncio.timeout(max(RETRY_S, until_s - time.monotonic())):
                return await feed.discover()
        except (DataUnavailable, TimeoutError) as error:
            if time.monotonic() + RETRY_S >= until_s:
                raise _unavailable(feed, error) from error
        await asyncio.sleep(RETRY_S)


def _unavailable(feed: LiveFeed, error: Exception) -> DataUnavailable:
    if isinstance(error, DataUnavailable):
        return error
    return DataUnavailable(f"{feed.name} does not answer")
