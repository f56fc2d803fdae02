"""The keys a person chose for actions: what is wrong with them, and which key is whose now. Pure.

Rule 1: in one context, the app's keys and one pane's, a key does one thing.
Rule 2: no action hangs on a key alone that terminals, multiplexers or window managers keep.
Rule 3: the danger menu keeps a chord that works in text fields too, so it can't be a letter.

Source: tui-expectations section 4.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import combinations
from typing import Final

from textual.binding import Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from tui import keys
from tui.desk import PANES
from tui.dialogs.help import character, spelled
from tui.pane import Pane

FORBIDDEN: Final[Mapping[str, str]] = {
    "ctrl+i": "is tab", "ctrl+m": "is enter", "ctrl+j": "is a new line", "ctrl+h": "is backspace",
    "ctrl+left_square_bracket": "is escape", "ctrl+s": "is kept by tmux and terminals",
    "ctrl+a": "is kept by screen", "ctrl+b": "is kept by tmux",
    "ctrl+z": "would suspend the screen", "ctrl+w": "closes a browser's tab",
    "ctrl+t": "opens a browser's tab", "ctrl+n": "opens a browser's window",
    "escape": "always leads back", "ctrl+p": "is the command palette",
    "tab": "goes to the next pane", "shift+tab": "goes to the previous pane",
}  # fmt: skip
"""Keys that no action of a person may take, and why."""
FRAGILE: Final = re.compile(r"f\d{1,2}|(?:alt|super|hyper|meta)\+.*|.*shift\+.*|ctrl\+enter")
"""Keys that may never arrive: good as a second way only."""
DANGER: Final = "danger"
NAMED: Final = frozenset(str(key.value) for key in Keys)
MODIFIED: Final = re.compile(r"(?:(?:ctrl|alt|shift|super|hyper|meta)\+)+([a-z0-9_]+)", re.ASCII)
PUNCTUATION: Final = re.compile(r"[a-z]+(?:_[a-z]+)*", re.ASCII)

Keymap = Mapping[str, str]
"""Id of an action to its keys, with commas between."""


def contexts() -> Iterator[tuple[str, Sequence[Binding]]]:
    """Yield a name and all keys that act there: the app's alone, and with each pane's."""
    app = plain(keys.BINDINGS)
    yield "everywhere", app
    for pane in PANES:
        if not pane.can_focus:
            continue
        own = own_bindings(pane)
        yield f"in {pane.TITLE}", [*app, *own]


def own_bindings(kind: type | None) -> list[Binding]:
    """Return the keys of a pane before those of all panes that it does not take for itself."""
    places = () if kind is None or not issubclass(kind, Pane) else kind.__mro__
    found: list[Binding] = []
    for place in places:
        if issubclass(place, Pane):
            taken = {key for binding in found for key in binding.key.split(",")}
            found += [left for b in plain(_bound(place)) if (left := _without(b, taken)).key]
    return found


def _without(binding: Binding, taken: set[str]) -> Binding:
    return replace(binding, key=",".join(k for k in binding.key.split(",") if k not in taken))


def _bound(place: type) -> Iterable[BindingType]:
    found: Iterable[BindingType] = vars(place).get("BINDINGS", ())
    return found


def plain(bindings: Iterable[BindingType]) -> list[Binding]:
    """Return the bindings of a class as what they are."""
    return [binding for binding in bindings if isinstance(binding, Binding)]


def rebound(binding: Binding, keymap: Keymap) -> Binding:
    """Return a binding with the keys a person chose for it."""
    chosen = keymap.get(binding.id or "")
    return binding if chosen is None else replace(binding, key=",".join(parts(chosen)))


def renamed(keymap: Keymap) -> dict[str, str]:
    """Return how the first key of each moved action was spelled, and how it is now."""
    moved = [binding for binding in plain(keys.BINDINGS) if binding.id in keymap]
    return {first(binding): first(rebound(binding, keymap)) for binding in moved}


def first(binding: Binding) -> str:
    """Return the first key of an action as people write it."""
    return spelled(binding.key.split(",")[0])


def parts(text: str) -> list[str]:
    """Return the keys of a list as Textual spells them: `P, ?` is `P` and `question_mark`."""
    return [_spelled_out(part.strip()) for part in text.split(",") if part.strip()]


def _spelled_out(key: str) -> str:
    if len(key) != 1 or key.isalnum():
        return key
    name = unicodedata.name(key, key).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def problems(keymap: Keymap) -> list[str]:
    """Return everything that keeps a person's keys from being used, a sentence each."""
    known = {b.id: b for _, bindings in contexts() for b in bindings if b.id}
    found = [_unknown(name, known) for name in keymap if name not in known]
    chosen = {name: parts(text) for name, text in keymap.items() if name in known}
    for name, wanted in chosen.items():
        found += [f"tui.keys.{name}: {fault}" for fault in _faults(name, wanted)]
    return [*found, *_clashes(keymap, chosen)]


def _unknown(name: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(name, list(known), n=1, cutoff=0.0)[0]
    return f"tui.keys.{name}: there is no such action: did you mean {nearest}?"


def _faults(name: str, wanted: Sequence[str]) -> Iterator[str]:
    if not wanted:
        yield "needs a key"
    for key in wanted:
        if key in FORBIDDEN:
            yield f"{key} {FORBIDDEN[key]}"
        elif not is_key(key):
            yield "names no key of a keyboard; keys are like f5, ctrl+k, space, P or ?"
    sturdy = [key for key in wanted if FRAGILE.fullmatch(key) is None]
    if wanted and not sturdy:
        yield f"{wanted[0]} may never arrive: name a plain key beside it"
    if name == DANGER and not any(key.startswith("ctrl+") for key in sturdy):
        yield "must keep a ctrl chord: it works in text fields too"
    if name == DANGER and any(len(key) == 1 or PUNCTUATION.fullmatch(key) for key in wanted):
        yield "can't be a character: it could not be typed any more"


def is_key(key: str) -> bool:
    """Say whether a keyboard has it."""
    modified = MODIFIED.fullmatch(key)
    last = modified[1] if modified else key
    return len(last) == 1 or last in NAMED or _is_punctuation(last)


def _is_punctuation(name: str) -> bool:
    return PUNCTUATION.fullmatch(name) is not None and character(name) is not None


def _clashes(keymap: Keymap, chosen: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Return each key that would do two things in one place, one of them by a person's choice."""
    found: dict[tuple[str, str, str], str] = {}
    for where, bindings in contexts():
        actual = [rebound(binding, keymap) for binding in bindings]
        for one, other in combinations(actual, 2):
            if one.action == other.action or not {one.id, other.id} & chosen.keys():
                continue
            for key in sorted(set(one.key.split(",")) & set(other.key.split(","))):
                names = _name(one), _name(other)
                said = f"tui.keys: {key} would be both {names[0]} and {names[1]} {where}"
                found.setdefault((key, *names), said)
    return found.values()


def _name(binding: Binding) -> str:
    return f"{binding.id or binding.action} ({binding.description})"
