"""Validation errors as sentences: the setting, what it must be, and who set it. Never the value.

pydantic's own texts are good but some quote the input, and its error objects carry it whole
(reliability.md section 5). So only the location and the kind of an error get out of here, plus
the limits we wrote ourselves.
"""

import re
from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from laptop_agents.catalogue import shown
from laptop_agents.provenance import Layer, origin

OURS = "laptop_agents"
"""Type of the errors that our own validators raise; their text is ours and safe."""

SENTENCES = (
    # the error type starts with, what the setting must be
    ("greater_than_equal", "must be at least {ge}"),
    ("greater_than", "must be greater than {gt}"),
    ("less_than_equal", "must be at most {le}"),
    ("less_than", "must be less than {lt}"),
    ("literal_error", "must be {expected}"),
    ("int", "must be a whole number"),
    ("float", "must be a number"),
    ("decimal", "must be a number"),
    ("finite_number", "must be a finite number"),
    ("bool", "must be true or false"),
    ("string", "must be text"),
    ("tuple", "must be a list"),
    ("dataclass", "must be a group of settings"),
    ("missing", "must be given"),
)


def refusals(error: ValidationError, layers: Sequence[Layer], prefix: str = "") -> list[str]:
    """Return one sentence for each wrong setting, in the order of the model."""
    sentences: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False, include_input=False):
        name = _name(detail["loc"], prefix)
        said = sentences.setdefault(name, [])
        sentence = _sentence(detail)
        if sentence not in said:
            said.append(sentence)
    return [
        f"{name}: {' or '.join(_joined(said))} ({_origin(layers, name)})"
        for name, said in sentences.items()
    ]


def _name(location: tuple[int | str, ...], prefix: str) -> str:
    """Return the dotted name; pydantic adds the arm of a union and an index behind it."""
    words = [prefix] if prefix else []
    for word in location[: 1 if prefix else 2]:
        if isinstance(word, int) or "[" in word or "(" in word:
            break
        words.append(word)
    return shown(".".join(words))


def _sentence(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == OURS:
        return detail["msg"]
    if kind == "value_error":
        # Written by the agent whose parameters contradict each other.
        return shown(str(context.get("error", "is not valid")))
    form = next((form for start, form in SENTENCES if kind.startswith(start)), "is not valid")
    return form.format_map({k: v if isinstance(v, str) else f"{v:g}" for k, v in context.items()})


def _origin(layers: Sequence[Layer], name: str) -> str:
    """Name who set it, or for a group of settings the strongest home that set one of them."""
    under = (n for layer in layers for n in layer.given if n.startswith(f"{name}."))
    return origin(layers, next(under, name))


def _joined(said: list[str]) -> list[str]:
    """Drop the verb from the second alternative on: `must be a number or 'max'`."""
    return [said[0], *(re.sub(r"^must be ", "", sentence) for sentence in said[1:])]
