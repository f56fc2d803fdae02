"""The way of a wish through gate, router and venue, and what comes back from there."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.agents.desk import Desk
from engine.model.account import Liquidity
from engine.model.venue_events import RejectReason as R
from engine.model.venue_events import (
    VenueAmended,
    VenueCancelRejected,
    VenueExpired,
    VenueFill,
    VenueFunding,
    VenueRejected,
    VenueUnknown,
)
from tests.engine.kernel.rig import BUY, SECOND, SELL, D, Rig, Scripted, cancel, limit, market

HOUR = 3_600 * SECOND


def hand(**limits) -> Rig:
    return Rig(Scripted("a"), by_hand=True, limits=limits)


# --- the throttle --------------------------------------------------------------------------------


def test_the_throttle_parks_and_sends_when_it_may() -> None:
    """Waiting is told, and the order leaves once a token is free, not before."""
    rig = hand(max_orders_per_minute=1, throttle_wait_ms=120_000)
    rig.ask("a", limit(BUY, "0.1", "999", "one"))
    first = rig.now
    rig.ask("a", limit(BUY, "0.1", "998", "two"))
    parked = rig.lines("gate_verdict")[-1]
    rig.wait(59.5)
    early = rig.venue.placed()
    rig.wait(1)

    assert (False, True, "throttle", "max_orders_per_minute") == (
        parked["is_approved"], parked["is_waiting"], parked["rule"], parked["setting"],
    )  # fmt: skip
    assert ["a-1"] == early
    assert ["a-1", "a-2"] == rig.venue.placed()
    assert 60_000_000_000 <= rig.venue.sent[1].ts_ns - first <= 60_250_000_000


def test_the_throttle_refuses_what_would_wait_too_long() -> None:
    """A token in a minute is of no use to an order worth 250 ms."""
    rig = hand(max_orders_per_minute=1)
    rig.ask("a", limit(BUY, "0.1", "999", "one"))
    rig.ask("a", limit(BUY, "0.1", "998", "two"))
    rig.wait(70)

    assert ["a-1"] == rig.venue.placed()
    assert ["a-2"] == [o["order_id"] for o in rig.lines("order_denied")]


def test_the_newest_wish_of_a_slot_waits() -> None:
    """Two parked wishes of one slot: the later one is sent, alone."""
    rig = hand(max_orders_per_minute=1, throttle_wait_ms=120_000)
    rig.ask("a", limit(BUY, "0.1", "999", "one"))
    rig.ask("a", limit(BUY, "0.1", "998", "two"))
    rig.ask("a", limit(BUY, "0.1", "997", "two"))
    rig.wait(61)

    assert ["a-1", "a-3"] == rig.venue.placed()


def test_a_cancel_takes_back_a_parked_wish() -> None:
    """Who no longer wants it does not get it."""
    rig = hand(max_orders_per_minute=1, throttle_wait_ms=120_000)
    rig.ask("a", limit(BUY, "0.1", "999", "one"))
    rig.ask("a", limit(BUY, "0.1", "998", "two"))
    rig.ask("a", cancel("two"))
    rig.wait(61)

    assert ["a-1"] == rig.venue.placed()


def test_cancels_are_not_held_up_by_placements() -> None:
    """reliability.md B5: cancels have their own share."""
    rig = hand(max_orders_per_minute=1, throttle_wait_ms=120_000)
    rig.ask("a", limit(BUY, "0.1", "999", "one"))
    rig.accept("a-1")
    rig.ask("a", limit(BUY, "0.1", "998", "two"))
    rig.ask("a", cancel("one"))

    assert ["a-1"] == rig.venue.canceled()


# --- one live order a slot -----------------------------------------------------------------------


def test_the_successor_waits_for_the_cancel() -> None:
    """CANCEL_REPLACE: never two live orders in one slot."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.ask("a", limit(BUY, "0.1", "993"))
    rig.quote()
    rig.wait(1)
    before = rig.venue.placed()
    rig.confirm_cancel("a-1")

    assert ["a-1"] == rig.venue.canceled()
    assert ["a-1"] == before
    assert ["a-1", "a-2"] == rig.venue.placed()
    assert ["a-2"] == rig.live


