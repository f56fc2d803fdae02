"""What a venue's refusals mean beyond their order: rows 41, 42 and 47 of reliability.md."""

from collections.abc import Callable

import pytest

from engine.model.venue_events import RejectReason as R
from engine.model.venue_events import (
    VenueAccepted,
    VenueAmendRejected,
    VenueCanceled,
    VenueCancelRejected,
    VenueRejected,
    VenueSnapshot,
)
from engine.risk.lifecycle import EXIT_CODES, open_reasons
from tests.engine.kernel.rig import BUY, SELL, D, Rig, Scripted, limit, market

HOLD_S, BACKOFF_S, ESCALATE_S = 60, 5, 30


def eager(symbol: str = "BTC") -> Callable[..., object]:
    """Wish for an order of a symbol at every quote, in a new slot each time."""

    def wish(desk: object) -> object:
        slot = f"s{desk.now_ns}"  # type: ignore[attr-defined]
        return limit(BUY, "0.1", "999", slot)(desk) if desk.symbol == symbol else ()  # type: ignore[attr-defined]

    return wish


def refused(rig: Rig, reason: R, order_id: str = "") -> None:
    """Refuse the order that was placed last."""
    rig.answer(VenueRejected(rig.now, "BTC", order_id or rig.venue.placed()[-1], reason, "why"))


def reasons(rig: Rig) -> list[str]:
    return list(open_reasons(rig.kernel.conduct.lifecycle))


@pytest.mark.parametrize(
    ("reason", "count", "doubt"),
    [
        (R.INSUFFICIENT_BALANCE, 1, "MARGIN_SHORT:BTC"),
        (R.MARKET_CLOSED, 1, "MARKET_CLOSED:BTC"),
        (R.INVALID_ORDER, 3, "ORDERS_REFUSED:BTC"),
    ],
)
def test_a_venue_that_refuses_is_not_asked_again_at_once(reason: R, count: int, doubt: str) -> None:
    """No order leaves for a minute, then one finds out; why is written and told."""
    rig = Rig(Scripted("a", always=eager()), by_hand=True)
    for _ in range(count):
        assert "ACTIVE" == rig.state
        refused(rig, reason)
        rig.quote()
    assert ("DEGRADED", [doubt]) == (rig.state, reasons(rig))
    sent = len(rig.venue.placed())
    rig.wait(HOLD_S + BACKOFF_S - 1)

    assert sent == len(rig.venue.placed())
    denied = rig.lines("gate_verdict")[-1]
    assert (False, "state") == (denied["is_approved"], denied["rule"])
    told = [line["message"] for line in rig.lines("alert") if line["kind"] == "venue_refuses"]
    assert [f"BTC: the venue refuses: {reason} why; no new risk for a while"] == told
    rig.wait(2)
    assert len(rig.venue.placed()) > sent
    refused(rig, reason, rig.venue.placed()[sent])
    if count == 1:
        assert "DEGRADED" == rig.state


def test_what_reduces_still_leaves() -> None:
    """A position can be closed while margin is short."""
    rig = Rig(Scripted("a"), by_hand=True)
    rig.ask("a", market(BUY, "0.5"))
    rig.fill("a-1", "0.5")
    rig.ask("a", limit(BUY, "0.1", "999"))
    refused(rig, R.INSUFFICIENT_BALANCE)
    rig.ask("a", market(SELL, "0.5", "x", reduce_only=True))

    assert "a-3" == rig.venue.placed()[-1]


def test_another_instrument_goes_on() -> None:
    """Only the one that was refused is suspended."""
    rig = Rig(Scripted("a"), symbols=("BTC", "ETH"), by_hand=True)
    rig.ask("a", limit(BUY, "0.1", "999"))
    refused(rig, R.INSUFFICIENT_BALANCE)
    rig.ask("a", limit(BUY, "0.1", "999", "t"))
    rig.ask("a", limit(BUY, "0.1", "999"), "ETH")

    assert ("ACTIVE", ["MARGIN_SHORT:BTC"]) == (rig.state, reasons(rig))
    assert ["a-1", "a-3"] == rig.venue.placed()


