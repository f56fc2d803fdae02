"""What every color of the screen means: semantic tokens, four palettes, dark and light.

Rule 1: a widget names a token, never a color; a color never says what a sign, letter or word beside
        it does not also say.
Rule 2: text tokens keep a contrast of 4.5:1 on their background, and the up/down pair of `safe`
        stays apart under every color deficiency: tests/tui/test_theme.py computes both.

A cell's token may be followed by `bold`, `dim`, `underline` or `reverse`: `up bold`. Reverse marks
what is chosen: a ground of its own, under which colors stay readable; real reverse in mono, and
where the colors are the terminal's own, whose contrast nobody but its user knows.

Source: tui-expectations section 9; the pairs and badges are its.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, get_args

from rich.color import Color
from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

from tui.config import PaletteName

TOKENS: Final = (
    "text", "dim", "title", "focus", "up", "down", "flat", "bid", "ask", "own", "ok", "warn",
    "danger", "stale", "recorded", "paper", "sim", "live", "replay",
)  # fmt: skip
BADGES: Final = ("paper", "sim", "live", "replay")
"""Tokens drawn as text on a ground of their own."""

_DARK: Final = {
    "ground": "#0D1117", "choice": "#16222E",
    "text": "#E6EDF3", "dim": "#8B949E", "title": "#A5B1C2",
    "focus": "#FFFFFF", "flat": "#C9D1D9", "own": "#F0E442", "ok": "#7CC4A8", "warn": "#E3B341",
    "danger": "#FF8A80", "stale": "#8B949E", "recorded": "#C9A6F5",
}  # fmt: skip
_LIGHT: Final = {
    "ground": "#FFFFFF", "choice": "#E3EDF7",
    "text": "#1F2328", "dim": "#59636E", "title": "#424A53",
    "focus": "#000000", "flat": "#32383F", "own": "#6E4A00", "ok": "#0A5C46", "warn": "#7A4B00",
    "danger": "#A40E26", "stale": "#59636E", "recorded": "#6B2FB3",
}  # fmt: skip
PAIRS: Final = {
    # palette: up and down on dark, up and down on light
    "classic": (("#3FB950", "#F85149"), ("#116329", "#B31D28")),
    "safe": (("#56B4E9", "#E69F00"), ("#005A8F", "#A04000")),
    "east": (("#F85149", "#3FB950"), ("#B31D28", "#116329")),
}
BADGE_COLORS: Final = {
    # token: text, ground
    "paper": ("#060809", "#56B4E9"),
    "sim": ("#060809", "#E3B341"),
    "live": ("#FFFFFF", "#B31D28"),
    "replay": ("#060809", "#C9A6F5"),
}
_ANSI: Final = {
    "ground": "default", "choice": "default",
    "text": "default", "title": "default", "focus": "default", "flat": "default",
}  # fmt: skip
_ANSI_OF: Final = {
    # palette: colors by the terminal's own names
    "ansi-dark": {
        **_ANSI, "dim": "bright_black", "own": "bright_yellow", "ok": "green",
        "warn": "yellow", "danger": "bright_red", "stale": "bright_black",
        "recorded": "bright_magenta",
        "up": "bright_cyan", "down": "bright_yellow", "bid": "bright_cyan", "ask": "bright_yellow",
    },
    "ansi-light": {
        **_ANSI, "dim": "bright_black", "own": "magenta", "ok": "green",
        "warn": "magenta", "danger": "red", "stale": "bright_black",
        "recorded": "magenta",
        "up": "blue", "down": "red", "bid": "blue", "ask": "red",
    },
}  # fmt: skip
ANSI_BADGES: Final = {
    # token: text, ground
    "paper": ("black", "bright_cyan"),
    "sim": ("black", "bright_yellow"),
    "live": ("bright_white", "red"),
    "replay": ("black", "bright_magenta"),
}
_MONO: Final = {
    "text": "", "dim": "dim", "title": "bold", "focus": "bold reverse", "up": "bold",
    "down": "underline", "flat": "", "bid": "", "ask": "", "own": "bold", "ok": "",
    "warn": "bold", "danger": "bold reverse", "stale": "dim", "recorded": "bold",
    "paper": "reverse", "sim": "bold reverse", "live": "bold reverse", "replay": "reverse",
}  # fmt: skip

_GREYS: Final = {
    "ground": "#101010", "text": "#E4E4E4", "title": "#E4E4E4", "dim": "#A8A8A8", "up": "#E4E4E4",
    "ok": "#E4E4E4", "warn": "#E4E4E4", "danger": "#E4E4E4",
}  # fmt: skip
"""What Textual's own widgets wear in mono; ours wear nothing but attributes."""

