"""Binance requests of a dry run: the bytes its caller would send, and nobody who sends them.

Time stamps are this machine's: the venue's clock is only asked for by a session that is live.
"""

import time
from collections.abc import Sequence
from decimal import Decimal

from brokers.binance import requests
from brokers.binance.config import BinanceConfig
from brokers.binance.requests import Call, written
from brokers.binance.terms import MODE_WORDS
from brokers.link.account import NewOrder, OrderRef, Refused
from brokers.link.exchanged import Request
from brokers.link.rehearsal import Outcome, Rehearsed, Touch
from brokers.link.secret import Credentials
from engine.model.instrument import Instrument
from engine.model.venue_events import RejectReason
from engine.venue import MarginTerms

MS_NS = 1_000_000
SIGNATURE = "signature="


def open_rehearsal(
    credentials: Credentials,
    config: BinanceConfig,
    instruments: Sequence[Instrument],  # noqa: ARG001 - of the contract; symbols are their names
    **_: object,
) -> "BinanceRehearsal":
    """Return what signs for one key."""
    return BinanceRehearsal(credentials, config)


class BinanceRehearsal:
    """Implements `brokers.link.rehearsal.Rehearsal`."""

    capabilities = requests.CAPABILITIES

    def __init__(self, credentials: Credentials, config: BinanceConfig) -> None:
        self._credentials = credentials
        self._recv_window_ms = config.recv_window_ms

    def place(self, order: NewOrder, touch: Touch | None) -> Outcome:  # noqa: ARG002 - not needed
        """Place an order."""
        if order.type not in requests.TYPES:
            return Refused(RejectReason.INVALID_ORDER, f"no {order.type} orders here")
        return self._signed(requests.place(order))

    def amend(self, ref: OrderRef, price: Decimal, qty: Decimal) -> Outcome:
        """Change price and total quantity."""
        if ref.order is None:
            return Refused(RejectReason.INVALID_ORDER, "its side is not known")
        return self._signed(requests.amend(ref.symbol, ref.client_id, ref.order.side, price, qty))

    def cancel(self, ref: OrderRef) -> Outcome:
        """Take an order out."""
        return self._signed(requests.cancel(ref.symbol, ref.client_id))

    def order(self, ref: OrderRef) -> Outcome:
        """Ask how an order stands."""
        return self._signed(requests.order(ref.symbol, ref.client_id))

    def margin(self, wanted: MarginTerms) -> Sequence[Outcome]:
        """Have positions of an instrument made so."""
        calls = [requests.set_leverage(wanted.symbol, wanted.leverage)] if wanted.leverage else []
        if wanted.mode is not None:
            calls.insert(0, requests.set_margin_mode(wanted.symbol, MODE_WORDS[wanted.mode]))
        return [self._signed(call) for call in calls]

    def account(self) -> Sequence[Rehearsed]:
        """Ask for the account."""
        calls = (requests.positions(), requests.open_orders(), requests.balances())
        return [self._signed(call) for call in calls]

    def _signed(self, call: Call) -> Rehearsed:
        at_ms = time.time_ns() // MS_NS
        method, target, headers, body = written(
            call, self._credentials, at_ms, self._recv_window_ms
        )
        text = body.decode() or target
        signature = text.rpartition(SIGNATURE)[2]
        return Rehearsed(Request(method, target, headers, body), (self._credentials.key, signature))
