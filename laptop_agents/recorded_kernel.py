"""What the first line of a journal says of its session, and the kernel of that session."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine.model.errors import JournalDamaged, StateDamaged, UsageError
from engine.model.instrument import Instrument
from engine.session.journal_reader import Line
from engine.venue import Capabilities
from laptop_agents.recorded_settings import recorded_settings

if TYPE_CHECKING:
    from engine.kernel import Kernel


class Started(msgspec.Struct):
    """What a recorded session was started with, as far as running it again needs it."""

    run_id: str
    source: str
    simulated: bool
    instruments: list[Instrument]
    settings: dict[str, Any]
    agents: list[str] = []
    venue: Capabilities | None = None
    """What the real venue could do; None where no order was meant for one."""
    references: dict[str, Instrument] = {}
    """What each instrument was held against, where a second market stood beside."""


def started_with(journal: Path, first: Line) -> Started:
    """Read the first line of a journal that has recorded its inputs.

    Raises:
        JournalDamaged: It is no start of a session.
        UsageError: The journal was recorded with less detail.
    """
    if first.type != "session_started":
        raise JournalDamaged(str(journal), 1, "the first line is not session_started")
    started = _started(msgspec.json.decode(first.data))
    if started.settings.get("journal.detail") != "inputs":
        raise UsageError(f"{journal} holds no inputs: it was recorded with less journal.detail")
    return started


def recorded_kernel(started: Mapping[str, Any]) -> "Kernel":
    """Build a fresh kernel that decides as the recorded one did.

    Raises:
        SettingsRefused: This release does not know or accept a setting of that run any more.
        StateDamaged: The line describes no session.
    """
    return kernel_maker(_started(started))()


def kernel_maker(started: Started) -> "Callable[[], Kernel]":
    """Resolve the recorded settings once, and return what builds a fresh kernel from them.

    Raises:
        SettingsRefused: See `recorded_kernel`.
    """
    from laptop_agents.compose import make_kernel  # noqa: PLC0415 - every part of a session

    settings = recorded_settings(started.settings, deciding_only=True)
    return lambda: make_kernel(
        settings, started.instruments, venue=started.venue, references=started.references
    )


def _started(line: Mapping[str, Any]) -> Started:
    try:
        return msgspec.convert(line, Started, strict=False)
    except msgspec.ValidationError as error:
        raise StateDamaged("the journal's first line describes no session") from error
