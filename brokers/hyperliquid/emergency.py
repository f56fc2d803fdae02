"""An account at Hyperliquid in the sentinel's hands: no loop, no session, one request at a time.

Rule 1: it starts fast and depends on little: the standard library's HTTP and TLS, and what signs.
Rule 2: each request has a deadline for all of it; what fails is an `OSError` that names no key.
Rule 3: only what this run placed, on this run's coins, is touched: client ids begin with its
        prefix, or are the digests that stand for ids too long for the venue. A position is closed
        reduce-only, so that it can't turn.

Source: engine/venue.py `EmergencyDesk`; reliability.md section 0.2, D1; the Hyperliquid sheet.
"""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

import msgspec

from brokers.hyperliquid import actions, answers
from brokers.hyperliquid.abilities import CAPABILITIES
from brokers.hyperliquid.actions import IMMEDIATE, OrderTerms
from brokers.hyperliquid.answers import BROKEN, Done, Element, FillRow
from brokers.hyperliquid.cloid import client_id_of, cloid_of
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.listing import Place, places
from brokers.hyperliquid.rules import slipped
from brokers.hyperliquid.sign import Action, Signer
from brokers.hyperliquid.wire import JSON, MS_NS, Ladder
from brokers.link.account import FillReport
from brokers.link.emergency_fills import SENTINEL, all_of, as_one, as_told, patiently
from brokers.link.emergency_line import EmergencyLine
from brokers.link.secret import Credentials
from brokers.link.trust import trusted
from engine.model.client_ids import ClientIds
from engine.model.errors import DataUnavailable
from engine.model.instrument import Instrument
from engine.model.orders import Side
from engine.model.venue_events import VenueCanceled, VenueFill
from engine.venue import Holding, WorkingOrder

FILLS_MAX: Final = 200
"""Newest fills that are told: what the engine can have missed."""
OK: Final = 200
CLOSINGS: Final = 10_000
"""Closings are numbered from the time on, in so many numbers: a name is not used again soon."""

_ladder = msgspec.json.Decoder(Ladder).decode
T = TypeVar("T")


