"""`laptop-agents audit verify|query|why|report`: one file a verb, each loads only what it needs."""

import argparse
import importlib

VERBS = {
    # verb: module with `run(arguments) -> exit code`
    "verify": "laptop_agents.audit_verify",
    "query": "laptop_agents.audit_query",
    "why": "laptop_agents.audit_why",
    "report": "laptop_agents.audit_report",
}


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    code: int = importlib.import_module(VERBS[arguments.verb]).run(arguments)
    return code
