"""Orders against whatever a venue may answer, in whatever order it says it.

The model is a naive reader of domain.md section 4: it looks states up in the oracle of
`test_orders`, keeps every fill in a list and sums anew at each question.
"""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.execution.order_flow import ORDER_EVENTS
from engine.execution.orders import OrderEvent
from engine.model.commands import PlaceOrder
from engine.model.orders import OrderState, Side
from engine.model.records import ErrorRecord, OrderChanged
from engine.model.venue_events import (
    RejectReason,
    VenueAccepted,
    VenueAmended,
    VenueCancelRejected,
    VenueFill,
)
from engine.portfolio.portfolio import HOUSE
from tests.engine.execution.desk import ANSWERS, NO_REASON, Desk, leaving, working
from tests.engine.execution.test_orders import CASES
from tests.engine.factories import BTC, BUY, D, venue_fill

S, E = OrderState, OrderEvent
LIVE_STATES = {
    S.SUBMITTED, S.ACCEPTED, S.PARTIALLY_FILLED, S.PENDING_UPDATE, S.PENDING_CANCEL, S.UNKNOWN,
}  # fmt: skip


class Naive:
    """One order as a reader of the spec sees it."""

    def __init__(self, side: Side, qty: int, is_reduce_only: bool) -> None:
        self.side, self.qty, self.is_reduce_only = side, qty, is_reduce_only
        self.state = S.SUBMITTED
        self.is_numbered = False
        self.fills: list[int] = []
        self.qty_before_amend: int | None = None

    @property
    def filled(self) -> int:
        return sum(self.fills)

    def move(self, event: OrderEvent) -> bool:
        target = CASES[self.state, event, self.filled > 0]
        if target is None:
            return False
        self.state = target
        if self.state in LIVE_STATES and self.filled >= self.qty:
            self.state = S.FILLED  # Whether an order is complete is arithmetic.
        return True

    def amend(self, leaves: int) -> None:
        self.move(E.REQUEST_AMEND)
        self.qty_before_amend = self.qty
        self.qty = max(self.qty, self.filled + leaves)

    def answer(self, event: OrderEvent, qty: int) -> None:
        before = self.qty
        if event is E.REJECT and self.is_numbered:
            return
        if event is E.AMENDED:
            self.qty = qty
        if event is E.AMEND_REJECTED and self.qty_before_amend is not None:
            self.qty = self.qty_before_amend
        if not self.move(event):
            self.qty = before
        elif event is E.ACCEPT:
            self.is_numbered = True
        elif event in (E.AMENDED, E.AMEND_REJECTED):
            self.qty_before_amend = None

    def fill(self, qty: int) -> None:
        self.fills.append(qty)
        self.move(E.FILL_ALL if self.filled >= self.qty else E.FILL_PART)


NUMBERS = st.integers(0, 30)
QTYS = st.integers(1, 8)


