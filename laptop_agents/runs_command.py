"""`laptop-agents runs list|show|diff|archive|clean|export|import`."""

import argparse
import importlib

VERBS = {
    # verb: module with `run(arguments) -> exit code`
    "list": "laptop_agents.runs_list",
    "show": "laptop_agents.runs_list",
    "diff": "laptop_agents.runs_diff",
    "archive": "laptop_agents.runs_keep",
    "clean": "laptop_agents.runs_keep",
    "export": "laptop_agents.runs_keep",
    "import": "laptop_agents.runs_keep",
}


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    code: int = importlib.import_module(VERBS[arguments.verb]).run(arguments)
    return code
