"""Every setting there is, by dotted name: the table that unknown names are measured against.

The definitions themselves are the dataclasses of the rooms that use them (`engine.risk.limits`,
`brokers.paper.config`, an agent's `Params`, ...). Nothing here repeats a field; it reads them.
"""

import dataclasses
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

SHOWN_MAX = 80
"""Characters of a name we did not choose that reach the screen, and the matcher behind it."""
INTEGER_MAX = 2**63 - 1
"""What the journal's encoder can hold."""
NUMBERS = frozenset({int, float, Decimal})
MAGNITUDE_MAX = 18
"""Decimal exponent either way; past it arithmetic would round at 28 digits."""
MEMBER = re.compile(r"[a-z0-9]{1,16}(?:-[a-z0-9]{1,16}){0,3}", re.ASCII)
"""A name somebody gives inside a table, `tui.keys.pane-quotes`; in the environment `-` is `_`."""


class Unusable(ValueError):
    """A raw value that can't be meant; the text says why and never repeats the value."""


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its dotted name and what may stand there."""

    name: str
    annotation: Any

    def prepare(self, raw: object) -> object:
        """Turn what a text home can say into what the model expects.

        Text has no lists and no null: `a,b` is a list where a list is due, `none` switches an
        optional setting off. TOML has no null either, so the same words work there.

        Raises:
            Unusable: Not printable, a truth value where a number or text is due, or a number
                that is infinite, NaN or longer than arithmetic is exact for.
        """
        kinds = tuple(arms(self.annotation))
        if isinstance(raw, bool) and bool not in kinds:
            raise Unusable("must not be true or false")
        value = _from_text(raw, kinds) if isinstance(raw, str) else raw
        if NUMBERS.intersection(kinds) and (fault := unbounded(value)):
            raise Unusable(fault)
        return value


class Catalogue:
    """All keys, and which of them a mistyped name probably meant."""

    def __init__(
        self, alone: Mapping[str, Any], sections: Mapping[str, type], agents: Mapping[str, type]
    ) -> None:
        """Gather the keys that stand alone (name to type), of each section and of each agent."""
        self.agents = tuple(sorted(agents))
        self.keys = {name: Key(name, annotation) for name, annotation in alone.items()}
        prefixed = {**sections} | {f"agents.{name}": params for name, params in agents.items()}
        for prefix, section in prefixed.items():
            self.keys |= {key.name: key for key in _fields(prefix, section)}
        self.tables = frozenset(n for n, key in self.keys.items() if is_table(key.annotation))
        """Settings that are tables: what stands in them has names of its own."""
        for name in self.tables:
            del self.keys[name]

    def find(self, name: str) -> Key | None:
        """Return the key of a dotted name; None where there is no such setting."""
        table, _, member = name.rpartition(".")
        if table in self.tables and MEMBER.fullmatch(member):
            return Key(name, str)
        return self.keys.get(name)

    def find_environment(self, variable: str) -> Key | None:
        """Return the key of an environment variable; None where it is no setting's."""
        for table in self.tables:
            start = environment_name(f"{table}.")
            if variable.startswith(start):
                member = variable.removeprefix(start).lower().replace("_", "-")
                return self.find(f"{table}.{member}")
        return self.by_environment.get(variable)

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every name that holds further names: `risk`, `agents`, `agents.trend`."""
        paths = (name.split(".") for name in self.keys)
        folders = {".".join(path[:n]) for path in paths for n in range(1, len(path))}
        return frozenset(folders | self.tables | {f"agents.{name}" for name in self.agents})

    @cached_property
    def by_environment(self) -> dict[str, Key]:
        """The same keys by the environment's spelling."""
        return {environment_name(name): key for name, key in self.keys.items()}

    def nearest(self, name: str) -> str:
        """Return the known dotted name closest to `name`; a right last word counts most."""
        last = name.rpartition(".")[2]
        same_word = [known for known in self.keys if known.rpartition(".")[2] == last]
        return closest(name, same_word or list(self.keys))


def environment_name(name: str) -> str:
    """Spell a dotted name as its environment variable."""
    return "LAPTOP_AGENTS_" + name.replace(".", "__").upper()


def closest(name: str, known: Sequence[str]) -> str:
    """Return the member of `known` that looks most like `name`."""
    return (get_close_matches(name[:SHOWN_MAX], known, n=1, cutoff=0.0) or known)[0]


def shown(name: str) -> str:
    """Make a name from outside safe to print: one line, no escapes, of bounded length."""
    text = name if name.isprintable() else ascii(name)[1:-1]
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "..."


def arms(annotation: Any) -> Iterator[Any]:
    """Yield the alternatives of a type, through unions and Annotated."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from arms(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for arm in get_args(annotation):
            yield from arms(arm)
    else:
        yield annotation


def unbounded(value: object) -> str | None:
    """Say what is wrong with a number that is infinite, NaN or absurdly long.

    pydantic lets an infinite float through every lower limit, and a Decimal of a million digits.
    """
    if isinstance(value, str):
        try:
            value = Decimal(value.strip())
        except ArithmeticError:
            return None  # no number at all: the model says so in better words
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and not value.is_finite():
        return "must be a finite number"
    if isinstance(value, Decimal) and value and _magnitude(value) > MAGNITUDE_MAX:
        return "has too many digits"
    if isinstance(value, int) and abs(value) > INTEGER_MAX:
        return "has too many digits"
    return None


def _magnitude(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(value.adjusted(), -exponent)


def _from_text(text: str, kinds: tuple[Any, ...]) -> object:
    if not text.isprintable():
        raise Unusable("must be printable text on one line")
    if any(get_origin(kind) is tuple for kind in kinds):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if types.NoneType in kinds and text.strip().lower() == "none":
        return None
    return text


def is_table(annotation: Any) -> bool:
    """Say whether a setting is a table of names that somebody else gives."""
    return get_origin(annotation) is Mapping


def _fields(prefix: str, section: type) -> Iterator[Key]:
    hints = get_type_hints(section, include_extras=True)
    for field in dataclasses.fields(section):
        yield Key(f"{prefix}.{field.name}", hints[field.name])
