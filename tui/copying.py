"""Copies the row a person stands on: to the terminal's clipboard, and to a file if they said so."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.details import as_json, as_text, record
from tui.pane import Pane

if TYPE_CHECKING:
    from tui.app import Workstation

FILE: Final = "clipboard.txt"
FORMS: Final[dict[str, Callable[[object], str]]] = {"text": as_text, "JSON": as_json}


def copy(app: "Workstation", form: str) -> None:
    """Copy the chosen row of the focused pane in one of `FORMS`, and say what was done."""
    pane = app.focused
    of = record(pane) if isinstance(pane, Pane) else None
    if of is None:
        app.say("nothing to copy here: choose a row with the arrow keys", "warn")
        return
    copy_record(app, of, form)


def copy_record(app: "Workstation", of: object, form: str) -> None:
    """Copy a row that is in hand already."""
    text = FORMS[form](of)
    app.copy_to_clipboard(text)
    kept = _append(app.surface.clipboard, text)
    app.say(f"copied {len(text)} characters as {form}{kept}", "ok")


def _append(path: Path | None, text: str) -> str:
    if path is None:
        return ""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    try:
        with open(os.open(path, flags, 0o600), "a", encoding="utf-8", errors="replace") as file:
            file.write(f"{text}\n")
    except OSError as error:
        return f"; {path.name} can't be written: {error.strerror}"
    return f", and to {path.name}"
