"""A second of something, which goes on by itself beside another kernel of the same cast.

Rule 1: only what changes is copied. Records, bars and prints never do, and all marks of a session
        share them: a copy costs a pointer for each.
Rule 2: what is held of the kernel is replaced by the same part of the other one; a part that is
        missing from `_parts` is refused, for a copy of it would stand still.
"""

from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from types import BuiltinMethodType, MethodType
from typing import Any, Final

import msgspec

from engine.kernel import Kernel

OURS: Final = ("engine.session.", "engine.reports.")
"""Where the classes live whose objects are copied."""
VALUES: Final = "engine.model."
"""Where those live that nobody changes, frozen or not."""
ENGINE: Final = "engine."

Copy = Callable[["Twins", Any], Any]


class Twins:
    """Copies that belong together: what is one thing stays one thing."""

    def __init__(self, ours: Kernel, theirs: Kernel) -> None:
        pairs = zip(_parts(ours), _parts(theirs), strict=True)
        self.known = {id(one): other for one, other in pairs}

    def of(self, thing: Any) -> Any:  # noqa: ANN401 - whatever a part of a session holds
        """Return the twin of a thing; of one that never changes, itself."""
        copy = _COPIERS[type(thing)]
        if copy is None:
            return thing
        known = self.known.get(id(thing))
        return copy(self, thing) if known is None else known


def _parts(kernel: Kernel) -> tuple[object, ...]:
    """Return what lasts as long as a kernel and others hold on to."""
    conduct, market = kernel.conduct, kernel.market
    return kernel, kernel.portfolio, market, market.views, conduct, conduct.breakers


class _Copiers(dict[type, Copy | None]):
    """How each type is copied; None for what never changes. Filled as types are met."""

    def __missing__(self, kind: type) -> Copy | None:
        copy = self[kind] = _found(kind)
        return copy


def _found(kind: type) -> Copy | None:
    for base, copy in _CONTAINERS.items():
        if issubclass(kind, base):
            return copy
    is_frozen = issubclass(kind, msgspec.Struct) and kind.__struct_config__.frozen
    if is_frozen or issubclass(kind, Enum) or kind.__module__.startswith(VALUES):
        return None
    if kind.__module__.startswith(OURS):
        return _object
    return _stranger if kind.__module__.startswith(ENGINE) else None


def _object(twins: Twins, thing: Any) -> object:  # noqa: ANN401
    other = twins.known[id(thing)] = object.__new__(type(thing))
    for name in _attributes(thing):
        object.__setattr__(other, name, twins.of(getattr(thing, name)))
    return other


def _attributes(thing: object) -> Iterator[str]:
    yield from getattr(thing, "__dict__", ())
    for kind in type(thing).__mro__:
        yield from kind.__dict__.get("__slots__", ())


def _stranger(_: Twins, thing: object) -> object:
    raise AssertionError(f"a {type(thing).__name__} belongs to a kernel and is none of its parts")


def _dict(twins: Twins, thing: dict[Any, Any]) -> object:
    other = twins.known[id(thing)] = thing.copy()
    for key, value in thing.items():
        other[key] = twins.of(value)
    return other


def _list(twins: Twins, thing: Any) -> object:  # noqa: ANN401 - or a deque
    other = twins.known[id(thing)] = thing.copy()
    if any(map(_COPIERS.__getitem__, set(map(type, thing)))):
        other.clear()
        other.extend(map(twins.of, thing))
    return other


def _tuple(twins: Twins, thing: tuple[Any, ...]) -> object:
    return (
        tuple(map(twins.of, thing)) if any(map(_COPIERS.__getitem__, map(type, thing))) else thing
    )


def _method(twins: Twins, thing: Any) -> object:  # noqa: ANN401
    return getattr(twins.of(thing.__self__), thing.__name__)


_CONTAINERS: Final[dict[type, Copy]] = {
    dict: _dict,
    list: _list,
    deque: _list,
    tuple: _tuple,
    set: lambda _, thing: thing.copy(),
    MethodType: _method,
    BuiltinMethodType: _method,
}
_COPIERS: Final = _Copiers()
