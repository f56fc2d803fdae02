"""Leverage and margin mode: shown before arming, then set at a real sandbox, told, read back, or refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from brokers.binance.account import BinanceAccount
from brokers.link.account import Accepted
from brokers.sandbox.orders import Ticket
from engine.model.account import MarginMode
from engine.model.errors import CredentialsRefused
from engine.model.orders import OrderType, Side
from engine.venue import MarginTerms
from laptop_agents.admission import Admitted
from laptop_agents.arming import at_stake
from laptop_agents.margins import change, wished
from tests.brokers.binance.test_conformance import BTC, KEYS, config_of, opened
from tests.brokers.sandbox.client import Venue, venue
from tests.engine.factories import D
from tests.laptop_agents.test_arming import FACTS, live

BOTH = ("symbols=BTCUSDT", "live.leverage=3", "live.margin_mode=isolated")
WANTED = MarginTerms("BTCUSDT", 3, MarginMode.ISOLATED)
HELD = MarginTerms("BTCUSDT", 5, MarginMode.CROSS)


@pytest.fixture
async def running() -> AsyncIterator[Venue]:
    async with venue() as sandbox:
        yield sandbox


class Deaf(BinanceAccount):
    """Takes a change for done and does nothing, as a venue might."""

    async def set_margin(self, held: MarginTerms, wanted: MarginTerms) -> Accepted:
        return Accepted()


async def aligned(
    account: BinanceAccount, *pairs: str, is_resumed: bool = False
) -> tuple[tuple[MarginTerms, ...], list[str]]:
    lines: list[str] = []
    held = (await account.facts()).margin
    settings = live(*pairs)
    changes = wished(settings, held, lines.append, is_resumed=is_resumed)
    if not changes:
        return held, lines
    assert [] == lines, "nothing is done before somebody armed"
    return await change(account, settings, changes, lines.append), lines


async def test_what_differs_is_set_and_told(running: Venue) -> None:
    """From what to what; the facts that are shown are those the venue says it has then."""
    async with opened(running) as account:
        margin, lines = await aligned(account, *BOTH)
        assert ["binance: BTCUSDT 5x cross -> 3x isolated"] == lines
        assert (WANTED,) == margin
        assert 3 == running.stage.exchange.position("BTCUSDT").leverage
        again, lines = await aligned(account, *BOTH)
        assert ([], (WANTED,)) == (lines, again), "nothing is left to change"


@pytest.mark.parametrize(
    ("pair", "wanted"),
    [
        ("live.leverage=3", MarginTerms("BTCUSDT", 3, MarginMode.CROSS)),
        ("live.margin_mode=isolated", MarginTerms("BTCUSDT", 5, MarginMode.ISOLATED)),
        ("live.leverage=none", HELD),
    ],
)
async def test_what_is_not_wished_stays(running: Venue, pair: str, wanted: MarginTerms) -> None:
    async with opened(running) as account:
        margin, lines = await aligned(account, "symbols=BTCUSDT", pair)
        assert (wanted,) == margin
        assert bool(lines) is (wanted != HELD)


async def test_a_venue_that_refuses_is_told_in_its_words(running: Venue) -> None:
    """An order rests there: exit 7, and what it has stays."""
    exchange = running.stage.exchange
    exchange.place(Ticket("BTCUSDT", Side.BUY, OrderType.LIMIT, D("0.5"), D("99.0"), "web_1"))
    async with opened(running) as account:
        with pytest.raises(CredentialsRefused, match=r"has BTCUSDT 5x cross and not 3x.*-4047"):
            await aligned(account, *BOTH)
    assert (7, 5) == (CredentialsRefused.exit_code, exchange.position("BTCUSDT").leverage)


async def test_a_venue_that_says_yes_and_does_nothing_is_refused(running: Venue) -> None:
    async with Deaf(KEYS, config_of(running), (BTC,)) as account:
        with pytest.raises(CredentialsRefused, match="not 3x isolated"):
            await aligned(account, *BOTH)


async def test_a_resumed_session_changes_nothing(running: Venue) -> None:
    async with opened(running) as account:
        margin, lines = await aligned(account, *BOTH, is_resumed=True)
    said = "binance has BTCUSDT 5x cross, not 3x isolated: left so for the resumed session"
    assert ([said], (HELD,)) == (lines, margin)


async def test_an_instrument_of_which_nothing_is_told_is_refused(running: Venue) -> None:
    async with opened(running) as account:
        with pytest.raises(CredentialsRefused, match="leverage of ETHUSDT"):
            await aligned(account, "symbols=BTCUSDT,ETHUSDT", "live.leverage=3")


def test_whoever_arms_sees_it() -> None:
    terms = (HELD, MarginTerms("ETHUSDT", 20, None))
    facts: Any = FACTS._replace(margin=terms)
    seen = Admitted(object(), facts, live(), KEYS, "the keyring", ((HELD, WANTED),))  # type: ignore[arg-type]
    shown = "\n".join(at_stake(seen))
    assert "BTCUSDT 5x cross -> 3x isolated, ETHUSDT 20x of an unknown margin mode\n" in shown
