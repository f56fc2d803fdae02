"""Finds the second market that a session is held against, and puts it beside its own.

Nothing falls back here: who asks for a guard is not left without one (ADR 15).
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.model.errors import DataUnavailable, UnknownInstrument, UsageError
from engine.model.instrument import Instrument
from engine.session.late_feed import LateFeed
from engine.session.referenced_feed import ReferencedFeed
from engine.venue import BarSource, LiveFeed
from laptop_agents import compose
from laptop_agents.discovery import discover

if TYPE_CHECKING:
    from laptop_agents.settings import Settings

COINS = "hyperliquid"
"""It lists coins, and thousands of one as `k`; the others list contracts, and write `1000`."""
THOUSAND = "1000"


def referenced(settings: "Settings", feed: LiveFeed) -> tuple[LiveFeed, Mapping[str, Instrument]]:
    """Return the source with its reference beside it, and what stands beside each instrument.

    Args:
        settings: Whether there is a reference, and which.
        feed: The session's own source, discovered.

    Raises:
        DataUnavailable: The reference can't be reached.
        UsageError: It does not list what an instrument is to be held against.
    """
    venue = settings.reference.source
    if venue is None:
        return feed, {}
    assert isinstance(feed, BarSource), "sources that happen now are"
    theirs = counterparts(settings, feed)
    beside = _listener(settings, theirs)
    try:
        asyncio.run(discover(beside, settings.session.fallback_after_s))
    except DataUnavailable as error:
        raise DataUnavailable(
            f"the reference market: {error}; without reference.source there is no guard"
        ) from error
    except UnknownInstrument as error:
        here = next(ours for ours, there in theirs.items() if there == error.symbol)
        raise UsageError(
            f"the reference {venue} does not list {error.symbol}: name what {here} is held against,"
            f" --set reference.symbols={here}=..."
        ) from error
    joined = ReferencedFeed(feed, beside, theirs)
    return joined, joined.references


def referenced_again(
    settings: "Settings", feed: LiveFeed, references: Mapping[str, Instrument]
) -> LiveFeed:
    """Return an interrupted session's source with the same reference beside it, once that is there.

    Whoever goes on has positions to look after: they do not wait for a market that is only looked
    at. Until it is there the session is without sight of it, and takes no new risk.

    Args:
        settings: Those of the run.
        feed: Its own source, discovered.
        references: What stood beside each instrument.
    """
    if not references:
        return feed
    assert isinstance(feed, BarSource), "sources that happen now are"
    theirs = {here: there.symbol for here, there in references.items()}
    known = {there.symbol: there for there in references.values()}
    late = LateFeed(_listener(settings, theirs), tuple(known.values()))
    return ReferencedFeed(feed, late, theirs)


def _listener(settings: "Settings", theirs: Mapping[str, str]) -> LiveFeed:
    venue, symbols = settings.reference.source, tuple(dict.fromkeys(theirs.values()))
    listener = compose.make_live_feed(
        settings.model_copy(update={"source": venue, "symbols": symbols})
    )
    assert listener is not None, "only live venues can be named"
    return listener


def counterparts(settings: "Settings", feed: LiveFeed) -> Mapping[str, str]:
    """Return the reference's symbol for each of ours: as told, else of the same coin."""
    told = dict(pair.split("=", 1) for pair in settings.reference.symbols)
    venue = settings.reference.source or ""
    return {
        ours.symbol: told.get(ours.symbol) or same_coin(ours, venue) for ours in feed.instruments
    }


def same_coin(ours: Instrument, venue: str) -> str:
    """Return how a venue names the perpetual of an instrument's coin."""
    base = ours.base
    if venue == COINS:
        return f"k{base.removeprefix(THOUSAND)}" if base.startswith(THOUSAND) else base
    is_thousand = base[:1] == "k" and base[1:].isupper()
    return f"{THOUSAND}{base[1:]}USDT" if is_thousand else f"{base}USDT"