def test_a_second_refusal_holds_for_longer() -> None:
    """What was on its way when the first came back is no doubt of its own."""
    rig = Rig(Scripted("a"), by_hand=True)
    for slot in ("s", "t"):
        rig.ask("a", limit(BUY, "0.1", "999", slot))
    refused(rig, R.INSUFFICIENT_BALANCE, "a-1")
    rig.wait(30)
    refused(rig, R.INSUFFICIENT_BALANCE, "a-2")
    rig.wait(HOLD_S - 1)

    assert ["MARGIN_SHORT:BTC"] == reasons(rig)
    assert 1 == len([x for x in rig.lines("alert") if x["kind"] == "venue_refuses"])
    rig.wait(2)
    assert [] == reasons(rig)


def test_an_order_that_is_taken_ends_a_row_of_malformed_ones() -> None:
    """Three in a row mean something, three in an hour do not."""
    rig = Rig(Scripted("a"), by_hand=True)
    for number in range(1, 6):
        rig.ask("a", limit(BUY, "0.1", "999", f"s{number}"))
        if number == 3:
            rig.accept("a-3")
        else:
            refused(rig, R.INVALID_ORDER)

    assert "ACTIVE" == rig.state


@pytest.mark.parametrize(
    ("answer", "is_doubted"),
    [
        (VenueAmendRejected(0, "BTC", "a-1", R.INSUFFICIENT_BALANCE, "why"), True),
        (VenueCancelRejected(0, "BTC", "a-1", R.MARKET_CLOSED), False),
        (VenueRejected(0, "BTC", "a-1", R.POST_ONLY_WOULD_CROSS), False),
    ],
)
def test_which_refusals_say_so(answer: VenueRejected, *, is_doubted: bool) -> None:
    """An amendment needs margin as well; a cancel needs none, and some are the order's own."""
    rig = Rig(Scripted("a"), by_hand=True)
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.answer(type(answer)(rig.now, *[getattr(answer, f) for f in answer.__struct_fields__[1:]]))

    assert is_doubted is (rig.state == "DEGRADED")


# --- the key ---------------------------------------------------------------------------------------


def without_a_key(**config: object) -> Rig:
    """A session with a working order whose key is refused where it wants another."""
    rig = Rig(Scripted("a"), by_hand=True, **config)
    rig.ask("a", limit(BUY, "0.1", "999", "one"))
    rig.accept("a-1")
    rig.ask("a", limit(BUY, "0.1", "999", "two"))
    refused(rig, R.AUTH)
    assert ("DEGRADED", ["KEY_DOUBTED"]) == (rig.state, reasons(rig))
    assert ["a-1"] == rig.venue.canceled()
    return rig


def test_a_key_that_stays_refused_halts() -> None:
    """Degraded at once, an emergency half a minute later, and nothing is opened in between."""
    rig = without_a_key()
    rig.wait(2)
    rig.answer(VenueCancelRejected(rig.now, "BTC", "a-1", R.AUTH))
    rig.ask("a", limit(BUY, "0.1", "999", "three"))
    rig.wait(ESCALATE_S - 3)
    assert "DEGRADED" == rig.state
    rig.wait(2)

    assert "EMERGENCY" == rig.state
    assert ["KEY_DOUBTED", "KEY_REFUSED"] == reasons(rig)
    assert ["a-1", "a-2"] == rig.venue.placed()
    rig.confirm_cancel("a-1")
    rig.wait(1)
    assert ("STOPPED", "key_refused", 7) == (
        rig.state, rig.kernel.finish, EXIT_CODES["key_refused"]
    )  # fmt: skip


def canceled_as_asked(rig: Rig) -> None:
    rig.confirm_cancel("a-1")


def closed_as_asked(rig: Rig) -> None:
    """A position is made smaller while nothing else may leave."""
    rig.fill("a-1", "0.1")
    rig.ask("a", market(SELL, "0.1", "out", reduce_only=True))
    rig.accept(rig.venue.placed()[-1])


@pytest.mark.parametrize("obey", [canceled_as_asked, closed_as_asked])
def test_a_key_that_is_obeyed_is_believed(obey: Callable[[Rig], None]) -> None:
    """What the venue did for us proves more than what it said before."""
    rig = without_a_key()
    obey(rig)
    assert [] == reasons(rig)
    rig.wait(ESCALATE_S + 1)

    assert "ACTIVE" == rig.state


