"""What a venue says of a key: whether it can trade, and what it must not be able to do."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Final

from brokers.link.account import Facts
from brokers.link.secret import Credentials
from engine.model.errors import CredentialsRefused, DataUnavailable
from engine.model.text import sanitize
from engine.venue import LiveFeed
from laptop_agents.keys_shape import SHAPES

if TYPE_CHECKING:
    from laptop_agents.settings import Settings

ANSWER_S: Final = 30.0
"""For the venue's instruments and everything that is asked of the account."""
NS_PER_MS: Final = 1_000_000
NOT_TOLD: Final = "not told"
YES_NO: Final = {True: "yes", False: "no", None: NOT_TOLD}

Asker = Callable[[Credentials, "Settings"], Awaitable[Facts]]


async def _ask(credentials: Credentials, settings: "Settings") -> Facts:
    """Open the account as a session would, and ask; nothing is sent that changes anything."""
    from laptop_agents import compose  # noqa: PLC0415 - the whole engine
    from laptop_agents.venues import open_account  # noqa: PLC0415 - goes with it

    feed = compose.make_feed(settings, 0)
    assert isinstance(feed, LiveFeed), "a venue is a live source"
    await feed.discover()
    venue = settings.source
    async with open_account(venue, credentials, settings, feed.instruments) as account:
        return await account.facts()


ASKERS: Final[dict[str, Asker]] = dict.fromkeys(SHAPES, _ask)


def facts_of(venue: str, credentials: Credentials, settings: "Settings") -> Facts:
    """Ask a venue.

    Raises:
        DataUnavailable: It can't be reached, or makes no sense.
        CredentialsRefused: It does not take the key.
    """
    return asyncio.run(_in_time(venue, ASKERS[venue](credentials, settings)))


async def _in_time(venue: str, question: Awaitable[Facts]) -> Facts:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await question
    except TimeoutError as error:
        raise DataUnavailable(f"{venue} did not answer within {ANSWER_S:g} s") from error


def table(facts: Facts) -> dict[str, str]:
    """Return what was said, for people.

    A venue that does not tell of withdrawals tells of no right at all: there, that a key can trade
    is only not known to be false.
    """
    is_told = facts.can_withdraw is not None or not facts.can_trade
    return {
        "account": f"...{sanitize(facts.tail)[-4:]}",
        "trade": YES_NO[facts.can_trade if is_told else None],
        "withdraw": YES_NO[facts.can_withdraw],
        "one-way": YES_NO[facts.is_one_way],
        "balance": f"{facts.balance:f}",
        "clock offset": f"{round(facts.clock_offset_ns / NS_PER_MS):+d} ms",
    }


def refuse_unfit(facts: Facts) -> None:
    """Refuse a key that live trading would refuse (reliability.md D4).

    Raises:
        CredentialsRefused: It can't trade, or can do what it must not.
    """
    faults = []
    if not facts.can_trade:
        faults.append("it can't trade: allow futures trading for it at the venue")
    if facts.can_withdraw:
        faults.append("it can withdraw: make one without that right, and delete this one there")
    if faults:
        raise CredentialsRefused("this key is not fit for live trading: " + "; ".join(faults))


def advice(facts: Facts, clock_off_max_ms: int) -> Iterator[str]:
    """Yield what a person should see to, though the key will do."""
    if facts.can_withdraw is None:
        yield (
            "the venue does not tell what this key may do: see on its page of API keys that it can"
            " trade futures and can't withdraw, then trade live with live.unknown_withdraw=true"
        )
    if not facts.is_one_way:
        yield "the account holds long and short apart: switch it to one-way before trading live"
    if abs(facts.clock_offset_ns) > clock_off_max_ms * NS_PER_MS:
        yield "this machine's clock is off: set it by NTP before trading live"
