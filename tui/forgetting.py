"""What Textual remembers of widgets that are gone, kept small.

Textual caches how a widget's border lies around it, 1,024 answers, and each answer holds every line
the widget drew. A screen that opens and closes dialogs all day would grow by 150 kB a time, to
hundreds of megabytes (measured by `make soak-screen`: 350 MB an hour of steady use).
"""

from functools import lru_cache
from typing import Final

from textual._styles_cache import StylesCache

KEPT_MAX: Final = 32
"""More than the widgets that are seen at once; one that falls out is only asked again."""


def forget_the_gone() -> None:
    """Let Textual keep the newest few answers only; for all screens of this process."""
    kept = getattr(StylesCache.get_inner_outer, "__wrapped__", None)
    assert kept is not None, "Textual caches it no more: this file can go"
    StylesCache.get_inner_outer = lru_cache(KEPT_MAX)(kept)  # type: ignore[method-assign]
