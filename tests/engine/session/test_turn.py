"""One turn: written down before it is sent, answered before it ends, each instant by itself."""

import errno
import json
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest

from brokers.paper.config import PaperConfig
from brokers.paper.venue import CAPABILITIES, PaperVenue
from engine.kernel import Kernel, KernelConfig
from engine.model.commands import CancelOrder, Command, PlaceOrder
from engine.model.events import (
    INPUT_TYPES,
    JOURNAL_SYNC,
    HealthChanged,
    Operator,
    OperatorCommand,
    Timer,
)
from engine.model.market import Quote
from engine.model.orders import Side
from engine.model.venue_events import VenueEvent, VenueRejected
from engine.session.journal import MemoryJournal
from engine.session.turn import Detail, Turn
from tests.engine.kernel.rig import (
    BUY,
    INSTANT,
    MS,
    START,
    UNASKED,
    Scripted,
    cancel,
    instrument,
    limit,
    market,
)


class Spy(PaperVenue):
    """The paper venue, telling when a command reaches it."""

    __slots__ = ("is_broken", "on_submit")
    is_broken: bool
    on_submit: Callable[[Command], None]

    def submit(self, commands: Sequence[Command]) -> None:
        for command in commands:
            self.on_submit(command)
            super().submit([command])

    def advance(self, ts_ns: int) -> None:
        assert not self.is_broken
        super().advance(ts_ns)


class Scene:
    """A turn with everything it touches in reach."""

    def __init__(self, detail: Detail = "inputs", *, holds: bool = False, **latency: float) -> None:
        self.agent = Scripted("a")
        inbox: deque[VenueEvent] = deque()
        instruments = [instrument("BTC")]
        config = PaperConfig(**{**INSTANT, **latency, "latency_jitter": 0.0})  # type: ignore[arg-type]
        self.venue = Spy(instruments, config, 1, Decimal(10_000), inbox.append)
        self.journal = MemoryJournal()
        self.seen: list[Any] = []
        self.sent: list[tuple[str, list[str]]] = []
        self.took_ns: list[int] = []
        self.safe: list[str] = []
        """Types of the lines that would survive SIGKILL."""
        self.kinds: list[type[Command]] = []
        self.venue.on_submit, self.venue.is_broken = self.submitted, False
        self.turn = Turn(
            Kernel(KernelConfig(sync=UNASKED), instruments, [self.agent], CAPABILITIES),
            self.venue, inbox, self.journal,
            detail=detail, observe=self.saw, on_order_ns=self.took_ns.append,
            hand_over=self.hand_over, must_wait=lambda: holds,
        )  # fmt: skip

    def hand_over(self) -> None:
        self.safe = self.types()

    def submitted(self, command: Command) -> None:
        self.kinds.append(type(command))
        self.sent.append((command.order_id, self.types()))

    def saw(self, events: Sequence[Any]) -> None:
        self.seen += events

    def quote(self, ms: float, bid: int = 10_000) -> None:
        at = START + round(ms * MS)
        self.turn.market(Quote(at, "BTC", bid, 9_000, bid + 1, 9_000))

    def wish(self, wish: Any) -> None:
        self.agent.next.append(("BTC", wish))

    def types(self) -> list[str]:
        return [json.loads(line)["type"] for line in self.journal.lines]

    def stamps(self, name: str) -> list[float]:
        lines = map(json.loads, self.journal.lines)
        return [(line["ts"] - START) / MS for line in lines if line["type"] == name]


def test_nothing_is_sent_before_it_is_written() -> None:
    """reliability.md A1: when the venue hears of an order, the journal has it already."""
    scene = Scene()
    scene.wish(market(BUY, "0.1"))
    scene.quote(0)

    ((order_id, written),) = scene.sent
    assert "a-1" == order_id
    assert ["quote", "intent", "gate_verdict", "router_decision", "order_submitted"] == [
        name for name in written if name != "fsm_transition"
    ]
    assert "venue_accepted" not in written


@pytest.mark.parametrize("detail", ["inputs", "decisions", "orders"])
def test_the_order_itself_is_in_every_detail(detail: Detail) -> None:
    """However thin the journal, what leaves is in it first."""
    scene = Scene(detail)
    scene.wish(market(BUY, "0.1"))
    scene.quote(0)

    assert "order_submitted" in scene.sent[0][1]


def test_details() -> None:
    """Inputs and deliberations are left out as asked; what happened never is."""
    names: dict[str, set[str]] = {}
    for detail in ("inputs", "decisions", "orders"):
        scene = Scene(detail)  # type: ignore[arg-type]
        scene.wish(market(BUY, "0.1"))
        scene.quote(0)
        scene.turn.input(Timer(START + MS))
        names[detail] = set(scene.types())

    happened = {"order_submitted", "order_accepted", "order_filled", "fill", "position"}
    assert all(happened <= found for found in names.values())
    assert {"quote", "timer", "venue_fill", "intent"} <= names["inputs"]
    assert not names["decisions"] & set(INPUT_TYPES)
    assert {"intent", "gate_verdict", "router_decision"} <= names["decisions"]
    assert not names["orders"] & {"intent", "gate_verdict", "router_decision", *INPUT_TYPES}


