"""A kernel's life from INIT to STOPPED; the oracle is domain.md section 1, not the code."""

import itertools

from engine.model.events import HealthChanged, Operator
from engine.model.market import FeedStatus
from engine.model.venue_events import RejectReason as R
from engine.model.venue_events import VenueRejected
from tests.engine.kernel.rig import BUY, D, Rig, Scripted, limit, market


def test_active_once_every_symbol_is_priced() -> None:
    """Nobody is asked, and nothing leaves, while one symbol has no price."""
    agent = Scripted("a", always=limit(BUY, "0.1", "999"))
    rig = Rig(agent, symbols=("BTC", "ETH"), priced=False)
    rig.quote("BTC")
    rig.quote("BTC")
    before = (rig.state, agent.state.calls, rig.live)

    rig.quote("ETH")

    assert ("INIT", 0, []) == before
    assert ["READY", "ACTIVE"] == rig.states()
    assert "ACTIVE" == rig.state
    assert 1 == agent.state.calls


def test_a_crossed_quote_prices_nothing() -> None:
    """Flawed data can't start a session."""
    rig = Rig(Scripted("a"), priced=False)
    rig.quote(bid=10_001, ask=10_000)

    assert "INIT" == rig.state


def test_silence_degrades_cancels_and_recovers() -> None:
    """Timers without quotes: DEGRADED within lag + 250 ms, orders gone, back after the backoff."""
    rig = Rig(Scripted("a"), limits={"max_feed_lag_s": 5, "resume_backoff_s": 5})
    rig.ask("a", limit(BUY, "0.1", "999"))
    placed, silent_from = rig.live, rig.now

    rig.wait(6, quotes=False)
    degraded, live = rig.lines("fsm_transition")[-1], rig.live
    rig.ask("a", limit(BUY, "0.1", "998", "late"))
    refused = rig.lines("gate_verdict")[-1]
    rig.wait(4.5)
    still = rig.state
    rig.wait(1)

    assert ["a-1"] == placed
    assert ("DEGRADED", "FEED_STALE", "BTC") == (
        degraded["to_state"], degraded["event"], degraded["scope"],
    )  # fmt: skip
    assert 5_000_000_000 < degraded["ts"] - silent_from <= 5_250_000_000
    assert [] == live
    assert (False, "state") == (refused["is_approved"], refused["rule"])
    assert "DEGRADED" == still
    assert "ACTIVE" == rig.state
    assert "RECOVERED" == rig.lines("fsm_transition")[-1]["event"]
    assert [] == rig.live


def test_an_exit_passes_while_degraded() -> None:
    """DEGRADED lets what reduces through, and only that."""
    rig = Rig(Scripted("a"))
    rig.ask("a", market(BUY, "0.2"))
    rig.wait(6, quotes=False)
    rig.ask("a", market(BUY, "0.1"))
    held = rig.net()
    rig.ask("a", market(BUY.opposite, "0.2", reduce_only=True))

    assert D("0.2") == held
    assert D(0) == rig.net()
    assert "DEGRADED" == rig.state


def test_one_silent_symbol_of_two_is_suspended_alone() -> None:
    """fan_out instrument: the other symbol trades on."""
    rig = Rig(Scripted("a"), symbols=("BTC", "ETH"))
    rig.ask("a", limit(BUY, "0.1", "999"), "ETH")
    for _ in range(24):
        rig.wait(0.25, quotes=False)
        rig.quote("BTC")
    live = rig.live
    rig.ask("a", limit(BUY, "0.1", "999"), "BTC")
    rig.agents["a"].next.append(("ETH", limit(BUY, "0.1", "999")))  # type: ignore[attr-defined]
    rig.quote("ETH")

    assert [] == live
    assert "ACTIVE" == rig.state
    assert ["a-2"] == rig.live
    assert "state" == rig.lines("gate_verdict")[-1]["rule"]


def test_kill_flattens_and_stops() -> None:
    """KILL → EMERGENCY → cancel all, reduce-only flatten, FLAT → STOPPED, in that order."""
    rig = Rig(Scripted("a"), paper={"submit_latency_ms": 20, "cancel_latency_ms": 20})
    rig.ask("a", market(BUY, "0.5"))
    rig.wait(1)
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.wait(1)
    rig.tell(Operator.KILL, "kill_file")
    asked = (rig.state, rig.kernel.is_ending, rig.kernel.is_settled)
    rig.wait(1)

    orders = rig.lines("order_submitted")
    tail = [line["line"] for line in rig.lines()]
    assert ("EMERGENCY", True, False) == asked
    assert ["READY", "ACTIVE", "EMERGENCY", "STOPPED"] == rig.states()
    assert ["KILL_FILE", "FLAT"] == [t["event"] for t in rig.lines("fsm_transition")][-2:]
    assert (True, "house", "SELL", D("0.5")) == (
        orders[-1]["reduce_only"], orders[-1]["agent"], orders[-1]["side"], D(orders[-1]["qty"]),
    )  # fmt: skip
    assert tail.index("order_pending_cancel") < len(tail) - 1 - tail[::-1].index("order_submitted")
    assert ("kill_file", True) == (rig.kernel.finish, rig.kernel.is_settled)
    assert D(0) == rig.net() == rig.own("a")
    assert "critical" in {a["severity"] for a in rig.lines("alert")}


