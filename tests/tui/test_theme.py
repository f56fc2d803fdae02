"""Palettes: contrast by WCAG, distance by CIE 1976 after Machado's matrices at full severity."""

import itertools

import pytest
from rich.style import Style

from tui.theme import BADGE_COLORS, NAMES, TOKENS, Palette, color, following, palette

COLORED = [name for name in NAMES if name != "mono" and not name.startswith("ansi")]
"""The palettes whose colors are ours: those of the terminal's own are its user's business."""
GROUNDS = ("ground", "choice")
MACHADO = {
    # Machado, Oliveira and Fernandes 2009, severity 1.0
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}  # fmt: skip


def linear(text: str) -> list[float]:
    shares = [value / 255 for value in color(text)]
    return [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio."""
    lights = sorted(
        sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear(text), strict=True))
        for text in (first, second)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def lab(rgb: list[float]) -> tuple[float, float, float]:
    """CIE L*a*b* under D65 of linear sRGB."""
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(w * min(1, max(0, v)) for w, v in zip(row, rgb, strict=True)) for row in rows]
    x, y, z = (
        share ** (1 / 3) if share > 0.008856 else 7.787 * share + 16 / 116
        for share in (v / w for v, w in zip(xyz, (0.95047, 1.0, 1.08883), strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(first: str, second: str, eyes: str) -> float:
    """CIE76 distance of two colors as these eyes see them."""
    seen = [
        lab([sum(w * v for w, v in zip(row, linear(text), strict=True)) for row in MACHADO[eyes]])
        for text in (first, second)
    ]
    return sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5


@pytest.mark.parametrize("name", COLORED)
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_can_be_read(name: str, ground: str) -> None:
    """Every token keeps 4.5:1, on the plain ground and under a choice."""
    colors = palette(name).colors
    weak = {
        token: round(contrast(text, colors[ground]), 2)
        for token, text in colors.items()
        if token not in GROUNDS and contrast(text, colors[ground]) < 4.5
    }

    assert {} == weak


@pytest.mark.parametrize(
    ("name", "least"), [("safe-dark", 6.5), ("safe-light", 6.5), ("classic-dark", 5.6), ("classic-light", 5.6)]
)  # fmt: skip
def test_up_and_down_stand_out(name: str, least: float) -> None:
    """The contrast that the specification promises for the pair."""
    colors = palette(name).colors

    assert least <= min(contrast(colors[t], colors["ground"]) for t in ("up", "down"))


@pytest.mark.parametrize("eyes", MACHADO)
@pytest.mark.parametrize(("name", "least"), [("safe-dark", 75), ("safe-light", 75)])
def test_safe_is_safe(name: str, least: int, eyes: str) -> None:
    """Up and down stay apart whatever cones are missing."""
    colors = palette(name).colors

    assert least <= distance(colors["up"], colors["down"], eyes)


def test_classic_is_not_and_that_is_why_it_is_no_default() -> None:
    """The measure can tell: red and green are near each other for a deuteranope."""
    colors = palette("classic-dark").colors

    assert 15 > distance(colors["up"], colors["down"], "deutan")


@pytest.mark.parametrize(
    ("badge", "least"), [("paper", 8.5), ("sim", 10.1), ("live", 6.7), ("replay", 8.0)]
)
def test_badges_can_be_read(badge: str, least: float) -> None:
    """As the specification computed them, to its digit."""
    assert least <= round(contrast(*BADGE_COLORS[badge]), 1)


@pytest.mark.parametrize(("name", "token"), list(itertools.product(NAMES, TOKENS)))
def test_every_token_has_a_style_everywhere(name: str, token: str) -> None:
    """A segment without a style kills the app under NO_COLOR."""
    looks = palette(name)

    assert isinstance(looks.style(token), Style)
    assert looks.style(f"{token} bold").bold


def test_mono_uses_no_color_at_all() -> None:
    """Meaning is in attributes there."""
    styles = [palette("mono").style(token) for token in TOKENS]

    assert all(style.color is None and style.bgcolor is None for style in styles)


def test_a_choice_keeps_its_colors() -> None:
    """Reverse is a ground of its own, but in mono it is what it says."""
    colored, mono = palette("safe-dark"), palette("mono")

    assert colored.style("up reverse").color == colored.style("up").color
    assert colored.style("up reverse").bgcolor != colored.style("up").bgcolor
    assert mono.style("up reverse").reverse


@pytest.mark.parametrize("name", ["ansi-dark", "ansi-light"])
def test_the_terminals_own_colors_are_named_never_mixed(name: str) -> None:
    """Of its sixteen, on its own ground; a choice is real reverse, since no ground is known."""
    looks = palette(name)
    for token in TOKENS:
        style = looks.style(token)
        assert all(
            c is None or c.is_system_defined or c.is_default for c in (style.color, style.bgcolor)
        )
    assert looks.style("up reverse").reverse
    assert looks.theme.ansi
    assert {"up", "down"} == {t for t in ("up", "down") if looks.style(t).color is not None}
    assert looks.style("up").color != looks.style("down").color


def test_mono_has_no_color_anywhere() -> None:
    """Neither in our cells nor in Textual's own widgets: greys at most."""
    looks = palette("mono")

    assert all(looks.style(token).color is None for token in TOKENS)
    grounds = (looks.theme.primary, looks.theme.warning, looks.theme.error, looks.theme.background)
    assert all(1 == len(set(color(tone or ""))) for tone in grounds)


def test_the_key_goes_through_all_palettes() -> None:
    """`T` often enough comes back to where one was."""
    names = list(
        itertools.accumulate(range(len(NAMES)), lambda n, _: following(n), initial=NAMES[0])
    )

    assert set(NAMES) == set(names)
    assert NAMES[0] == names[-1]


def test_palettes_are_made_of_the_same_tokens() -> None:
    """No palette lacks one, none has one that others do not."""
    known = {frozenset(p.colors) for p in map(palette, COLORED)}

    assert 1 == len(known)
    assert isinstance(palette("mono"), Palette)
