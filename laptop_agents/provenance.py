"""Where a setting's value came from.

A layer is one home of settings read flat: dotted key to value, each with the words that name its
origin to the user. Layers are ordered, the strongest first; the first one that has a key wins.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

BUILT_IN = "default"
"""Origin of a value nobody set."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value as somebody wrote it, before validation."""

    value: object
    origin: str
    """For people: `--max-loss-pct`, `env LAPTOP_AGENTS_MODE`, `profile scalp`."""


class Setting(NamedTuple):
    """A validated value and its origin."""

    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One home of settings, and what was wrong with it."""

    given: dict[str, Given] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def nested(self) -> dict[str, Any]:
        """Return the values as the tree that the model validates."""
        tree: dict[str, Any] = {}
        for name, given in self.given.items():
            *folders, leaf = name.split(".")
            branch = tree
            for folder in folders:
                branch = branch.setdefault(folder, {})
            branch[leaf] = given.value
        return tree

    def under(self, prefix: str) -> dict[str, object]:
        """Return leaf name to value of the keys directly under `prefix`."""
        start = f"{prefix}."
        return {
            n.removeprefix(start): g.value for n, g in self.given.items() if n.startswith(start)
        }


def strongest(layers: Iterable[Layer], name: str) -> Given | None:
    """Return what the strongest layer says about `name`."""
    return next((layer.given[name] for layer in layers if name in layer.given), None)


def merged(layers: Sequence[Layer], prefix: str) -> dict[str, object]:
    """Return leaf name to the strongest value of all keys directly under `prefix`."""
    values: dict[str, object] = {}
    for layer in reversed(layers):
        values |= layer.under(prefix)
    return values


def origin(layers: Iterable[Layer], name: str) -> str:
    """Name the origin of the value that won."""
    given = strongest(layers, name)
    return BUILT_IN if given is None else given.origin
