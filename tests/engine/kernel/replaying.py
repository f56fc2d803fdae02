"""A session without its shell, and a journal fed back into a kernel without any venue."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from brokers.paper.config import PaperConfig
from brokers.paper.venue import CAPABILITIES, PaperVenue
from engine.agents.contract import Agent
from engine.kernel import Kernel, KernelConfig
from engine.model.events import INPUT_TYPES, Operator, OperatorCommand, Timer, journal_type
from engine.model.instrument import Instrument
from engine.model.market import FeedStatus, Malformed
from engine.model.venue_events import VenueEvent
from engine.session.journal import MemoryJournal
from engine.session.turn import Turn

TIMER_NS = 250_000_000


class Line(NamedTuple):
    """One journal line; `data` is its raw bytes."""

    name: str
    ts: int
    data: bytes


def parsed(line: bytes) -> Line:
    """Take a line apart without decoding what it says."""
    ts = line[line.index(b',"ts":') + 6 : line.index(b',"type":"')]
    name = line[line.index(b'"type":"') + 8 :].split(b'"', 1)[0]
    data = line[line.index(b',"data":') + 8 : line.rindex(b',"prev":"')]
    return Line(name.decode(), int(ts), data)


def as_input(line: Line) -> Any:
    """Rebuild the input a line holds."""
    rest = line.data[1:]
    comma = b"" if rest == b"}" else b","
    raw = b'{"ts_ns":%d%b%b' % (line.ts, comma, rest)
    return msgspec.json.decode(raw, type=INPUT_TYPES[line.name])


def as_line(record: Any) -> Line:
    """Write a decision down the way interface.md says, by another way than the journal's."""
    fields = msgspec.json.decode(msgspec.json.encode(record), type=dict[str, msgspec.Raw])
    ts = int(bytes(fields.pop("ts_ns")))
    return Line(journal_type(record), ts, msgspec.json.encode(fields))


def played(
    feed: Any,
    agents: Sequence[Agent],
    *,
    seconds: float,
    config: KernelConfig | None = None,
    paper: PaperConfig | None = None,
    seed: int = 7,
) -> list[bytes]:
    """Run a session to its end, as the runner would under a simulated clock."""
    config = config or KernelConfig()
    kernel = Kernel(config, feed.instruments, agents, CAPABILITIES)
    inbox: deque[VenueEvent] = deque()
    venue = PaperVenue(
        feed.instruments, paper or PaperConfig(), seed, config.starting_balance, inbox.append
    )
    journal = MemoryJournal()
    turn = Turn(kernel, venue, inbox, journal, detail="inputs", observe=lambda _: None)
    timer = end = 0

    def until(ts_ns: int) -> None:
        nonlocal timer
        while timer <= ts_ns:
            turn.deliver(timer)
            turn.input(Timer(timer))
            timer += TIMER_NS

    for batch in feed.batches():
        if not timer:
            timer = (batch[0].ts_ns // TIMER_NS + 1) * TIMER_NS
            end = batch[0].ts_ns + round(seconds * 1e9)
        for event in batch:
            if event.ts_ns >= end:
                break
            until(event.ts_ns)
            if isinstance(event, FeedStatus | Malformed):
                turn.input(event)
            else:
                turn.market(event)
            if kernel.is_settled:
                return journal.lines
        else:
            continue
        break
    turn.input(OperatorCommand(kernel.now_ns, Operator.DURATION_ELAPSED, "session"))
    until(kernel.now_ns + 5_000_000_000)
    return journal.lines


def replayed(lines: Iterable[bytes], kernel: Kernel) -> Iterable[tuple[Line, Line | None]]:
    """Feed the inputs back; pair each decision on disk with the one made again (None: none)."""
    again: deque[Line] = deque()
    for raw in lines:
        line = parsed(raw)
        if line.name in INPUT_TYPES:
            assert not again, f"decided, but not on disk: {again[0]}"
            again.extend(as_line(record) for record in kernel.step(as_input(line)).records)
        else:
            yield line, again.popleft() if again else None
    assert not again, f"decided, but not on disk: {again[0]}"


def fresh_kernel(
    instruments: Sequence[Instrument], agents: Sequence[Agent], config: KernelConfig | None = None
) -> Kernel:
    """A kernel that has seen nothing."""
    return Kernel(config or KernelConfig(), instruments, agents, CAPABILITIES)
