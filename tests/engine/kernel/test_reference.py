"""A second market beside ours: what it may stop, and that it can do nothing else.

Ours stands at 10,000 / 10,001 ticks unless moved, and so does the reference; 1 tick is 1 bps.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernel.checkpoint import snapshot
from engine.kernel.reference import LINES_MAX
from engine.market.config import MarketConfig
from engine.model.events import Operator
from engine.model.market import ReferenceQuote, ReferenceStatus
from engine.risk.lifecycle import open_reasons
from tests.engine.kernel.reference_checker import Watcher
from tests.engine.kernel.replaying import replayed
from tests.engine.kernel.rig import (
    BUY,
    MS,
    SECOND,
    SELL,
    D,
    Rig,
    Scripted,
    Wish,
    limit,
    market,
)

LIMITS: dict[str, Any] = {
    "max_basis_deviation_bps": D(75), "max_reference_lag_s": 2.0,
    "max_reference_down_s": 10.0, "resume_backoff_s": 5.0, "max_feed_lag_s": 60.0,
    "max_quote_age_ms": 60_000,
}  # fmt: skip


class Pair(Rig):
    """A rig whose reference speaks beside every quote of ours, unless it is silenced."""

    def __init__(
        self, *agents: Scripted, symbols: tuple[str, ...] = ("BTC",), **config: Any
    ) -> None:
        limits = LIMITS | config.pop("limits", {})
        self.there = dict.fromkeys(symbols, (10_000, 10_001))
        self.silent: set[str] = set()
        super().__init__(
            *agents, symbols=symbols, references=symbols, limits=limits, priced=False, **config
        )

    def tell_there(self, symbol: str = "BTC", seq: int = 0) -> None:
        bid, ask = self.there[symbol]
        self.turn.input(ReferenceQuote(self.now, symbol, bid, 5, ask, 5, seq=seq))

    def quote(self, symbol: str = "BTC", *words: Any, **named: Any) -> None:
        super().quote(symbol, *words, **named)
        if symbol not in self.silent:
            self.tell_there(symbol)

    def jump(self, bps: int, symbol: str = "BTC") -> None:
        self.there[symbol] = (10_000 + bps, 10_001 + bps)

    def line(self, *, is_up: bool, name: str = "there.market") -> None:
        self.turn.input(ReferenceStatus(self.now, name, is_up, "" if is_up else "cut"))

    def trips(self) -> list[tuple[str, str, bool]]:
        return [
            (line["breaker"], line["scope"], line["is_tripped"]) for line in self.lines("breaker")
        ]

    def open_reasons(self) -> tuple[str, ...]:
        return open_reasons(self.kernel.conduct.lifecycle)


def begun(always: Wish | None = None, **config: Any) -> Pair:
    pair = Pair(Scripted("a", always=always), **config)
    for symbol in pair.symbols:
        pair.quote(symbol)
    pair.wait(1)
    assert "ACTIVE" == pair.state
    return pair


def test_a_jump_of_the_reference_stops_new_risk_and_agreement_lets_it_go_on() -> None:
    """The reason, reading and limit journalled; entries canceled; exits pass; back by itself."""
    pair = begun()
    pair.ask("a", market(BUY, "0.2"))
    pair.ask("a", limit(BUY, "0.1", "999"))
    assert ["a-2"] == pair.live
    pair.jump(76)
    pair.quote()
    told, moved = pair.lines("breaker")[-1], pair.lines("fsm_transition")[-1]

    assert ("max_basis_deviation_bps", "BTC", "75", "reduce_only", True) == tuple(
        told[name] for name in ("breaker", "scope", "limit", "action", "is_tripped")
    )
    assert 75 < float(told["reading"]) < 77
    assert ("DEGRADED", "BASIS_DEPEG", "BTC") == (
        moved["to_state"], moved["event"], moved["scope"],
    )  # fmt: skip
    assert ["BASIS_DEPEG:BTC"] == moved["reasons"]
    assert [] == pair.live
    pair.ask("a", limit(BUY, "0.1", "998", "late"))
    pair.ask("a", market(SELL, "0.1", reduce_only=True))
    refused = [line for line in pair.lines("gate_verdict") if not line["is_approved"]]
    assert [("state", "DEGRADED")] == [(line["rule"], line["reading"]) for line in refused]
    assert D("0.1") == pair.net()

    pair.wait(60)
    assert "DEGRADED" == pair.state, "an average that learns from it would call it fair by now"
    pair.jump(0)
    pair.wait(4.9)
    assert "DEGRADED" == pair.state
    pair.wait(0.6)
    assert "ACTIVE" == pair.state
    assert [True, False] == [is_tripped for *_, is_tripped in pair.trips()]


def test_a_jump_of_ours_is_noticed_with_the_next_timer() -> None:
    """Also where the reference says nothing new."""
    pair = begun()
    pair.silent = {"BTC"}
    pair.quote("BTC", 10_100, 10_101)
    assert "ACTIVE" == pair.state
    pair.wait(0.25)
    assert "DEGRADED" == pair.state


def test_disagreeing_again_during_the_backoff_starts_it_anew() -> None:
    """Agreement has to last."""
    pair = begun()
    for bps in (100, 0):
        pair.jump(bps)
        pair.wait(3)
    pair.jump(100)
    pair.quote()
    pair.jump(0)
    pair.wait(4.5)

    assert "DEGRADED" == pair.state
    pair.wait(1)
    assert "ACTIVE" == pair.state


def test_one_instrument_of_two_is_suspended_alone() -> None:
    """The other trades on, its orders too."""
    pair = begun(symbols=("BTC", "ETH"))
    for symbol in pair.symbols:
        pair.ask("a", limit(BUY, "0.1", "999", symbol), symbol)
    pair.jump(100, "ETH")
    pair.quote("ETH")

    assert "ACTIVE" == pair.state
    assert ["a-1"] == pair.live
    assert [("max_basis_deviation_bps", "ETH", True)] == pair.trips()
    pair.ask("a", limit(BUY, "0.1", "998", "no"), "ETH")
    pair.ask("a", limit(BUY, "0.1", "998", "yes"), "BTC")
    assert [False, True] == [line["is_approved"] for line in pair.lines("gate_verdict")[-2:]]


def test_silence_of_the_reference_is_a_doubt_and_its_next_quote_the_end_of_it() -> None:
    """Within the limit and a timer; a guard that is blind says so."""
    pair = begun()
    pair.ask("a", limit(BUY, "0.1", "999"))
    heard_ns, pair.silent = pair.now, {"BTC"}
    pair.wait(2.5)
    lost = pair.lines("fsm_transition")[-1]

    assert ("DEGRADED", ["REFERENCE_LOST:BTC"]) == (lost["to_state"], lost["reasons"])
    assert 2 * SECOND < lost["ts"] - heard_ns <= 2 * SECOND + 250 * MS
    assert [("max_reference_lag_s", "BTC", True)] == pair.trips()
    assert 2 < float(pair.lines("breaker")[-1]["reading"]) <= 2.26
    assert [] == pair.live
    pair.wait(20)
    assert "DEGRADED" == pair.state
    pair.silent = set()
    pair.wait(5.6)
    assert "ACTIVE" == pair.state
    assert [True, False] == [is_tripped for *_, is_tripped in pair.trips()]


def test_a_line_that_is_down_too_long_is_a_doubt_of_its_own() -> None:
    """Also where quotes may be rare; the line's return ends it."""
    pair = begun(limits={"max_reference_lag_s": 30.0})
    pair.line(is_up=False)
    pair.wait(5)
    pair.line(is_up=False, name="there.public")
    pair.wait(4)
    assert "ACTIVE" == pair.state
    pair.wait(1.5)
    assert "DEGRADED" == pair.state
    assert [("max_reference_down_s", "BTC", True)] == pair.trips()
    assert 10 < float(pair.lines("breaker")[-1]["reading"]) <= 10.26
    pair.line(is_up=True)
    pair.wait(6)
    assert "DEGRADED" == pair.state, "the other line is still down"
    pair.line(is_up=True, name="there.public")
    pair.wait(5.6)
    assert "ACTIVE" == pair.state


