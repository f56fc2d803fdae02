"""What a sandbox plays: books as diffs from any source, stamps by the wall clock, a tape of it."""

import time
from collections.abc import Iterator, Sequence

from brokers.sandbox.market import SandboxMarket
from brokers.sandbox.tape import MINUTE_NS, Tape
from engine.model.market import Depth, Funding, Quote, Trade
from engine.model.orders import Side
from tests.brokers.sandbox.stage import START_NS, TICK, Silent, Stage, instrument


class Played(Silent):
    """A source that brings what it is given."""

    def __init__(self, events: Sequence[object]) -> None:
        super().__init__([instrument("BTCUSDT")])
        self._events = events

    def batches(self) -> Iterator[Sequence[object]]:
        yield self._events


def diff(bids, asks, first: int, last: int, previous: int, **fields) -> Depth:
    return Depth(
        START_NS, "BTCUSDT", bids, asks, first_seq=first, last_seq=last, prev_seq=previous, **fields
    )


def test_changes_of_a_recording_count_from_its_whole_book_on() -> None:
    """Before it nothing is shown; then its changes are, in numbers of the sandbox's own."""
    stage = Stage()
    told: list[Depth] = []
    stage.market.listen(told.append)
    book = stage.market.books["BTCUSDT"]
    stage.market.show(diff(((999, 5),), (), 90, 95, 89))
    assert (0, {}) == (len(told), book.bids)
    stage.market.show(
        Depth(START_NS, "BTCUSDT", ((1000, 1),), ((1001, 2),), is_snapshot=True, last_seq=93)
    )
    assert ({1000: 1, 999: 5}, {1001: 2}) == (book.bids, book.asks)
    stage.market.show(diff(((1000, 0), (998, 7)), (), 96, 99, 95))

    assert {999: 5, 998: 7} == book.bids
    assert {(1000, 0), (998, 7)} == set(told[-1].bids)
    assert told[-2].last_seq == told[-1].prev_seq
    stage.market.show(diff(((997, 1),), (), 150, 160, 149))
    assert (2, {999: 5, 998: 7}) == (len(told), book.bids), "a gap is not guessed over"


def test_a_jump_moves_books_prints_and_marks() -> None:
    """The old levels go, the new ones come, as one diff; a print and a mark are beside them."""
    stage = Stage()
    told: list[object] = []
    stage.quote(1000, 1002)
    stage.depth(((1000, 1),), ((1002, 2),))
    stage.market.listen(told.append)
    stage.market.jump(1_000)
    stage.depth(((1000, 1),), ((1002, 2),))
    stage.trade(Side.BUY, 1002, 1)
    stage.funding("100.1", "0", stage.now_ns + 10**9)

    book = stage.market.books["BTCUSDT"]
    assert ({1100: 1}, {1102: 2}) == (book.bids, book.asks)
    moved, printed, mark = told
    assert isinstance(moved, Depth)
    assert {(1000, 0), (1100, 1)} == set(moved.bids)
    assert isinstance(printed, Trade)
    assert 1102 == printed.price_ticks
    assert isinstance(mark, Funding)
    assert 1101 * TICK == mark.mark_price


async def test_an_old_recording_is_played_now() -> None:
    """Times move together: the venue's stamps and the next funding keep their distance."""
    due_ns = START_NS + 10**9
    events = [
        Quote(START_NS, "BTCUSDT", 1000, 1, 1001, 1, START_NS - 5_000_000),
        Funding(START_NS, "BTCUSDT", 100 * TICK, TICK, due_ns, START_NS - 5_000_000),
        Trade(START_NS + 1_000, "BTCUSDT", 1000, 1, Side.BUY, 1, START_NS - 5_000_000),
    ]
    market, told = SandboxMarket(Played(events)), []
    market.listen(told.append)
    await market.play()

    assert 3 == len(told)
    assert all(abs(event.ts_ns - time.time_ns()) < 20 * 10**9 for event in told)
    assert all(0 <= event.ts_ns - event.ts_event_ns < 10**9 for event in told)
    assert abs(told[1].next_ns - told[1].ts_ns - 10**9) < 10**9


def test_the_tape_fills_quiet_minutes_and_merges_them() -> None:
    """A minute without a print stands at the last close; longer bars are made of minutes."""
    market = SandboxMarket(Played([]))
    tape = Tape(market)
    begin_ns = START_NS // (5 * MINUTE_NS) * 5 * MINUTE_NS
    for minute, ticks, lots, side in (
        (0, 1000, 2, Side.BUY), (0, 1010, 3, Side.SELL), (3, 990, 4, Side.BUY),
    ):  # fmt: skip
        at_ns = begin_ns + minute * MINUTE_NS + 1
        market.show(Trade(at_ns, "BTCUSDT", ticks, lots, side, 1, at_ns))

    minutes = tape.bars("BTCUSDT", MINUTE_NS, 0, 1 << 62)
    assert [(1000, 1010, 1000, 1010, 5), (1010,) * 4 + (0,), (1010,) * 4 + (0,),
            (1010, 1010, 990, 990, 4)] == [
        (bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in minutes
    ]  # fmt: skip
    whole = tape.bars("BTCUSDT", 5 * MINUTE_NS, 0, 1 << 62)
    assert [(begin_ns, 1000, 1010, 990, 990, 9, 6, 3)] == [
        (bar.open_ns, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.bought, bar.prints)
        for bar in whole
    ]
    assert minutes[1:] == tape.bars("BTCUSDT", MINUTE_NS, begin_ns + MINUTE_NS, 1 << 62)
