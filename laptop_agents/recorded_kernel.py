"""The kernel of a recorded run, from the first line of its journal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from engine.model.errors import StateDamaged
from engine.model.instrument import Instrument
from laptop_agents.recorded_settings import recorded_settings

if TYPE_CHECKING:
    from engine.kernel import Kernel


def recorded_kernel(started: Mapping[str, Any]) -> "Kernel":
    """Build a fresh kernel that decides as the recorded one did.

    Raises:
        SettingsRefused: This release does not know or accept a setting of that run any more.
        StateDamaged: The line describes no session.
    """
    from laptop_agents.compose import make_kernel  # noqa: PLC0415 - every part of a session

    try:
        line = msgspec.convert(started, _Started, strict=False)
    except msgspec.ValidationError as error:
        raise StateDamaged("the journal's first line describes no session") from error
    return make_kernel(recorded_settings(line.settings, deciding_only=True), line.instruments)


class _Started(msgspec.Struct):
    instruments: list[Instrument]
    settings: dict[str, Any]