def test_the_newest_successor_wins() -> None:
    """While the cancel is under way the agent may change its mind."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.ask("a", limit(BUY, "0.1", "993"))
    rig.ask("a", limit(BUY, "0.1", "992"))
    rig.confirm_cancel("a-1")

    assert ["a-1", "a-3"] == rig.venue.placed()


def test_a_cancel_takes_back_the_successor() -> None:
    """Nothing desired: nothing follows."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.ask("a", limit(BUY, "0.1", "993"))
    rig.ask("a", cancel())
    rig.confirm_cancel("a-1")

    assert ["a-1"] == rig.venue.placed()


def test_a_refused_cancel_keeps_the_old_order_alone() -> None:
    """The cancel failed: the old order lives on and the successor is not sent beside it."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.ask("a", limit(BUY, "0.1", "993"))
    rig.answer(VenueCancelRejected(rig.now, "BTC", "a-1", R.RATE_LIMIT))
    rig.wait(1)

    assert ["a-1"] == rig.venue.placed()
    assert ["a-1"] == rig.live


def test_a_fill_instead_of_the_cancel_lets_the_successor_follow() -> None:
    """The race is lost, the slot is free, the wish still stands and is judged anew."""
    rig = hand(max_position_size=D("0.15"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.ask("a", limit(BUY, "0.1", "993"))
    rig.fill("a-1", "0.1", price="999")

    assert ["a-1"] == rig.venue.placed()
    assert "position" == rig.lines("gate_verdict")[-1]["rule"]


def test_a_storm_of_changes_never_doubles_a_slot() -> None:
    """Under latency, whatever an agent wishes, a slot holds one live order at the venue."""
    moves = iter(range(10_000))

    def fidget(desk: Desk) -> Any:
        return limit(BUY, "0.1", str(999 - next(moves) * 7 % 50 / 10))(desk)

    agent = Scripted("a", always=fidget)
    rig = Rig(agent, paper={"submit_latency_ms": 30, "cancel_latency_ms": 40, "ack_latency_ms": 25,
                            "amend_latency_ms": 10, "latency_jitter": 1.0})  # fmt: skip
    for _ in range(600):
        rig.quote(ms=7)

    open_: set[str] = set()
    for line in rig.lines("venue_accepted", "venue_canceled", "venue_fill", "venue_rejected"):
        if line["line"] == "venue_accepted":
            assert not open_, "two live orders in one slot"
            open_.add(line["order_id"])
        else:
            open_.discard(line["order_id"])
    assert 10 < len(rig.lines("order_submitted"))


# --- what the venue may answer -------------------------------------------------------------------


def test_a_late_fill_is_booked_and_told() -> None:
    """A fill after CANCELED is real money, an error and an alert."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.ask("a", cancel())
    rig.confirm_cancel("a-1")
    rig.fill("a-1", "0.1")

    assert D("0.1") == rig.net() == rig.own("a")
    assert ["late_fill"] == [e["kind"] for e in rig.lines("error")]
    assert [("late_fill", "critical")] == [(a["kind"], a["severity"]) for a in rig.lines("alert")]
    assert rig.lines("fill")[0]["is_late"]


def test_a_fill_before_the_acceptance() -> None:
    """Out of order, but the same fold."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.2", "999"))
    rig.fill("a-1", "0.1")
    rig.accept("a-1")
    rig.fill("a-1", "0.1")

    assert D("0.2") == rig.net()
    assert [] == rig.lines("error")
    assert [] == rig.live


def test_an_overfill_is_kept_and_degrades() -> None:
    """reliability.md A8: real money, alarm, DEGRADED."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.fill("a-1", "0.15")

    assert D("0.15") == rig.net()
    assert ["overfill"] == [e["kind"] for e in rig.lines("error")]
    assert "DEGRADED" == rig.state


def test_an_overfill_in_two_parts() -> None:
    """A fill after FILLED is booked too."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.fill("a-1", "0.1")
    rig.fill("a-1", "0.05")

    assert D("0.15") == rig.net()
    assert "overfill" in {e["kind"] for e in rig.lines("error")}
    assert "DEGRADED" == rig.state


def test_a_duplicate_fill_counts_once() -> None:
    """Keyed by trade id (reliability.md A5)."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.2", "999"))
    rig.accept("a-1")
    rig.fill("a-1", "0.1", trade_id="x")
    rig.fill("a-1", "0.1", trade_id="x")

    assert D("0.1") == rig.net()
    assert 1 == len(rig.lines("fill"))
    assert ["duplicate_fill"] == [e["kind"] for e in rig.lines("error")]


