"""A session on a live market knows the bars of before it, and trades on none of them."""

import asyncio
import signal
from pathlib import Path
from typing import Any

from tests.brokers.link.klines import MINUTE_NS, past
from tests.end_to_end.shell import Ending, Process

WORDS = (
    "--symbols", "BTCUSDT", "--agents", "trend", "--set", "agents.trend.bar_interval_s=60",
    "--set", "session.fallback_after_s=10",
)  # fmt: skip


def of(lines: list[dict[str, Any]]) -> list[int]:
    return [bar["open_ns"] // MINUTE_NS for line in lines for bar in line["data"]["bars"]]


async def test_bars_of_the_past_are_known_once_and_replay(tmp_path: Path) -> None:
    """One line in the journal, before any quote; a crash and a resume bring no other."""
    async with past("bitunix") as there:
        living = asyncio.create_task(there.quote_on())
        ended = await asyncio.to_thread(crashed_and_resumed, tmp_path, there.at)
        living.cancel()

    assert 0 == ended.code, ended.err
    history = ended.run.lines("bar_history")
    opens = of(history)
    assert (1, "", 60) == (
        len(history), history[0]["data"]["failure"], history[0]["data"]["interval_s"],
    )  # fmt: skip
    assert 38 <= len(opens) == opens[-1] - opens[0] + 1
    (first, *_) = ended.run.lines("quote", "trade", "depth", "bar_history")
    assert "bar_history" == first["type"]
    assert [] == ended.run.lines("order_submitted", "intent"), "no bar has closed since"
    again = await asyncio.to_thread(Process(tmp_path, "replay").end)
    assert (0, True) == (again.code, "identical" in again.out), again.out + again.err


def crashed_and_resumed(home: Path, at: str) -> Ending:
    urls = [f"bitunix.rest_url=http://{at}", f"bitunix.public_url=ws://{at}/public/"]
    there = [word for url in urls for word in ("--set", url)]
    process = Process(
        home, "--headless", "--duration", "0.1", "--source", "bitunix", *WORDS, *there
    )
    process.until(lambda: process.run.lines_so_far("quote") != [])
    process.send(signal.SIGKILL)
    process._process.communicate()
    return Process(home, "--headless", "--resume").end()
