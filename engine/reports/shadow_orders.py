"""Simulated orders against the real account as it was last seen: would it have taken them?

What an order ties up is its notional over the account's leverage. Beside what the account has tied
up already, our own working orders and positions count: they would stand there too. An order that
can only reduce ties up nothing.
"""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from engine.model.account import Fill, Liquidity
from engine.model.instrument import Instrument
from engine.model.money import BPS, ROUNDED, ZERO
from engine.model.orders import OrderState
from engine.model.records import OrderChanged, OrderSubmitted
from engine.model.sightings import AccountSeen, SeenTerms, SimulatedBooks
from engine.reports.shadow_schema import OrdersBeside

MARGIN: Final = "margin"
TWO_WAY: Final = "long_and_short_apart"
"""Orders of ours name no side of a position: such an account refuses each of them."""
TOO_SMALL: Final = "min_notional"
OFF_GRID: Final = "off_grid"
ENDED: Final = frozenset(
    {
        OrderState.FILLED,
        OrderState.CANCELED,
        OrderState.REJECTED,
        OrderState.EXPIRED,
        OrderState.DENIED,
    }
)
NO_RATES: Final = "the venue does not tell the account's rates"


class _Working(NamedTuple):
    symbol: str
    price: Decimal
    qty: Decimal
    """Open, base units."""


class OrdersSeen:
    """Counts what the account would have refused."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._instruments = {item.symbol: item for item in instruments}
        self._seen: AccountSeen | None = None
        """As last seen; None while it is not."""
        self._terms: dict[str, SeenTerms] = {}
        self._prices: dict[str, Decimal] = {}
        self._held: dict[str, Decimal] = {}
        """Our positions, base units."""
        self._working: dict[str, _Working] = {}
        self._checked = self._unchecked = 0
        self._refused: Counter[str] = Counter()
        self._fee_difference: Decimal | None = None
        self._lacks_rates = False

    def seen(self, seen: AccountSeen) -> None:
        """Learn how the account stands."""
        self._seen = seen
        self._terms = {one.symbol: one for one in seen.terms}

    def unseen(self) -> None:
        """Know nothing of it."""
        self._seen = None

    def books(self, books: SimulatedBooks) -> None:
        """Learn prices."""
        for one in books.holdings:
            if one.mark is not None:
                self._prices[one.symbol] = one.mark

    def submitted(self, order: OrderSubmitted) -> None:
        """Judge an order by the account as last seen, then count it as working."""
        instrument = self._instruments.get(order.symbol)
        if instrument is None:
            return
        price = order.price or order.trigger_price or self._prices.get(order.symbol)
        if self._seen is None or price is None:
            self._unchecked += 1
        else:
            self._checked += 1
            self._refused.update(self._faults(order, price, instrument))
        if price is not None and not order.reduce_only:
            qty = order.qty * instrument.multiplier
            self._working[order.order_id] = _Working(order.symbol, price, qty)

    def changed(self, change: OrderChanged) -> None:
        """Follow what still works."""
        working = self._working.get(change.order_id)
        if working is None:
            return
        if change.state in ENDED:
            del self._working[change.order_id]
            return
        multiplier = self._instruments[change.symbol].multiplier
        left = (change.qty - change.filled_qty) * multiplier
        self._working[change.order_id] = working._replace(
            price=change.price or working.price, qty=left
        )

    def fill(self, fill: Fill, notional: Decimal) -> None:
        """Follow our position, and what the fill would have cost there."""
        multiplier = self._instruments[fill.symbol].multiplier
        held = self._held.get(fill.symbol, ZERO)
        self._held[fill.symbol] = held + fill.side.sign * fill.qty * multiplier
        self._prices[fill.symbol] = fill.price
        terms = self._terms.get(fill.symbol)
        is_maker = fill.liquidity is Liquidity.MAKER
        rate = None
        if terms is not None:
            rate = terms.maker_fee_bps if is_maker else terms.taker_fee_bps
        if rate is None:
            self._lacks_rates = True
            return
        there = ROUNDED.divide(notional * rate, BPS)
        self._fee_difference = (self._fee_difference or ZERO) + there - fill.fee

    def _faults(self, order: OrderSubmitted, price: Decimal, instrument: Instrument) -> list[str]:
        assert self._seen is not None, "it is checked against a look"
        notional = instrument.notional(price, order.qty)
        faults = []
        if not self._seen.is_one_way:
            faults.append(TWO_WAY)
        if order.qty < instrument.min_qty or order.qty % instrument.lot_size:
            faults.append(OFF_GRID)
        if order.reduce_only:
            return faults
        if notional < instrument.min_notional:
            faults.append(TOO_SMALL)
        free = self._seen.free
        if free is not None and self._tied_up() + self._margin(order.symbol, notional) > free:
            faults.append(MARGIN)
        return faults

    def _tied_up(self) -> Decimal:
        """Return what our own orders and positions would tie up at the account."""
        working = (self._margin(one.symbol, one.price * one.qty) for one in self._working.values())
        held = (
            self._margin(symbol, abs(qty) * self._prices.get(symbol, ZERO))
            for symbol, qty in self._held.items()
        )
        return sum((*working, *held), ZERO)

    def _margin(self, symbol: str, notional: Decimal) -> Decimal:
        terms = self._terms.get(symbol)
        leverage = (terms and terms.leverage) or Decimal(1)
        return ROUNDED.divide(notional, leverage)

    def unknown(self) -> dict[str, str]:
        """Say what can't be known, and why."""
        return {"fee_difference": NO_RATES} if self._lacks_rates else {}

    def report(self) -> OrdersBeside:
        """Return what was counted."""
        return OrdersBeside(
            checked=self._checked,
            unchecked=self._unchecked,
            would_refuse=dict(sorted(self._refused.items())),
            fee_difference=None if self._lacks_rates else self._fee_difference or ZERO,
        )
