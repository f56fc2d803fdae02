"""The arguments of operator commands: text in the journal, read the same way on all its sides."""

import re
from decimal import Decimal
from typing import Final, NamedTuple

_WEIGHT: Final = re.compile(r"0|1|0\.[0-9]{1,4}|1\.0{1,4}", re.ASCII)
"""Four decimals keep every product with a size exact, and are finer than any lot."""


class AgentWeight(NamedTuple):
    """A share of its size for one agent."""

    agent: str
    weight: Decimal
    """0 to 1."""


def parsed_weight(argument: str) -> AgentWeight | None:
    """Read `NAME=WEIGHT`; None for anything else."""
    agent, _, text = argument.rpartition("=")
    return AgentWeight(agent, Decimal(text)) if agent and _WEIGHT.fullmatch(text) else None
