"""Settings `tui`: how the screen looks, how often it paints, which keys it takes. No Textual here.

They are settings of whoever looks, not of the session: `attach` takes its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from annotated_types import Ge, Le

PaletteName = Literal[
    "safe-dark",
    "safe-light",
    "classic-dark",
    "classic-light",
    "east-dark",
    "east-light",
    "ansi-dark",
    "ansi-light",
    "mono",
]
"""In the order in which `T` goes through them."""
LOCAL: Final = "local"
ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}", re.ASCII)
"""A name of the IANA database; no dots, so that it never leaves the database's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TuiConfig:
    """The screen, to one person's taste."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    palette: PaletteName = "safe-dark"
    """Colors at the start; `T` goes on from there. `ansi-*` are the terminal's own sixteen, `mono`
    has none and is what NO_COLOR and --no-color choose."""
    ascii: bool = False
    """Letters in the place of box drawing, blocks and braille; a locale without UTF-8 has no other
    choice."""
    fps: Annotated[int, Ge(4), Le(10)] | Literal["auto", "low"] = "auto"
    """Paints a second of what moves fastest, quotes and book; `auto` is 4, and over SSH as `low`,
    which is 2."""
    mouse: bool = True
    """False leaves the mouse to the terminal, which then selects and scrolls by itself."""
    timezone: str = "UTC"
    """Zone of the clocks on the screen: UTC, `local`, or a name like Europe/Berlin; files and
    journal stay in UTC."""
    confirm_orders: bool = True
    """Whether an order by ticket asks once more; false counts in paper mode only."""
    copy_file: bool = False
    """Whether what `y` and `Y` copy is also appended to `<run>/clipboard.txt`, for terminals that
    ignore the request to copy."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys by the id of their action, like `pause = "f5,space"`; `?` lists the ids."""

    def __post_init__(self) -> None:
        """Refuse a zone this machine does not know."""
        if self.timezone not in ("UTC", LOCAL) and not _is_zone(self.timezone):
            raise ValueError("timezone must be UTC, local, or a zone like Europe/Berlin")


def _is_zone(name: str) -> bool:
    if ZONE.fullmatch(name) is None:
        return False
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return False
    return True
