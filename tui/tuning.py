"""The overlay of settings: those of this screen, which change here at once, then the run's."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from tui import format as fmt
from tui import zone
from tui.config import LOCAL
from tui.dialogs.listing import Act
from tui.pacing import LOW
from tui.theme import palette

if TYPE_CHECKING:
    from tui.app import Workstation

FPS: Final[Sequence[int | str]] = ("auto", LOW, *range(4, 11))
NAME_WIDTH: Final = 34
VALUE_WIDTH: Final = 18
ORIGIN_WIDTH: Final = 14
TEXT_MAX: Final = 300


class Knob(NamedTuple):
    """A setting of this screen."""

    name: str
    range: str
    now: Callable[["Workstation"], str]
    turn: Callable[["Workstation"], None]


def _turn_palette(app: "Workstation") -> None:
    app.action_palette()


def _turn_ascii(app: "Workstation") -> None:
    """Change the glyphs; a terminal that speaks no UTF-8 has no other ones."""
    if app.surface.is_ascii and not app.surface.config.ascii:
        app.say("this locale has no UTF-8: letters are all there is", "warn")
        return
    app.dress(palette(app.looks.name, is_ascii=not app.looks.is_ascii))


def _turn_fps(app: "Workstation") -> None:
    app.pace.fps = FPS[(FPS.index(app.pace.fps) + 1) % len(FPS)]


def _turn_zone(app: "Workstation") -> None:
    zones = list(dict.fromkeys(("UTC", LOCAL, app.surface.config.timezone)))
    zone.use(zones[(zones.index(zone.name()) + 1) % len(zones)])
    app.look()


KNOBS: Final = (
    Knob("tui.palette", "T goes on, too", lambda app: app.looks.name, _turn_palette),
    Knob("tui.ascii", "true or false", lambda app: str(app.looks.is_ascii).lower(), _turn_ascii),
    Knob("tui.fps", "auto, low, 4 to 10 Hz", lambda app: str(app.pace.fps), _turn_fps),
    Knob("tui.timezone", "UTC, local or the profile's", lambda _: zone.name(), _turn_zone),
)


def settings_rows(app: "Workstation") -> tuple[Callable[[], Sequence[str]], Mapping[str, Act]]:
    """Return the rows, and what keys do with them."""
    told = app.surface.settings()
    origins = {line.name: line.origin for line in told}
    knobs = {knob.name for knob in KNOBS}
    others = [
        _row(line.name, line.value, line.origin, f"{line.range}  {line.meaning}".strip())
        for line in told
        if line.name not in knobs
    ]

    def rows() -> list[str]:
        here = [
            _row(knob.name, knob.now(app), "this screen", f"{knob.range} (at start: "
                 f"{origins.get(knob.name, 'default')})")
            for knob in KNOBS
        ]  # fmt: skip
        return [*here, *others]

    def turn(at: int) -> None:
        if at < len(KNOBS):
            KNOBS[at].turn(app)
        else:
            app.say("this one belongs to the run: it was fixed when it started", "warn")

    return rows, {"enter": Act("next value", turn), "space": Act("next value", turn)}


def _row(name: str, value: str, origin: str, rest: str) -> str:
    return fmt.text(
        f"{name:<{NAME_WIDTH}} {value:<{VALUE_WIDTH}} {origin:<{ORIGIN_WIDTH}} {rest}", TEXT_MAX
    )