class Sent(NamedTuple):
    """One request as it leaves."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Reach(NamedTuple):
    """How to get at an account."""

    line: EmergencyLine
    address: str
    """Whose it is: the master's, or a vault's."""
    vault: str | None
    slippage_bps: Decimal


class HyperliquidDesk:
    """An `EmergencyDesk` over one account."""

    def __init__(self, signer: Signer, reach: Reach, coins: Sequence[str], ids: ClientIds) -> None:
        """Prepare; nothing is sent.

        Args:
            signer: The wallet that may trade.
            reach: How to get at the account.
            coins: The run's instruments.
            ids: This run's names for its orders.

        """
        self._signer = signer
        self._reach = reach
        self._coins = tuple(coins)
        self._ids = ids
        self._places: dict[str, Place] = {}
        self._closings = int(time.time()) % CLOSINGS
        self._nonce = 0

    # --- orders --------------------------------------------------------------------------------

    def working(self) -> Sequence[WorkingOrder]:
        """Return this run's working orders, those that add risk first.

        Raises:
            OSError: The venue can't be asked.

        """
        rows = self._ask("frontendOpenOrders", answers.order_rows, user=self._reach.address)
        found = [
            WorkingOrder(order_id, row.coin, row.reduce_only)
            for row in rows
            if row.coin in self._coins and (order_id := self._ours(row.cloid)) is not None
        ]
        return sorted(found, key=lambda order: order.is_reducing)

    def cancel(self, order: WorkingOrder, event_ns: int) -> VenueCanceled | None:
        """Take an order out; None where that is not confirmed.

        Raises:
            OSError: The venue can't be reached.

        """
        asset = self._place(order.symbol).asset
        told = self._act(actions.cancel(asset, cloid_of(self._ids.of(order.order_id))))
        is_out = told is not None and told.error is None
        return VenueCanceled(event_ns, order.symbol, order.order_id) if is_out else None

    # --- positions -----------------------------------------------------------------------------

    def holdings(self) -> Sequence[Holding]:
        """Return the open positions of this run's coins.

        Raises:
            OSError: The venue can't be asked.

        """
        state = self._ask("clearinghouseState", answers.state, user=self._reach.address)
        told = _read(state, lambda one: one.holdings())
        return [Holding(one.symbol, one.qty) for one in told if one.symbol in self._coins]

    def latest_fills(self, event_ns: int) -> Sequence[VenueFill]:
        """Return the newest fills of this run's orders, oldest first.

        Raises:
            OSError: The venue can't be asked.

        """
        rows = [row for row in self._newest() if row.coin in self._coins]
        return [
            as_told(event_ns, order_id, _read(row, lambda one: answers.fill_report(one, "")))
            for row in rows[-FILLS_MAX:]
            if (order_id := self._ours(row.cloid)) is not None
        ]

    def flatten(self, holding: Holding, event_ns: int) -> VenueFill | None:
        """Close a position, reduce-only; None where nobody takes it at a price near the touch.

        A closing that took several trades is told as one: their sum, at their average price.

        Raises:
            OSError: The venue can't be reached.

        """
        side = Side.SELL if holding.qty > 0 else Side.BUY
        place, price = self._place(holding.symbol), self._touch(holding.symbol, side)
        if price is None:
            return None
        self._closings += 1
        order_id = f"{SENTINEL}-{self._closings}"
        worst = slipped(price, side, self._reach.slippage_bps, place.size_decimals)
        terms = OrderTerms(
            place.asset, side, worst, abs(holding.qty), IMMEDIATE, True,
            cloid_of(self._ids.of(order_id)),
        )  # fmt: skip
        told = self._act(actions.place(terms))
        if told is None or told.filled is None:
            return None
        filled = _read(told.filled.total_sz, answers.number)
        return as_one(event_ns, order_id, self._fills_of(told.filled.oid, filled))

    def _touch(self, coin: str, side: Side) -> Decimal | None:
        """Return the best price for a taker of this side; None where nobody quotes one."""
        bids, asks = self._ask("l2Book", _ladder, coin=coin).sides
        levels = asks if side is Side.BUY else bids
        return _read(levels[0].price, answers.number) if levels else None

    def _fills_of(self, oid: int, filled: Decimal) -> list[FillReport]:
        """Return every fill of an order that has just traded; the venue may tell them late.

        Raises:
            OSError: It does not tell them all.

        """

        def newest() -> list[FillReport] | None:
            rows = [row for row in self._newest() if row.oid == oid]
            fills = [_read(row, lambda one: answers.fill_report(one, "")) for row in rows]
            return all_of(fills, filled) if fills else None

        fills = patiently(newest)
        if fills is None:
            raise OSError(f"hyperliquid closed {filled} and does not tell at what price")
        return fills

    def _newest(self) -> list[FillRow]:
        """Return the account's latest fills, oldest first."""
        rows = self._ask("userFills", answers.fill_rows, user=self._reach.address)
        return sorted(rows, key=lambda row: (row.time, row.tid))

    # --- names ---------------------------------------------------------------------------------

    def _ours(self, cloid: str | None) -> str | None:
        """Return what the engine calls an order; None where it is not this run's."""
        client_id = None if cloid is None else client_id_of(cloid.lower())
        return None if client_id is None else self._ids.order_id(client_id)

    def _place(self, coin: str) -> Place:
        if not self._places:
            try:
                self._places = self._ask("meta", places)
            except DataUnavailable as error:
                raise OSError(str(error)) from None
        if coin not in self._places:
            raise OSError(f"hyperliquid lists no {coin}")
        return self._places[coin]

    # --- asking --------------------------------------------------------------------------------

    def _ask(self, kind: str, parse: Callable[[bytes], T], **words: str) -> T:
        status, body = self._send("/info", {"type": kind, **words})
        if status != OK:
            raise OSError(f"hyperliquid answered {status}")
        return _read(body, parse)

    def _act(self, action: Action) -> Element | None:
        """Have one thing done; None where the venue refused it as a whole.

        Raises:
            OSError: Nobody knows whether it was done.

        """
        self._nonce = max(self._nonce + 1, time.time_ns() // MS_NS)
        signature = self._signer.sign(action, self._nonce, vault=self._reach.vault)
        status, body = self._send(
            "/exchange", actions.request(action, self._nonce, signature, vault=self._reach.vault)
        )
        if status != OK:
            raise OSError(f"hyperliquid answered {status}")
        told = _read(body, answers.done)
        if not isinstance(told, Done):
            return None
        if len(told.elements) != 1:
            raise OSError("hyperliquid: an answer that can't be read")
        (element,) = told.elements
        return Element() if isinstance(element, str) else element

    def _send(self, path: str, told: object) -> tuple[int, bytes]:
        return self._reach.line.ask(Sent("POST", path, JSON, msgspec.json.encode(told)))


def open_desk(
    credentials: Credentials,
    config: HyperliquidConfig,
    instruments: Sequence[Instrument],
    run_id: str,
) -> HyperliquidDesk:
    """Return the desk of a run; settings may come as they were written down.

    Raises:
        OSError: The venue's host is not known.
        CredentialsRefused: The wallet's key is none.

    """
    signer = Signer(credentials.secret, is_mainnet=config.is_mainnet)
    vault = config.vault.lower() or None
    reach = Reach(
        EmergencyLine(config.rest_url, tls=trusted("hyperliquid", config)),
        vault or credentials.key.lower(),
        vault,
        Decimal(config.slippage_bps),
    )
    coins = [item.symbol for item in instruments]
    return HyperliquidDesk(signer, reach, coins, CAPABILITIES.ids_of(run_id))


R = TypeVar("R")


def _read(told: R, parse: Callable[[R], T]) -> T:
    try:
        return parse(told)
    except BROKEN:
        raise OSError("hyperliquid: an answer that can't be read") from None
