"""One turn: an input goes through journal, kernel and broker until nothing is left to answer.

This is the whole synchronous core. Sessions, backtests, benchmarks and simulations drive it and
differ only in where inputs come from and who waits for the clock.
"""

from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Literal, Protocol

import msgspec

from engine.kernel import Kernel
from engine.model.effects import NO_EFFECTS
from engine.model.events import DELIBERATIONS, Input, Record, VenueEvent
from engine.model.market import MarketEvent
from engine.venue import SimulatedBroker

Detail = Literal["inputs", "decisions", "orders"]
"""See `JournalConfig.detail`."""


class Lines(Protocol):
    """Where a turn writes; both journals fit."""

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
        observe: Callable[[Record | Input], None],
        on_order_ns: Callable[[int], None] | None = None,
    ) -> None:
        self.kernel = kernel
        self._broker = broker
        self._inbox = inbox
        self._write = journal.extend
        self._journal_inputs = detail == "inputs"
        self._omitted = DELIBERATIONS if detail == "orders" else None
        self._observe = observe
        self._take = kernel.step
        self._submit = broker.submit
        self._on_order_ns = on_order_ns
        self._began_ns = 0
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
        broker.observe(event)
        if self._inbox:
            self._drain()
        self._step(event)
        if self._inbox:
            self._drain()

    def deliver(self, until_ns: int) -> None:
        """Let the broker's pending work up to `until_ns` happen, one instant after the other.

        The kernel's reaction to each instant is submitted before the next one happens.
        """
        broker = self._broker
        due_ns = broker.next_due_ns()
        while due_ns is not None and due_ns <= until_ns:
            broker.advance(due_ns)
            self._drain()
            due_ns = broker.next_due_ns()

    def input(self, event: Input) -> None:
        """Take one input that is not market data: a timer, an operator command, a feed's state."""
        self._observe(event)
        self._step(event)
        self._drain()

    def _drain(self) -> None:
        inbox = self._inbox
        while inbox:
            event = inbox.popleft()
            self._observe(event)
            self._step(event)

    def _step(self, event: Input) -> None:
        self.inputs += 1
        effects = self._take(event)
        if effects is NO_EFFECTS:
            if self._journal_inputs:
                self._write((event,))
            return
        records, commands = effects
        if self._journal_inputs:
            self._write((event, *records))
        elif self._omitted is None:
            self._write(records)
        else:
            self._write([r for r in records if type(r) not in self._omitted])
        for record in records:
            self._observe(record)
        for command in commands:
            self._submit(command)
        if commands and self._on_order_ns is not None:
            self._on_order_ns(perf_counter_ns() - self._began_ns)
