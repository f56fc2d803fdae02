"""`laptop-agents agents list|describe`; the verbs about a running session are passed on."""

import argparse
import inspect
import json
import sys
from typing import Any

import msgspec

from engine.model.errors import UsageError
from laptop_agents.agent_shelf import find_agent, shelf
from laptop_agents.schema import agent_schema
from laptop_agents.sources import unknown_agent


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    if arguments.verb in ("pause", "resume", "weight"):
        from laptop_agents import control_command  # noqa: PLC0415 - for a running session only

        return control_command.run(arguments)
    text = _list(arguments) if arguments.verb == "list" else _describe(arguments)
    sys.stdout.write(text + "\n")
    return 0


def _list(arguments: argparse.Namespace) -> str:
    rows = {name: _purpose(name).partition("\n")[0] for name in shelf()}
    if arguments.json:
        return json.dumps([{"name": n, "summary": s} for n, s in rows.items()], indent=2)
    width = max(map(len, rows), default=0)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows.items())


def _describe(arguments: argparse.Namespace) -> str:
    name = arguments.name
    if name not in shelf():
        raise UsageError(unknown_agent(name, tuple(shelf())))
    settings = [
        {"name": f"agents.{name}.{field}", **_row(spec)}
        for field, spec in agent_schema(name).get("properties", {}).items()
    ]
    needs = msgspec.to_builtins(_needs(name))
    if arguments.json:
        whole = {"name": name, "purpose": _purpose(name), "needs": needs, "settings": settings}
        return json.dumps(whole, indent=2)
    called = ", ".join(n if v is True else f"{n}={v}" for n, v in needs.items() if v)
    lines = [name, "", _purpose(name), "", f"needs: {called or 'nothing'}", "", "settings:"]
    lines += [f"  {s['name']} = {s['default']}\n      {s['description']}" for s in settings]
    return "\n".join(lines)


def _row(spec: dict[str, Any]) -> dict[str, Any]:
    return {"default": spec.get("default"), "description": spec.get("description", "")}


def _purpose(name: str) -> str:
    return inspect.getdoc(find_agent(name)) or ""


def _needs(name: str) -> Any:
    """Ask an instance with default parameters: what an agent needs may depend on them."""
    kind = find_agent(name)
    return kind(kind.Params()).needs
