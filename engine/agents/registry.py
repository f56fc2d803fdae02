"""Agents by name. Adding one is a file: `engine/agents/<name>.py` with `AGENT = ItsClass`.

A name that is no such file is looked up among installed plugins (entry point group
`laptop_agents.agents`) by a function the caller passes in, so that nothing here reads the machine.
Modules are imported when asked for, never before: a session pays for the agents it runs.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any, Final, Protocol

import engine.agents
from engine.agents.contract import Agent
from engine.model.errors import UsageError
from engine.model.operators import OPERATOR
from engine.portfolio.portfolio import HOUSE

GROUP: Final = "laptop_agents.agents"
"""Entry point group under which a plugin names its class."""


class AgentClass(Protocol):
    """An agent's class, as whoever builds agents needs it."""

    name: str
    Params: type[Any]
    State: type[Any]

    def __call__(self, params: Any) -> Agent:  # noqa: ANN401 the agent's own Params
        """Make the agent, with nothing remembered."""
        ...


FindPlugin = Callable[[str], AgentClass | None]
"""Loads the plugin of that name, None if there is none."""

RESERVED: Final = frozenset({HOUSE, OPERATOR})
"""Owners in the books that are no agents."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""A module name, a settings key and the head of an intent id: nothing that needs quoting."""


def find(name: str, find_plugin: FindPlugin | None = None) -> AgentClass:
    """Return the class of an agent, a built-in one before a plugin of the same name.

    Raises:
        UsageError: No agent has this name, or what answers to it is none.

    """
    found = None
    if _NAME.fullmatch(name) and name not in RESERVED:
        found = _built_in(name) or (find_plugin(name) if find_plugin else None)
    if found is None:
        known = names()
        nearest = get_close_matches(name, known, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known: {', '.join(known)}"
        raise UsageError(f"unknown agent {name!r}; {hint}")
    if getattr(found, "name", None) != name:
        raise UsageError(f"agent {name!r} calls itself {getattr(found, 'name', None)!r}")
    return found


def names() -> tuple[str, ...]:
    """Return the names of all built-in agents, sorted; imports every file of the folder."""
    modules = sorted(module.name for module in iter_modules(engine.agents.__path__))
    return tuple(name for name in modules if _built_in(name) is not None)


def _built_in(name: str) -> AgentClass | None:
    path = f"{engine.agents.__name__}.{name}"
    if find_spec(path) is None:
        return None
    found: AgentClass | None = getattr(import_module(path), "AGENT", None)
    return found
