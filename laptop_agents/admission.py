"""What must be so before a live session may begin, as one table; nothing is sent until all holds.

Source: reliability.md D4. Arming by a person comes on top: `laptop_agents.arming`.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from brokers.link.account import Facts, VenueAccount
from brokers.link.secret import Credentials
from engine.model.errors import (
    CredentialsRefused,
    DataUnavailable,
    LaptopAgentsError,
    UsageError,
)
from engine.venue import Feed
from laptop_agents.keys import credentials
from laptop_agents.margins import Change, change, wished
from laptop_agents.venues import open_account

if TYPE_CHECKING:
    from engine.venue import MarginTerms
    from laptop_agents.settings import Settings

NS_PER_MS: Final = 1_000_000
ANSWER_S: Final = 30.0

T = TypeVar("T")


class Asked(NamedTuple):
    """What is judged."""

    settings: "Settings"
    facts: Facts


class Condition(NamedTuple):
    """One row: what must hold, and what is said where it does not."""

    holds: Callable[[Asked], bool]
    refusal: type[LaptopAgentsError]
    words: Callable[[Asked], str]


def _clock_off_ms(asked: Asked) -> int:
    return round(abs(asked.facts.clock_offset_ns) / NS_PER_MS)


def _held(asked: Asked) -> str:
    ours = set(asked.settings.symbols)
    return ", ".join(f"{p.qty:f} {p.symbol}" for p in asked.facts.positions if p.symbol in ours)


FLAT: Final = Condition(
    lambda a: not _held(a),
    UsageError,
    lambda a: f"the account holds {_held(a)} already: close it first, or trade other symbols",
)
"""The one that a resumed session need not fulfil: what it holds is its own."""
CONDITIONS: Final[Sequence[Condition]] = (
    Condition(
        lambda a: a.facts.can_trade,
        CredentialsRefused,
        lambda a: f"the key ...{a.facts.tail} can't trade: allow it at {a.settings.source}",
    ),
    Condition(
        lambda a: not a.facts.can_withdraw,
        CredentialsRefused,
        lambda a: (
            f"the key ...{a.facts.tail} can withdraw money: make one at {a.settings.source} that"
            " can only trade, and delete this one there"
        ),
    ),
    Condition(
        lambda a: a.facts.can_withdraw is not None or a.settings.live.unknown_withdraw,
        CredentialsRefused,
        lambda a: (
            f"{a.settings.source} does not say whether the key ...{a.facts.tail} can withdraw:"
            " look there, then live.unknown_withdraw=true"
        ),
    ),
    Condition(
        lambda a: _clock_off_ms(a) <= a.settings.live.clock_off_max_ms,
        DataUnavailable,
        lambda a: (
            f"this machine's clock is {_clock_off_ms(a)} ms off {a.settings.source}'s: set it, by"
            " NTP say (live.clock_off_max_ms)"
        ),
    ),
    Condition(
        lambda a: a.settings.sentinel.enabled,
        DataUnavailable,
        lambda _: "live needs its sentinel: leave out sentinel.enabled=false",
    ),
    Condition(
        lambda a: a.facts.is_one_way,
        UsageError,
        lambda a: (
            f"the account holds long and short apart: switch it to one-way at {a.settings.source}"
        ),
    ),
    FLAT,
    Condition(
        lambda a: a.facts.balance > 0,
        UsageError,
        lambda a: f"there is no money in the account ...{a.facts.tail}",
    ),
)
"""In the order in which they are looked at; the first that does not hold is told."""


def examine(asked: Asked, *, is_resumed: bool = False) -> None:
    """Hold an account against the table.

    Raises:
        LaptopAgentsError: The first row that does not hold, in a line that says what to do.
    """
    for condition in CONDITIONS:
        if not (is_resumed and condition is FLAT) and not condition.holds(asked):
            raise condition.refusal(condition.words(asked))


class Admitted(NamedTuple):
    """An account that may be traded on."""

    account: VenueAccount
    facts: Facts
    settings: "Settings"
    """With what live mode insists on."""
    credentials: Credentials
    key_from: str
    """Where the key was found, for people."""
    changes: tuple[Change, ...] = ()
    """Of leverage and margin mode, once somebody has armed."""


def admit(
    settings: "Settings",
    feed: Feed,
    environ: Mapping[str, str],
    home: Path,
    *,
    is_resumed: bool = False,
) -> Admitted:
    """Find the key, ask the venue about its account, and judge it; nothing is changed there.

    Raises:
        LaptopAgentsError: See `examine` and `margins.wished`; or there is no key, or no answer.
    """
    venue = settings.source
    found = credentials(venue, environ, home)
    account = open_account(venue, found.credentials, settings, feed.instruments)
    facts = asyncio.run(_in_time(account, venue, account.facts))
    examine(Asked(settings, facts), is_resumed=is_resumed)
    changes = wished(settings, facts.margin, _say, is_resumed=is_resumed)
    # Its connections belong to a loop that is gone: the session gets one of its own.
    account = open_account(venue, found.credentials, settings, feed.instruments)
    insisted = settings if is_resumed else insist(settings, facts)
    return Admitted(account, facts, insisted, found.credentials, found.where, changes)


def margin_of(admitted: Admitted, feed: Feed) -> "tuple[MarginTerms, ...]":
    """Have the venue make positions as whoever armed has seen; return what it has then.

    Raises:
        LaptopAgentsError: See `margins.change`; or there is no answer.
    """
    settings, changes = admitted.settings, admitted.changes
    if not changes:
        return admitted.facts.margin
    account = open_account(settings.source, admitted.credentials, settings, feed.instruments)
    work = partial(change, account, settings, changes, _say)
    return asyncio.run(_in_time(account, settings.source, work))


async def _in_time(account: VenueAccount, venue: str, work: Callable[[], Awaitable[T]]) -> T:
    try:
        async with asyncio.timeout(ANSWER_S), account:
            return await work()
    except TimeoutError as error:
        raise DataUnavailable(f"{venue} did not tell of its account in {ANSWER_S:g} s") from error


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def insist(settings: "Settings", facts: Facts) -> "Settings":
    """Return the settings with what no live session goes without, and the money there really is."""
    changed = settings.model_copy(
        update={
            "session": replace(settings.session, starting_balance=facts.balance),
            "risk": replace(settings.risk, needs_arming=True),
            "journal": replace(settings.journal, sync="live", detail="inputs"),
            "sentinel": replace(settings.sentinel, on_crash="cancel"),
        }
    )
    origin = f"live mode, the account at {settings.source}"
    names = ("session.starting_balance", "risk.needs_arming", "journal.sync", "journal.detail")
    changed._origins = {**settings._origins, **dict.fromkeys((*names, "sentinel.on_crash"), origin)}
    return changed
