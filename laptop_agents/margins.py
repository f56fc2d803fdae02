"""Leverage and margin mode of a live session: set as its settings say, told, and read back.

Rule 1: it is shown to whoever arms and done once they have, while nothing of these instruments is
        held: an account is not changed unasked.
Rule 2: no change is silent: a line says from what to what before it is asked for.
Rule 3: what the venue then says it has is what counts, not its answer to the change.
Rule 4: a session that is resumed may hold positions: there a difference is told, and left.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from brokers.link.account import Refused, Unanswered, VenueAccount
from brokers.link.config import LiveConfig
from engine.model.errors import CredentialsRefused
from engine.venue import MarginTerms

if TYPE_CHECKING:
    from laptop_agents.settings import Settings

Tell = Callable[[str], object]
Change = tuple[MarginTerms, MarginTerms]
"""What the venue has, and what is wished."""


def wished(
    settings: "Settings", terms: Sequence[MarginTerms], tell: Tell, *, is_resumed: bool
) -> tuple[Change, ...]:
    """Return what is to be changed at the venue once somebody has armed.

    Raises:
        CredentialsRefused: It does not tell what it has.
    """
    live, venue = settings.live, settings.source
    if live.leverage is None and live.margin_mode is None:
        return ()
    _refuse_untold(settings, terms)
    changes = tuple(differing(live, terms))
    if not is_resumed:
        return changes
    for held, wanted in changes:
        tell(f"{venue} has {held}, not {_short(wanted)}: left so for the resumed session")
    return ()


async def change(
    account: VenueAccount, settings: "Settings", changes: Sequence[Change], tell: Tell
) -> tuple[MarginTerms, ...]:
    """Have the venue make positions as the settings say; return what it has then.

    Raises:
        CredentialsRefused: It does not, or does not tell what it has.
    """
    venue = settings.source
    for held, wanted in changes:
        tell(f"{venue}: {arrow(held, wanted)}")
        outcome = await account.set_margin(held, wanted)
        if isinstance(outcome, Refused):
            raise CredentialsRefused(_kept(venue, held, wanted, outcome.detail))
    told = await account.margin_terms()
    if isinstance(told, Unanswered):
        raise CredentialsRefused(f"{venue} does not tell what leverage it has now: {told.cause}")
    _refuse_untold(settings, told)
    for held, wanted in differing(settings.live, told):
        raise CredentialsRefused(_kept(venue, held, wanted, "it says so when asked"))
    return tuple(told)


def arrow(held: MarginTerms, wanted: MarginTerms) -> str:
    """Say a change."""
    return f"{held} -> {_short(wanted)}"


def differing(live: LiveConfig, terms: Sequence[MarginTerms]) -> Iterator[Change]:
    """Yield what is other than wished."""
    for held in terms:
        wanted = MarginTerms(
            held.symbol, live.leverage or held.leverage, live.margin_mode or held.mode
        )
        if wanted != held:
            yield held, wanted


def _refuse_untold(settings: "Settings", terms: Sequence[MarginTerms]) -> None:
    untold = [name for name in settings.symbols if name not in {one.symbol for one in terms}]
    if untold:
        raise CredentialsRefused(
            f"{settings.source} does not tell the leverage of {', '.join(untold)}: trade fewer"
            " symbols, or leave out live.leverage and live.margin_mode"
        )


def _kept(venue: str, held: MarginTerms, wanted: MarginTerms, why: str) -> str:
    return (
        f"{venue} has {held} and not {_short(wanted)} ({why}): cancel the orders there, change it"
        " there, or leave out live.leverage and live.margin_mode"
    )


def _short(terms: MarginTerms) -> str:
    return str(terms).partition(" ")[2]
