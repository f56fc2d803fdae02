"""The account that a shadow session looks at: its key, what the venue says of it, what is amiss.

Nobody is asked and nothing is armed: what is opened here can't place an order (reliability.md D5).
"""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from brokers.link.account import Facts
from brokers.link.reading import AccountReader
from engine.model.errors import DataUnavailable
from laptop_agents.keys import credentials
from laptop_agents.reaching import Reached, Watched
from laptop_agents.venues import open_reader

if TYPE_CHECKING:
    from laptop_agents.settings import Settings

ANSWER_S: Final = 30.0
NS_PER_MS: Final = 1_000_000


def watched(found: Reached, environ: Mapping[str, str], home: Path) -> Reached:
    """Find the key and ask the venue about the account, once, before anything is written.

    Raises:
        CredentialsRefused: There is no key, or the venue does not take it.
        DataUnavailable: It can't be reached, or makes no sense.
    """
    assert found.feed is not None, "a source that can be traded on is live"
    settings, venue = found.settings, found.settings.source
    key = credentials(venue, environ, home).credentials
    facts = asyncio.run(_facts(open_reader(venue, key, settings, found.feed.instruments), venue))
    # Its connections belong to a loop that is gone: the session gets one of its own.
    reader = open_reader(venue, key, settings, found.feed.instruments)
    return found._replace(watched=Watched(reader, tuple(warnings_of(facts, settings))))


async def _facts(reader: AccountReader, venue: str) -> Facts:
    try:
        async with asyncio.timeout(ANSWER_S), reader:
            return await reader.facts()
    except TimeoutError as error:
        raise DataUnavailable(f"{venue} did not tell of its account in {ANSWER_S:g} s") from error


def warnings_of(facts: Facts, settings: "Settings") -> Iterator[str]:
    """Yield what a person should see to; a shadow session goes on all the same."""
    if facts.can_withdraw:
        yield (
            f"the key ...{facts.tail} can withdraw money: to look at an account, one that can only"
            " read is enough"
        )
    off_ms = round(abs(facts.clock_offset_ns) / NS_PER_MS)
    if off_ms > settings.live.clock_off_max_ms:
        yield f"this machine's clock is {off_ms} ms off {settings.source}'s: set it, by NTP say"
