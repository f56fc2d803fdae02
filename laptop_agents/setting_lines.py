"""Every setting of a run in words: value, origin, what it means, what may stand there."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from annotated_types import Ge, Gt, Le, Lt

from engine.session.manifest import Setting
from laptop_agents.catalogue import arms
from laptop_agents.field_docs import field_docs
from tui.surface import SettingLine

BOUNDS: Final = {
    # constraint: its word and its field
    Ge: ("at least", "ge"),
    Gt: ("above", "gt"),
    Le: ("at most", "le"),
    Lt: ("below", "lt"),
}


def setting_lines(recorded: Mapping[str, Setting]) -> Sequence[SettingLine]:
    """Return a line a setting of a manifest, by name; what this release knows is explained."""
    from laptop_agents.agent_shelf import shelf  # noqa: PLC0415 - when somebody asks
    from laptop_agents.settings import AgentsConfig, Settings, catalogue, sections  # noqa: PLC0415 - the same

    known = catalogue()
    kinds = {**sections(), "": Settings, "agents": AgentsConfig}
    kinds |= {f"agents.{name}": agent.Params for name, agent in shelf().items()}
    docs = {prefix: field_docs(kind) for prefix, kind in kinds.items()}
    return [
        SettingLine(
            name,
            _written(row.value),
            row.origin,
            _first_sentence(docs.get(name.rpartition(".")[0], {}).get(name.rpartition(".")[2], "")),
            "" if (key := known.find(name)) is None else allowed(key.annotation),
        )
        for name, row in sorted(recorded.items())
    ]


def _written(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.;:])\s", " ".join(text.split()), maxsplit=1)[0]


def allowed(annotation: Any) -> str:
    """Return what a type lets through: `above 0, at most 60`, `net or priority`."""
    words = [f"{BOUNDS[type(m)][0]} {getattr(m, BOUNDS[type(m)][1])}" for m in _limits(annotation)]
    chosen = [str(v) for arm in arms(annotation) for v in getattr(arm, "__args__", ())
              if isinstance(v, str)]  # fmt: skip
    if chosen:
        words.append(" or ".join(chosen))
    return ", ".join(words)


def _limits(annotation: Any) -> list[Any]:
    inner = getattr(annotation, "__args__", ())
    here = [m for m in getattr(annotation, "__metadata__", ()) if type(m) in BOUNDS]
    return [*here, *(limit for arm in inner for limit in _limits(arm))]
