"""The homes a setting can come from, each read into a flat layer.

Rule 1: a name that is no setting is refused with the nearest one that is. Rule 2: a complaint
names the setting and its origin, never the value, which may be a secret in the wrong place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laptop_agents.catalogue import Catalogue, Unusable, closest, environment_name, shown
from laptop_agents.keys_shape import VARIABLES
from laptop_agents.profile_files import Unreadable, find_profile
from laptop_agents.provenance import Given, Layer

PREFIX = "LAPTOP_AGENTS_"
FOLDERS = frozenset({"LAPTOP_AGENTS_HOME", "LAPTOP_AGENTS_DATA"})
"""They name folders, not settings."""
NO_SETTINGS = FOLDERS | VARIABLES
COMPLAINTS_MAX = 40
"""Lines of complaint from one home; a wrong file can hold a hundred thousand unknown keys."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One setting as typed on the command line."""

    spelled: str
    """`--max-loss-pct` or `--set`."""
    name: str
    text: str


class _Reading:
    """A layer in the making."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.given: dict[str, Given] = {}
        self.problems: list[str] = []

    def take(self, name: str, value: object, origin: str) -> None:
        """Add one value, or the complaint about it."""
        key = self.catalogue.find(name)
        if key is None:
            if self.has_room:
                self.complain(f"{self.refusal(name)} ({origin})")
            return
        try:
            self.given[name] = Given(key.prepare(value), origin)
        except Unusable as error:
            self.complain(f"{name}: {error} ({origin})")

    @property
    def has_room(self) -> bool:
        """Whether another complaint would be shown."""
        return len(self.problems) <= COMPLAINTS_MAX

    def complain(self, problem: str) -> None:
        """Keep one sentence for the user, unless there are too many already."""
        if len(self.problems) < COMPLAINTS_MAX:
            self.problems.append(problem)
        elif self.has_room:
            self.problems.append("... and more of the same kind")

    def refusal(self, name: str) -> str:
        """Say what is wrong with a name that is no setting."""
        if name in self.catalogue.folders:
            known = self.catalogue.keys
            inside = next((k for k in known if k.startswith(f"{name}.")), f"{name}.pause")
            return f"{name} is a group of settings, not a setting: name one inside, like {inside}"
        section, _, rest = name.partition(".")
        agent = rest.partition(".")[0]
        if section == "agents" and agent != rest and agent not in self.catalogue.agents:
            return unknown_agent(agent, self.catalogue.agents)
        return f"unknown setting {shown(name)}: did you mean {self.catalogue.nearest(name)}?"

    def done(self) -> Layer:
        """Return what was read."""
        return Layer(self.given, tuple(self.problems))


def from_flags(flags: Iterable[Flag], catalogue: Catalogue) -> Layer:
    """Read the command line; the same key twice with different values is a conflict."""
    reading = _Reading(catalogue)
    first: dict[str, Flag] = {}
    for flag in flags:
        before = first.setdefault(flag.name, flag)
        if before.text != flag.text:
            reading.complain(
                f"{before.spelled} and {flag.spelled} conflict: both set {shown(flag.name)}"
            )
        elif before is flag:
            reading.take(flag.name, flag.text, flag.spelled)
    return reading.done()


def from_environment(environ: Mapping[str, str], catalogue: Catalogue) -> Layer:
    """Read every `LAPTOP_AGENTS_*` variable but those that name folders or hold keys."""
    reading = _Reading(catalogue)
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in NO_SETTINGS:
            continue
        key = catalogue.find_environment(variable)
        if key is not None:
            reading.take(key.name, environ[variable], f"env {variable}")
        elif reading.has_room:
            meant = variable.removeprefix(PREFIX).lower().replace("__", ".")
            nearest = environment_name(catalogue.nearest(meant))
            reading.complain(f"unknown setting {shown(variable)}: did you mean {nearest}?")
    return reading.done()


def from_profile(name: str, folder: Path, catalogue: Catalogue) -> Layer:
    """Read the profile called `name`; `folder` holds the user's own profiles."""
    if not name or not name.isprintable():
        return Layer(problems=("profile: must be the name of a profile or a path",))
    try:
        tree = find_profile(name, folder).tree()
    except Unreadable as error:
        return Layer(problems=(f"profile {shown(name)} {error}",))
    reading = _Reading(catalogue)
    _flatten(tree, "", f"profile {shown(name)}", reading)
    return reading.done()


def unknown_agent(name: str, known: Sequence[str]) -> str:
    """Refuse an agent that does not exist, naming the nearest one that does."""
    return f"unknown agent {shown(name)}: did you mean {closest(name, known)}?"


def _flatten(tree: Mapping[str, Any], prefix: str, origin: str, reading: _Reading) -> None:
    """Walk known folders only, so that depth is bounded by the catalogue and not by the file."""
    for word, value in tree.items():
        name = f"{prefix}{word}"
        if name == "profile":
            reading.complain(f"profile: a profile can't name another one ({origin})")
        elif "." in word:
            reading.complain(f"{shown(name)}: a name in quotes can't hold a dot ({origin})")
        elif not isinstance(value, dict):
            reading.take(name, value, origin)
        elif name in reading.catalogue.folders:
            _flatten(value, f"{name}.", origin, reading)
        elif name in reading.catalogue.keys:
            reading.complain(f"{name}: must be a value, not a table ({origin})")
        else:
            # Its first entry stands for an unknown table, so that the complaint is one line.
            reading.take(f"{name}.{next(iter(value), '')}".rstrip("."), value, origin)
