"""Bars of before a session: agents know them, and none is asked to trade on one."""

from collections.abc import Sequence
from typing import Any

import pytest

from engine.agents.trend import Trend, TrendParams
from engine.model.market import Bar, BarHistory
from engine.model.orders import Intent
from tests.engine.kernel.replaying import as_input, parsed
from tests.engine.kernel.rig import START, Rig

MINUTE_NS = 60 * 10**9
FAST = TrendParams(bar_interval_s=60, fast=2, slow=4, atr_window=3)


class Watched(Trend):
    """Keeps which bars it was asked about."""

    def __init__(self, params: TrendParams) -> None:
        super().__init__(params)
        self.asked: list[int] = []

    def on_bar(self, desk: Any, bar: Bar) -> Sequence[Intent]:
        self.asked.append(bar.open_ns)
        return super().on_bar(desk, bar)


def history(*closes: int) -> BarHistory:
    """Minutes up to the one that is open at the start."""
    first_ns = START // MINUTE_NS * MINUTE_NS - len(closes) * MINUTE_NS
    opens = [first_ns + number * MINUTE_NS for number in range(len(closes))]
    bars = tuple(
        Bar(at + MINUTE_NS, "BTC", 60, at, close, close + 3, close - 3, close, 10)
        for at, close in zip(opens, closes, strict=True)
    )
    return BarHistory(START, "BTC", 60, bars)


CROSSING = history(*range(10_100, 10_000, -10), *range(10_000, 10_120, 20))
"""Down and up again: the averages cross in it."""


def test_an_agent_is_warm_and_was_asked_nothing() -> None:
    """The cross of the past is no signal: the first bar of its own shows where it stands."""
    agent = Watched(FAST)
    rig = Rig(agent, priced=False)
    rig.turn.input(CROSSING)
    assert ([], {}) == (agent.asked, agent.state.symbols)
    assert all(rig.kernel.market.views["BTC"].feature(one) for one in agent.needs.features)
    assert "INIT" == rig.state

    rig.quote(bid=10_110)
    rig.wait(70)

    start_ns = START // MINUTE_NS * MINUTE_NS
    assert [start_ns, start_ns + MINUTE_NS][: len(agent.asked)] == agent.asked
    assert agent.state.symbols["BTC"].is_above is True, "warm with its first bar"
    assert [] == rig.lines("order_submitted")


def test_without_history_the_first_bar_tells_it_nothing() -> None:
    """What the history is good for."""
    agent = Watched(FAST)
    rig = Rig(agent)
    rig.wait(70)
    assert agent.asked
    assert {} == agent.state.symbols


def test_one_that_could_not_be_had_is_an_alert() -> None:
    """Once, and the session goes on."""
    rig = Rig(Watched(FAST), priced=False)
    rig.turn.input(BarHistory(START, "", 0, (), "HTTP 503"))
    rig.quote()
    (alert,) = rig.lines("alert")
    assert ("history_failed", "warning") == (alert["kind"], alert["severity"])
    assert "HTTP 503" in alert["message"]
    assert "ACTIVE" == rig.state


@pytest.mark.parametrize("told", [CROSSING, BarHistory(START, "", 0, (), "late")])
def test_a_journal_gives_the_same_again(told: BarHistory) -> None:
    """The line holds all of it."""
    rig = Rig(Watched(FAST), priced=False)
    rig.turn.input(told)
    (line,) = [one for one in map(parsed, rig.journal.lines) if one.name == "bar_history"]
    assert told == as_input(line)
