"""How long agents think: times some of their answers, from outside.

The kernel has no clock. What is measured here is shown to people and decides nothing, so a replay
without it makes the same decisions.
"""

from collections.abc import Callable, Iterable, Sequence
from time import perf_counter_ns
from typing import Final

from engine.agents.contract import Agent
from engine.model.orders import Intent
from engine.reports.latency import LatencyHistogram

SAMPLE: Final = 8
"""One answer in so many is timed: the others cost a counter. The p99 of the 1,000 answers that a
quiet minute brings still rests on more than a hundred."""
CALLS: Final = ("on_quote", "on_trade", "on_bar", "on_timer", "on_fill")
SHARE: Final = 0.99

Answer = Callable[..., Sequence[Intent]]


class AgentMeter:
    """A histogram for each agent that lets itself be watched."""

    def __init__(self, agents: Iterable[Agent]) -> None:
        """Begin to watch; before a roster asks the agents for their methods."""
        self._histograms: dict[str, LatencyHistogram] = {}
        for agent in agents:
            if hasattr(agent, "__dict__"):  # one with slots alone has no room for a watcher
                self._watch(agent)

    def _watch(self, agent: Agent) -> None:
        histogram = self._histograms[agent.name] = LatencyHistogram()
        for call in CALLS:
            setattr(agent, call, _timed(getattr(agent, call), histogram))

    def p99_us(self, agent: str) -> float | None:
        """Return what 99 of 100 answers do not exceed; None before the first, or unwatched."""
        histogram = self._histograms.get(agent)
        return None if histogram is None else histogram.quantile(SHARE)


def _timed(answer: Answer, histogram: LatencyHistogram) -> Answer:
    left = 1

    def ask(*event: object) -> Sequence[Intent]:
        nonlocal left
        left -= 1
        if left:
            return answer(*event)
        left = SAMPLE
        began_ns = perf_counter_ns()
        wishes = answer(*event)
        histogram.record((perf_counter_ns() - began_ns) / 1_000)
        return wishes

    return ask
