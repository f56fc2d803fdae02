"""Leverage and margin mode of a live session: set as its settings say, told, and read back.

Rule 1: it is done before anybody is asked to arm, while nothing of these instruments is held.
Rule 2: no change is silent: a line says from what to what before it is asked for.
Rule 3: what the venue then says it has is what counts, not its answer to the change.
Rule 4: a session that is resumed may hold positions: there a difference is told, and left.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from brokers.link.account import Facts, Refused, Unanswered, VenueAccount
from brokers.link.config import LiveConfig
from engine.model.errors import CredentialsRefused
from engine.venue import MarginTerms

if TYPE_CHECKING:
    from laptop_agents.settings import Settings

Tell = Callable[[str], object]


async def align(
    account: VenueAccount, facts: Facts, settings: "Settings", tell: Tell, *, is_resumed: bool
) -> Facts:
    """Have the venue make positions as the settings say; return the facts as they are then.

    Raises:
        CredentialsRefused: It does not, or does not tell what it has.
    """
    live, venue = settings.live, settings.source
    if live.leverage is None and live.margin_mode is None:
        return facts
    _refuse_untold(settings, facts.margin)
    changes = list(differing(live, facts.margin))
    if is_resumed:
        for held, wanted in changes:
            tell(f"{venue} has {held}, not {_short(wanted)}: left so for the resumed session")
        return facts
    for held, wanted in changes:
        tell(f"{venue}: {held} -> {_short(wanted)}")
        outcome = await account.set_margin(held, wanted)
        if isinstance(outcome, Refused):
            raise CredentialsRefused(_kept(venue, held, wanted, outcome.detail))
    return await _read_back(account, facts, settings) if changes else facts


def differing(
    live: LiveConfig, terms: Sequence[MarginTerms]
) -> Iterator[tuple[MarginTerms, MarginTerms]]:
    """Yield what is held other than wished, and how it is wished."""
    for held in terms:
        wanted = MarginTerms(
            held.symbol, live.leverage or held.leverage, live.margin_mode or held.mode
        )
        if wanted != held:
            yield held, wanted


async def _read_back(account: VenueAccount, facts: Facts, settings: "Settings") -> Facts:
    told = await account.margin_terms()
    if isinstance(told, Unanswered):
        raise CredentialsRefused(
            f"{settings.source} does not tell what leverage it has now: {told.cause}"
        )
    _refuse_untold(settings, told)
    for held, wanted in differing(settings.live, told):
        raise CredentialsRefused(_kept(settings.source, held, wanted, "it says so when asked"))
    leverage = max(one.leverage for one in told)
    return facts._replace(margin=tuple(told), leverage=Decimal(leverage))


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
