"""Clearing up at a venue that may refuse, hang up or know more than the engine did."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.account import Liquidity
from engine.model.orders import Side
from engine.model.venue_events import VenueCanceled, VenueFill
from engine.session.journal_reader import read_journal
from engine.session.sentinel import act
from engine.session.sentinel.act import ROUNDS_MAX, Clearing, Deeds
from engine.session.sentinel.segment import Segment
from engine.session.sentinel.triggers import TABLE, Cause, Rule
from engine.session.sentinel.words import is_worth_telling, line_of
from engine.venue import Holding, WorkingOrder

RULES = {rule.cause: rule for rule in TABLE}
BID, STOP = WorkingOrder("bid", "BTC", False), WorkingOrder("stop", "BTC", True)


class Victim:
    """An engine's process."""

    def __init__(self, *, dies: bool = True) -> None:
        self.dies, self.is_killed = dies, False

    def kill(self, deadline_s: float) -> bool:
        self.is_killed = True
        return self.dies


class FakeDesk:
    """A venue with two orders and a position; `troubles` requests fail before it answers."""

    def __init__(self, troubles: int = 0, *, has_price: bool = True) -> None:
        self.orders = [BID, STOP]
        self.held = [Holding("BTC", Decimal("0.5"))]
        self.troubles, self.has_price = troubles, has_price

    def working(self) -> Sequence[WorkingOrder]:
        if self.troubles:
            self.troubles -= 1
            raise OSError("no route to the venue")
        return list(self.orders)

    def cancel(self, order: WorkingOrder, event_ns: int) -> VenueCanceled | None:
        self.orders.remove(order)
        return VenueCanceled(event_ns, order.symbol, order.order_id)

    def holdings(self) -> Sequence[Holding]:
        return list(self.held)

    def latest_fills(self, event_ns: int) -> Sequence[VenueFill]:
        return [self._fill(event_ns, "t1")]

    def flatten(self, holding: Holding, event_ns: int) -> VenueFill | None:
        if not self.has_price:
            return None
        self.held.clear()
        return self._fill(event_ns, "sentinel-1")

    def _fill(self, event_ns: int, name: str) -> VenueFill:
        half, taker = Decimal("0.5"), Liquidity.TAKER
        return VenueFill(event_ns, "BTC", name, name, Side.SELL, Decimal(9), half, half, taker)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act, "sleep", lambda _: None)


def cleared(
    desk: FakeDesk,
    folder: Path,
    rule: Rule,
    victim: Victim | None = None,
    *,
    keeps_orders: bool = False,
) -> tuple[Deeds, list[str]]:
    segment = Segment(folder / "sentinel.jsonl")
    deeds = Clearing(desk, segment, 7, keeps_orders=keeps_orders).run(rule, victim or Victim())
    segment.close()
    return deeds, [line.type for line in read_journal(folder / "sentinel.jsonl")]


def test_a_kill_takes_everything_out_and_closes(tmp_path: Path) -> None:
    """Cancels before anything else is asked, then the close; each a line."""
    victim = Victim()
    deeds, lines = cleared(FakeDesk(), tmp_path, RULES[Cause.KILL_FILE], victim)

    assert victim.is_killed
    assert ["bid", "stop"] == [event.order_id for event in deeds.canceled]
    assert ["sentinel-1"] == [event.trade_id for event in deeds.closed]
    assert ([], []) == (deeds.left, deeds.held)
    assert [
        "sentinel_acted",
        "venue_canceled",
        "venue_canceled",
        "venue_fill",
        "venue_fill",
    ] == lines


@pytest.mark.parametrize("cause", [Cause.GONE, Cause.KILL_FILE, Cause.DEAF, Cause.GOODBYE])
def test_orders_are_kept_for_a_resume_only_after_a_crash(tmp_path: Path, cause: Cause) -> None:
    """A simulated venue stands still with its engine; a kill spares nothing."""
    desk = FakeDesk()
    deeds, _ = cleared(desk, tmp_path, RULES[cause], keeps_orders=True)

    if cause is Cause.GONE:
        assert ([], ["bid", "stop"]) == (deeds.canceled, [order.order_id for order in deeds.kept])
        assert "2 orders kept: go on with --resume; position stays: BTC +0.5" in line_of(deeds, 0.0)
    else:
        assert deeds.canceled
        assert not deeds.kept


def test_a_crash_leaves_the_position_and_what_protects_it(tmp_path: Path) -> None:
    """Canceling a stop would add risk where nobody closes (reliability.md B4)."""
    victim, desk = Victim(), FakeDesk()
    deeds, _ = cleared(desk, tmp_path, RULES[Cause.GONE], victim)

    assert not victim.is_killed
    assert [STOP] == desk.orders
    assert (["bid"], []) == ([event.order_id for event in deeds.canceled], deeds.closed)
    assert "position stays: BTC +0.5" in line_of(deeds, 0.0)


def test_a_venue_that_hangs_up_is_asked_again(tmp_path: Path) -> None:
    """Until it confirms; what went wrong meanwhile is told."""
    deeds, _ = cleared(FakeDesk(troubles=3), tmp_path, RULES[Cause.KILL_FILE])

    assert [] == deeds.left
    assert 3 == len(deeds.errors)
    assert "3 errors, the last: no route to the venue" in line_of(deeds, 0.0)


def test_a_venue_that_never_answers_is_told(tmp_path: Path) -> None:
    """After a named number of rounds; an order that stays is never hidden."""
    desk = FakeDesk()
    desk.cancel = lambda order, event_ns: None  # type: ignore[method-assign]
    deeds, _ = cleared(desk, tmp_path, RULES[Cause.KILL_FILE])
    silent, _ = cleared(FakeDesk(troubles=10_000), tmp_path, RULES[Cause.KILL_FILE])

    assert [BID, STOP] == deeds.left
    assert deeds.clear_s is None
    assert "STILL WORKING: bid, stop" in line_of(deeds, 0.25)
    assert ROUNDS_MAX == len(silent.errors)
    assert "the venue could not be asked" in line_of(silent, 0.25)


def test_a_position_without_a_price_is_told(tmp_path: Path) -> None:
    """Nothing is invented to close it with."""
    deeds, _ = cleared(FakeDesk(has_price=False), tmp_path, RULES[Cause.DEAF])

    assert "position stays: BTC +0.5" in line_of(deeds, 5.0)


def test_an_engine_whose_end_is_not_seen_is_told(tmp_path: Path) -> None:
    """A process that waits for a dead disk can't be reaped; its orders go all the same."""
    deeds, _ = cleared(FakeDesk(), tmp_path, RULES[Cause.DEAF], Victim(dies=False))

    assert 2 == len(deeds.canceled)
    assert "sent it SIGKILL, its end was not seen" in line_of(deeds, 5.0)


def test_a_goodbye_that_left_nothing_is_not_worth_a_word(tmp_path: Path) -> None:
    """Anything else is."""
    desk = FakeDesk()
    desk.orders.clear()
    quiet, _ = cleared(desk, tmp_path, RULES[Cause.GOODBYE])
    loud, _ = cleared(FakeDesk(), tmp_path, RULES[Cause.GOODBYE])

    assert not is_worth_telling(quiet)
    assert is_worth_telling(loud)
