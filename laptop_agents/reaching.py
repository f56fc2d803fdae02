"""Reaches a live source before a session begins; a paper session may fall back to the mock market.

Rule 1: a symbol the venue does not list is an answer, and is not waited out.
Rule 2: a fall back is loud: on standard error, in the log and in the run, whose source is then
        `mock` and whose every page says SIMULATED. Any other mode than paper ends instead.
"""

import asyncio
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.model.errors import DataUnavailable
from engine.session.config import ReferenceConfig
from engine.session.recorded_feed import RecordedFeed
from engine.session.resumed_feed import ResumedFeed
from engine.session.start import Arming
from engine.venue import Feed, LiveFeed
from laptop_agents import compose
from laptop_agents.discovery import discover
from laptop_agents.recorded_kernel import started_with
from laptop_agents.referencing import referenced, referenced_again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from brokers.link.account import VenueAccount
    from brokers.link.reading import AccountReader
    from brokers.link.rehearsal import Rehearsal
    from engine.model.instrument import Instrument
    from engine.venue import MarginTerms
    from laptop_agents.opening import Run
    from laptop_agents.settings import Settings

FALLBACK: Final = "mock"
QUOTE_OF_COINS: Final = {"hyperliquid": "USDT"}
"""What the mock market adds to the names of a venue that lists coins."""


class Permit(NamedTuple):
    """Real orders may be sent."""

    account: "VenueAccount"
    handed: "Callable[[Settings, Sequence[Instrument], str], bytes]"
    """Encodes the account with its key, for the sentinel."""
    arming: Arming
    margin: "tuple[MarginTerms, ...]" = ()
    """What positions are made with there."""


class Watched(NamedTuple):
    """A real account may be looked at."""

    reader: "AccountReader"
    warnings: tuple[str, ...] = ()
    """What a person should know of its key."""


class Reached(NamedTuple):
    """What a session will listen to."""

    settings: "Settings"
    """With the source it really has."""
    feed: Feed | None
    """A live source whose instruments are known; None for one that is made with its run."""
    trouble: str = ""
    """Why it is not the source that was asked for."""
    permit: Permit | None = None
    """To send real orders; None simulates them."""
    rehearsal: "Rehearsal | None" = None
    """To write down what real orders would send; None does not."""
    watched: "Watched | None" = None
    """A real account to look at; None looks at none."""
    places: "Mapping[str, Any]" = MappingProxyType({})
    """How orders name each instrument, where the venue wants another word than its symbol."""
    references: "Mapping[str, Instrument]" = MappingProxyType({})
    """What each instrument is held against, where a second market stands beside."""


def reached(settings: "Settings") -> Reached:
    """Find the source of a session, trying for `session.fallback_after_s`.

    Raises:
        DataUnavailable: It can't be reached, and this mode goes on with nothing else.
        LaptopAgentsError: It refuses the symbols, the file is broken, and the like.
    """
    feed = compose.make_feed(settings, 0)
    if not isinstance(feed, LiveFeed):
        return Reached(settings, None)
    try:
        asyncio.run(discover(feed, settings.session.fallback_after_s))
    except DataUnavailable as error:
        if settings.mode != "paper":
            raise
        fallen = settings.model_copy(
            update={
                "source": FALLBACK,
                "symbols": _at_mock(settings.source, settings.symbols),
                "reference": ReferenceConfig(),  # invented prices agree with no real ones
            }
        )
        fallen._origins = {**settings._origins, "source": f"fallback: {error}"}
        return Reached(fallen, None, str(error))
    whole, references = referenced(settings, feed)
    return Reached(settings, whole, places=_places(feed), references=references)


def reached_again(settings: "Settings", journal: Path, run: "Run") -> Reached:
    """Find the source of an interrupted session again; it goes on with no other.

    Raises:
        DataUnavailable: It can't be reached; the run can still be resumed later.
        StateDamaged: What it trades is not what it was.
    """
    feed = compose.make_feed(settings, run.start_ns)
    if not isinstance(feed, LiveFeed):
        return Reached(settings, feed)
    assert run.recorded is not None, "it was interrupted"
    asyncio.run(discover(feed, settings.session.fallback_after_s))
    started = started_with(journal, run.recorded.first)
    past = RecordedFeed(
        journal,
        started.instruments,
        source=started.source,
        is_simulated=started.simulated,
        lines_max=run.recorded.count,
    )
    resumed = ResumedFeed(past, referenced_again(settings, feed, started.references))
    return Reached(settings, resumed, places=_places(feed), references=started.references)


def _places(feed: LiveFeed) -> "Mapping[str, Any]":
    return getattr(feed, "places", {})


def _at_mock(source: str, symbols: tuple[str, ...]) -> tuple[str, ...]:
    """Name the contracts of the mock market that stand for a venue's."""
    return tuple(f"{name}{QUOTE_OF_COINS.get(source, '')}" for name in symbols)
