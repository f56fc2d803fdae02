"""Orders, venue and risk together: a whole kernel against a venue that says anything, in any order.

The model is a naive reader of what was sent and said: it keeps every fill, looks order states up in
the oracle of `test_orders`, and sums anew at each question. 50,000 steps and more (reliability.md
section 3), in shards so that they can be shared out.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Final

import msgspec
import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine.execution.orders import OrderEvent
from engine.model.commands import AmendOrder, CancelOrder, PlaceOrder
from engine.model.events import Operator
from engine.model.orders import OrderState, Side
from engine.model.venue_events import VenueAmended
from tests.engine.execution.desk import ANSWERS
from tests.engine.execution.test_order_flow import LIVE_STATES, Naive
from tests.engine.kernel.rig import MS, SECOND, D, Rig, Scripted, cancel, limit, market
from tests.sweeps import counted

E, S = OrderEvent, OrderState
SHARDS: Final = counted(8, sample=2)
"""Eight make more than the 50,000 steps of reliability.md section 3."""
STEPS: Final = 200
EXAMPLES: Final = 40
"""Of each shard, a few more than the steps need: the shortest are quickly told."""
STEPS_MIN: Final = 6_250
"""Of each shard."""

LOT: Final = D("0.001")
SIZE_MAX: Final = 12
"""Lots of `max_position_size`."""
TRADING: Final = ("ACTIVE", "THROTTLED")
TOLD: Final = (
    Operator.PAUSE, Operator.RESUME, Operator.RESUME, Operator.REDUCE_ONLY, Operator.FLATTEN,
    Operator.RESUME, Operator.JOURNAL_FAILURE, Operator.RESET,
)  # fmt: skip
BEAT_NS: Final = 250 * MS
PATIENCE_NS: Final = 5 * SECOND
"""A request unanswered for longer counts as lost, at the next beat (reliability.md A3)."""
UNANSWERED: Final = (S.SUBMITTED, S.PENDING_UPDATE, S.PENDING_CANCEL)

NUMBERS: Final = st.integers(0, 30)
LOTS: Final = st.integers(1, 8)
AGENTS: Final = st.sampled_from(["a", "b"])
SLOTS: Final = st.sampled_from(["one", "two"])


class Timed(Naive):
    """An order that knows when it moved last."""

    def __init__(self, rig: Rig, side: Side, qty: int, is_reduce_only: bool) -> None:
        super().__init__(side, qty, is_reduce_only)
        self.rig, self.moved_ns = rig, rig.now

    def move(self, event: OrderEvent) -> bool:
        has_moved = super().move(event)
        if has_moved:
            self.moved_ns = self.rig.now
        return has_moved

    def lose_patience(self) -> None:
        """Count as lost where a beat finds a request unanswered for too long."""
        is_late = self.rig.now - self.moved_ns > PATIENCE_NS and self.rig.now % BEAT_NS == 0
        if is_late and self.state in UNANSWERED:
            self.answer(E.LOSE, 0)


class KernelMachine(RuleBasedStateMachine):
    """Two agents, one instrument, a person, restarts, and a venue without manners."""

    steps = 0
    """Of all examples of a shard."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig(
            Scripted("a"), Scripted("b"),
            by_hand=True,
            holds_emergency=True,
            limits={
                "max_position_size": SIZE_MAX * LOT, "max_errors_per_minute": None,
                "max_rejects_per_minute": None, "max_consecutive_losses": None,
                "max_orders_per_minute": None, "max_amends_per_minute": None,
                "max_cancels_per_minute": None, "resume_backoff_s": 1.0, "max_feed_lag_s": 1.0,
            },
        )  # fmt: skip
        self.orders: dict[str, Timed] = {}
        self.fills: dict[str, tuple[Side, int]] = {}
        self.read = 0
        self.rig.tell(Operator.START)
        self.rig.wait(1)

    # --- what is done ----------------------------------------------------------------------------

    def act(self, deed: Callable[[], None]) -> None:
        """Take one step of the many that are asked for."""
        type(self).steps += 1
        self.follow(deed)

    def follow(self, deed: Callable[[], None]) -> None:
        """Do something, then read what the kernel sent because of it."""
        before = self.rig.state
        deed()
        is_trading = before in TRADING or self.rig.state in TRADING
        for command in self.rig.venue.sent[self.read :]:
            if isinstance(command, PlaceOrder):
                self._placed(command, is_trading)
            elif isinstance(command, AmendOrder):
                self._amended(command, is_trading)
            else:
                assert isinstance(command, CancelOrder)
                order = self.orders[command.order_id]
                order.lose_patience()  # what a beat finds lost, it may cancel again at once
                assert order.move(E.REQUEST_CANCEL)
        self.read = len(self.rig.venue.sent)

    def _placed(self, command: PlaceOrder, is_trading: bool) -> None:
        wish = command.approved.intent
        lots = int(wish.qty / LOT)
        assert lots * LOT == wish.qty
        assert command.order_id not in self.orders, "an order id used twice (A2)"
        if wish.reduce_only:
            assert self.position() * wish.side.sign < 0, "a reduction of nothing (B4)"
            assert lots <= abs(self.position()), "a reduction through zero (B4)"
        else:
            reduces = self.worst(wish.side) + lots <= 0
            assert is_trading or reduces, "new risk while none is allowed (B4)"
            assert self.worst(wish.side) + lots <= SIZE_MAX, "more than the worst case allows (B3)"
        self.orders[command.order_id] = Timed(self.rig, wish.side, lots, wish.reduce_only)

    def _amended(self, command: AmendOrder, is_trading: bool) -> None:
        order = self.orders[command.order_id]
        before = order.qty
        order.amend(int(command.qty / LOT) - order.filled)
        if order.qty > before and not order.is_reduce_only:
            assert is_trading
            assert self.worst(order.side) <= SIZE_MAX

    def pick(self, number: int) -> str:
        return list(self.orders)[number % len(self.orders)]

    @rule(step=st.integers(-3, 3), lots=LOTS)
    def quote(self, step: int, lots: int) -> None:
        bid = self.rig.touch["BTC"][0] + step
        self.act(lambda: self.rig.quote(bid=bid, ask=bid + 1, lots=lots * 1_000))

    @rule(agent=AGENTS, slot=SLOTS, side=st.sampled_from(Side), lots=LOTS, off=st.integers(0, 9))
    def wish(self, agent: str, slot: str, side: Side, lots: int, off: int) -> None:
        touch = self.rig.touch["BTC"][0] - side.sign * off
        price = str(touch * D("0.1"))
        self.act(lambda: self.rig.ask(agent, limit(side, str(lots * LOT), price, slot)))

    @rule(agent=AGENTS, side=st.sampled_from(Side), lots=LOTS, reduce_only=st.booleans())
    def take(self, agent: str, side: Side, lots: int, reduce_only: bool) -> None:
        wish = market(side, str(lots * LOT), reduce_only=reduce_only)
        self.act(lambda: self.rig.ask(agent, wish))

    @rule(agent=AGENTS, slot=SLOTS)
    def withdraw(self, agent: str, slot: str) -> None:
        self.act(lambda: self.rig.ask(agent, cancel(slot)))

    @rule(command=st.sampled_from(TOLD), argument=st.sampled_from(["", "flat"]))
    def tell(self, command: Operator, argument: str) -> None:
        self.act(lambda: self.rig.tell(command, argument=argument))

    @rule(seconds=st.sampled_from([0.25, 1.5]), is_fed=st.booleans())
    def wait(self, seconds: float, is_fed: bool) -> None:
        type(self).steps += 1
        for _ in range(round(seconds * SECOND) // BEAT_NS):
            self.follow(self.beat)
            for order in self.orders.values():
                order.lose_patience()
            if is_fed:
                self.follow(self.rig.quote)

    def beat(self) -> None:
        """Let time pass up to the timer's next beat, and no further."""
        self.rig.wait((BEAT_NS - self.rig.now % BEAT_NS) / SECOND, quotes=False)

    @rule()
    def restart(self) -> None:
        self.act(self.rig.restart)

    # --- what the venue says ---------------------------------------------------------------------

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS, event=st.sampled_from(list(ANSWERS)), lots=LOTS)
    def answer(self, number: int, event: OrderEvent, lots: int) -> None:
        order_id = self.pick(number)
        said = msgspec.structs.replace(ANSWERS[event](order_id), symbol="BTC", ts_ns=self.rig.now)
        if isinstance(said, VenueAmended):
            said = msgspec.structs.replace(said, qty=lots * LOT)
        self.orders[order_id].answer(event, lots)
        self.act(lambda: self.rig.answer(said))

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS, lots=LOTS)
    def fill(self, number: int, lots: int) -> None:
        order_id = self.pick(number)
        trade_id = f"t{len(self.fills)}"
        side = self.orders[order_id].side
        self.orders[order_id].fill(lots)
        self.fills[trade_id] = (side, lots)
        self.act(lambda: self.rig.fill(order_id, str(lots * LOT), side, trade_id=trade_id))

    @precondition(lambda self: self.fills)
    @rule(number=NUMBERS)
    def fill_again(self, number: int) -> None:
        trade_id = list(self.fills)[number % len(self.fills)]
        side, lots = self.fills[trade_id]
        order_id = self.pick(0)
        self.act(lambda: self.rig.fill(order_id, str(lots * LOT), side, trade_id=trade_id))

    # --- what must hold --------------------------------------------------------------------------

    def position(self) -> int:
        return sum(side.sign * lots for side, lots in self.fills.values())

    def worst(self, side: Side) -> int:
        """The position if all that adds to that side fills and nothing else does."""
        leaves = sum(
            max(o.qty - o.filled, 0)
            for o in self.orders.values()
            if o.state in LIVE_STATES and o.side is side and not o.is_reduce_only
        )
        return side.sign * self.position() + leaves

    @invariant()
    def orders_are_what_was_said_of_them(self) -> None:
        live = [i for i, order in self.orders.items() if order.state in LIVE_STATES]
        assert live == self.rig.live
        for order_id in live:
            ours, order = self.rig.kernel.blotter.live[order_id], self.orders[order_id]
            assert (order.state, order.filled * LOT, order.qty * LOT) == (
                ours.state, ours.filled_qty, ours.qty,
            )  # fmt: skip

    @invariant()
    def position_is_the_sum_of_fills(self) -> None:
        assert self.position() * LOT == self.rig.net()

    @invariant()
    def equity_is_cash_and_what_is_held(self) -> None:
        books = self.rig.kernel.portfolio
        cash = Fraction(10_000) - sum(
            side.sign * lots * Fraction(LOT) * 1_000 + Fraction("0.01")
            for side, lots in self.fills.values()
        )
        mid = Fraction(sum(self.rig.touch["BTC"]), 20)
        assert cash + self.position() * Fraction(LOT) * mid == Fraction(books.equity)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_whatever_is_said_in_whatever_order(shard: int) -> None:
    """A2, A5-A7, B3 and B4 hold after every step."""
    steps = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    machine = seed(shard)(type("Machine", (KernelMachine,), {}))
    run_state_machine_as_test(machine, settings=steps)

    assert STEPS_MIN <= machine.steps
