"""Agents under watch answer as before, and some answers are timed."""

from engine.agents.contract import BaseAgent
from engine.session.agent_meter import SAMPLE, AgentMeter
from tests.engine.kernel.rig import Rig, Scripted, Side, limit


def test_watched_agents_decide_the_same() -> None:
    """The journal of a session with a watcher is that of one without, byte for byte."""
    journals = []
    for is_watched in (False, True):
        agent = Scripted("a", always=limit(Side.BUY, "0.01", "999.0"), timer_s=0.5)
        meter = AgentMeter([agent] if is_watched else [])
        rig = Rig(agent)
        rig.wait(2)
        journals.append(rig.journal.lines)
        assert is_watched is (meter.p99_us("a") is not None)

    assert journals[0] == journals[1]


def test_one_answer_in_so_many() -> None:
    """The first, and then every `SAMPLE`th of each kind of call."""
    agent = Scripted("a")
    meter = AgentMeter([agent])
    rig = Rig(agent, priced=False)
    counts = []
    for _ in range(2 * SAMPLE + 1):
        rig.quote()
        counts.append(meter._histograms["a"]._n)

    assert [1] * SAMPLE + [2] * SAMPLE + [3] == counts
    p99 = meter.p99_us("a")
    assert p99 is not None
    assert 0 < p99 < 1e6


def test_unwatched() -> None:
    """Before its first answer, or where an agent has no room for a watcher: unknown, not zero."""

    class Slotted(BaseAgent):
        __slots__ = ()
        name = "slotted"

    class Bare:
        __slots__ = ("state",)
        name = "bare"

    meter = AgentMeter([Slotted(None), Bare()])  # type: ignore[list-item]

    assert (None, None, None) == (meter.p99_us("slotted"), meter.p99_us("bare"), meter.p99_us("?"))


def test_what_an_agent_raises_passes() -> None:
    """Quarantine is the roster's business."""

    class Broken(Scripted):
        def on_quote(self, desk: object) -> object:
            raise ZeroDivisionError("ours")

    agent = Broken("a")
    AgentMeter([agent])
    rig = Rig(agent)

    assert {"a": "ZeroDivisionError: ours"} == rig.kernel.roster.quarantined
