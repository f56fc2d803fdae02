"""The venues this release speaks to, and how to open each part of one; only one is loaded."""

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.model.errors import UsageError
from engine.model.instrument import Instrument
from engine.venue import EmergencyDesk

if TYPE_CHECKING:
    from brokers.link.account import VenueAccount
    from brokers.link.rehearsal import Rehearsal
    from brokers.link.secret import Credentials
    from laptop_agents.settings import Settings

TRADED: Final = ("bitunix", "binance", "hyperliquid")
"""Those whose accounts can be traded on."""


def _part(venue: str, part: str) -> Any:
    """Import a part of a venue's adapter.

    Raises:
        UsageError: A library it needs, one of the extra of its name, is not installed.
    """
    try:
        return importlib.import_module(f"brokers.{venue}.{part}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "brokers":
            raise
        raise UsageError(
            f"{venue} needs {error.name}: pip install 'laptop-agents[{venue}]'"
        ) from error


def open_account(
    venue: str,
    credentials: "Credentials",
    settings: "Settings",
    instruments: Sequence[Instrument],
) -> "VenueAccount":
    """Return an account; nothing is sent."""
    opened: VenueAccount = _part(venue, "account").open_account(
        credentials, getattr(settings, venue), instruments
    )
    return opened


def open_rehearsal(
    venue: str,
    credentials: "Credentials",
    settings: "Settings",
    instruments: Sequence[Instrument],
    places: Mapping[str, Any],
) -> "Rehearsal":
    """Return what builds and signs a venue's requests and can't send one.

    Raises:
        CredentialsRefused: The key can't sign.
    """
    opened: Rehearsal = _part(venue, "rehearsal").open_rehearsal(
        credentials, getattr(settings, venue), instruments, places=places
    )
    return opened


def emergency_desk(
    venue: str,
    credentials: "Credentials",
    config: Mapping[str, Any],
    instruments: Sequence[Instrument],
    run_id: str,
) -> EmergencyDesk:
    """Return an account in the sentinel's hands; it loads no settings, so they come as they are."""
    kind = getattr(_part(venue, "config"), f"{venue.capitalize()}Config")
    desk: EmergencyDesk = _part(venue, "emergency").open_desk(
        credentials, kind(**config), instruments, run_id
    )
    return desk