def test_answers_are_inputs_of_the_same_turn() -> None:
    """A venue without distance has answered when the turn is over."""
    scene = Scene()
    scene.wish(market(BUY, "0.1"))
    scene.quote(0)

    assert ["venue_accepted", "order_accepted", "venue_fill", "order_filled", "fill"] == [
        name for name in scene.types() if name.startswith(("venue_", "order_")) or name == "fill"
    ][1:]


def test_what_was_due_happens_before_the_event() -> None:
    """At its own time, oldest first."""
    scene = Scene(submit_latency_ms=5, ack_latency_ms=3, fill_latency_ms=4)
    scene.wish(market(BUY, "0.1"))
    scene.quote(0)
    scene.quote(100)

    assert [8.0] == scene.stamps("venue_accepted")
    assert [9.0] == scene.stamps("venue_fill")
    names = scene.types()
    assert names.index("fill") < len(names) - 1 - names[::-1].index("quote")


def test_deliver_stops_where_it_is_told() -> None:
    """Up to and including; the rest waits."""
    scene = Scene(submit_latency_ms=5, ack_latency_ms=3, fill_latency_ms=4)
    scene.wish(market(BUY, "0.1"))
    scene.quote(0)
    scene.turn.deliver(START + 8 * MS)
    halfway = scene.types()
    scene.turn.deliver(START + 9 * MS)

    assert "venue_accepted" in halfway
    assert "venue_fill" not in halfway
    assert "venue_fill" in scene.types()


def test_a_reaction_leaves_at_the_instant_of_its_cause() -> None:
    """What an agent asks upon a fill is sent at the fill's time, not at the next event's."""
    scene = Scene(submit_latency_ms=5, ack_latency_ms=3, fill_latency_ms=4)
    scene.agent.on_fill = lambda desk, fill: limit(BUY.opposite, "0.1", "1001")(desk)  # type: ignore[method-assign]
    scene.wish(market(BUY, "0.1"))
    scene.quote(0)
    scene.quote(100)

    assert [0.0, 9.0] == scene.stamps("order_submitted")
    assert [8.0, 17.0] == scene.stamps("venue_accepted")


def test_observers_see_decisions_and_rare_inputs_in_order() -> None:
    """Market data is too much for them; everything else is theirs, as it happened."""
    scene = Scene()
    scene.wish(market(BUY, "0.1"))
    scene.quote(0)
    scene.turn.input(Timer(START + MS))

    seen = [type(event).__name__ for event in scene.seen]
    assert "Quote" not in seen
    assert "Timer" == seen[-1]
    assert seen.index("OrderSubmitted") < seen.index("VenueAccepted") < seen.index("VenueFill")
    assert seen.index("VenueFill") < seen.index("Fill") < seen.index("Position")


def test_the_time_to_an_order_is_told_once_a_batch() -> None:
    """And only where something left."""
    scene = Scene()
    scene.quote(0)
    quiet = len(scene.took_ns)
    scene.wish(market(BUY, "0.1"))
    scene.quote(1)

    assert 0 == quiet
    assert 1 == len(scene.took_ns)
    assert 0 < scene.took_ns[0] < 1_000_000_000
    assert 1 == sum(order_id == "a-1" for order_id, _ in scene.sent)


def test_what_happened_before_a_bug_is_written() -> None:
    """A failing step loses nothing of the steps before it."""
    scene = Scene()
    scene.quote(0)
    lines = len(scene.journal.lines)
    scene.turn.kernel.take = lambda event: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises((ZeroDivisionError, ArithmeticError)):
        scene.turn.input(Timer(START + MS))

    assert lines <= len(scene.journal.lines)


def test_a_bug_ends_its_turn() -> None:
    """What was left of a turn that failed is not done in the next one, at another time."""
    scene = Scene(submit_latency_ms=5.0)
    scene.wish(limit(BUY, "0.1", "999"))
    scene.quote(0)
    scene.venue.is_broken = True
    with pytest.raises(AssertionError):
        scene.quote(10)
    scene.venue.is_broken = False
    scene.turn.input(Timer(START + 20 * MS))

    assert [0.0] == scene.stamps("quote")
    assert [20.0] == scene.stamps("timer")