def test_a_thousand_fills_of_one_lot_are_one_round_trip() -> None:
    """Row 32: in and out a lot at a time; the sum is exact."""
    rig = hand(max_position_notional=D(10_000), max_order_notional=D(10_000), max_trades=None)
    for order_id, side in (("a-1", BUY), ("a-2", SELL)):
        rig.ask("a", limit(side, "1", "999" if side is BUY else "1001", slot=order_id))
        rig.accept(order_id)
        for lot in range(1_000):
            rig.fill(order_id, "0.001", side, "999" if side is BUY else "1001", f"{order_id}/{lot}")

    assert D(0) == rig.net()
    fills = rig.lines("fill")
    assert (2_000, D(2)) == (len(fills), sum(D(fill["qty"]) for fill in fills))
    (trip,) = rig.lines("round_trip")
    assert (2_000, D(2)) == (trip["fills"], D(trip["gross_pnl"]))
    assert D(2) - sum(D(fill["fee"]) for fill in fills) == D(trip["net_pnl"])


def test_a_fill_of_a_strange_order_is_the_houses() -> None:
    """The venue's own liquidation: booked to nobody's ledger but the house's."""
    rig = hand()
    rig.fill("liquidation-1", "0.1", SELL)

    assert D("-0.1") == rig.net()
    assert D("-0.1") == rig.own("house")


