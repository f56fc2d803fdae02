"""Whether a session may send real orders: asked of the command line, the venue and a person."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.model.errors import UsageError
from engine.session.start import Arming
from laptop_agents.arming import Consent, arm
from laptop_agents.reaching import Permit, Reached

if TYPE_CHECKING:
    from laptop_agents.settings import Settings

LIVE, DRY_RUN, SHADOW = "live", "dry-run", "shadow"


def agreed(settings: "Settings", consent: Consent) -> None:
    """Hold what was typed against the settings, before any venue is asked anything.

    Raises:
        UsageError: Real orders, and the venue was not named; or named, and all are simulated.
    """
    if settings.mode == LIVE and consent.venue != settings.source:
        raise UsageError(f"live sends real orders: say --yes-live {settings.source}")
    if settings.mode != LIVE and (consent.venue or consent.token):
        raise UsageError("--yes-live and --arm-token belong to --mode live")


def permitted(found: Reached, consent: Consent, home: Path, *, is_resumed: bool = False) -> Reached:
    """Return what a session is made of, by its mode.

    Live has a permit, a dry run a key that signs, a shadow session an account to look at.

    Raises:
        LaptopAgentsError: It may not begin, in a line that says what to do.
    """
    if found.settings.mode == DRY_RUN:
        return _rehearsed(found, home)
    if found.settings.mode == SHADOW:
        from laptop_agents.watching import watched  # noqa: PLC0415 - TLS, for shadow only

        return watched(found, os.environ, home)
    if found.settings.mode != LIVE:
        return found
    from laptop_agents.admission import admit, margin_of  # noqa: PLC0415 - TLS, for live only
    from laptop_agents.sentinel_desk import handed  # noqa: PLC0415 - the same

    assert found.feed is not None, "a source that can be traded on is live"
    admitted = admit(found.settings, found.feed, os.environ, home, is_resumed=is_resumed)
    by, settings = arm(admitted, consent), admitted.settings
    permit = Permit(
        admitted.account,
        partial(handed, credentials=admitted.credentials),
        Arming(f"{settings.source} {settings.live.arm_ttl_s}", by),
        margin_of(admitted, found.feed),
    )
    return found._replace(settings=settings, permit=permit)


def _rehearsed(found: Reached, home: Path) -> Reached:
    """Find the key and what signs with it; nothing is sent, so nobody is asked.

    Raises:
        CredentialsRefused: There is no key, or it is none.
    """
    from laptop_agents.keys import credentials  # noqa: PLC0415 - for who has one
    from laptop_agents.venues import open_rehearsal  # noqa: PLC0415 - the same

    assert found.feed is not None, "a source that can be traded on is live"
    settings = found.settings
    key = credentials(settings.source, os.environ, home).credentials
    rehearsal = open_rehearsal(settings.source, key, settings, found.feed.instruments, found.places)
    return found._replace(rehearsal=rehearsal)
