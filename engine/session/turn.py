"""One turn: an input goes through journal, kernel and broker until nothing is left to answer.

This is the whole synchronous core. Sessions, backtests, benchmarks and simulations drive it and
differ only in where inputs come from and who waits for the clock.

Rule 1: no command leaves before the lines of everything up to it are written.
Rule 2: where the journal has failed, or a `commit` that was given fails, only what takes risk away
    leaves; the rest is refused here, in the venue's stead (reliability.md A1).
Rule 3: what no command waits for is written at the end of the turn, also of one that fails: a call
    for each of the many answers of a turn would cost as much as the lines themselves.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import compress
from time import perf_counter_ns
from typing import Literal, Protocol

import msgspec

from engine.kernel import Kernel
from engine.model.commands import QUERIES, Command
from engine.model.effects import NO_EFFECTS
from engine.model.events import OUTCOMES, Input
from engine.model.market import MarketEvent
from engine.model.records import Record
from engine.model.venue_events import VenueEvent
from engine.session.withheld import is_reducing, refusal
from engine.venue import SimulatedBroker

Detail = Literal["inputs", "decisions", "orders"]
"""See `JournalConfig.detail`."""


class Lines(Protocol):
    """Where a turn writes; both journals fit."""

    failure: OSError | None
    """Why nothing can be written any more."""

    def extend(self, events: Sequence[msgspec.Struct]) -> None:
        """Add inputs or records, in order."""
        ...


class Turn:
    """Drives kernel and simulated broker; every answer of the broker is an input of its own."""

    def __init__(
        self,
        kernel: Kernel,
        broker: SimulatedBroker,
        inbox: deque[VenueEvent],
        journal: Lines,
        *,
        detail: Detail,
        observe: Callable[[Sequence[Record | Input]], None],
        on_order_ns: Callable[[int], None] | None = None,
        hand_over: Callable[[], None] | None = None,
        commit: Callable[[], bool] | None = None,
    ) -> None:
        """Take over the parts of a session.

        Args:
            observe: Told what was decided, and rare inputs, once a turn and in order.
            on_order_ns: Told how long after its input each batch of commands had left.
            hand_over: Hands the lines to the system, where the process may be killed: before
                commands leave, and once a turn that decided something or heard from the venue.
            commit: Makes what was written durable, or says that it can't; None: nobody waits.

        """
        self.kernel = kernel
        self._broker = broker
        self._inbox = inbox
        self._journal = journal
        self._journals_inputs = detail == "inputs"
        self._omits_deliberations = detail == "orders"
        self._observe = observe
        self._on_order_ns = on_order_ns
        self._hand_over = hand_over
        self._commit = commit
        self._began_ns = 0
        self._unwritten: list[Record | Input] = []
        self._unseen: list[Record | Input] = []
        self.inputs = 0
        """Inputs taken so far."""

    def market(self, event: MarketEvent) -> None:
        """Take one market event: what was due before it, what it fills, then what it means."""
        if self._on_order_ns is not None:
            self._began_ns = perf_counter_ns()
        broker = self._broker
        due_ns = broker.next_due_ns()
        if due_ns is not None and due_ns <= event.ts_ns:
            self.deliver(event.ts_ns)
        try:
            broker.observe(event)
            if self._inbox:
                self._drain()
            self._step(event)
            if self._inbox:
                self._drain()
        finally:
            if self._unwritten or self._unseen:
                self._close()

    def deliver(self, until_ns: int) -> None:
        """Let the broker's pending work up to `until_ns` happen, one instant after the other.

        The kernel's reaction to each instant is submitted before the next one happens.
        """
        broker = self._broker
        due_ns = broker.next_due_ns()
        try:
            while due_ns is not None and due_ns <= until_ns:
                broker.advance(due_ns)
                self._drain()
                due_ns = broker.next_due_ns()
        finally:
            self._close()

    def input(self, event: Input) -> None:
        """Take one input that is not market data: a timer, an operator command, a feed's state."""
        self._unseen.append(event)
        try:
            self._step(event)
            self._drain()
        finally:
            self._close()

    def _drain(self) -> None:
        inbox = self._inbox
        while inbox:
            event = inbox.popleft()
            self._unseen.append(event)
            self._step(event)

    def _step(self, event: Input) -> None:
        self.inputs += 1
        effects = self.kernel.step(event)
        if self._journals_inputs:
            self._unwritten.append(event)
        if effects is NO_EFFECTS:
            return
        self._unwritten += effects.records
        self._unseen += effects.records
        if effects.commands:
            self._send(effects.commands)

    def _send(self, commands: Sequence[Command]) -> None:
        self._write()
        if self._hand_over is not None:
            self._hand_over()
        if self._journal.failure is not None or (
            self._commit is not None and not (all(map(is_reducing, commands)) or self._commit())
        ):
            self._inbox += [refusal(command) for command in commands if not is_reducing(command)]
            commands = [command for command in commands if is_reducing(command)]
        broker = self._broker
        for command in commands:
            broker.submit(command)
        if self._on_order_ns is not None and commands and type(commands[0]) not in QUERIES:
            self._on_order_ns(perf_counter_ns() - self._began_ns)

    def _write(self) -> None:
        lines = self._unwritten
        if self._omits_deliberations:
            # No bytecode runs for the single record: most are left out.
            is_outcome = map(OUTCOMES.__contains__, map(type, lines))
            self._journal.extend(list(compress(lines, is_outcome)))
        else:
            self._journal.extend(lines)
        lines.clear()

    def _close(self) -> None:
        if self._unwritten:
            self._write()
        if self._unseen:
            if self._hand_over is not None:
                self._hand_over()
            self._observe(self._unseen)
            self._unseen.clear()
