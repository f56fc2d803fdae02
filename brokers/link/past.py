"""Bars of before a session, asked of a live venue once, before its lines are opened.

Rule 1: only what has closed counts, by this machine's clock and by the venue's: an answer of REST
        flags nothing, and its newest bar is still growing.
Rule 2: asking takes so long and no longer. What did not come is told once; the session begins cold.
Rule 3: bars are made of whole ones, of the longest length the venue has that divides theirs; one
        with a hole is left out. Lengths no venue bar divides are not asked for.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

import msgspec

from brokers.link.exchanged import Reply, Request
from brokers.link.grid import STEPS_MAX, Refused, plain_decimal
from brokers.link.offset import date_s
from brokers.link.rest import Rest
from engine.model.instrument import Instrument
from engine.model.market import Bar, BarHistory
from engine.model.text import sanitize

WITHIN_S: Final = 2.0
"""For all of it: so long a session may begin later."""
AT_ONCE: Final = 4
"""Questions under way; a minute's limits of every venue are far beyond."""
OK: Final = 200
SAID_MAX: Final = 200
MS_NS: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000
UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
LENGTHS: Final[Mapping[int, str]] = {
    60: "1m", 180: "3m", 300: "5m", 900: "15m", 1_800: "30m", 3_600: "1h", 7_200: "2h",
    14_400: "4h", 21_600: "6h", 28_800: "8h", 43_200: "12h", 86_400: "1d",
}  # fmt: skip
"""Seconds to the venues' names; longer ones begin on days of their own and are left out."""


class Asked(NamedTuple):
    """Which bars, the one that is still growing among them."""

    symbol: str
    length: str
    """In the venue's word."""
    rows: int
    since_ms: int
    until_ms: int


class Kline(NamedTuple):
    """One row of an answer, its numbers as they came."""

    open_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str


class Klines(NamedTuple):
    """How a venue is asked for bars."""

    lengths: Mapping[int, str]
    """Seconds to its names."""
    most: int
    """Rows of one answer."""
    request: Callable[[Asked], Request]
    read: Callable[[bytes], Sequence[Kline]]
    """Raises one of `UNREADABLE` for what is none."""


