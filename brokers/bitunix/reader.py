"""Looks at one account at Bitunix and can do nothing to it: implements `AccountReader`.

Rule 1: a look of which one part failed is none (reliability.md A9).
Rule 2: positions are asked for first and last; where they differ it is looked again.

Source: sheet section 5.
"""

import secrets
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Self, TypeVar

from brokers.bitunix import requests, sights
from brokers.bitunix.answers import Said, wallet
from brokers.bitunix.caller import Inquirer
from brokers.bitunix.clock import SecondsClock
from brokers.bitunix.codes import BAD_KEY
from brokers.bitunix.config import BitunixConfig
from brokers.bitunix.memory import Memory
from brokers.bitunix.requests import NONCE_BYTES, Asking
from brokers.bitunix.survey import Survey
from brokers.link.account import Facts, Unanswered
from brokers.link.address import guarded
from brokers.link.budget import Lane
from brokers.link.questions import Questions
from brokers.link.reading import MARGIN_NS, seen_terms
from brokers.link.rest import RestConfig
from brokers.link.secret import Credentials
from brokers.link.trust import trusted
from engine.model.errors import CredentialsRefused, DataUnavailable
from engine.model.instrument import Instrument
from engine.model.sightings import AccountSeen, SeenOrder, SeenPosition, SeenTerms
from engine.model.venue_events import VenueHolding

MS_NS: Final = 1_000_000
ONE_WAY: Final = "ONE_WAY"
LOOKS_MAX: Final = 3
TERMS_EVERY_S: Final = 300.0
T = TypeVar("T")


class NotWhole(Exception):
    """A part of a look is missing."""


def open_reader(
    credentials: Credentials, config: BitunixConfig, instruments: Sequence[Instrument]
) -> "BitunixReader":
    """Return an account that can be looked at.

    Raises:
        UsageError: An address in the settings is none to send a key to.
    """
    guarded("bitunix.rest_url", config.rest_url)
    return BitunixReader(credentials, config, instruments)


class BitunixReader:
    """Looks with one key, which need not be allowed to do more."""

    venue = "bitunix"

    def __init__(
        self, credentials: Credentials, config: BitunixConfig, instruments: Sequence[Instrument]
    ) -> None:
        self._tail = credentials.tail
        self._ours = tuple(item.symbol for item in instruments)
        self._line = Questions(
            RestConfig(base_url=config.rest_url, answer_s=config.answer_s),
            trusted("bitunix", config),
        )
        self._clock = SecondsClock()
        self._inquirer = Inquirer({Lane.READ: self._line}, self._clock)
        self._asking = Asking(
            credentials, self._inquirer.now_ms, lambda: secrets.token_hex(NONCE_BYTES)
        )
        self._survey = Survey(self._inquirer, self._asking, Memory())
        self._terms: tuple[SeenTerms, ...] = ()
        self._terms_s = -TERMS_EVERY_S
        """Monotonic."""

    async def __aenter__(self) -> Self:
        """Open; nothing is asked yet."""
        await self._line.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the venue."""
        await self._line.__aexit__(None, None, None)

    async def facts(self) -> Facts:
        """Ask what has to be known before a session begins; raises as the contract says."""
        asked = {"marginCoin": requests.COIN}
        answer = await self._inquirer.read(self._asking, requests.ACCOUNT, asked)
        if isinstance(answer, Said) and answer.code in BAD_KEY:
            said = f"{answer.code} {answer.message}".strip()
            raise CredentialsRefused(f"bitunix does not take the key ...{self._tail}: {said}")
        seen = await self.look(None)
        if isinstance(seen, Unanswered):
            raise DataUnavailable(f"bitunix does not tell: {seen.cause}")
        return Facts(
            tail=self._tail,
            balance=seen.balance,
            positions=tuple(VenueHolding(one.symbol, one.qty) for one in seen.positions),
            open_orders=len(seen.orders),
            can_trade=True,
            can_withdraw=None,
            is_one_way=seen.is_one_way,
            maker_fee_bps=None,
            taker_fee_bps=None,
            leverage=max((one.leverage or Decimal(1) for one in seen.terms), default=Decimal(1)),
            clock_offset_ns=self._clock.offset_ns,
        )

    async def look(self, since_ns: int | None) -> AccountSeen | Unanswered:
        """Look at the whole account; all of it or nothing."""
        if since_ns is None:
            since_ns = self._inquirer.now_ms() * MS_NS - MARGIN_NS
        try:
            await self._learn_terms()
            for _ in range(LOOKS_MAX):
                before = await self._positions()
                seen = await self._look(since_ns, before)
                if [_shape(one) for one in await self._positions()] == [*map(_shape, before)]:
                    return seen
        except NotWhole as missing:
            return Unanswered(str(missing))
        return Unanswered("the account moves")

    async def _positions(self) -> tuple[SeenPosition, ...]:
        return whole(sights.positions(whole(await self._survey.held())))

    async def _look(self, since_ns: int, positions: tuple[SeenPosition, ...]) -> AccountSeen:
        taken_ns = self._inquirer.now_ms() * MS_NS
        account = whole(await self._survey.account())
        orders = whole(await self._survey.working())
        trades = whole(await self._survey.trades({"startTime": str(since_ns // MS_NS)}))
        fills = whole(sights.fills(trades))
        return AccountSeen(
            ts_ns=0,
            taken_ns=taken_ns,
            balance=whole(wallet(account)),
            free=whole(sights.free(account)),
            is_one_way=account.position_mode.upper() == ONE_WAY,
            positions=positions,
            orders=tuple(
                SeenOrder(one.symbol, one.side, one.price, one.qty, one.filled_qty)
                for one in orders
            ),
            terms=self._terms,
            fills=tuple(one for one in fills if one.at_ns >= since_ns // MS_NS * MS_NS),
            payments=(),
            untold=sights.UNTOLD,
        )

    async def _learn_terms(self) -> None:
        now_s = time.monotonic()
        if now_s - self._terms_s < TERMS_EVERY_S:
            return
        told = whole(await self._survey.margin_terms(self._ours))
        self._terms = tuple(seen_terms(one.symbol, one, None, None) for one in told)
        self._terms_s = now_s


def whole(told: T | Unanswered) -> T:
    """Return what was told.

    Raises:
        NotWhole: It was not.
    """
    if isinstance(told, Unanswered):
        raise NotWhole(told.cause)
    return told


def _shape(one: SeenPosition) -> tuple[str, Decimal]:
    return one.symbol, one.qty