def test_what_left_or_was_heard_survives_the_process() -> None:
    """Handed over before each command, and again with the answers; bare quotes may wait."""
    scene = Scene()
    scene.quote(1)
    before: list[list[str]] = []
    scene.venue.on_submit = lambda _: before.append(list(scene.safe))
    scene.wish(market(BUY, "0.1"))
    scene.quote(2)
    answered = list(scene.safe)
    scene.quote(3)

    assert "order_submitted" == before[0][-1]
    assert {"venue_accepted", "venue_fill", "fill", "position"} <= set(answered)
    assert answered == scene.safe != scene.types()


def test_an_order_waits_until_it_is_durable() -> None:
    """reliability.md A1: the line first, then the sync, then the venue."""
    scene = Scene(holds=True)
    scene.wish(market(BUY, "0.1"))
    scene.quote(0)
    held = scene.turn.is_waiting, len(scene.sent), "order_submitted" in scene.types()
    scene.turn.release()

    assert (True, 0, True) == held
    assert ["a-1"] == [order_id for order_id, _ in scene.sent]
    assert "fill" in scene.types()
    assert not scene.turn.is_waiting


def test_an_order_that_waits_too_long_never_leaves() -> None:
    """The kernel hears a refusal, so nothing counts as working, and takes no new risk."""
    scene = Scene(holds=True)
    scene.wish(market(BUY, "0.1"))
    scene.quote(0)
    scene.turn.withhold(HealthChanged(START + MS, JOURNAL_SYNC, 100, 101.5, is_over=True))

    assert [] == [kind for kind in scene.kinds if kind is PlaceOrder]
    (told,) = [event for event in scene.seen if type(event) is VenueRejected]
    assert ("a-1", "not sent: its journal line is not durable") == (told.order_id, told.detail)
    assert "order_rejected" in scene.types()
    assert "DEGRADED" == scene.turn.kernel.conduct.lifecycle.state
    assert not scene.turn.is_waiting


def test_an_order_whose_journal_fails_meanwhile_never_leaves() -> None:
    """C4: released, because the sync came back, with an error."""
    scene = Scene(holds=True)
    scene.wish(market(BUY, "0.1"))
    scene.quote(0)
    scene.journal.failure = OSError(errno.EIO, "gone")
    scene.turn.release()

    assert [] == scene.sent
    assert 1 == sum(type(event) is VenueRejected for event in scene.seen)


def traded(*, holds: bool, **latency: float) -> list[bytes]:
    """Lines of a scene whose every input makes the next order, answer or fill."""
    scene = Scene(holds=holds, **latency)
    for beat in range(12):
        scene.wish(limit(BUY, "0.1", "1000") if beat % 3 else market(BUY, "0.1"))
        scene.quote(beat * 7, 10_000 - beat % 4)
        while scene.turn.is_waiting:
            scene.turn.release()
    return scene.journal.lines


@pytest.mark.parametrize("latency", [{}, {"submit_latency_ms": 5.0, "ack_latency_ms": 4.0}])
def test_a_turn_that_waits_decides_as_one_that_does_not(latency: dict[str, float]) -> None:
    """It stands still in the middle: nothing overtakes the order, not even the input it is of."""
    assert traded(holds=True, **latency) == traded(holds=False, **latency)


def test_nothing_comes_while_a_turn_waits() -> None:
    """Who forgets to let it go on is told so."""
    scene = Scene(holds=True)
    scene.wish(limit(BUY, "0.1", "999"))
    scene.quote(0)

    with pytest.raises(AssertionError, match="the turn before waits"):
        scene.turn.input(Timer(START + MS))


def test_a_cancel_never_waits_for_a_disk() -> None:
    """Not even for one that is gone."""
    scene = Scene(holds=True)
    scene.wish(limit(BUY, "0.1", "999"))
    scene.quote(0)
    scene.turn.release()
    scene.turn.input(OperatorCommand(START + MS, Operator.KILL, "cli"))

    assert [PlaceOrder, CancelOrder] == scene.kinds


def test_no_new_risk_without_its_line() -> None:
    """Where the journal has failed a placement is refused; an exit and a cancel still leave."""
    scene = Scene()
    scene.quote(0)
    scene.wish(market(BUY, "0.2"))
    scene.quote(1)
    scene.wish(limit(BUY, "0.2", "999.0"))
    scene.quote(2)
    assert ["a-1", "a-2"] == [order_id for order_id, _ in scene.sent]
    scene.journal.failure = OSError(errno.ENOSPC, "no space left")
    scene.wish(market(BUY, "0.2"))
    scene.quote(3)
    scene.wish(market(Side.SELL, "0.2", reduce_only=True))
    scene.quote(4)
    scene.wish(cancel())
    scene.quote(5)

    assert ["a-1", "a-2", "a-4", "a-2"] == [order_id for order_id, _ in scene.sent]
    assert ["a-3"] == [event.order_id for event in scene.seen if type(event) is VenueRejected]