class Past:
    """Asks one venue for what a session wants to know."""

    def __init__(self, klines: Klines, rest: Rest, intervals_s: Sequence[int], count: int) -> None:
        """Prepare.

        Args:
            klines: How to ask.
            rest: Where; open when it is asked.
            intervals_s: Lengths of the bars that agents read.
            count: Bars of each.

        """
        self._klines = klines
        self._rest = rest
        self._intervals_s = intervals_s
        self._count = count

    async def ask(self, instruments: Sequence[Instrument]) -> Sequence[BarHistory]:
        """Return what is known of each instrument, and one word of what could not be had."""
        wanted = [(item, i) for item in instruments for i in self._intervals_s if self._unit(i)]
        if not wanted:
            return ()
        room = asyncio.Semaphore(AT_ONCE)
        tasks = [asyncio.create_task(self._history(*one, room)) for one in wanted]
        try:
            done, late = await asyncio.wait(tasks, timeout=WITHIN_S)
        finally:
            for task in tasks:
                task.cancel()
        told = [task.result() for task in tasks if task in done]
        found = [one for one in told if isinstance(one, BarHistory)]
        wrong = [one for one in told if isinstance(one, str)]
        if late:
            wrong.append(f"{len(late)} of {len(tasks)} answers took over {WITHIN_S:g} s")
        if wrong:
            failure = sanitize("; ".join(dict.fromkeys(wrong)), SAID_MAX)
            found.append(BarHistory(time.time_ns(), "", 0, (), failure))
        return [one for one in found if one.bars or one.failure]

    async def _history(
        self, item: Instrument, interval_s: int, room: asyncio.Semaphore
    ) -> BarHistory | str:
        unit_s = self._unit(interval_s)
        count = min(self._klines.most, self._count * (interval_s // unit_s) + 1)
        now_ms = time.time_ns() // MS_NS
        since_ms = now_ms - count * unit_s * 1_000
        asked = Asked(item.symbol, self._klines.lengths[unit_s], count, since_ms, now_ms)
        async with room:
            answer = await self._rest.ask(self._klines.request(asked))
        if not isinstance(answer, Reply):
            return answer.cause
        if answer.status != OK:
            return f"HTTP {answer.status}"
        try:
            rows = self._klines.read(answer.body)
            bars = closed(rows, item, unit_s, until_ns=_known_ns(answer))
        except UNREADABLE as error:
            return f"{item.symbol}: bars that can't be read: {error}"
        whole = merged(bars, interval_s)[-self._count :]
        return BarHistory(time.time_ns(), item.symbol, interval_s, tuple(whole))

    def _unit(self, interval_s: int) -> int:
        """Return the longest length that divides an interval; 0 where none does."""
        return max((one for one in self._klines.lengths if not interval_s % one), default=0)


def _known_ns(answer: Reply) -> int:
    """Return up to when both clocks agree that time has passed."""
    now_ns, second = time.time_ns(), date_s(answer.headers.get("date", ""))
    return now_ns if second is None else min(now_ns, second * SECOND_NS)


def closed(
    rows: Sequence[Kline], item: Instrument, length_s: int, *, until_ns: int
) -> Sequence[Bar]:
    """Return the rows that are over, oldest first, each once; those off the grid are left out.

    Raises:
        ValueError: A number is none.
    """
    length_ns, bars = length_s * SECOND_NS, {}
    for row in rows:
        open_ns = row.open_ms * MS_NS
        if open_ns % length_ns or open_ns + length_ns > until_ns:
            continue
        bars[open_ns] = Bar(
            ts_ns=open_ns + length_ns,
            symbol=item.symbol,
            interval_s=length_s,
            open_ns=open_ns,
            open_ticks=_ticks(row.open, item),
            high_ticks=_ticks(row.high, item),
            low_ticks=_ticks(row.low, item),
            close_ticks=_ticks(row.close, item),
            volume_lots=item.lots(_number(row.volume, item.lot_size), ROUND_FLOOR),
        )
    return [bars[open_ns] for open_ns in sorted(bars)]


def _ticks(text: str, item: Instrument) -> int:
    """Return a price of then on the grid of now, which may be another."""
    price = _number(text, item.tick_size)
    if not price:
        raise Refused("non_positive", "a price of nothing")
    return max(1, item.ticks(price, ROUND_HALF_EVEN))


def _number(text: str, step: Decimal) -> Decimal:
    number = Decimal(plain_decimal(text))
    if number > STEPS_MAX * step:
        raise Refused("malformed", f"{text} is no price or size")
    return number


def merged(bars: Sequence[Bar], interval_s: int) -> Sequence[Bar]:
    """Return longer bars, each of all of its parts."""
    length_ns = interval_s * SECOND_NS
    parts: dict[int, list[Bar]] = {}
    for bar in bars:
        parts.setdefault(bar.open_ns // length_ns * length_ns, []).append(bar)
    return [
        _joined(some, interval_s, open_ns)
        for open_ns, some in parts.items()
        if len(some) * some[0].interval_s == interval_s
    ]


def _joined(parts: Sequence[Bar], interval_s: int, open_ns: int) -> Bar:
    return Bar(
        ts_ns=open_ns + interval_s * SECOND_NS,
        symbol=parts[0].symbol,
        interval_s=interval_s,
        open_ns=open_ns,
        open_ticks=parts[0].open_ticks,
        high_ticks=max(bar.high_ticks for bar in parts),
        low_ticks=min(bar.low_ticks for bar in parts),
        close_ticks=parts[-1].close_ticks,
        volume_lots=sum(bar.volume_lots for bar in parts),
    )
