"""Hyperliquid requests of a dry run: the bytes its caller would send, and nobody who does.

Time stamps are this machine's. What live asks before it amends is left out: only the answer to it
could change what leaves.
"""

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from brokers.hyperliquid import actions
from brokers.hyperliquid.abilities import capabilities
from brokers.hyperliquid.actions import OrderTerms
from brokers.hyperliquid.cloid import cloid_of
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.listing import Place
from brokers.hyperliquid.sealing import Nonces, sealed
from brokers.hyperliquid.sign import Action, Signer
from brokers.hyperliquid.terms import Touch, order_terms
from brokers.hyperliquid.wire import JSON
from brokers.link import rehearsal
from brokers.link.account import NewOrder, OrderRef, Refused
from brokers.link.exchanged import Request
from brokers.link.rehearsal import Outcome, Rehearsed
from brokers.link.secret import Credentials
from engine.model.instrument import Instrument
from engine.model.venue_events import RejectReason
from engine.venue import MarginTerms

MS_NS: Final = 1_000_000
QUESTIONS: Final = ("clearinghouseState", "frontendOpenOrders")


def open_rehearsal(
    credentials: Credentials,
    config: HyperliquidConfig,
    instruments: Sequence[Instrument],  # noqa: ARG001 - of the contract; coins have numbers
    *,
    places: Mapping[str, Place],
) -> "HyperliquidRehearsal":
    """Return what signs for one wallet.

    Args:
        credentials: The master's address and the agent wallet's key.
        config: What is signed for.
        instruments: Of the session.
        places: What the venue calls each coin.

    Raises:
        CredentialsRefused: The key is none.

    """
    signer = Signer(credentials.secret, is_mainnet=config.is_mainnet)
    return HyperliquidRehearsal(signer, credentials.key, config, places)


class HyperliquidRehearsal:
    """Implements `brokers.link.rehearsal.Rehearsal`."""

    def __init__(
        self, signer: Signer, master: str, config: HyperliquidConfig, places: Mapping[str, Place]
    ) -> None:
        self._signer = signer
        self._address = config.vault.lower() or master.lower()
        self._config = config
        self._places = dict(places)
        self._nonces = Nonces()
        self.capabilities = capabilities(config)

    def place(self, order: NewOrder, touch: rehearsal.Touch | None) -> Outcome:
        """Place an order; one at the market is a limit beside the touch."""
        terms = self._terms(order, touch)
        return terms if isinstance(terms, Refused) else self._signed(actions.place(terms))

    def amend(self, ref: OrderRef, price: Decimal, qty: Decimal) -> Outcome:
        """Change price and total quantity."""
        if not self._config.amends or ref.order is None:
            return Refused(RejectReason.INVALID_ORDER, "orders are not amended in place here")
        terms = self._terms(ref.order._replace(price=price, qty=qty), None)
        return terms if isinstance(terms, Refused) else self._signed(actions.modify(terms))

    def cancel(self, ref: OrderRef) -> Outcome:
        """Take an order out."""
        place = self._places.get(ref.symbol)
        if place is None:
            return _unlisted(ref.symbol)
        return self._signed(actions.cancel(place.asset, cloid_of(ref.client_id)))

    def order(self, ref: OrderRef) -> Outcome:
        """Ask how an order stands."""
        return self._asked("orderStatus", oid=cloid_of(ref.client_id))

    def margin(self, wanted: MarginTerms) -> Sequence[Outcome]:
        """Have positions of a coin made so; both are one action, which needs a leverage."""
        place = self._places.get(wanted.symbol)
        if place is None:
            return [_unlisted(wanted.symbol)]
        if not wanted.leverage:
            told = "its leverage is said with it, and a dry run does not ask for that"
            return [Refused(RejectReason.INVALID_ORDER, told)]
        return [self._signed(actions.margin(place.asset, wanted))]

    def account(self) -> Sequence[Rehearsed]:
        """Ask for the account."""
        return [self._asked(question) for question in QUESTIONS]

    def _terms(self, order: NewOrder, touch: rehearsal.Touch | None) -> OrderTerms | Refused:
        place = self._places.get(order.instrument.symbol)
        if place is None:
            return _unlisted(order.instrument.symbol)
        market = None if touch is None else Touch(*touch)
        cloid = cloid_of(order.client_id)
        return order_terms(order, place, cloid, market, self._config.slippage_bps)

    def _signed(self, action: Action) -> Rehearsed:
        now_ms = time.time_ns() // MS_NS
        nonce = self._nonces.next(now_ms)
        body, signature = sealed(action, self._signer, nonce, self._config, now_ms)
        words = signature.words()
        hidden = (str(words["r"]), str(words["s"]))
        return Rehearsed(Request("POST", "/exchange", JSON, body), hidden)

    def _asked(self, kind: str, **words: object) -> Rehearsed:
        body = msgspec.json.encode({"type": kind, "user": self._address, **words})
        return Rehearsed(Request("POST", "/info", JSON, body), (self._address,))


def _unlisted(symbol: str) -> Refused:
    return Refused(RejectReason.INVALID_ORDER, f"the venue lists no {symbol}")