def test_lines_of_a_reference_have_a_bound() -> None:
    """However many names a journal gives them."""
    pair = begun()
    for number in range(2 * LINES_MAX):
        pair.line(is_up=False, name=f"there.{number}")

    assert LINES_MAX == len(pair.kernel.reference.state.down)


def test_a_lost_reference_that_comes_back_elsewhere_is_a_depeg() -> None:
    """What was fair before is remembered."""
    pair = begun()
    pair.silent = {"BTC"}
    pair.wait(3)
    pair.silent = set()
    pair.jump(90)
    pair.wait(10)

    assert ["BASIS_DEPEG:BTC"] == list(pair.open_reasons())


def test_trading_waits_for_the_reference_but_not_for_ever() -> None:
    """It begins with its first quote; or later, with the doubt from the first instant on."""
    pair = Pair(Scripted("a"))
    pair.silent = {"BTC"}
    pair.quote()
    pair.wait(1.5)
    waiting = pair.state
    pair.silent = set()
    pair.wait(0.5)
    assert ("INIT", "ACTIVE") == (waiting, pair.state)

    blind = Pair(Scripted("a", always=limit(BUY, "0.1", "999")))
    blind.silent = {"BTC"}
    blind.quote()
    blind.wait(3)
    assert ["READY", "ACTIVE", "DEGRADED"] == blind.states()
    began, lost = blind.lines("fsm_transition")[-2:]
    assert began["ts"] == lost["ts"]
    assert [] == blind.lines("order_submitted")