class OrderMachine(RuleBasedStateMachine):
    """Orders of one instrument; a twin restored from a checkpoint lives the same future."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.twin = self.desk.twin()
        self.model: dict[str, Naive] = {}
        self.heard: list[VenueFill] = []

    def both(self, act: Callable[[Desk], object]) -> object:
        ours, theirs = act(self.desk), act(self.twin)
        assert ours == theirs
        return ours

    def pick(self, number: int, states: set[OrderState]) -> str | None:
        ids = [i for i, model in self.model.items() if model.state in states]
        return ids[number % len(ids)] if ids else None

    @rule(side=st.sampled_from(Side), qty=QTYS, reduce_only=st.booleans())
    def submit(self, side: Side, qty: int, reduce_only: bool) -> None:
        number = len(self.model) + 1
        changes = {"side": side, "qty": D(qty), "reduce_only": reduce_only}
        self.desk.submit(number, **changes)
        self.twin.submit(number, **changes)
        self.model[f"a-{number}"] = Naive(side, qty, reduce_only)

    @precondition(lambda self: self.model)
    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        order_id = self.pick(number, set(S))
        sent, effects = self.both(lambda desk: desk.cancel(order_id))
        assert sent is self.model[order_id].move(E.REQUEST_CANCEL)
        assert len(effects.commands) == sent

    @rule(number=NUMBERS, leaves=QTYS)
    def amend(self, number: int, leaves: int) -> None:
        order_id = self.pick(number, {S.ACCEPTED, S.PARTIALLY_FILLED})
        if order_id is not None:
            wish = leaving(str(leaves))
            self.both(lambda desk: desk.amend(order_id, wish))
            self.model[order_id].amend(leaves)

    @precondition(lambda self: self.model)
    @rule(number=NUMBERS, event=st.sampled_from(list(ANSWERS)), qty=QTYS)
    def answer(self, number: int, event: OrderEvent, qty: int) -> None:
        order_id = self.pick(number, set(S))
        answer = ANSWERS[event](order_id)
        if isinstance(answer, VenueAmended):
            answer = msgspec.structs.replace(answer, qty=D(qty))
        before = self.model[order_id].state
        ended, _ = self.both(lambda desk: desk.answer(answer))
        self.model[order_id].answer(event, qty)
        after = self.model[order_id].state
        assert (ended is not None) is (before in LIVE_STATES and after not in LIVE_STATES)

    @precondition(lambda self: self.model)
    @rule(number=NUMBERS, qty=QTYS)
    def fill(self, number: int, qty: int) -> None:
        order_id = self.pick(number, set(S))
        model = self.model[order_id]
        event = venue_fill(order_id, f"t{len(self.heard)}", str(qty), side=model.side)
        booked, _ = self.both(lambda desk: desk.fill(event))
        assert booked.is_overfill is (qty > model.qty - model.filled)
        assert booked.fill.is_late is (model.state in (S.CANCELED, S.EXPIRED, S.REJECTED))
        assert ("a", D(qty)) == (booked.fill.agent, booked.fill.qty)
        model.fill(qty)
        self.heard.append(event)

    @precondition(lambda self: self.heard)
    @rule(number=NUMBERS)
    def fill_again(self, number: int) -> None:
        event = self.heard[number % len(self.heard)]
        booked, effects = self.both(lambda desk: desk.fill(event))
        assert booked is None
        assert ["duplicate_fill"] == [record.kind for record in effects.records]

    @rule()
    def restart(self) -> None:
        self.twin = self.desk.twin()

    @invariant()
    def orders_are_what_their_answers_made_them(self) -> None:
        for order_id, model in self.model.items():
            ours = self.desk.order(order_id)
            assert (model.state, D(model.filled), D(model.qty)) == (
                ours.state, ours.filled_qty, ours.qty,
            )  # fmt: skip

    @invariant()
    def only_live_orders_are_live(self) -> None:
        live = [i for i, model in self.model.items() if model.state in LIVE_STATES]
        blotter = self.desk.blotter
        assert live == list(blotter.live) == list(blotter.open[BTC].orders)
        assert set(live) == {o.order_id for o in blotter.slots.values()}
        assert live == [o.order_id for o in blotter.of_agent("a", BTC)]

    @invariant()
    def open_quantity_is_the_sum_of_leaves(self) -> None:
        for side in Side:
            leaves = sum(
                m.qty - m.filled
                for m in self.model.values()
                if m.state in LIVE_STATES and m.side is side and not m.is_reduce_only
            )
            for desk in (self.desk, self.twin):
                book = desk.blotter.open[BTC]
                assert D(leaves) == (book.buy_qty if side is BUY else book.sell_qty)


OrderMachine.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, derandomize=True
)
TestOrderMachine = OrderMachine.TestCase


def amended(qty: str) -> VenueAmended:
    return VenueAmended(0, BTC, "a-1", D("1000.1"), D(qty))


def test_submit_records_before_it_sends() -> None:
    """One record and one command, and the order counts at full size at once."""
    desk = Desk()
    effects = desk.submit(qty=D(3))

    assert ["a-1"] == [record.order_id for record in effects.records]
    assert [PlaceOrder] == [type(command) for command in effects.commands]
    assert S.SUBMITTED is desk.order().state
    assert D(3) == desk.blotter.open[BTC].buy_qty


@pytest.mark.parametrize("event", [E.CANCELED, E.EXPIRE])
def test_late_fill_is_booked_and_marked(event: OrderEvent) -> None:
    """A fill after the end is real money, for its agent, and an alarm."""
    desk = working()
    desk.answer(ANSWERS[event]("a-1"))
    booked, _ = desk.fill(venue_fill(qty="4"))

    assert ("a", True, False) == (booked.fill.agent, booked.fill.is_late, booked.is_overfill)
    assert D(4) == desk.order().filled_qty
    assert D(0) == desk.blotter.open[BTC].buy_qty


def test_a_fill_comes_before_the_acceptance() -> None:
    """It fills; the acceptance that follows is no error and moves nothing back."""
    desk = Desk()
    desk.submit(qty=D(2))
    desk.fill(venue_fill(qty="2"))
    ended, effects = desk.answer(ANSWERS[E.ACCEPT]("a-1"))

    assert ended is None
    assert [] == effects.records
    assert S.FILLED is desk.order().state


def test_what_tells_nothing_of_a_live_order_is_no_news_of_a_filled_one() -> None:
    """Not found, when it was filled before the cancel came: nothing is lost and nothing wrong."""
    desk = working("2")
    desk.fill(venue_fill(qty="2"))
    gone = VenueCancelRejected(0, BTC, "a-1", RejectReason.ORDER_NOT_FOUND)

    assert (None, []) == (desk.flow.answer(gone), desk.out.drain().records)
    assert S.FILLED is desk.order().state


CHANGES = [
    # done to an order of 10 first,     states recorded by a fill of 2
    ([],                                [S.PARTIALLY_FILLED]),
    ([E.FILL_PART],                     [S.PARTIALLY_FILLED]),
    ([E.REQUEST_CANCEL],                []),
    ([E.CANCELED],                      []),
]  # fmt: skip


@pytest.mark.parametrize(("before", "states"), CHANGES)
def test_a_fill_says_what_it_made_of_its_order(before: list, states: list) -> None:
    """Each one that leaves it partially filled; none that moves neither state nor what is left."""
    desk = working("10")
    for event in before:
        if event is E.FILL_PART:
            desk.fill(venue_fill(trade_id="t0", qty="1"))
        elif event is E.REQUEST_CANCEL:
            desk.cancel("a-1")
        else:
            desk.answer(ANSWERS[event]("a-1"))
    booked, effects = desk.fill(venue_fill(qty="2"))

    assert states == [r.state for r in effects.records if isinstance(r, OrderChanged)]
    assert D(1_000) == booked.fill.arrival_mid


def test_overfill_is_kept_and_flagged() -> None:
    """More than was ordered is booked in full (A8), and open quantity never goes below zero."""
    desk = working("2")
    first, _ = desk.fill(venue_fill(qty="3"))
    second, effects = desk.fill(venue_fill(trade_id="t2", qty="1"))

    assert (True, True) == (first.is_overfill, second.is_overfill)
    assert ["refused_answer"] == [record.kind for record in effects.records]
    assert D(4) == desk.order().filled_qty
    assert D(0) == desk.blotter.open[BTC].buy_qty


def test_an_empty_fill_is_an_error_that_counts() -> None:
    """Nothing was traded, so nothing is booked."""
    desk = Desk()
    desk.submit()
    booked = desk.flow.book(venue_fill(qty="0"))

    assert booked is None
    assert desk.flow.refusals == 1
    assert ["empty_fill"] == [r.kind for r in desk.out.drain().records]


def test_a_fill_nobody_ordered_belongs_to_the_house() -> None:
    """A liquidation is booked once, without an order."""
    desk = Desk()
    booked, _ = desk.fill(venue_fill("liquidation-1"))
    again, _ = desk.fill(venue_fill("liquidation-1"))

    assert (HOUSE, None, None) == (booked.fill.agent, booked.order, booked.fill.arrival_mid)
    assert again is None


def test_an_answer_to_a_stranger_is_an_error() -> None:
    """It is recorded and changes nothing."""
    desk = Desk()
    ended, effects = desk.answer(ANSWERS[E.ACCEPT]("b-7"))

    assert ended is None
    assert ["unknown_order"] == [record.kind for record in effects.records]
    assert desk.flow.refusals == 1


@pytest.mark.parametrize("state", [S.SUBMITTED, S.CANCELED, S.FILLED])
def test_a_refused_amend_confirmation_changes_nothing(state: OrderState) -> None:
    """REFUSED leaves the order as it is: price, quantity and open sums too."""
    desk = Desk()
    desk.submit(qty=D(10))
    if state is S.CANCELED:
        desk.answer(ANSWERS[E.CANCELED]("a-1"))
    if state is S.FILLED:
        desk.fill(venue_fill(qty="10"))
    before = (desk.order().price, desk.order().qty, desk.blotter.open[BTC].buy_qty)
    _, effects = desk.answer(amended("7"))

    assert [ErrorRecord] == [type(record) for record in effects.records]
    assert before == (desk.order().price, desk.order().qty, desk.blotter.open[BTC].buy_qty)


def test_a_refused_acceptance_changes_nothing() -> None:
    """An ended order keeps the venue id it ended with."""
    desk = working()
    desk.answer(ANSWERS[E.CANCELED]("a-1"))
    desk.answer(VenueAccepted(0, BTC, "a-1", "another"))

    assert "v-a-1" == desk.order().venue_order_id


def test_a_reject_ends_an_order_whose_cancel_was_refused() -> None:
    """Refusing a cancel is no acceptance: an order the venue never had must not stay for ever."""
    desk = Desk()
    desk.submit()
    desk.cancel("a-1")
    desk.answer(ANSWERS[E.CANCEL_REJECTED]("a-1"))
    ended, _ = desk.answer(ANSWERS[E.REJECT]("a-1"))

    assert ended is desk.order()
    assert OrderState.REJECTED is desk.order().state


def test_a_reject_of_a_numbered_order_is_refused() -> None:
    """What the venue has accepted it can't have refused: the order works on."""
    desk = working()
    ended, effects = desk.answer(ANSWERS[E.REJECT]("a-1"))

    assert ended is None
    assert ["refused_answer"] == [record.kind for record in effects.records]
    assert desk.flow.refusals == 1
    assert OrderState.ACCEPTED is desk.order().state


