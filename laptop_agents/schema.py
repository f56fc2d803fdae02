"""The JSON schema of a profile, so that an editor completes and explains settings.

It is read off the same classes that validate; descriptions are the strings under the fields.
"""

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaValue

from laptop_agents.agent_shelf import find_agent, shelf
from laptop_agents.field_docs import describe
from laptop_agents.settings import AgentsConfig, Settings, sections

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def profile_schema() -> dict[str, Any]:
    """Return the schema of one profile file, the settings of installed agents included."""
    schema = Settings.model_json_schema()
    describe(schema, (Settings, AgentsConfig, *sections().values()))
    # The choice of the profile is made outside of it.
    schema["properties"].pop("profile")
    definitions = schema["$defs"]
    agents = definitions["AgentsConfig"]
    agents["properties"].pop("params")
    for name in shelf():
        params = agent_schema(name)
        definitions |= params.pop("$defs", {})
        agents["properties"][name] = params
    return {"$schema": DRAFT, **schema, "title": "laptop-agents profile"}


def agent_schema(name: str) -> JsonSchemaValue:
    """Return the schema of one agent's parameters."""
    params = find_agent(name).Params
    adapter: TypeAdapter[Any] = TypeAdapter(params)
    schema = adapter.json_schema()
    describe(schema, (params,))
    return schema
