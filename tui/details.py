"""One row as all its fields, exact: for reading, for a clipboard, for a program. Pure.

A pane without rows of its own, health say, is one row: what it draws.
"""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from engine.session.control.views import MarketFace, View
from engine.session.sanitize import sanitize
from tui import format as fmt
from tui.desk import OF_ONE_SYMBOL
from tui.pane import Pane
from tui.panes.book import chosen

WHOLE: Final = {
    "health": "health",
    "fsm": "lifecycle",
    "equity": "session",
    "router": "router",
}
"""What of a view a pane without rows shows."""
VALUE_MAX: Final = 400
"""Characters of one value that are shown; a copy has all of it, cleaned."""
COPY_MAX: Final = 64 * 1024
"""Characters of a copy as text; JSON is never cut."""
SERIES: Final = ("bars", "prints")
"""What of an instrument is a pane of its own."""
OF_SYMBOL: Final[dict[str, tuple[str, ...]]] = {
    "chart": ("symbol", "tick_size", "lot_size", "bars"),
    "tape": ("symbol", "tick_size", "lot_size", "prints_seen", "prints"),
}
"""What of an instrument a pane shows; the others show all but `SERIES`."""


def record(pane: Pane) -> object | None:
    """Return what a person stands on, as it was painted; None before the first view."""
    view = pane.view
    if view is None:
        return None
    if isinstance(pane, OF_ONE_SYMBOL):
        market = chosen(view, pane.symbol)
        return None if market is None else facts(market, pane.id or "")
    standing = pane.standing()
    if isinstance(standing, MarketFace):
        return facts(standing, pane.id or "")
    return standing if standing is not None else whole(view, pane.id or "")


def facts(market: MarketFace, pane: str) -> dict[str, object]:
    """Return what of an instrument a pane is about, by name."""
    usual = [name for name in market.__struct_fields__ if name not in SERIES]
    return {name: getattr(market, name) for name in OF_SYMBOL.get(pane, usual)}


def whole(view: View, pane: str) -> object | None:
    """Return the part of a view that a pane without rows draws."""
    found: object | None = getattr(view, WHOLE[pane]) if pane in WHOLE else None
    return found


def fields(of: object) -> list[tuple[str, str]]:
    """Return every field by name, exact; times with their clock beside, unknown as `-`."""
    plain = msgspec.to_builtins(_named(of), builtin_types=(Decimal,))
    return list(_flat("", plain))


def _named(value: object) -> object:
    """Return a record with the names of its fields, those too that travel as a bare list.

    A field that is not there is left out.
    """
    if isinstance(value, msgspec.Struct):
        held = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _named(inner) for name, inner in held if inner is not msgspec.UNSET}
    if isinstance(value, dict):
        return {name: _named(inner) for name, inner in value.items()}
    return [_named(inner) for inner in value] if isinstance(value, list | tuple) else value


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for place, inner in enumerate(value):
            yield from _flat(f"{name}.{place}", inner)
    elif isinstance(value, list | tuple):
        yield name, " ".join(_written(name, inner) for inner in value) or fmt.UNKNOWN
    else:
        yield name, _written(name, value)


def _written(name: str, value: object) -> str:
    if value is None or value in ("", {}):
        return fmt.UNKNOWN
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int) and name.endswith("_ns") and value:
        return f"{value} ({fmt.clock_ms(value)})"
    return str(value)


def as_text(of: object) -> str:
    """Return a row on one line, `symbol BTCUSDT  qty 0.020`."""
    return sanitize("  ".join(f"{name} {value}" for name, value in fields(of)), COPY_MAX)


def as_json(of: object) -> str:
    """Return a row as JSON on one line of ASCII; money stays text, so that no reader rounds it."""
    return json.dumps(msgspec.to_builtins(_named(of)))


def as_lines(of: object) -> Sequence[str]:
    """Return a row as a line a field, names under each other."""
    rows = [(sanitize(name, 40), sanitize(value, VALUE_MAX)) for name, value in fields(of)]
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:<{width}}  {value}" for name, value in rows]
