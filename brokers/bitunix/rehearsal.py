"""Bitunix requests of a dry run: the bytes its caller would send, and nobody who sends them.

Time stamps are this machine's: the venue tells its clock in answers only. An order is named by our
id, for the venue's is told in the answer to its placement.
"""

import secrets
import time
from collections.abc import Sequence
from decimal import Decimal

from brokers.bitunix import requests
from brokers.bitunix.config import BitunixConfig
from brokers.bitunix.requests import CAPABILITIES, NONCE_BYTES, Scribe, cancellation, placement
from brokers.link.account import NewOrder, OrderRef, Refused
from brokers.link.exchanged import Request
from brokers.link.rehearsal import Outcome, Rehearsed, Touch
from brokers.link.secret import Credentials
from engine.model.instrument import Instrument
from engine.model.orders import OrderType
from engine.model.venue_events import RejectReason
from engine.venue import MarginTerms

MS_NS = 1_000_000
OFFERED = frozenset({OrderType.LIMIT, OrderType.MARKET})


def open_rehearsal(
    credentials: Credentials,
    config: BitunixConfig,  # noqa: ARG001 - of the contract
    instruments: Sequence[Instrument],  # noqa: ARG001 - the same
    **_: object,
) -> "BitunixRehearsal":
    """Return what signs for one key."""
    return BitunixRehearsal(credentials)


class BitunixRehearsal:
    """Implements `brokers.link.rehearsal.Rehearsal`."""

    capabilities = CAPABILITIES

    def __init__(self, credentials: Credentials) -> None:
        self._key = credentials.key
        self._scribe = Scribe(
            credentials, lambda: time.time_ns() // MS_NS, lambda: secrets.token_hex(NONCE_BYTES)
        )

    def place(self, order: NewOrder, touch: Touch | None) -> Outcome:  # noqa: ARG002 - not needed
        """Place an order."""
        if order.type not in OFFERED:
            return Refused(RejectReason.INVALID_ORDER, f"no {order.type.value} orders here")
        return self._hiding(self._scribe.post(requests.PLACE, placement(order)))

    def amend(
        self,
        ref: OrderRef,  # noqa: ARG002 - of the contract
        price: Decimal,  # noqa: ARG002 - of the contract
        qty: Decimal,  # noqa: ARG002 - of the contract
    ) -> Outcome:
        """Refuse: an order is canceled and placed anew here."""
        return Refused(RejectReason.INVALID_ORDER, "not changed in place")

    def cancel(self, ref: OrderRef) -> Outcome:
        """Take an order out."""
        return self._hiding(self._scribe.post(requests.CANCEL, cancellation(ref)))

    def order(self, ref: OrderRef) -> Outcome:
        """Ask how an order stands."""
        return self._hiding(self._scribe.get(requests.DETAIL, requests.named(ref)))

    def margin(self, wanted: MarginTerms) -> Sequence[Outcome]:
        """Have positions of an instrument made so."""
        deeds = [(requests.SET_LEVERAGE, requests.leverage(wanted))] if wanted.leverage else []
        if wanted.mode is not None:
            deeds.insert(0, (requests.SET_MODE, requests.margin_mode(wanted)))
        return [self._hiding(self._scribe.post(path, body)) for path, body in deeds]

    def account(self) -> Sequence[Rehearsed]:
        """Ask for the account."""
        asked: tuple[tuple[str, dict[str, str]], ...] = (
            (requests.POSITIONS, {}),
            (requests.PENDING, {"skip": "0", "limit": str(requests.PAGE)}),
            (requests.ACCOUNT, {"marginCoin": requests.COIN}),
        )
        return [self._hiding(self._scribe.get(path, params)) for path, params in asked]

    def _hiding(self, request: Request) -> Rehearsed:
        return Rehearsed(request, (self._key, request.headers["sign"]))
