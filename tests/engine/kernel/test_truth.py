"""Our account against a venue that drifts: a paper venue with another hand on its wires."""

import dataclasses
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from brokers.paper.venue import CAPABILITIES
from engine.execution.config import SyncConfig
from engine.kernel import Kernel, KernelConfig
from engine.model.commands import CancelOrder, QueryAccount
from engine.model.events import Operator, Timer
from engine.model.market import Quote
from engine.model.orders import OrderIntent, OrderType
from engine.model.venue_events import VenueEvent, VenueFill, VenueSnapshot, VenueWorkingOrder
from tests.engine.kernel.replaying import fresh_kernel, replayed
from tests.engine.kernel.rig import (
    BUY,
    MS,
    SECOND,
    SELL,
    D,
    Rig,
    Scripted,
    instrument,
    limit,
    market,
)

Fault = Callable[[VenueEvent], VenueEvent | None]


class Drifting(Rig):
    """A rig whose venue's answers pass through `fault`; None loses them."""

    def __init__(self, **config: Any) -> None:
        self.fault: Fault = lambda event: event
        super().__init__(Scripted("a"), limits={"resume_backoff_s": 1.0}, **config)
        tell = self.broker._courier.deliver
        self.broker._courier.deliver = lambda event: self._tell(tell, event)
        self.broker._answers._deliver = self.broker._courier.deliver

    def _tell(self, tell: Callable[[VenueEvent], None], event: VenueEvent) -> None:
        told = self.fault(event)
        if told is not None:
            tell(told)

    def lose_fills(self) -> None:
        self.fault = lambda event: None if isinstance(event, VenueFill) else event

    def hand(self, order_id: str, qty: str = "0.2") -> None:
        """Another hand trades on the same account."""
        intent = OrderIntent(self.now, order_id, "x", "BTC", "s", BUY, D(qty), OrderType.MARKET)
        self.broker._matching.place(self.now, order_id, intent)

    def rest(self, order_id: str) -> None:
        """An order that nobody here placed rests at the venue."""
        intent = OrderIntent(
            self.now, order_id, "x", "BTC", "s", BUY, D("0.2"), OrderType.LIMIT, D(990)
        )
        self.broker._matching.place(self.now, order_id, intent)

    def reports(self) -> list[tuple[str, list[str]]]:
        found = self.lines("sync_report")
        return [(x["outcome"], [w.split(":")[0] for w in x["findings"]]) for x in found]

    def agrees(self) -> bool:
        held = self.broker.positions()
        return {s: q for s in self.symbols if (q := self.net(s))} == held


def test_while_both_agree_nothing_is_decided() -> None:
    """A minute of trading: asked every five seconds, answered, and not a word about it."""
    rig = Drifting()
    rig.ask("a", market(BUY, "0.1"))
    rig.wait(60)

    assert 12 <= len(rig.lines("venue_snapshot")) <= 13
    assert [] == rig.reports()
    assert "ACTIVE" == rig.state
    assert rig.kernel.truth.state.agreed_ns > rig.now - 6 * SECOND
    assert rig.kernel.truth.state.changed_ns < rig.now - 50 * SECOND


def test_a_lost_fill_is_found_booked_and_forgiven() -> None:
    """Row 49: missing in two pictures, DEGRADED, booked from the second, then trading again."""
    rig = Drifting()
    rig.wait(6)
    rig.lose_fills()
    rig.ask("a", market(BUY, "0.1"))
    rig.fault = lambda event: event
    lost = rig.net()
    rig.wait(9)
    found = rig.reports()
    rig.wait(8)

    assert D(0) == lost
    assert ("mismatch", ["missing_fill t1"]) == found[0]
    assert ["booked t1"] == rig.lines("sync_report")[0]["repaired"]
    assert ["a-1"] == [line["order_id"] for line in rig.lines("fill")]
    assert ["a"] == [line["agent"] for line in rig.lines("fill")]
    assert ("agreed", []) == rig.reports()[-1]
    assert ["DEGRADED", "ACTIVE"] == rig.states()[-2:]
    assert rig.agrees()
    assert rig.lines("fsm_transition")[-2]["evidence_ref"].startswith("evidence/")


