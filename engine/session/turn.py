"""One turn: an input goes through journal, kernel and broker until nothing is left to answer.

This is the whole synchronous core. Sessions, backtests, benchmarks and simulations drive it and
differ only in where inputs come from and who waits for the clock.

Rule 1: no command leaves before the lines of everything up to it are written.
Rule 2: where the journal has failed only what takes risk away leaves; the rest is refused here, in
    the venue's stead (reliability.md A1).
Rule 3: what no command waits for is written at the end of the turn, also of one that fails: a call
    for each of the many answers of a turn would cost as much as the lines themselves.
Rule 4: commands that add risk may have to wait for their lines (`must_wait`). Then the whole turn
    stands still where it is, and the owner of the loop lets it go on: with `release`, or `withhold`
    where that takes too long. So waiting changes no decision. What takes risk away never waits.
    Who observes is told once the turn has gone on: the order comes first.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import compress
from time import perf_counter_ns
from typing import Literal, Protocol

import msgspec

from engine.kernel import Kernel
from engine.model.commands import QUERIES, Command
from engine.model.events import OUTCOMES, HealthChanged, Input
from engine.model.market import MarketEvent
from engine.model.records import Record
from engine.model.venue_events import VenueEvent
from engine.session.withheld import is_reducing, refusal
from engine.venue import SessionBroker

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
        broker: SessionBroker,
        inbox: deque[VenueEvent],
        journal: Lines,
        *,
        detail: Detail,
        observe: Callable[[Sequence[Record | Input]], None],
        on_order_ns: Callable[[int], None] | None = None,
        hand_over: Callable[[], None] | None = None,
        must_wait: Callable[[], bool] | None = None,
    ) -> None:
        """Take over the parts of a session.

        Args:
            observe: Told what was decided, and rare inputs, once a turn and in order.
            on_order_ns: Told how long after its input each batch of commands had left.
            hand_over: Hands the lines to the system, where the process may be killed: before
                commands leave, and once a turn that decided something or heard from the venue.
            must_wait: Whether commands wait until somebody lets them go; None: never.

        """
        self.kernel = kernel
        self._decided = kernel.out.records
        self._asked = kernel.out.commands
        self._broker = broker
        self._inbox = inbox
        self._journal = journal
        self._journals_inputs = detail == "inputs"
        self._omits_deliberations = detail == "orders"
        self._observe = observe
        self._on_order_ns = on_order_ns
        self._hand_over = hand_over
        self._must_wait = must_wait
        self._held: Sequence[Command] = ()
        """Commands that wait for their lines."""
        self.is_waiting = False
        """Whether the turn stands still until `release` or `withhold`; nothing else may come."""
        self._left: list[Callable[[], None]] = []
        """What is left of the turn once the inbox is empty, the next step last."""
        self._began_ns = 0
        self._unwritten: list[Record | Input] = []
        self._unseen: list[Record | Input] = []
        self.inputs = 0
        """Inputs taken so far."""

    def market(self, event: MarketEvent) -> None:
        """Take one market event: what was due before it, what it fills, then what it means."""
        self._begin()
        due_ns = self._broker.next_due_ns()
        if due_ns is not None and due_ns <= event.ts_ns:
            then = partial(self._step, event), partial(self._observe_market, event)
            self._left += (*then, partial(self._deliver, event.ts_ns))
            self._go()
            return
        self._broker.observe(event)
        if self._inbox:
            self._left.append(partial(self._step, event))
            self._go()
            return
        try:
            # Written out rather than called: most quotes decide nothing.
            self.inputs += 1
            self.kernel.take(event)
            if self._decided or self._asked or self._journals_inputs:
                self._keep(event)
        finally:
            if self._unwritten or self._unseen or self._inbox:
                self._go()

    def deliver(self, until_ns: int) -> None:
        """Let the broker's pending work up to `until_ns` happen, one instant after the other.

        The kernel's reaction to each instant is submitted before the next one happens.
        """
        self._begin()
        self._left.append(partial(self._deliver, until_ns))
        self._go()

    def input(self, event: Input) -> None:
        """Take one input that is not market data: a timer, an operator command, a feed's state."""
        self._begin()
        self._unseen.append(event)
        try:
            self._step(event)
        finally:
            self._go()

    # --- a turn that waits -----------------------------------------------------------------------

    @property
    def holds(self) -> bool:
        """Whether commands wait that `send` or `release` would let leave."""
        return bool(self._held)

    def send(self) -> None:
        """Send what waited: its lines are durable, or the journal has failed."""
        held, self._held = self._held, ()
        self._submit(held)

    def release(self) -> None:
        """Send what waited, if that is not done, and go on."""
        self._submit(self._let_go())
        self._go()

    def withhold(self, why: HealthChanged) -> None:
        """Refuse what waited for too long and say why; what takes risk away still leaves."""
        self._unseen.append(why)
        self._submit(self._refuse(self._let_go()))
        try:
            self._step(why)
        finally:
            self._go()

    def _let_go(self) -> Sequence[Command]:
        assert self.is_waiting, "nothing waits"
        held, self._held, self.is_waiting = self._held, (), False
        return held

    def _go(self) -> None:
        """Go on to the end of the turn, or to where it has to wait; answers come first."""
        inbox, left = self._inbox, self._left
        try:
            while not self.is_waiting:
                if inbox:
                    event = inbox.popleft()
                    self._unseen.append(event)
                    self._step(event)
                elif left:
                    left.pop()()
                else:
                    break
        finally:
            if not self.is_waiting:
                left.clear()
                self._close()

    def _deliver(self, until_ns: int) -> None:
        """Let the next instant up to `until_ns` happen, and come back for the one after it."""
        due_ns = self._broker.next_due_ns()
        if due_ns is not None and due_ns <= until_ns:
            self._left.append(partial(self._deliver, until_ns))
            self._broker.advance(due_ns)

    def _observe_market(self, event: MarketEvent) -> None:
        """Let the venue see the market, behind all that came before it."""
        self._close()
        self._broker.observe(event)

    def _begin(self) -> None:
        assert not self.is_waiting, "the turn before waits for its lines"
        if self._on_order_ns is not None:
            self._began_ns = perf_counter_ns()

    # --- one step --------------------------------------------------------------------------------

    def _step(self, event: Input) -> None:
        self.inputs += 1
        self.kernel.take(event)
        self._keep(event)

    def _keep(self, event: Input) -> None:
        """Note what the kernel took and decided, and send what it asks for."""
        if self._journals_inputs:
            self._unwritten.append(event)
        records, commands = self._decided, self._asked
        if records:
            self._unwritten += records
            self._unseen += records
            records.clear()
        if commands:
            leaving = commands.copy()
            commands.clear()
            self._send(leaving)

    def _send(self, commands: Sequence[Command]) -> None:
        self._write()
        if self._hand_over is not None:
            self._hand_over()
        if self._has_to_wait(commands):
            self._held, self.is_waiting = commands, True
        else:
            self._submit(commands)

    def _has_to_wait(self, commands: Sequence[Command]) -> bool:
        if self._must_wait is None or self._journal.failure is not None:
            return False
        return not all(map(is_reducing, commands)) and self._must_wait()

    def _submit(self, commands: Sequence[Command]) -> None:
        if self._journal.failure is not None:
            commands = self._refuse(commands)
        self._broker.submit(commands)
        if self._on_order_ns is not None and commands and type(commands[0]) not in QUERIES:
            self._on_order_ns(perf_counter_ns() - self._began_ns)

    def _refuse(self, commands: Sequence[Command]) -> Sequence[Command]:
        """Answer what adds risk in the venue's stead; return what may leave all the same."""
        self._inbox += [refusal(command) for command in commands if not is_reducing(command)]
        return [command for command in commands if is_reducing(command)]

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