def test_nothing_is_sent_unseen_where_our_own_market_comes_late() -> None:
    """The doubt stands with the first instant of trading, before any agent is asked."""
    pair = Pair(Scripted("a", always=limit(BUY, "0.1", "999")))
    pair.silent = {"BTC"}
    pair.wait(5, quotes=False)
    pair.quote()
    began, lost = pair.lines("fsm_transition")[-2:]

    assert ["READY", "ACTIVE", "DEGRADED"] == pair.states()
    assert began["ts"] == lost["ts"] == pair.now
    assert [] == pair.lines("order_submitted")


def test_a_restart_may_judge_quotes_by_other_rules() -> None:
    """Thresholds are those of now, what was seen is kept: as with our own market."""
    pair = begun()
    pair.config = replace(pair.config, market=MarketConfig(max_jump_bps=10.0))
    pair.restart()
    pair.jump(100)
    pair.tell_there()
    assert "ACTIVE" == pair.state, "out of band, to be confirmed"
    for _ in range(4):
        pair.tell_there()
    assert "DEGRADED" == pair.state


@pytest.mark.parametrize(
    "spoil",
    [
        (10_101, 10_100, 5, "crossed"),
        (10_100, 10_101, 0, "non_positive"),
        (13_000, 13_001, 5, "out_of_band"),
    ],
    ids=lambda spoil: spoil[-1],
)
def test_a_bad_quote_of_the_reference_says_nothing(spoil: tuple[int, int, int, str]) -> None:
    """It is filtered as strictly as our own, and counted."""
    pair = begun()
    bid, ask, lots, flaw = spoil
    pair.turn.input(ReferenceQuote(pair.now, "BTC", bid, lots, ask, lots))
    pair.turn.input(ReferenceQuote(pair.now, "NONE", 1, 1, 2, 1))
    pair.wait(0.25, quotes=False)

    assert ("ACTIVE", []) == (pair.state, pair.trips())
    assert {flaw: 1, "unknown_symbol": 1} == pair.kernel.market.refusals()


def test_a_line_that_comes_back_may_count_anew() -> None:
    """Its quotes are heard again, whatever numbers they had."""
    pair = begun()
    pair.silent = {"BTC"}
    pair.tell_there(seq=900)
    pair.line(is_up=False)
    pair.line(is_up=True)
    pair.jump(100)
    pair.tell_there(seq=1)

    assert "DEGRADED" == pair.state


def test_a_person_accepts_a_level_that_lasts() -> None:
    """Their resume makes it the fair one; after the backoff trading goes on."""
    pair = begun()
    pair.jump(100)
    pair.wait(20)
    pair.tell(Operator.RESUME)
    told = [line["message"] for line in pair.lines("alert") if line["kind"] == "basis_accepted"]
    pair.wait(5.5)

    assert [
        "BTC: a basis of -99.00 bps is fair from now on, a person resumed; before it was 0.00"
    ] == told
    assert "ACTIVE" == pair.state
    pair.jump(0)
    pair.quote()
    assert "DEGRADED" == pair.state


def test_a_resume_does_not_give_sight_back() -> None:
    """Nothing is accepted that can't be seen."""
    pair = begun()
    pair.jump(100)
    pair.quote()
    pair.silent = {"BTC"}
    pair.wait(3)
    pair.tell(Operator.RESUME)
    pair.wait(10)

    assert ["BASIS_DEPEG:BTC", "REFERENCE_LOST:BTC"] == list(pair.open_reasons())


def test_our_own_silence_is_no_reading() -> None:
    """An old price of ours neither trips nor clears."""
    pair = begun()
    pair.jump(100)
    for _ in range(16):
        pair.wait(0.25, quotes=False)
        pair.tell_there()
    assert [("max_basis_deviation_bps", "BTC", True)] == pair.trips()
    pair.jump(0)
    pair.tell_there()
    assert 1 == len(pair.trips())
    pair.quote()
    assert [True, False] == [is_tripped for *_, is_tripped in pair.trips()]