def test_a_fill_that_comes_after_its_repair_counts_once() -> None:
    """A5: stream and picture tell of the same trade."""
    rig = Drifting()
    kept: list[VenueEvent] = []
    rig.wait(6)
    rig.fault = lambda event: kept.append(event) if isinstance(event, VenueFill) else event  # type: ignore[func-returns-value]
    rig.ask("a", market(BUY, "0.1"))
    rig.wait(9)
    rig.turn.input(replace(kept[0], ts_ns=rig.now))

    assert D("0.1") == rig.net()
    assert "duplicate_fill" == rig.lines("error")[-1]["kind"]


def test_without_repair_a_lost_fill_halts_in_the_end() -> None:
    """Read-only, a difference blocks new risk and escalates after its time (A6)."""
    rig = Drifting(sync=SyncConfig(repair=False, escalate_s=10.0))
    rig.wait(6)
    rig.lose_fills()
    rig.ask("a", market(BUY, "0.1"))
    rig.wait(8)
    held = rig.state
    rig.wait(10)

    assert ("DEGRADED", D(0)) == (held, rig.net())
    assert "RECONCILE_FAILED" == rig.lines("fsm_transition")[-1]["event"] or "reconcile_failed" == (
        rig.kernel.finish
    )
    assert "EMERGENCY" in rig.states()


def test_another_hand_is_booked_to_the_house_and_degrades() -> None:
    """A trade that nobody told of: its fill is in the picture, of no order of ours."""
    rig = Drifting()
    rig.wait(6)
    rig.lose_fills()
    rig.hand("manual-1")
    rig.fault = lambda event: event
    rig.wait(9)

    assert [("house", "manual-1")] == [(f["agent"], f["order_id"]) for f in rig.lines("fill")]
    assert "foreign_fill" in {line["kind"] for line in rig.lines("error")}
    assert "DEGRADED" in rig.states()
    assert rig.agrees()


def test_a_foreign_fill_degrades_until_both_sides_agree() -> None:
    """Told on the stream: booked at once, never dropped, doubted until the next picture."""
    rig = Drifting()
    rig.hand("manual-1")
    rig.quote()
    at_once = rig.state
    rig.wait(9)

    assert "DEGRADED" == at_once
    assert "foreign_fill" in {line["kind"] for line in rig.lines("alert")}
    assert "ACTIVE" == rig.state
    assert rig.agrees()


def test_a_drift_without_fills_halts() -> None:
    """Row 40: what no fill explains is never traded away; it blocks, then halts."""
    rig = Drifting()
    rig.wait(6)
    held = rig.broker._markets["BTC"]
    rig.broker._account.book(held, 300, 10_000, D(0))
    rig.wait(8)
    found, state = rig.reports(), rig.state
    rig.wait(32)

    assert [("mismatch", ["position_drift BTC"])] == found
    assert "DEGRADED" == state
    assert "EMERGENCY" in rig.states()
    assert [] == rig.lines("order_submitted")
    assert "reconcile_failed" == rig.kernel.finish


def test_a_forgotten_order_of_ours_is_canceled() -> None:
    """An orphan adds risk nobody counts."""
    rig = Drifting()
    rig.fault = lambda event: None
    rig.rest("a-99")
    rig.fault = lambda event: event
    rig.wait(9)

    assert {} == rig.broker._markets["BTC"].buys
    assert ["canceled a-99"] == rig.lines("sync_report")[0]["repaired"]


def test_two_pictures_that_were_on_the_way_at_once_prove_no_more_than_one() -> None:
    """Both may be of before an order ended, however late they come."""
    rig = Drifting()
    rig.wait(1)
    ended = VenueWorkingOrder("a-99", "BTC", BUY, D(1), D(0))
    at = rig.now
    for late, asked in ((2, 0), (2.3, 1), (5, 4)):
        told = VenueSnapshot(at + int(late * SECOND), at, at + asked * SECOND, orders=(ended,))
        assert [] == rig.reports()
        rig.answer(told)
    assert [("mismatch", ["orphan_order a-99"])] == rig.reports()


