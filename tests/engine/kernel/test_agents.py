"""What an agent can do to the others: nothing (reliability.md F1)."""

import asyncio
import itertools
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.model.events import INPUT_TYPES, Operator
from tests.engine.kernel.rig import (
    BUY,
    SELL,
    D,
    Rig,
    Scripted,
    decisions,
    limit,
    market,
)


def _raise(error: BaseException) -> Any:
    def wish(desk: Any) -> Any:
        raise error

    return wish


async def _later() -> list[Any]:
    return []


def _changed(**changes: Any) -> Any:
    return lambda desk: [replace(limit(BUY, "0.1", "999")(desk)[0], **changes)]


class _Weird:
    def __bool__(self) -> bool:
        raise OSError("no")


MISDEEDS = {
    "raises": _raise(ValueError("boom")),
    "recursion": _raise(RecursionError("deep")),
    "assertion": _raise(AssertionError()),
    "system exit": _raise(SystemExit(3)),
    "cancelled": _raise(asyncio.CancelledError()),
    "a string": lambda desk: "BUY 1",
    "a number": lambda desk: 42,
    "a dict": lambda desk: {"side": "BUY"},
    "a generator": lambda desk: (i for i in [1]),
    "a coroutine": lambda desk: _later(),
    "no truth": lambda desk: _Weird(),
    "none inside": lambda desk: [None],
    "a NaN": _changed(qty=Decimal("NaN")),
    "an infinity": _changed(qty=Decimal("Infinity")),
    "a float": _changed(qty=0.1),
    "negative": _changed(qty=D("-0.1")),
    "no price": _changed(price=None),
    "NaN price": _changed(price=Decimal("NaN")),
    "another symbol": _changed(symbol="ETH"),
    "no symbol": _changed(symbol="XXX"),
    "another agent": _changed(agent="good"),
    "the house": _changed(agent="house", intent_id="house-1"),
    "another's id": _changed(intent_id="good-1"),
    "a word for a side": _changed(side="BUY "),
    "a million": lambda desk: limit(BUY, "0.1", "999")(desk) * 1_000_000,
}


@pytest.mark.parametrize("misdeed", MISDEEDS.values(), ids=MISDEEDS)
def test_a_bad_agent_is_quarantined_alone(misdeed: Any) -> None:
    """Its orders go, the other's stay, it is never asked again, and it is on record."""
    bad, good = Scripted("bad"), Scripted("good")
    rig = Rig(bad, good, symbols=("BTC", "ETH"))
    rig.ask("bad", limit(BUY, "0.1", "998"))
    rig.ask("good", limit(BUY, "0.1", "999"))
    rig.ask("bad", misdeed)
    calls = bad.state.calls
    rig.ask("good", limit(BUY, "0.1", "997", "other"))
    rig.wait(1)

    assert ["bad"] == list(rig.kernel.roster.quarantined)
    assert calls == bad.state.calls
    assert ["good-1", "good-2"] == rig.live
    assert [("agent_quarantined", "bad")] == [(e["kind"], e["scope"]) for e in rig.lines("error")]
    assert ["agent_quarantined"] == [a["kind"] for a in rig.lines("alert")]
    assert "ACTIVE" == rig.state


@pytest.mark.parametrize("call", ["on_trade", "on_timer", "on_fill", "on_bar"])
def test_every_call_is_guarded(call: str) -> None:
    """Not only quotes."""
    bad, good = (
        Scripted(name, trades=True, timer_s=1.0, bar_intervals_s=(1,)) for name in ("bad", "good")
    )
    setattr(bad, call, _raise_any)
    rig = Rig(bad, good)
    rig.ask("bad", limit(SELL, "0.1", "1001"))
    rig.ask("bad", market(BUY, "0.1"))
    rig.trade(BUY, 10_001, 5)
    rig.wait(2)
    rig.ask("good", limit(BUY, "0.1", "999"))

    assert ["bad"] == list(rig.kernel.roster.quarantined)
    assert ["good-1"] == rig.live
    assert "ACTIVE" == rig.state


def _raise_any(*_: Any) -> Any:
    raise KeyError("x")


def test_the_detail_is_bounded() -> None:
    """What an agent says about itself can't fill the journal."""
    rig = Rig(Scripted("bad"))
    rig.ask("bad", _raise(ValueError("x" * 1_000_000)))

    assert 2_000 > max(len(line) for line in rig.journal.lines)


def test_a_quarantined_agents_position_is_closed_at_the_end() -> None:
    """What it held is still the session's to close."""
    rig = Rig(Scripted("bad"), Scripted("good"))
    rig.ask("bad", market(BUY, "0.3"))
    rig.ask("bad", _raise(ValueError()))
    rig.tell(Operator.DURATION_ELAPSED)
    rig.wait(1)

    assert (D(0), D(0), True) == (rig.net(), rig.own("bad"), rig.kernel.is_settled)


