"""What becomes of an order by hand, as whoever gave it is told."""

import pytest

from engine.model.events import Operator
from engine.model.venue_events import (
    VenueAmended,
    VenueAmendRejected,
    VenueExpired,
    VenueRejected,
    VenueUnknown,
)
from engine.session.control.words import Ruling
from tests.engine.kernel.rig import BUY, SELL, D, Scripted, limit, market
from tests.engine.session.control.test_docket import Desk

PLACE, AMEND, CANCEL = Operator.PLACE_ORDER, Operator.AMEND_ORDER, Operator.CANCEL_ORDER
RESTING = "BUY 0.1 BTC LIMIT 999 GTC"
AT_ONCE = "BUY 0.1 BTC MARKET IOC"


def told(desk: Desk) -> list[tuple[Ruling, str]]:
    return [(outcome.ruling, outcome.detail) for outcome in desk.told]


def test_an_order_that_rests_is_done_when_it_rests() -> None:
    """Not when it was sent."""
    desk = Desk(Scripted("a"), by_hand=True)
    desk.do(PLACE, RESTING)
    before = told(desk)
    desk.accept("operator-1")

    assert [] == before
    assert [(Ruling.DONE, "operator-1 ACCEPTED")] == told(desk)
    assert 1 == desk.told[0].open_orders


def test_an_order_at_once_is_done_when_it_has_ended() -> None:
    """Its acceptance says nothing yet; the fills are counted."""
    desk = Desk(Scripted("a"), by_hand=True)
    desk.do(PLACE, AT_ONCE)
    desk.accept("operator-1")
    before = told(desk)
    desk.fill("operator-1", "0.1")

    assert [] == before
    assert [(Ruling.DONE, "operator-1 FILLED")] == told(desk)
    assert (1, {"BTC": D("0.1")}) == (desk.told[0].fills, desk.told[0].positions)


ENDINGS = [
    # what the venue says,                                   ruling,          detail
    (lambda ns: VenueRejected(ns, "BTC", "operator-1", "no funds"), Ruling.REFUSED, "operator-1 REJECTED: no funds"),
    (lambda ns: VenueExpired(ns, "BTC", "operator-1", "no depth"),      Ruling.DONE,     "operator-1 EXPIRED"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "ruling", "detail"), ENDINGS)
def test_endings(answer, ruling: Ruling, detail: str) -> None:
    """In the venue's words."""
    desk = Desk(Scripted("a"), by_hand=True)
    desk.do(PLACE, AT_ONCE)
    desk.answer(answer(desk.now))

    ((said, why),) = told(desk)
    assert ruling is said
    assert why.startswith(detail)


def test_an_unknown_fate_is_no_answer() -> None:
    """It stays open until it is known."""
    desk = Desk(Scripted("a"), by_hand=True)
    desk.do(PLACE, RESTING)
    desk.answer(VenueUnknown(desk.now, "BTC", "operator-1", "timeout"))
    unknown = told(desk)
    desk.accept("operator-1")

    assert [] == unknown
    assert [(Ruling.DONE, "operator-1 ACCEPTED")] == told(desk)


def test_a_refusal_of_the_gate_is_told_with_rule_limit_and_reading() -> None:
    """As it stands in the journal."""
    desk = Desk(Scripted("a"), by_hand=True, limits={"max_order_notional": D(50)})
    desk.do(PLACE, AT_ONCE)

    refusal = "operator-1: refused by order_size: max_order_notional limit 50, reading 100.01"
    assert [(Ruling.REFUSED, refusal)] == told(desk)


def test_an_order_the_throttle_holds_back_is_still_on_its_way() -> None:
    """It is told when it went, or when it could not."""
    desk = Desk(
        Scripted("a"), by_hand=True, limits={"max_orders_per_minute": 1, "throttle_wait_ms": 90_000}
    )
    desk.do(PLACE, RESTING)
    desk.accept("operator-1")
    desk.do(PLACE, "BUY 0.1 BTC LIMIT 998 GTC")
    held = told(desk)
    desk.wait(61)
    desk.accept("operator-2")

    assert [(Ruling.DONE, "operator-1 ACCEPTED")] == held
    assert (Ruling.DONE, "operator-2 ACCEPTED") == told(desk)[-1]


AMENDS = [
    # what the venue says,                                                                ruling,        detail
    (lambda ns: VenueAmended(ns, "BTC", "operator-1", D("998.9"), D("0.05")),            Ruling.DONE,    "operator-1 ACCEPTED"),
    (lambda ns: VenueAmendRejected(ns, "BTC", "operator-1", "too late"),                 Ruling.REFUSED, "operator-1 stays as it was: too late"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "ruling", "detail"), AMENDS)
def test_an_amend_is_done_when_the_venue_agrees(answer, ruling: Ruling, detail: str) -> None:
    """Else the order stays as it was, and why."""
    desk = Desk(Scripted("a"), by_hand=True)
    desk.do(PLACE, RESTING)
    desk.accept("operator-1")
    desk.do(AMEND, "operator-1 0.05 998.9")
    before = told(desk)[1:]
    desk.answer(answer(desk.now))

    assert [] == before
    assert [(ruling, detail)] == told(desk)[1:]


