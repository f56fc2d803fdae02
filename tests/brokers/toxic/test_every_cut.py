"""Row 7: a line that is cut after each number of bytes, through greeting and first messages."""

import asyncio
import json
import os
import random

import pytest

from brokers.link.backoff import Backoff, BackoffConfig
from brokers.link.stream import Down, Frame, Stream, StreamConfig, Up, Word
from tests.brokers.binance.exchange import exchange
from tests.brokers.proxy import DOWN, LimitData, Proxy

BYTES = 400
"""The greeting has some 130; the rest is messages."""
QUICK = BackoffConfig(base_s=0.0005, cap_s=0.0005, per_hour=100_000)


@pytest.mark.timeout(60)
async def test_every_cut_is_a_clean_new_try() -> None:
    """A message is whole or not there; no task and no descriptor is left behind."""
    async with exchange(2_000.0) as venue, Proxy(venue.port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/public/stream?streams=btcusdt@bookTicker"
        words: list[Word] = []
        held: list[tuple[int, int]] = []
        done = asyncio.Event()

        def hear(word: Word) -> None:
            words.append(word)
            if isinstance(word, Down):
                cut = len([one for one in words if isinstance(one, Down)])
                proxy.strike(LimitData(cut), DOWN)
                held.append((len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))))
                if cut > BYTES:
                    done.set()

        proxy.strike(LimitData(0), DOWN)
        backoff = Backoff(QUICK, random.Random(1))  # noqa: S311 - dice
        line = asyncio.create_task(Stream(StreamConfig(url=url), tuple, backoff).run(hear))
        async with asyncio.timeout(50.0):
            await done.wait()
        line.cancel()
        await asyncio.gather(line, return_exceptions=True)

    frames = [json.loads(word.data) for word in words if isinstance(word, Frame)]
    ups = [at for at, word in enumerate(words) if isinstance(word, Up)]
    assert {"bookTicker"} == {frame["data"]["e"] for frame in frames}
    assert 100 < len(ups) < BYTES, "some cuts fall into the greeting, some behind it"
    early, late = held[50:150], held[-100:]
    for which in (0, 1):
        assert max(one[which] for one in late) <= max(one[which] for one in early) + 3
