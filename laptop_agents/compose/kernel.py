"""What decides: the agents with their parameters, and the core they work in."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from brokers.paper.venue import CAPABILITIES
from engine.agents.contract import Agent
from engine.kernel import Kernel, KernelConfig
from engine.model.instrument import Instrument
from engine.venue import Capabilities
from laptop_agents.agent_shelf import find_agent

if TYPE_CHECKING:
    from laptop_agents.settings import Settings


def make_agents(settings: "Settings") -> list[Agent]:
    """Build every enabled agent with its validated parameters."""
    params = settings.agents.params
    return [find_agent(name)(params[name]) for name in settings.agents.enabled]


def bar_lengths(agents: Sequence[Agent]) -> Sequence[int]:
    """Return the lengths of the bars that agents and their features read, in seconds."""
    read = {length for agent in agents for length in agent.needs.bar_intervals_s}
    read |= {spec.interval_s for agent in agents for spec in agent.needs.features}
    return sorted(read - {0})


def make_kernel(
    settings: "Settings",
    instruments: Sequence[Instrument],
    agents: Sequence[Agent] | None = None,
    *,
    venue: Capabilities | None = None,
    references: Mapping[str, Instrument] | None = None,
) -> Kernel:
    """Build the decision core; nothing in it knows the mode or the source.

    Args:
        agents: Those somebody watches; None makes them anew.
        venue: What a real one can do; None simulates one.
        references: What each instrument is held against; None holds it against nothing.
    """
    session, enabled = settings.session, settings.agents.enabled
    config = KernelConfig(
        limits=settings.risk,
        market=settings.market,
        router=settings.router,
        sync=settings.sync,
        starting_balance=session.starting_balance,
        policy=session.policy,
        priorities={name: len(enabled) - place for place, name in enumerate(enabled)},
        flatten_on_stop=session.flatten_on_stop,
        holds_emergency=session.on_emergency == "hold",
        asserts_identity=session.debug,
    )
    chosen = make_agents(settings) if agents is None else agents
    return Kernel(config, instruments, chosen, venue or CAPABILITIES, references)