def test_one_order_is_canceled_by_name() -> None:
    """That one, and the session trades on; a name nobody knows changes nothing."""
    rig = Rig(Scripted("a"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.ask("a", limit(BUY, "0.1", "998", "other"))
    placed = rig.live
    rig.tell(Operator.CANCEL_ORDER, "sentinel", placed[0])
    rig.tell(Operator.CANCEL_ORDER, "sentinel", "nobody")
    rig.wait(1)

    assert [placed[1]] == rig.live
    assert "ACTIVE" == rig.state


def test_after_a_kill_nobody_is_asked() -> None:
    """An agent's next wish does not even leave it."""
    agent = Scripted("a", always=limit(BUY, "0.1", "999"))
    rig = Rig(agent)
    rig.tell(Operator.KILL, "kill_file")
    calls = agent.state.calls
    rig.wait(2)

    assert calls == agent.state.calls
    assert [] == rig.live


def test_kill_retries_the_flatten_until_the_market_offers() -> None:
    """An order the venue let expire for want of liquidity is sent again on the timer."""
    rig = Rig(Scripted("a"), by_hand=True)
    rig.ask("a", market(BUY, "0.5"))
    rig.accept("a-1")
    rig.fill("a-1", "0.5")
    rig.tell(Operator.KILL)
    rig.answer(VenueRejected(rig.now, "BTC", "house-1", R.NO_LIQUIDITY))
    rig.wait(0.3)

    assert ["a-1", "house-1", "house-2"] == rig.venue.placed()


def test_kill_in_init_stops_at_once() -> None:
    """Nothing is held, so nothing is waited for."""
    rig = Rig(Scripted("a"), priced=False)
    rig.tell(Operator.KILL, "kill_file")
    rig.wait(0.3, quotes=False)

    assert ("STOPPED", "kill_file") == (rig.state, rig.kernel.finish)


def test_duration_closes_gracefully() -> None:
    """DURATION_ELAPSED → STOPPED, and what is open is closed first."""
    rig = Rig(Scripted("a"), paper={"submit_latency_ms": 20})
    rig.ask("a", market(BUY, "0.5"))
    rig.wait(1)
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.tell(Operator.DURATION_ELAPSED)
    asked = (rig.state, rig.kernel.finish, rig.kernel.is_settled)
    rig.wait(1)

    assert ("STOPPED", "duration", False) == asked
    assert rig.kernel.is_settled
    assert (D(0), []) == (rig.net(), rig.live)


def test_duration_may_keep_positions() -> None:
    """flatten_on_stop false: orders go, the position stays."""
    rig = Rig(Scripted("a"), flatten_on_stop=False)
    rig.ask("a", market(BUY, "0.5"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.tell(Operator.DURATION_ELAPSED)
    rig.wait(1)

    assert (D("0.5"), [], True) == (rig.net(), rig.live, rig.kernel.is_settled)


def test_max_trades_stops() -> None:
    """The n-th fill ends the session."""
    rig = Rig(Scripted("a"), limits={"max_trades": 3})
    for place in range(3):
        rig.ask("a", market(BUY, "0.1", f"m{place}"))
    rig.wait(1)

    assert ("STOPPED", "max_trades", D(0)) == (rig.state, rig.kernel.finish, rig.net())
    assert ["max_trades"] == [b["breaker"] for b in rig.lines("breaker")]


def test_a_loss_halts() -> None:
    """Unrealised loss beyond max_loss_pct is EMERGENCY, flattened, STOPPED."""
    rig = Rig(Scripted("a"), limits={"max_loss_pct": D("0.1")})
    rig.ask("a", market(BUY, "2"))
    rig.quote(bid=9_940, ask=9_941)
    rig.wait(1)

    assert ("STOPPED", "max_loss", D(0)) == (rig.state, rig.kernel.finish, rig.net())


def test_losses_pause_and_re_arm() -> None:
    """A pausing breaker: no entries while it holds, ACTIVE again after its cooldown."""
    rig = Rig(Scripted("a"), limits={"max_consecutive_losses": 2, "cooldown_s": 10.0})
    rig.ask("a", limit(BUY, "0.1", "998", "rest"))
    for place in range(2):
        rig.ask("a", market(BUY, "0.1", f"in{place}"))
        rig.ask("a", market(BUY.opposite, "0.1", f"out{place}", reduce_only=True))
    paused, live = rig.state, rig.live
    rig.ask("a", market(BUY, "0.1", "no"))
    refused = rig.lines("gate_verdict")[-1]["rule"]
    rig.wait(9)
    early = rig.state
    rig.wait(1.5)
    rig.ask("a", market(BUY, "0.1", "yes"))

    assert ("PAUSED", [], "state", "PAUSED") == (paused, live, refused, early)
    assert "ACTIVE" == rig.state
    assert D("0.1") == rig.net()
    assert [True, False] == [b["is_tripped"] for b in rig.lines("breaker")]


def test_refused_answers_count_as_errors() -> None:
    """max_errors_per_minute: 'errors (quarantines, refused venue answers, ...) that pause'."""
    rig = Rig(Scripted("a"), by_hand=True, limits={"max_errors_per_minute": 5})
    for number in range(6):
        rig.accept(f"stranger-{number}")

    assert 6 == len(rig.lines("error"))
    assert "PAUSED" == rig.state


def test_venue_rejects_pause() -> None:
    """Rejects of the venue count by the minute."""
    rig = Rig(Scripted("a"), by_hand=True, limits={"max_rejects_per_minute": 2})
    for number in (1, 2):
        rig.ask("a", limit(BUY, "0.1", "999", f"s{number}"))
        rig.answer(VenueRejected(rig.now, "BTC", f"a-{number}", R.INVALID_ORDER))

    assert "PAUSED" == rig.state


def test_journal_failure_cancels_and_finishes() -> None:
    """Orders go, the position stays (by default), the reason is told."""
    rig = Rig(Scripted("a"))
    rig.ask("a", market(BUY, "0.5"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.tell(Operator.JOURNAL_FAILURE)

    assert ("EMERGENCY", "journal_failure") == (rig.state, rig.kernel.finish)
    assert ([], D("0.5"), True) == (rig.live, rig.net(), rig.kernel.is_settled)


def test_journal_failure_may_flatten() -> None:
    """With the setting it closes positions as well."""
    rig = Rig(Scripted("a"), limits={"flatten_on_journal_failure": True})
    rig.ask("a", market(BUY, "0.5"))
    rig.tell(Operator.JOURNAL_FAILURE)
    rig.wait(0.5)

    assert ("STOPPED", "journal_failure", D(0)) == (rig.state, rig.kernel.finish, rig.net())


def test_a_lost_feed_degrades_until_it_is_back() -> None:
    """FEED_DISCONNECTED concerns the whole session."""
    rig = Rig(Scripted("a"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.turn.input(FeedStatus(rig.now, "mock", False, "gone"))
    lost = (rig.state, rig.live)
    rig.turn.input(FeedStatus(rig.now, "mock", True))
    rig.wait(6)

    assert ("DEGRADED", []) == lost
    assert "ACTIVE" == rig.state


def test_a_disk_that_runs_out_stops_new_risk_in_time() -> None:
    """Before a line can't be written: DEGRADED, orders gone, exits pass; back when there is room."""
    rig = Rig(Scripted("a"), limits={"resume_backoff_s": 1})
    rig.ask("a", market(BUY, "0.2"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.turn.input(HealthChanged(rig.now, "journal_reserve", 100, 99, True))
    degraded, live = rig.lines("fsm_transition")[-1], rig.live
    rig.ask("a", market(BUY.opposite, "0.2", reduce_only=True))
    held = rig.net()
    rig.turn.input(HealthChanged(rig.now, "journal_reserve", 100, 101, False))
    rig.wait(3)

    assert ("DEGRADED", "DISK_LOW") == (degraded["to_state"], degraded["event"])
    assert ([], D(0), "ACTIVE") == (live, held, rig.state)


def test_other_health_changes_no_state() -> None:
    """A busy processor is for a person to judge."""
    rig = Rig(Scripted("a"))
    rig.turn.input(HealthChanged(rig.now, "disk_free_mb", 200, 99, True))

    assert "ACTIVE" == rig.state
    assert "health_disk_free_mb" == rig.lines("alert")[-1]["kind"]


def test_time_never_runs_backwards() -> None:
    """An input stamped earlier counts as now."""
    rig = Rig(Scripted("a"))
    rig.wait(1)
    at = rig.kernel.now_ns
    rig.now -= 500_000_000
    rig.tell(Operator.PAUSE)

    assert at == rig.kernel.now_ns
    assert at == rig.lines("fsm_transition")[-1]["ts"]


def test_pause_and_resume_of_a_person() -> None:
    """PAUSED takes back resting orders and adds none; RESUME goes on."""
    rig = Rig(Scripted("a"))
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.tell(Operator.PAUSE)
    paused = (rig.state, rig.live)
    rig.tell(Operator.RESUME)
    rig.ask("a", limit(BUY, "0.1", "999"))

    assert ("PAUSED", []) == paused
    assert ["a-2"] == rig.live


def test_every_transition_is_one_line() -> None:
    """reliability.md B8: none is silent, none is told twice."""
    rig = Rig(Scripted("a"))
    rig.tell(Operator.PAUSE)
    rig.tell(Operator.PAUSE)
    rig.tell(Operator.RESUME)
    rig.tell(Operator.KILL)
    rig.tell(Operator.KILL)
    rig.wait(1)

    moves = [(t["from_state"], t["to_state"]) for t in rig.lines("fsm_transition")]
    assert all(one[1] == two[0] for one, two in itertools.pairwise(moves))
    assert ["READY", "ACTIVE", "PAUSED", "ACTIVE", "EMERGENCY", "STOPPED"] == [m[1] for m in moves]
