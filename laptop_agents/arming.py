"""A person lets a session trade with real money: once, for one venue, for a limited time.

On a terminal by typing the venue's name under what is at stake; elsewhere by a file that counts
once: made by its owner for himself, not long ago, naming the venue, and gone when it is used.

Source: reliability.md D4; tui-expectations.md section 9, class 5.
"""

import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.model.errors import CredentialsRefused
from laptop_agents.margins import arrow

if TYPE_CHECKING:
    from laptop_agents.admission import Admitted


class Consent(NamedTuple):
    """What was typed at the start for a session with real money."""

    venue: str = ""
    """As in `--yes-live VENUE`."""
    token: Path | None = None


NO_CONSENT: Final = Consent()
TOKEN_BYTES_MAX: Final = 200
TOKEN_AGE_S: Final = 900.0
"""How old a token may be: it is meant for the session that is started now."""
CLOCK_S: Final = 5.0
"""By how much a file system's clock may be ahead of ours."""
HOW: Final = "umask 077; echo {venue} > FILE, then --arm-token FILE"


def arm(admitted: "Admitted", consent: Consent) -> str:
    """Return by whom the session was armed.

    Raises:
        CredentialsRefused: It was not.
    """
    venue, token = admitted.settings.source, consent.token
    if token is not None:
        spend(token, venue)
        return "token file"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CredentialsRefused(
            f"live needs arming, and there is no terminal to type on: {HOW.format(venue=venue)}"
        )
    sys.stderr.write(
        "\n".join([*at_stake(admitted), f"Type {venue} to arm, anything else leaves: "])
    )
    sys.stderr.flush()
    if sys.stdin.readline().strip() != venue:
        raise CredentialsRefused("not armed: nothing was sent")
    return "a person at the terminal"


def at_stake(admitted: "Admitted") -> Iterator[str]:
    """Yield what whoever arms has to know."""
    settings, facts = admitted.settings, admitted.facts
    risk = settings.risk
    worst = facts.balance * risk.max_loss_pct / 100 if risk.max_loss_pct is not None else None
    yield f"LIVE at {settings.source}: real orders, real money."
    yield f"  account    ...{facts.tail}, key from {admitted.key_from}"
    yield f"  balance    {facts.balance:,.2f}"
    yield f"  margin     {', '.join(_margin(admitted)) or f'up to {facts.leverage}x'}"
    yield f"  trades     {', '.join(settings.symbols)} by {', '.join(settings.agents.enabled)}"
    yield f"  limits     an order {risk.max_order_notional}, all {risk.max_gross_notional},"
    yield f"             a position {risk.max_position_notional}"
    said = "no limit" if worst is None else f"{worst:,.2f} ({risk.max_loss_pct}%)"
    yield f"  worst loss {said}, then everything is closed; a gap can cost more"
    yield f"  armed for  {settings.live.arm_ttl_s / 3_600:g} h"


def _margin(admitted: "Admitted") -> Iterator[str]:
    changes = dict(admitted.changes)
    for held in admitted.facts.margin:
        yield arrow(held, changes[held]) if held in changes else str(held)


def spend(token: Path, venue: str) -> None:
    """Use a token up.

    Raises:
        CredentialsRefused: It is none, is another's, is open to others, or is not for this.
    """
    try:
        fd = os.open(token, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise CredentialsRefused(f"--arm-token: {token} can't be read: {error.strerror}") from error
    try:
        reason = _flaw(os.fstat(fd)) or _misread(os.read(fd, TOKEN_BYTES_MAX), venue)
    finally:
        os.close(fd)
    if reason:
        raise CredentialsRefused(f"--arm-token: {token} {reason}: {HOW.format(venue=venue)}")
    try:
        token.unlink()
    except OSError as error:
        raise CredentialsRefused(
            f"--arm-token: {token} can't be used up: {error.strerror}"
        ) from error


def _flaw(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "is no file"
    if status.st_uid != os.geteuid():
        return "belongs to somebody else"
    if stat.S_IMODE(status.st_mode) & 0o077:
        return "is open to others"
    if status.st_nlink != 1:
        return "has another name under which it would count again"
    age_s = time.time() - status.st_mtime
    if age_s < -CLOCK_S:
        return "is from the future"
    return "is too old" if age_s > TOKEN_AGE_S else ""


def _misread(content: bytes, venue: str) -> str:
    return "" if content.decode("utf-8", "replace").strip() == venue else f"does not say {venue}"