@pytest.mark.parametrize("state", ["sent", "accepted", "partly", "canceling"])
def test_an_unknown_order_counts_in_limits(state: str) -> None:
    """reliability.md A3: live at full size, never resent, whatever it was before."""
    rig = hand(max_position_size=D("0.15"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    if state != "sent":
        rig.accept("a-1")
    if state == "partly":
        rig.fill("a-1", "0.04")
    if state == "canceling":
        rig.ask("a", cancel())
    rig.answer(VenueUnknown(rig.now, "BTC", "a-1"))
    rig.ask("a", limit(BUY, "0.1", "998", "other"))
    rig.ask("a", limit(BUY, "0.1", "997"))
    rig.wait(2)

    assert ["a-1"] == rig.venue.placed()
    assert ["a-1"] == rig.live
    assert ["position"] == list({v["rule"] for v in rig.lines("gate_verdict") if v["rule"]})[:1]


def test_an_unknown_order_is_resolved_by_its_fill() -> None:
    """A later fill still applies."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.answer(VenueUnknown(rig.now, "BTC", "a-1"))
    rig.fill("a-1", "0.1")

    assert (D("0.1"), []) == (rig.net(), rig.live)


def test_resting_orders_count_in_limits() -> None:
    """reliability.md B3: many resting orders can't add up to more than the limit."""
    rig = hand(max_position_size=D("0.25"))
    for number in range(5):
        rig.ask("a", limit(BUY, "0.1", "999", f"s{number}"))

    assert ["a-1", "a-2"] == rig.venue.placed()


def test_an_amend_counts_at_its_larger_size_until_answered() -> None:
    """Growing from 0.1 to 0.2 is counted as 0.2 from the moment it is asked."""
    rig = hand(max_position_size=D("0.25"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.ask("a", limit(BUY, "0.2", "999"))
    rig.ask("a", limit(BUY, "0.1", "998", "other"))
    refused = rig.lines("gate_verdict")[-1]["rule"]
    rig.answer(VenueAmended(rig.now, "BTC", "a-1", D("999"), D("0.2")))

    assert "position" == refused
    assert ["a-1"] == rig.venue.placed()


def test_two_exits_together_do_not_flip() -> None:
    """Reducing is judged with what already works (domain.md 2)."""
    rig = Rig(Scripted("a"), Scripted("b"), by_hand=True, limits={"max_position_size": D("0.1")})
    rig.ask("a", market(BUY, "0.1"))
    rig.fill("a-1", "0.1")
    rig.ask("a", limit(SELL, "0.1", "1001", "one"))
    rig.accept("a-2")
    rig.ask("a", limit(SELL, "0.2", "1002", "two"))

    assert ["a-1", "a-2"] == rig.venue.placed()


@pytest.mark.parametrize("answer", ["expired", "rejected"])
def test_the_slot_is_free_after_the_end(answer: str) -> None:
    """Whatever ended the order, the next wish for the slot is placed."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "999"))
    if answer == "expired":
        rig.answer(VenueExpired(rig.now, "BTC", "a-1", "ioc"))
    else:
        rig.answer(VenueRejected(rig.now, "BTC", "a-1", R.POST_ONLY_WOULD_CROSS))
    rig.ask("a", limit(BUY, "0.1", "998"))

    assert ["a-1", "a-2"] == rig.venue.placed()
    assert ["a-2"] == rig.live


def test_answers_twice_are_harmless() -> None:
    """Every answer of an order's life delivered twice changes nothing but error counts."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.accept("a-1")
    rig.ask("a", cancel())
    rig.confirm_cancel("a-1")
    rig.confirm_cancel("a-1")
    rig.ask("a", limit(BUY, "0.1", "999"))

    assert ["a-3"] == rig.live
    assert D(0) == rig.net()


def test_an_intent_id_is_used_once() -> None:
    """A wish repeated with the same id is refused as a duplicate."""
    rig = hand()
    kept = []

    def wish(desk):
        kept.extend(limit(BUY, "0.1", "999")(desk))
        return kept

    rig.ask("a", wish)
    rig.accept("a-1")
    rig.answer(VenueExpired(rig.now, "BTC", "a-1", "x"))
    rig.ask("a", lambda desk: kept)

    assert ["a-1"] == rig.venue.placed()
    assert "duplicate" == rig.lines("gate_verdict")[-1]["rule"]


def test_a_liquidation_leaves_no_agent_with_a_position_it_lost() -> None:
    """Closed by the venue: the agent's ledger and desk are flat, at the liquidation's price."""
    rig = Rig(Scripted("a"), by_hand=True)
    rig.ask("a", market(BUY, "0.1"))
    rig.accept("a-1")
    rig.fill("a-1", "0.1", BUY)
    rig.fill("liquidation-1", "0.1", SELL)

    assert D(0) == rig.own("a")
    desk = rig.kernel.roster.desk("a", "BTC")
    assert (D(0), None) == (desk.position, desk.entry_price)
    assert ["liquidation"] == [x["kind"] for x in rig.lines("alert") if "liq" in x["kind"]]
    rig.kernel.portfolio.check()


def test_a_settlement_told_twice_pays_once() -> None:
    """Known by venue, symbol and funding time; the repeat is told, the books stay as they are."""
    rig = hand()
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.fill("a-1", "0.1")
    paid = VenueFunding(rig.now, "BTC", D("0.01"), D(1000), D("0.1"), D("-1"), 8 * HOUR)
    for funding in (paid, paid, replace(paid, funding_ns=16 * HOUR)):
        rig.answer(funding)

    assert D(-2) == rig.kernel.portfolio.books.funding
    assert ["duplicate_funding"] == [line["kind"] for line in rig.lines("error")]


def test_a_settlement_is_known_again_after_a_restart() -> None:
    """A resend after a resume is where repeats come from."""
    rig = hand()
    paid = VenueFunding(rig.now, "BTC", D("0.01"), D(1000), D("0.1"), D("-1"), 8 * HOUR)
    rig.answer(paid)
    rig.restart()
    rig.answer(paid)

    assert D(-1) == rig.kernel.portfolio.books.funding


def test_funding_of_an_instrument_of_others_is_told_and_not_booked() -> None:
    """Nothing of ours was held there: it counts as an error, and the account stays as it is."""
    rig = hand()
    before = rig.kernel.portfolio.snapshot()
    rig.answer(VenueFunding(rig.now, "DOGE", D("0.01"), D(1000), D(5), D("-1"), 8 * HOUR))

    assert before == rig.kernel.portfolio.snapshot()
    assert [("foreign_funding", "DOGE", "-1")] == [
        (line["kind"], line["scope"], line["detail"]) for line in rig.lines("error")
    ]


def test_a_fill_on_an_instrument_of_others_is_told_and_degrades() -> None:
    """No book of ours can hold it; it is never silently dropped, and it counts as an error."""
    rig = hand(max_errors_per_minute=1)
    fill = VenueFill(rig.now, "DOGE", "manual-1", "t1", BUY, D(1), D(5), D(0), Liquidity.TAKER)
    rig.answer(fill)

    assert "DEGRADED" == rig.state
    assert ["foreign_fill"] == [line["kind"] for line in rig.lines("error")]
    alerts = [(line["kind"], line["severity"]) for line in rig.lines("alert")]
    assert ("foreign_fill", "critical") in alerts
    assert ["max_errors_per_minute"] == [line["breaker"] for line in rig.lines("breaker")]
    assert D(10_000) == rig.kernel.portfolio.equity