@pytest.mark.parametrize(
    "unasked", [VenueCanceled(0, "BTC", "a-1"), VenueAccepted(0, "BTC", "a-1", "v-1")]
)
def test_what_a_venue_does_by_itself_is_no_proof(unasked: VenueCanceled | VenueAccepted) -> None:
    """A dead-man switch that fires cancels too, just where the key can't renew it."""
    rig = without_a_key()
    rig.wait(2)
    rig.answer(VenueCancelRejected(rig.now, "BTC", "a-1", R.AUTH))
    fields = [getattr(unasked, name) for name in unasked.__struct_fields__[1:]]
    rig.answer(type(unasked)(rig.now, *fields))
    assert ["KEY_DOUBTED"] == reasons(rig)
    rig.wait(ESCALATE_S)

    assert "KEY_REFUSED" in reasons(rig) or "key_refused" == rig.kernel.finish


def test_a_single_slip_of_the_venue_does_not_halt() -> None:
    """Nothing proves anything: the next order finds out."""
    rig = without_a_key()
    rig.wait(ESCALATE_S + BACKOFF_S + 1)
    assert "ACTIVE" == rig.state
    rig.ask("a", limit(BUY, "0.1", "999", "three"))

    assert "a-3" == rig.venue.placed()[-1]


@pytest.mark.parametrize(("is_taken", "expected"), [(False, "EMERGENCY"), (True, "ACTIVE")])
def test_the_next_order_finds_out(*, is_taken: bool, expected: str) -> None:
    """A second refusal with nothing done in between is no slip; one after an order is."""
    rig = without_a_key()
    rig.confirm_cancel("a-1") if is_taken else rig.wait(ESCALATE_S)
    rig.wait(BACKOFF_S + 1)
    rig.ask("a", limit(BUY, "0.1", "999", "three"))
    refused(rig, R.AUTH, "a-3")
    assert ("DEGRADED", ["KEY_DOUBTED"]) == (rig.state, reasons(rig))
    rig.wait(ESCALATE_S + 1 + is_taken * BACKOFF_S)

    assert expected == rig.state


def test_what_could_not_be_canceled_is_canceled_again() -> None:
    """Every five seconds; the first cancel that is done proves the key."""
    rig = without_a_key()
    for _ in range(3):
        rig.answer(VenueCancelRejected(rig.now, "BTC", "a-1", R.AUTH))
        rig.wait(5.5)
    assert ["a-1"] * 4 == rig.venue.canceled()
    rig.confirm_cancel("a-1")

    assert [] == reasons(rig)


def test_an_account_that_may_not_be_read_says_the_same() -> None:
    """A session that has nothing to send learns of its key by asking."""
    rig = Rig(Scripted("a"), by_hand=True)
    for _ in range(2):
        rig.answer(VenueSnapshot(rig.now, 0, rig.now, failure="-2015", is_denied=True))
        rig.wait(2)
    assert ("DEGRADED", ["KEY_DOUBTED"]) == (rig.state, reasons(rig))
    rig.wait(ESCALATE_S + 1)

    assert ("STOPPED", "key_refused") == (rig.state, rig.kernel.finish)


def test_an_account_that_may_be_read_again_is_proof() -> None:
    """Only where that was what failed: reading needs less of a key than trading."""
    rig = without_a_key()
    for is_denied, expected in ((False, ["KEY_DOUBTED"]), (True, ["KEY_DOUBTED"]), (False, [])):
        failure = "-2015" if is_denied else ""
        rig.answer(VenueSnapshot(rig.now, 0, rig.now, failure=failure, is_denied=is_denied))
        assert expected == reasons(rig)


def test_a_restart_forgets_no_refusal() -> None:
    """Neither how long an instrument waits nor what is held against the key."""
    rig = without_a_key()
    rig.answer(VenueAmendRejected(rig.now, "BTC", "a-1", R.MARKET_CLOSED))
    rig.wait(2)
    rig.answer(VenueCancelRejected(rig.now, "BTC", "a-1", R.AUTH))
    rig.wait(18)
    rig.restart()
    rig.wait(ESCALATE_S - 20 + 1)

    assert ["KEY_DOUBTED", "KEY_REFUSED", "MARKET_CLOSED:BTC"] == reasons(rig)
    rig.wait(HOLD_S - ESCALATE_S)
    assert ["KEY_DOUBTED", "KEY_REFUSED"] == reasons(rig)


def test_the_hold_is_a_setting() -> None:
    """Zero lets the next order find out once the session has recovered."""
    rig = Rig(Scripted("a"), by_hand=True, limits={"refusal_hold_s": 0.0})
    rig.ask("a", limit(BUY, "0.1", "999"))
    refused(rig, R.INSUFFICIENT_BALANCE)
    rig.wait(BACKOFF_S + 1)

    assert ("ACTIVE", D(0)) == (rig.state, rig.net())
