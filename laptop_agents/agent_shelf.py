"""Every agent that can run here: the built-in ones, then installed plugins.

A plugin is a package with an entry point in the group `laptop_agents.agents`. It is trusted code:
it runs in our process (architecture.md, section 8 of reliability.md).
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from engine.agents import registry
from engine.agents.registry import AgentClass
from engine.model.errors import UsageError


@cache
def shelf() -> Mapping[str, AgentClass]:
    """Return name to class; a plugin never replaces a built-in agent.

    Raises:
        UsageError: A plugin is installed but can't be used.
    """
    agents = {name: registry.find(name) for name in registry.names()}
    plugins = {point.name: point for point in entry_points(group=registry.GROUP)}
    for name in sorted(plugins.keys() - agents.keys()):
        agents[name] = registry.find(name, lambda name: _load(plugins[name]))
    return MappingProxyType(agents)


def find_agent(name: str) -> AgentClass:
    """Return the class of an agent whose name the settings have accepted."""
    return shelf()[name]


def _load(point: EntryPoint) -> AgentClass:
    try:
        found: AgentClass = point.load()
    except Exception as error:  # whatever a stranger's module raises on import
        raise UsageError(
            f"the plugin of agent {point.name} can't be loaded ({type(error).__name__}):"
            f" repair or uninstall {point.value.partition(':')[0]}"
        ) from error
    return found
