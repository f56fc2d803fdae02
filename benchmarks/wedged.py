"""A session that gets stuck on demand: `python -m benchmarks.wedged HOW TRIGGER [OPTION ...]`.

Runs laptop-agents with its options; once the file TRIGGER exists, the quoter hangs in its next call
or the feed falls silent, and the file TRIGGER.stuck says so just before. With `ladder_N` the quoter
lays N orders into the book, both sides, too far out to fill, and never hangs.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final

import engine.agents.quoter
from engine.agents.contract import Desk, Intent
from engine.agents.quoter import Quoter
from engine.model.market import FeedEvent
from engine.model.orders import Side
from engine.venue import Feed
from laptop_agents import __main__, compose

HOUR_NS: Final = 3_600_000_000_000
FIRST_TICKS: Final = 1_000
"""Ticks of 0.1 between touch and ladder: far outside what the mock market walks in a minute."""
RUNGS_A_QUOTE: Final = 8
LADDER: Final = "ladder_"


def busy_python() -> None:
    """Never yield: other threads get their turn, the event loop does not."""
    for _ in count():
        pass


def c_call() -> None:
    """Compute in C with the interpreter's lock held: no thread and no signal handler runs."""
    print(len(str(bin(7**40_000_000))))


def regex() -> None:
    """Backtrack for longer than the universe lasts, in C, with the lock held."""
    re.match(r"(a+)+$", "a" * 60 + "b")


HANGS: Final[Mapping[str, Callable[[], None]]] = {
    "busy_python": busy_python,
    "c_call": c_call,
    "regex": regex,
}


class WedgedQuoter(Quoter):
    """Quotes until it is told to hang."""

    trigger: str = ""
    hang: Callable[[], None] | None = None

    def on_quote(self, desk: Desk) -> Sequence[Intent]:
        """Hang, or do what a quoter does."""
        if self.hang is not None and os.path.exists(self.trigger):
            _say_stuck(self.trigger)
            type(self).hang()  # type: ignore[misc]
        return super().on_quote(desk)


class LadderQuoter(Quoter):
    """Lays a ladder of resting orders, a few rungs a quote, and leaves it there."""

    rungs: int = 0

    def on_quote(self, desk: Desk) -> Sequence[Intent]:
        """Place the next rungs; the nearest stands `FIRST_TICKS` beside the touch."""
        placed = len(desk.working)
        return [
            self._rung(desk, number)
            for number in range(placed, min(self.rungs, placed + RUNGS_A_QUOTE))
        ]

    def _rung(self, desk: Desk, number: int) -> Intent:
        side = Side.BUY if number % 2 else Side.SELL
        touch = desk.market.bid_ticks if side is Side.BUY else desk.market.ask_ticks
        ticks = touch - side.sign * (FIRST_TICKS + number)
        price, lot = desk.instrument.price(ticks), desk.instrument.lot_size
        qty = max(desk.instrument.min_qty, lot)
        while qty * price < desk.instrument.min_notional:
            qty += lot
        slot = f"rung-{number}"
        return desk.limit_order(side, qty, price, slot=slot, reason="a rung", post_only=True)


class SilentFeed:
    """A feed that has nothing to say any more, and does not say that either."""

    def __init__(self, feed: Feed, trigger: str) -> None:
        self._feed, self._trigger = feed, trigger
        self.name, self.is_simulated, self.instruments = (
            feed.name,
            feed.is_simulated,
            feed.instruments,
        )

    def batches(self) -> Iterator[Sequence[FeedEvent]]:
        """Yield event by event; after the trigger the next one is an hour away."""
        for batch in self._feed.batches():
            for event in batch:
                if os.path.exists(self._trigger):
                    _say_stuck(self._trigger)
                    yield [type(event)(event.ts_ns + HOUR_NS, *_rest(event))]
                yield [event]


def _rest(event: FeedEvent) -> list[object]:
    return [getattr(event, name) for name in event.__struct_fields__[1:]]


def _say_stuck(trigger: str) -> None:
    with open(f"{trigger}.stuck", "w"):
        pass


def main(words: list[str]) -> int:
    """Wire the fault in and run the program."""
    how, trigger, *rest = words
    WedgedQuoter.trigger, WedgedQuoter.hang = trigger, HANGS.get(how)
    LadderQuoter.rungs = int(how.rpartition("_")[2]) if how.startswith(LADDER) else 0
    engine.agents.quoter.AGENT = LadderQuoter if LadderQuoter.rungs else WedgedQuoter
    make_feed = compose.make_feed
    if how == "silent_feed":
        compose.make_feed = lambda settings, at_ns: SilentFeed(make_feed(settings, at_ns), trigger)
    return __main__.main(rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
