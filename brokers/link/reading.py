"""An account that can only be looked at: the read half of a venue, for sessions that simulate.

A room `brokers.<venue>.reader` offers `open_reader`. What it returns has no way to place, amend or
cancel: its requests go through `brokers.link.questions`, which sends nothing but questions, and no
signer of orders is among its parts (reliability.md D5). A venue whose questions are signed needs a
key for them; one that may only read is enough.
"""

from decimal import Decimal
from typing import Final, Protocol, Self

from brokers.link.account import Facts, Unanswered
from engine.model.sightings import AccountSeen, SeenTerms
from engine.venue import MarginTerms

MARGIN_NS: Final = 60_000_000_000
"""How far a look reaches back behind the one before: venues list some things late."""


class AccountReader(Protocol):
    """One account at one venue, to be looked at; an async context."""

    @property
    def venue(self) -> str:
        """Its name."""
        ...

    async def __aenter__(self) -> Self:
        """Open; nothing is asked yet."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Leave the venue."""
        ...

    async def facts(self) -> Facts:
        """Ask what has to be known before a session begins.

        Raises:
            DataUnavailable: The venue can't be reached, or makes no sense.
            CredentialsRefused: It does not take the key.
        """
        ...

    async def look(self, since_ns: int | None) -> AccountSeen | Unanswered:
        """Look at the whole account, without a time of ours; all of it or nothing.

        Args:
            since_ns: Venue time of the first fills and payments wanted; None for those of the last
                `MARGIN_NS`.
        """
        ...


def seen_terms(
    symbol: str, margin: MarginTerms | None, maker_bps: Decimal | None, taker_bps: Decimal | None
) -> SeenTerms:
    """Return what trading an instrument costs and ties up, of which parts may be unknown."""
    leverage = None if margin is None else Decimal(margin.leverage)
    mode = "" if margin is None else str(margin.mode or "")
    return SeenTerms(symbol, leverage, mode, maker_bps, taker_bps)