def test_a_difference_lasts_no_longer_than_somebody_could_look() -> None:
    """Suspected once, unreachable for a minute, then confirmed and repaired: nothing to halt for."""
    rig = Drifting()
    rig.ask("a", market(BUY, "0.1"))
    rig.lose_fills()
    rig.ask("a", market(BUY, "0.1"))
    while not rig.kernel.truth.state.suspects:
        rig.wait(0.25)
    rig.fault = unreachable
    rig.wait(60)
    rig.fault = lambda event: event
    rig.wait(10)

    assert ["failed", "mismatch", "agreed"] == [outcome for outcome, _ in rig.reports()]
    assert "RECONCILE_FAILED" not in [x["event"] for x in rig.lines("fsm_transition")]
    assert rig.agrees()


def foreign(rig: Drifting) -> Fault:
    order = VenueWorkingOrder("x-1", "BTC", BUY, D(1), D(0), is_foreign=True)
    return lambda e: replace(e, orders=(order,)) if isinstance(e, VenueSnapshot) else e


def test_a_foreign_order_is_told_once_and_never_touched() -> None:
    """Row 39: shown, no doubt, no cancel."""
    rig = Drifting()
    rig.fault = foreign(rig)
    sent: list[Any] = []
    submit = rig.broker.submit
    rig.turn._broker = type("Spy", (), {
        "submit": lambda _, c: (sent.extend(c), submit(c)), "next_due_ns": rig.broker.next_due_ns,
        "advance": rig.broker.advance, "observe": rig.broker.observe,
    })()  # fmt: skip
    rig.wait(20)

    assert ["foreign_order"] == [line["kind"] for line in rig.lines("alert")]
    assert "ACTIVE" == rig.state
    assert {QueryAccount} == set(map(type, sent))
    assert not any(isinstance(command, CancelOrder) for command in sent)


def test_a_ghost_is_asked_after() -> None:
    """Ours works here and not there: nothing is assumed, the order is looked for."""
    rig = Drifting()
    rig.ask("a", limit(BUY, "0.1", "995"))
    book = rig.broker._markets["BTC"]
    book.remove(book.buys["a-1"])
    rig.wait(9)
    lost = rig.lines("order_unknown")
    rig.wait(8)

    assert ["a-1"] == [line["order_id"] for line in lost]
    assert 3 <= len(rig.lines("venue_order_status"))
    assert "order_lost" in {line["kind"] for line in rig.lines("error")}
    assert [] == rig.live
    assert "ACTIVE" == rig.state


def test_a_ghost_that_only_protects_is_asked_after_too() -> None:
    """A doubt cancels no exit, so nothing else would find out that it is gone."""
    rig = Drifting()
    rig.ask("a", market(BUY, "0.1"))
    rig.ask("a", limit(SELL, "0.1", "1005", "exit", reduce_only=True))
    book = rig.broker._markets["BTC"]
    book.remove(book.sells["a-2"])
    rig.wait(9)

    assert ["a-2"] == [line["order_id"] for line in rig.lines("order_unknown")]


def unreachable(event: VenueEvent) -> VenueEvent:
    if not isinstance(event, VenueSnapshot):
        return event
    return VenueSnapshot(event.ts_ns, event.taken_ns, event.asked_ns, failure="HTTP 500")


def test_a_picture_that_fails_is_not_an_empty_account() -> None:
    """A9, row 31: what we hold stays as it is; three failures are an unreachable account."""
    rig = Drifting()
    rig.ask("a", limit(BUY, "0.1", "995"))
    rig.fault = unreachable
    rig.wait(3)
    early, live = rig.state, rig.live
    rig.wait(6)
    late = rig.state
    rig.fault = lambda event: event
    rig.wait(6)

    assert ("ACTIVE", ["a-1"]) == (early, live)
    assert "DEGRADED" == late
    assert "VENUE_DOWN" == rig.lines("fsm_transition")[-2]["event"]
    assert "ACTIVE" == rig.state
    assert ("failed", ["HTTP 500"]) == rig.reports()[0]


def test_no_answer_at_all_is_a_failure() -> None:
    """An adapter that breaks its promise is caught by event time."""
    rig = Drifting()
    rig.fault = lambda event: None if isinstance(event, VenueSnapshot) else event
    rig.wait(60)

    assert ("failed", ["no answer"]) == rig.reports()[0]
    assert "DEGRADED" == rig.state