def test_a_parked_wish_dies_with_its_agent() -> None:
    """What the throttle holds back is not sent after the quarantine."""
    rig = Rig(Scripted("bad"), limits={"max_orders_per_minute": 1, "throttle_wait_ms": 120_000})
    rig.ask("bad", limit(BUY, "0.1", "999", "one"))
    rig.ask("bad", limit(BUY, "0.1", "998", "two"))
    rig.ask("bad", _raise(ValueError()))
    rig.wait(61)

    assert [] == rig.live
    assert ["bad-1"] == [o["order_id"] for o in rig.lines("order_submitted")]


def test_a_replacement_dies_with_its_agent() -> None:
    """An order whose predecessor is still being canceled is not placed after the quarantine."""
    rig = Rig(Scripted("bad"), by_hand=True)
    rig.ask("bad", limit(BUY, "0.1", "999"))
    rig.accept("bad-1")
    rig.ask("bad", limit(BUY, "0.1", "993"))
    rig.ask("bad", _raise(ValueError()))
    rig.confirm_cancel("bad-1")

    assert ["bad-1"] == rig.venue.placed()


@pytest.mark.parametrize("parked", [False, True], ids=["replacement", "throttled"])
def test_a_paused_agent_places_nothing_more(parked: bool) -> None:
    """PAUSE_AGENT takes back what it has, what waits for a cancel and what waits for a token."""
    limits = {"max_orders_per_minute": 1, "throttle_wait_ms": 120_000} if parked else {}
    rig = Rig(Scripted("a"), by_hand=True, limits=limits)
    rig.ask("a", limit(BUY, "0.1", "999"))
    rig.accept("a-1")
    rig.ask("a", limit(BUY, "0.1", "998", "two") if parked else limit(BUY, "0.1", "993"))
    rig.tell(Operator.PAUSE_AGENT, argument="a")
    rig.confirm_cancel("a-1")
    rig.wait(61)

    assert ["a-1"] == rig.venue.canceled()
    assert ["a-1"] == rig.venue.placed()


def test_pause_and_resume_of_an_agent() -> None:
    """It is not asked while paused; the other is; afterwards both are."""
    one, two = Scripted("one"), Scripted("two")
    rig = Rig(one, two)
    rig.ask("one", limit(BUY, "0.1", "999"))
    rig.ask("two", limit(BUY, "0.1", "998"))
    rig.tell(Operator.PAUSE_AGENT, argument="one")
    live, calls = rig.live, (one.state.calls, two.state.calls)
    rig.quote()
    during = (one.state.calls, two.state.calls)
    rig.tell(Operator.RESUME_AGENT, argument="one")
    rig.ask("one", limit(BUY, "0.1", "999"))

    assert ["two-1"] == live
    assert (calls[0], calls[1] + 1) == during
    assert ["two-1", "one-2"] == rig.live


def test_pausing_a_stranger_changes_nothing() -> None:
    """A name nobody has is no reason to fail."""
    rig = Rig(Scripted("a"))
    rig.tell(Operator.PAUSE_AGENT, argument="nobody")
    rig.tell(Operator.RESUME_AGENT, argument="nobody")

    assert "ACTIVE" == rig.state


@pytest.mark.parametrize("policy", ["net", "priority"])
def test_registration_order_does_not_matter(policy: str) -> None:
    """The same agents in any order write the same decisions, byte for byte."""
    seen = set()
    for order in itertools.permutations("abc"):
        agents = {name: Scripted(name) for name in order}
        rig = Rig(*agents.values(), policy=policy, priorities={"a": 1, "b": 3, "c": 2})
        for round_ in range(3):
            agents["a"].next.append(("BTC", market(BUY, "0.3", f"m{round_}")))
            agents["b"].next.append(("BTC", market(SELL, f"0.{round_ + 1}", f"m{round_}")))
            agents["c"].next.append(("BTC", limit(BUY, "0.1", f"99{round_}")))
            rig.quote()
        rig.tell(Operator.DURATION_ELAPSED)
        rig.wait(1)
        seen.add(tuple(decisions(rig.journal.lines, INPUT_TYPES)))

    assert 1 == len(seen)
    assert "meta_decision" in {name for name, _ in next(iter(seen))}


def test_agent_timers_keep_their_grid() -> None:
    """Called once a second of event time, on the grid, once for each symbol."""
    agent = Scripted("a", timer_s=1.0)
    rig = Rig(agent, symbols=("BTC", "ETH"))
    rig.wait(0.5)
    agent.state.timers.clear()
    rig.wait(5)

    assert 10 == len(agent.state.timers)
    assert {0} == {at % 1_000_000_000 for at in agent.state.timers}