REASONED = [
    # asked before,      the answer,         what it gives as its reason
    (None,               E.EXPIRE,           "ioc"),
    (E.REQUEST_AMEND,    E.AMEND_REJECTED,   NO_REASON),
    (E.REQUEST_CANCEL,   E.CANCEL_REJECTED,  NO_REASON),
    (None,               E.CANCELED,         ""),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "answer", "reason"), REASONED)
def test_a_change_tells_the_reason_the_venue_gave(asked, answer, reason: str) -> None:
    """Where an answer has one, the journal has it beside the new state."""
    desk = working()
    if asked is E.REQUEST_AMEND:
        desk.amend("a-1", leaving("3"))
    elif asked is E.REQUEST_CANCEL:
        desk.cancel("a-1")
    _, effects = desk.answer(ANSWERS[answer]("a-1"))

    assert [reason] == [record.reason for record in effects.records]


def test_an_amend_down_to_what_filled_completes_the_order() -> None:
    """The fill overtook the confirmation: nothing is left, so the order must not stay live."""
    desk = working("10")
    desk.amend("a-1", leaving("3"))
    desk.fill(venue_fill(qty="3"))
    ended, effects = desk.answer(amended("3"))

    assert S.FILLED is desk.order().state
    assert {} == desk.blotter.live
    assert ended is desk.order()
    assert [S.FILLED] == [r.state for r in effects.records if isinstance(r, OrderChanged)]


