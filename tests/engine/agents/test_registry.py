"""Agents by name: built in, installed, or unknown."""

import subprocess
import sys

import pytest
from pydantic import TypeAdapter

from engine.agents import registry
from engine.agents.contract import BaseAgent
from engine.agents.quoter import Quoter
from engine.agents.trend import Trend
from engine.model.errors import UsageError
from laptop_agents.field_docs import field_docs


class Plugin(BaseAgent):
    name = "plugin"


def find_plugin(name: str) -> type | None:
    return {"plugin": Plugin, "trend": Plugin, "alias": Plugin}.get(name)


def test_built_ins_are_found_by_file_name() -> None:
    """Each file with an AGENT is an agent, the other files of the room are not."""
    names = registry.names()

    assert {"trend", "quoter"} <= set(names)
    assert not {"contract", "desk", "registry", "supervisor"} & set(names)
    assert (Trend, Quoter) == (registry.find("trend"), registry.find("quoter"))


@pytest.mark.parametrize("name", registry.names())
def test_every_built_in_keeps_the_contract(name: str) -> None:
    """Defaults for all settings, each described, unknown ones refused, a state, and a purpose."""
    found = registry.find(name)
    adapter = TypeAdapter(found.Params)
    agent = found(adapter.validate_python({}))

    assert isinstance(agent.state, found.State)
    assert found.__doc__
    assert adapter.json_schema()["properties"].keys() == field_docs(found.Params).keys()
    with pytest.raises(ValueError, match="colour"):
        adapter.validate_python({"colour": "red"})


def test_plugins_come_second() -> None:
    """A plugin is asked for only when no file has the name."""
    assert registry.find("plugin", find_plugin) is Plugin
    assert registry.find("trend", find_plugin) is Trend


UNKNOWN = [
    ("tend", "did you mean trend"),
    ("desk", "unknown agent 'desk'"),
    ("zzzz", "known: .*quoter, .*trend"),
    ("Trend", "did you mean trend"),
    ("", "unknown agent"),
    ("../trend", "unknown agent"),
    ("trend.os", "unknown agent"),
    ("os", "unknown agent"),
    ("a" * 99, "unknown agent"),
]


@pytest.mark.parametrize(("name", "words"), UNKNOWN)
def test_unknown_names(name: str, words: str) -> None:
    """The nearest name is offered; nothing outside the folder is ever imported."""
    with pytest.raises(UsageError, match=words):
        registry.find(name, find_plugin)


@pytest.mark.parametrize("name", ["operator", "house"])
def test_no_agent_trades_in_a_persons_name(name: str) -> None:
    """Nor in the house's: both own positions in the same books."""
    impostor = type("Impostor", (Plugin,), {"name": name})

    with pytest.raises(UsageError, match=f"unknown agent '{name}'"):
        registry.find(name, lambda _: impostor)


def test_an_agent_answers_to_its_own_name() -> None:
    """Intent ids begin with the name, so it can't be another one than was asked for."""
    with pytest.raises(UsageError, match="calls itself 'plugin'"):
        registry.find("alias", find_plugin)


def test_agents_are_loaded_when_asked_for() -> None:
    """Naming one agent imports no other."""
    code = (
        "import sys; from engine.agents import registry; registry.find('trend');"
        "assert 'engine.agents.quoter' not in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_group_is_the_documented_one() -> None:
    """Whoever reads the machine asks for this group."""
    assert registry.GROUP == "laptop_agents.agents"