def test_an_answer_in_flight_is_no_difference() -> None:
    """Latencies of a second each way, a trade each second: one picture proves nothing."""
    slow = {"submit_latency_ms": 700.0, "ack_latency_ms": 900.0, "fill_latency_ms": 1_500.0}
    rig = Rig(Scripted("a"), paper=slow)
    for turn in range(40):
        rig.ask("a", market(BUY, "0.01", slot=f"m{turn}"))
        rig.wait(1)

    assert [] == rig.lines("sync_report")
    assert "ACTIVE" == rig.state


def test_a_reconciliation_is_told_whatever_it_says() -> None:
    """Asked on purpose: `agreed` is written, and nothing else changes."""
    rig = Drifting()
    rig.ask("a", market(BUY, "0.1"))
    rig.tell(Operator.RECONCILE)

    assert [("agreed", [])] == rig.reports()
    assert "ACTIVE" == rig.state


def test_a_reconciliation_leaves_the_question_of_its_instant_alone() -> None:
    """Killed and resumed at a beat that asks: both are answered, and nobody waits for a third."""
    rig = Rig(Scripted("a"), paper={"submit_latency_ms": 100.0, "ack_latency_ms": 100.0})
    rig.wait(12)
    while not rig.kernel.truth.state.is_awaiting:
        rig.wait((250 * MS - rig.now % (250 * MS)) / SECOND, quotes=False)
    rig.tell(Operator.RECONCILE)
    rig.wait(10)

    assert ["agreed"] == [report["outcome"] for report in rig.lines("sync_report")], "told once"
    assert 0 == rig.kernel.truth.state.failures
    assert rig.kernel.truth.state.answered_ns > rig.now - 6 * SECOND


def live_venue(*, answers: bool) -> tuple[Kernel, list[str]]:
    """A kernel at a venue whose account goes on without it."""
    capabilities = replace(CAPABILITIES, account_outlives_engine=True)
    kernel = Kernel(KernelConfig(), [instrument("BTC")], [Scripted("a")], capabilities)
    at = 1_700_000_000 * SECOND
    kernel.step(Quote(at, "BTC", 10_000, 100, 10_001, 100))
    (asked,) = kernel.step(Timer(at + SECOND)).commands
    states = [kernel.conduct.lifecycle.state.value]
    if answers:
        kernel.step(VenueSnapshot(at + 2 * SECOND, at + SECOND, asked.ts_ns))
        states.append(kernel.conduct.lifecycle.state.value)
    return kernel, states


def test_a_live_account_is_compared_before_anything_is_trusted() -> None:
    """A9: priced is not enough where orders may have lived on; after a resume neither."""
    assert ["INIT"] == live_venue(answers=False)[1]
    assert ["INIT", "ACTIVE"] == live_venue(answers=True)[1]


def test_a_drifting_session_replays() -> None:
    """Pictures are inputs: the journal alone makes every report, repair and doubt again."""
    rig = Drifting()
    rig.wait(6)
    rig.lose_fills()
    rig.hand("manual-1")
    rig.fault = unreachable
    rig.wait(12)
    rig.fault = lambda event: event
    rig.wait(20)
    kernel = fresh_kernel(rig.instruments, [Scripted("a")], rig.config)
    pairs = list(replayed(rig.journal.lines, kernel))

    assert 5 < len(pairs)
    assert all(on_disk == again for on_disk, again in pairs)


def test_a_restart_goes_on_in_the_middle_of_a_doubt() -> None:
    """What was suspected, held and asked is in the checkpoint."""
    rig = Drifting(sync=SyncConfig(repair=False))
    rig.wait(6)
    rig.lose_fills()
    rig.ask("a", market(BUY, "0.1"))
    rig.wait(4.5)
    before = dataclasses.replace(rig.kernel.truth.state)
    rig.restart()
    after = dataclasses.replace(rig.kernel.truth.state)
    rig.wait(4)

    assert before == after
    assert before.suspects
    assert "DEGRADED" == rig.state