def test_an_amend_does_not_overtake_another() -> None:
    """While the venue has not answered the first, a second is refused."""
    desk = Desk(Scripted("a"), by_hand=True)
    desk.do(PLACE, RESTING)
    desk.accept("operator-1")
    desk.do(AMEND, "operator-1 0.05 998.9")
    desk.do(AMEND, "operator-1 0.05 998.8")

    ((said, why),) = told(desk)[1:]
    assert Ruling.REFUSED is said
    assert "operator-1 is PENDING_UPDATE: its last request is not answered yet" == why


def test_an_amend_that_is_a_replacement_waits_for_the_new_order() -> None:
    """The old one goes, the new one rests; only then is it done."""
    desk = Desk(Scripted("a"), by_hand=True)
    desk.do(PLACE, RESTING)
    desk.accept("operator-1")
    desk.do(AMEND, "operator-1 0.1 995")
    desk.confirm_cancel("operator-1")
    before = told(desk)[1:]
    desk.accept("operator-2")

    assert [] == before
    assert [(Ruling.DONE, "operator-2 ACCEPTED")] == told(desk)[1:]


RULINGS = [
    # command,                   argument,                   ruling,             part of the detail
    (PLACE,                      "BUY 0.1 XRP MARKET IOC",   Ruling.REFUSED,     "no 'XRP' in this session: it has BTC"),
    (PLACE,                      "BUY a lot",                Ruling.REFUSED,     "an order reads SIDE QTY SYMBOL"),
    (AMEND,                      "a-1 0.1 998",              Ruling.REFUSED,     "a-1 belongs to a, which would change it back"),
    (AMEND,                      "a-9 0.1 998",              Ruling.REFUSED,     "no order a-9 works"),
    (AMEND,                      "a-1",                      Ruling.REFUSED,     "a change of an order reads ORDER"),
    (AMEND,                      "operator-1 0.1 999",       Ruling.UNCHANGED,   "operator-1: NO_CHANGE"),
    (CANCEL,                     "a-9",                      Ruling.REFUSED,     "no order 'a-9' works"),
    (CANCEL,                     "a-1",                      Ruling.DONE,        ""),
    (Operator.CANCEL_SYMBOL,     "BTC",                      Ruling.DONE,        ""),
    (Operator.CANCEL_SYMBOL,     "XRP",                      Ruling.REFUSED,     "no 'XRP'"),
    (Operator.CANCEL_ALL,        "",                         Ruling.DONE,        ""),
    (Operator.FLATTEN_SYMBOL,    "BTC",                      Ruling.DONE,        ""),
    (Operator.FLATTEN_SYMBOL,    "XRP",                      Ruling.REFUSED,     "no 'XRP'"),
    (Operator.TAKE_CONTROLS,     "",                         Ruling.DONE,        ""),
]  # fmt: skip


@pytest.mark.parametrize(("command", "argument", "ruling", "detail"), RULINGS)
def test_rulings(command: Operator, argument: str, ruling: Ruling, detail: str) -> None:
    """With an agent's order and one by hand at work, and a position."""
    desk = Desk(Scripted("a"))
    desk.ask("a", market(BUY, "0.2"))
    desk.ask("a", limit(BUY, "0.1", "999"))
    desk.give(PLACE, RESTING)
    desk.take()
    desk.told.clear()
    desk.do(command, argument.replace("a-1", "a-2"))
    desk.wait(1)

    ((said, why),) = told(desk)
    assert ruling is said
    assert detail.replace("a-1", "a-2") in why


def test_what_is_already_so_is_told_so() -> None:
    """The second time nothing changes."""
    desk = Desk(Scripted("a"))
    for command, argument in (
        (Operator.CANCEL_ALL, ""),
        (Operator.CANCEL_SYMBOL, "BTC"),
        (Operator.FLATTEN_SYMBOL, "BTC"),
    ):
        desk.do(command, argument)
        desk.do(command, argument)
        assert Ruling.UNCHANGED is desk.told[-1].ruling
        assert desk.told[-1].detail


def test_closing_a_symbol_is_told_when_it_is_flat() -> None:
    """After the last fill, not when it was asked for."""
    desk = Desk(Scripted("a"), by_hand=True)
    desk.ask("a", market(BUY, "0.2"))
    desk.accept("a-1")
    desk.fill("a-1", "0.2")
    desk.do(Operator.FLATTEN_SYMBOL, "BTC")
    desk.accept("house-1")
    desk.wait(1)
    before = told(desk)
    desk.fill("house-1", "0.2", SELL)
    desk.wait(0.5)

    assert [] == before
    assert [(Ruling.DONE, 1, {})] == [(o.ruling, o.fills, o.positions) for o in desk.told]