def test_an_amend_below_what_filled_leaves_no_negative_open_quantity() -> None:
    """Minus one open would let the gate approve one too many, for the rest of the session."""
    desk = working("10")
    desk.amend("a-1", leaving("3"))
    desk.fill(venue_fill(qty="4"))
    desk.answer(amended("3"))
    desk.answer(ANSWERS[E.CANCELED]("a-1"))

    assert D(0) == desk.blotter.open[BTC].buy_qty


@pytest.mark.parametrize(("leaves", "counted"), [("4", "10"), ("15", "15")])
def test_an_amend_in_flight_counts_at_its_larger_size(leaves: str, counted: str) -> None:
    """Worst case until the venue answers (B3), and back where it refuses."""
    desk = working("10")
    effects = desk.amend("a-1", leaving(leaves))
    in_flight = desk.blotter.open[BTC].buy_qty
    desk.answer(ANSWERS[E.AMEND_REJECTED]("a-1"))

    assert (D(counted), D(10)) == (in_flight, desk.blotter.open[BTC].buy_qty)
    assert [f"to {leaves} at 1000.0"] == [record.reason for record in effects.records]


@pytest.mark.parametrize("filled", ["0", "10"])
def test_a_refused_amend_of_an_order_that_ended_brings_nothing_back(filled: str) -> None:
    """Canceled meanwhile: its size is again what it was, and it neither works nor fills."""
    desk = working("10")
    desk.amend("a-1", leaving("15"))
    if filled != "0":
        desk.fill(venue_fill(qty=filled))
    desk.answer(ANSWERS[E.CANCELED]("a-1"))
    desk.answer(ANSWERS[E.AMEND_REJECTED]("a-1"))

    assert (S.CANCELED, D(10)) == (desk.order().state, desk.order().qty)
    assert D(0) == desk.blotter.open[BTC].buy_qty


def test_an_amend_refused_twice_gives_back_once() -> None:
    """Asked to cancel in between, it is still the order it was."""
    desk = working("10")
    desk.amend("a-1", leaving("15"))
    desk.cancel("a-1")
    desk.answer(ANSWERS[E.AMEND_REJECTED]("a-1"))
    desk.answer(ANSWERS[E.AMEND_REJECTED]("a-1"))

    assert (S.PENDING_CANCEL, D(10)) == (desk.order().state, desk.order().qty)


@pytest.mark.parametrize("reduce_only", [False, True])
def test_a_lost_order_counts_at_full_size(reduce_only: bool) -> None:
    """UNKNOWN is live; what the venue keeps reduce-only counts nowhere."""
    desk = working("10", reduce_only=reduce_only)
    desk.answer(ANSWERS[E.LOSE]("a-1"))

    assert S.UNKNOWN is desk.blotter.live["a-1"].state
    assert D(0 if reduce_only else 10) == desk.blotter.open[BTC].buy_qty


def test_every_answer_means_an_event() -> None:
    """The machine above speaks every answer a venue has."""
    assert ORDER_EVENTS == {type(make("a-1")): event for event, make in ANSWERS.items()}