def test_without_a_limit_nothing_is_watched() -> None:
    """`none` switches the breaker off, its silence too."""
    pair = begun(limits={"max_basis_deviation_bps": None})
    pair.jump(400)
    pair.wait(1)
    pair.silent = {"BTC"}
    pair.wait(20)

    assert ("ACTIVE", (), []) == (
        pair.state,
        pair.kernel.reference.readings(pair.now),
        pair.trips(),
    )
    assert {} == pair.kernel.market.refusals()


def test_the_reference_is_no_market() -> None:
    """No view, mark, fill or agent sees it, and no message of it counts as one of ours."""
    pair = begun()
    pair.ask("a", market(BUY, "0.2"))
    before = pair.kernel.market.snapshot()
    equity, agent = pair.kernel.portfolio.equity, pair.agents["a"]
    calls = agent.state.calls  # type: ignore[attr-defined]
    pair.jump(50)
    for _ in range(20):
        pair.tell_there()

    assert (before, equity, calls) == (
        pair.kernel.market.snapshot(),
        pair.kernel.portfolio.equity,
        agent.state.calls,  # type: ignore[attr-defined]
    )


ALWAYS = limit(BUY, "0.1", "999")


def disagreement(pair: Pair, between: Callable[[], None] = lambda: None) -> Pair:
    """Everything that can happen to a reference, with something done between its steps."""
    steps: list[Callable[[], object]] = [
        lambda: pair.jump(20), lambda: pair.wait(2),
        lambda: pair.jump(120), pair.quote,
        lambda: pair.line(is_up=False),
        lambda: pair.silent.add("BTC"), lambda: pair.wait(4),
        pair.silent.clear, lambda: pair.line(is_up=True), pair.quote,
        lambda: pair.jump(20), lambda: pair.wait(7),
        lambda: pair.jump(130), lambda: pair.wait(1),
        lambda: pair.tell(Operator.RESUME), lambda: pair.wait(6),
    ]  # fmt: skip
    for step in steps:
        step()
        between()
    return pair


def test_a_restart_between_any_two_steps_changes_nothing() -> None:
    """What was fair, what is apart, what is lost and since when: all of it is in a checkpoint."""
    straight = disagreement(begun(always=ALWAYS))
    restarted = begun(always=ALWAYS)
    disagreement(restarted, restarted.restart)

    assert straight.journal.lines == restarted.journal.lines
    assert snapshot(straight.kernel) == snapshot(restarted.kernel)


def test_the_journal_alone_makes_the_same_decisions() -> None:
    """Quotes and lines of the reference are inputs like all others."""
    lines = disagreement(begun(always=ALWAYS)).journal.lines
    fresh = Pair(Scripted("a", always=ALWAYS)).kernel
    pairs = list(replayed(lines, fresh))

    assert [] == [pair for pair in pairs if pair[0] != pair[1]]
    names = [recorded.name for recorded, _ in pairs]
    assert 6 == names.count("breaker")
    blind = Rig(Scripted("a", always=ALWAYS), limits=LIMITS, priced=False).kernel
    with pytest.raises((AssertionError, IndexError)):
        assert all(ours == theirs for ours, theirs in replayed(lines, blind))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("there"), st.integers(-150, 150)),
        st.tuples(st.just("here"), st.integers(-150, 150)),
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.just("silent"), st.booleans()),
        st.tuples(st.just("line"), st.booleans()),
        st.tuples(st.just("resume"), st.none()),
        st.tuples(st.just("restart"), st.none()),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whoever_reads_the_journal_alone_would_have_forbidden_the_same(steps: list[Any]) -> None:
    """No order is sent that a second reader forbids, and none withheld that they would allow."""
    pair = begun(
        always=limit(BUY, "0.1", "980"), limits={"max_price_deviation_bps": None, "max_spread_bps": None},
        market=MarketConfig(max_jump_bps=5_000.0),
    )  # fmt: skip
    acts: dict[str, Callable[[Any], object]] = {
        "there": pair.jump,
        "here": lambda bps: pair.quote("BTC", 10_000 + bps, 10_001 + bps),
        "wait": lambda quarters: pair.wait(quarters / 4),
        "silent": lambda yes: pair.silent.update({"BTC"}) if yes else pair.silent.clear(),
        "line": lambda up: pair.line(is_up=up),
        "resume": lambda _: pair.tell(Operator.RESUME),
        "restart": lambda _: pair.restart(),
    }
    watcher, read = Watcher((0.1, 0.1), {}), 0
    for name, how in [*steps, ("wait", 1)]:
        acts[name](how)
        watcher.read(map(json.loads, pair.journal.lines[read:]))
        read = len(pair.journal.lines)

        assert [] == watcher.looked_away
        assert bool(watcher.doubts) is bool(pair.open_reasons())
    assert watcher.may_open(watcher.beat_ns) is (pair.state == "ACTIVE")