NAMES: Final[tuple[str, ...]] = get_args(PaletteName)
"""In the order in which `T` goes through them."""


@dataclass(frozen=True)
class Palette:
    """Tokens as styles; immutable and shared by all panes."""

    name: str
    is_dark: bool
    colors: Mapping[str, str]
    """Token to `#RRGGBB`, or to a color of the terminal's own, and the two grounds; empty in
    mono."""
    is_ascii: bool = False
    """No box drawing, blocks, arrows or braille: the locale or the user does not want them."""
    _styles: dict[str, Style] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_ansi(self) -> bool:
        """Whether its colors are the terminal's, whatever they look like there."""
        return self.name in _ANSI_OF

    def style(self, token: str) -> Style:
        """Return the style of a token and its attributes; never None (NO_COLOR needs a style)."""
        found = self._styles.get(token)
        if found is None:
            found = self._styles[token] = self._make(token)
        return found

    def _make(self, token: str) -> Style:
        name, *attributes = token.split()
        extra = Style.parse(" ".join(attributes)) if attributes else Style()
        if not self.colors:
            return Style.parse(_MONO[name] or "none") + extra
        if name in BADGES:
            text, ground = (ANSI_BADGES if self.is_ansi else BADGE_COLORS)[name]
            return Style(color=text, bgcolor=ground, bold=True) + extra
        if self.is_ansi:
            return Style(color=self.colors[name], bgcolor="default") + extra
        ground = self.colors["choice" if extra.reverse else "ground"]
        return Style(color=self.colors[name], bgcolor=ground) + extra + Style(reverse=False)

    @cached_property
    def theme(self) -> Theme:
        """The same colors for Textual's own widgets: dialogs, help, the command palette."""
        if self.is_ansi:
            return BUILTIN_THEMES[self.name]
        colors = self.colors or _GREYS
        return Theme(
            name=self.name,
            primary=colors["title"],
            secondary=colors["dim"],
            accent=colors["up"],
            warning=colors["warn"],
            error=colors["danger"],
            success=colors["ok"],
            foreground=colors["text"],
            background=colors["ground"],
            surface=colors["ground"],
            panel=colors["ground"],
            dark=self.is_dark,
        )


def palette(name: str, *, is_ascii: bool = False) -> Palette:
    """Return one of `NAMES`.

    Raises:
        KeyError: There is none of that name.
    """
    if name == "mono":
        return Palette(name, True, {}, is_ascii)
    if name in _ANSI_OF:
        return Palette(name, name == "ansi-dark", _ANSI_OF[name], is_ascii)
    pair, _, ground = name.partition("-")
    is_dark = {"dark": True, "light": False}[ground]
    up, down = PAIRS[pair][0 if is_dark else 1]
    colors = {**(_DARK if is_dark else _LIGHT), "up": up, "down": down, "bid": up, "ask": down}
    return Palette(name, is_dark, colors, is_ascii)


def following(name: str) -> str:
    """Return the palette after this one."""
    return NAMES[(NAMES.index(name) + 1) % len(NAMES)]


def color(text: str) -> tuple[int, int, int]:
    """Return `#RRGGBB` as three numbers from 0 to 255."""
    triplet = Color.parse(text).get_truecolor()
    return triplet.red, triplet.green, triplet.blue
