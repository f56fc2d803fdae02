"""Replays a journal: the same inputs into a fresh kernel must make the same decisions.

Every decision line is compared byte for byte, in its place between the inputs, heartbeats and the
closing line included. The first difference ends the replay: after it both sides differ for a reason
that is no longer visible.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from engine.kernel import Kernel
from engine.model.events import journal_type
from engine.model.records import Record
from engine.session.heartbeat import heartbeat_data
from engine.session.journal_reader import Line, input_of, is_decision
from engine.session.recorded import paused_ns
from engine.session.view import session_view


class Mismatch(NamedTuple):
    """The first decision that differs."""

    line: int
    recorded: str
    """What the journal says; empty where it has nothing."""
    replayed: str
    """What the kernel decided now; empty where it decided nothing."""


class Outcome(NamedTuple):
    """What a replay found."""

    inputs: int
    decisions: int
    """Decision lines compared, the differing one included."""
    mismatch: Mismatch | None


class Replay:
    """Feeds a kernel from proven lines and holds its decisions against them."""

    def __init__(self, kernel: Kernel, first: Line) -> None:
        self._kernel = kernel
        self._span = span_of(first)
        self._expected: deque[tuple[str, bytes]] = deque()
        self._inputs = 0
        self._decisions = 0

    def run(self, lines: Iterable[Line]) -> Outcome:
        """Replay the lines after the first one, until their end or the first difference."""
        mismatch = None
        last = 0
        for line in lines:
            last = line.seq
            mismatch = self._take(line)
            if mismatch is not None:
                break
        if mismatch is None and self._expected:
            mismatch = self._surplus(last + 1)
        return Outcome(self._inputs, self._decisions, mismatch)

    def _take(self, line: Line) -> Mismatch | None:
        event = input_of(line)
        if event is not None:
            if self._expected:
                return self._surplus(line.seq)
            self._inputs += 1
            for record in self._kernel.step(event).records:
                self._expected.append(written(record))
            return None
        if is_decision(line):
            return self._compare(line, *(self._expected.popleft() if self._expected else ("", b"")))
        if line.type == "heartbeat":
            return self._compare(line, line.type, self._heartbeat(line.ts_ns))
        self._span = self._span.past(line)
        return None

    def _compare(self, line: Line, name: str, data: bytes) -> Mismatch | None:
        self._decisions += 1
        if (name, data) == (line.type, line.data):
            return None
        return Mismatch(line.seq, shown(line.type, line.data), shown(name, data) if name else "")

    def _surplus(self, seq: int) -> Mismatch:
        self._decisions += 1
        return Mismatch(seq, "", shown(*self._expected.popleft()))

    def _heartbeat(self, ts_ns: int) -> bytes:
        return heartbeat(self._kernel, self._span, ts_ns)


class Span(NamedTuple):
    """When a recorded session was to end, and whether its prices were invented."""

    began_ns: int
    duration_s: float | None
    is_simulated: bool
    paused_ns: int = 0
    """Time between a crash and its resume; it does not count."""

    def past(self, line: Line) -> "Span":
        """Return the span behind a line."""
        paused = paused_ns(line)
        return self._replace(paused_ns=self.paused_ns + paused) if paused else self

    def left(self, ts_ns: int) -> tuple[float | None, float | None]:
        """Return the seconds to the planned end and the share that is over; None without one."""
        if self.duration_s is None:
            return None, None
        deadline_ns = self.began_ns + round(self.duration_s * 1e9) + self.paused_ns
        left_ns = max(0, deadline_ns - ts_ns)
        return left_ns / 1e9, 1 - left_ns / max(1, deadline_ns - self.began_ns)


def span_of(first: Line) -> Span:
    """Read a session's first line."""
    started = msgspec.json.decode(first.data)
    return Span(first.ts_ns, started["requested_duration_s"], started["simulated"])


def heartbeat(kernel: Kernel, span: Span, ts_ns: int) -> bytes:
    """Return the data of the heartbeat that a session writes in this state."""
    remaining, progress = span.left(ts_ns)
    view = session_view(
        kernel,
        events=0,
        remaining_s=remaining,
        progress=progress,
        is_simulated=span.is_simulated,
    )
    return msgspec.json.encode(heartbeat_data(view))


def written(record: Record) -> tuple[str, bytes]:
    """Return a record's journal type and data: its encoding without the leading `ts_ns`."""
    encoded = msgspec.json.encode(record)
    return journal_type(record), b"{" + encoded[encoded.index(b",") + 1 :]


def shown(name: str, data: bytes) -> str:
    """Return a decision as people read it."""
    return f"{name} {data.decode()}"
