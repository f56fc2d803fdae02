"""Leverage and margin mode while a live session runs: read again, and told where they differ.

Rule 1: it is asked on the session's beat, after a while and soon after an order was refused for
        want of margin: however many were refused, once.
Rule 2: an answer that fails says nothing, and neither does an instrument missing from one.
Rule 3: what the session has taken is known, by its resume too: nothing is told twice, and what a
        crash kept from it is told again.
Rule 4: an account that told nothing at the start is not asked: its instruments are too many.

Source: reliability.md row 47.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from brokers.link.account import Unanswered
from brokers.link.errands import Errands
from brokers.link.mail import Mail
from engine.model.venue_events import (
    RejectReason,
    VenueAmendRejected,
    VenueEvent,
    VenueMargin,
    VenueRejected,
)
from engine.venue import MarginTerms

NS_PER_S: Final = 1_000_000_000
EACH_S: Final = 6.0
"""Between two questions at least, for each instrument: Bitunix and Hyperliquid are asked about one
at a time, and ten a minute weigh a third of what Hyperliquid takes in questions."""
SOON_S: Final = 5.0
"""Between two questions at least where orders are refused for want of margin."""
SOON_EACH_S: Final = 3.0
"""The same for each instrument: two thirds, which leaves its pictures the last."""


class Held(NamedTuple):
    """What the session knows as it begins."""

    terms: Sequence[MarginTerms] = ()
    """What positions are made with; empty where nobody knows."""
    every_s: float | None = None
    """Seconds from one question to the next; None: only after a refusal."""


class Teller(Protocol):
    """Who is asked."""

    async def margin_terms(self) -> Sequence[MarginTerms] | Unanswered:
        """Tell what positions of each of the session's instruments are made with."""
        ...


class Terms:
    """Of one session."""

    def __init__(self, teller: Teller, held: Held, errands: Errands, mail: Mail) -> None:
        """Know what is held; nothing is asked yet.

        Args:
            teller: At the venue.
            held: At the start.
            errands: What questions are among.
            mail: Takes what has changed.

        """
        self._teller = teller
        self._every_s = held.every_s
        self._known = {terms.symbol: terms for terms in held.terms}
        self._errands = errands
        self._mail = mail
        self._is_short = False
        """An order was refused for want of margin since the last question."""
        self._is_asking = False
        self._asked_ns = 0

    def beat(self, ts_ns: int) -> None:
        """Ask where it is time."""
        wait_s = self._wait_s()
        if wait_s is None or self._is_asking or not self._known:
            return
        if ts_ns - self._asked_ns >= wait_s * NS_PER_S:
            self._asked_ns, self._is_short, self._is_asking = ts_ns, False, True
            self._errands.run(self._ask)

    def _wait_s(self) -> float | None:
        count = len(self._known)
        if self._is_short:
            return max(SOON_S, SOON_EACH_S * count)
        return self._every_s and max(self._every_s, EACH_S * count)

    async def _ask(self) -> None:
        told = await self._teller.margin_terms()
        self._is_asking = False
        if isinstance(told, Unanswered):
            return
        for now in told:
            was = self._known.setdefault(now.symbol, now)
            if now != was:
                terms = now.leverage, now.mode, was.leverage, was.mode
                self._mail.post(VenueMargin(0, now.symbol, *terms))

    def see(self, event: VenueEvent) -> None:
        """Learn what the session takes, or an interrupted run of it took."""
        match event:
            case VenueMargin(symbol=symbol, leverage=leverage, mode=mode):
                self._known[symbol] = MarginTerms(symbol, leverage, mode)
            case VenueRejected(reason=reason) | VenueAmendRejected(reason=reason):
                self._is_short |= reason is RejectReason.INSUFFICIENT_BALANCE
            case _:
                pass

    def snapshot(self) -> list[MarginTerms]:
        """Return what the session knows."""
        return list(self._known.values())

    def restore(self, known: Sequence[MarginTerms]) -> None:
        """Know it again."""
        self._known |= {terms.symbol: terms for terms in known}
