"""The orders of the Hyperliquid sandbox as the venue names and shows them. Pure.

Rule 1: an amended order is another one: it gets a new number, and the old one is canceled, which is
        told after the new one is open. Its client id goes along.
Rule 2: everything an order has been is kept under each number it had.

Source: the Hyperliquid sheet, sections 2, 4 and 6.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any, Final

from brokers.hyperliquid.rules import wire
from brokers.sandbox.hyperliquid_frames import MS_NS, SIDES, money
from brokers.sandbox.orders import FillRecord, Kind, OrderRecord, OrderTold, Refusal, State, Why
from engine.model.money import ROUNDED, ZERO
from engine.model.orders import OrderType, Side, TimeInForce

FIRST_OID: Final = 91_490_000_001
ROWS_MAX: Final = 100_000
FILLS_MAX: Final = 10_000
AUTO: Final = "auto"
"""What the core's names for orders without one begin with."""
REJECTIONS: Final = {
    Why.OFF_TICK: "tickRejected",
    Why.MIN_NOTIONAL: "minTradeNtlRejected",
    Why.MARGIN: "perpMarginRejected",
    Why.REDUCE_ONLY: "reduceOnlyRejected",
    Why.POST_ONLY_WOULD_CROSS: "badAloPxRejected",
    Why.PRICE_BAND: "oracleRejected",
}
OPENING: Final = {Side.BUY: ("Open Long", "Close Short"), Side.SELL: ("Open Short", "Close Long")}


@dataclass(slots=True)
class Row:
    """One number's order."""

    oid: int
    record: OrderRecord
    qty: Decimal
    """Of this number; what an amended order had filled before does not count."""
    price: Decimal | None
    placed_ms: int
    filled: Decimal = ZERO
    status: str = "open"
    at_ms: int = 0

    @property
    def cloid(self) -> str | None:
        """The client's name, if it gave one."""
        name = self.record.client_id
        return None if name.startswith(AUTO) else name

    def shown(self) -> dict[str, Any]:
        """Return it as an order update has it."""
        ticket = self.record.ticket
        price = self.price or ticket.trigger_price or ZERO
        shown = {
            "coin": self.record.symbol, "side": SIDES[ticket.side], "limitPx": wire(price),
            "sz": wire(self.qty - self.filled), "oid": self.oid, "timestamp": self.placed_ms,
            "origSz": wire(self.qty),
        }  # fmt: skip
        return shown if self.cloid is None else shown | {"cloid": self.cloid}

    def in_full(self) -> dict[str, Any]:
        """Return it as a question about it is answered."""
        ticket = self.record.ticket
        is_trigger = ticket.trigger_price is not None
        return self.shown() | {
            "triggerCondition": "N/A", "isTrigger": is_trigger,
            "triggerPx": wire(ticket.trigger_price or ZERO), "children": [],
            "isPositionTpsl": False, "reduceOnly": ticket.is_reduce_only,
            "orderType": "Stop Market" if is_trigger else "Limit", "tif": tif_of(self.record),
            "cloid": self.cloid,
        }  # fmt: skip


def tif_of(record: OrderRecord) -> str:
    """Return how long an order rests, in the venue's word."""
    if record.ticket.is_post_only:
        return "Alo"
    return "Ioc" if is_immediate(record) else "Gtc"


def is_immediate(record: OrderRecord) -> bool:
    """Whether an order never rests."""
    return record.ticket.tif is TimeInForce.IOC or record.ticket.type is OrderType.MARKET


class Blotter:
    """Numbers orders and follows them; `tell` hears each change as the venue words it."""

    def __init__(self, tell: Callable[[Row], None]) -> None:
        self._tell = tell
        self._numbers = count(FIRST_OID)
        self._rows: dict[int, Row] = {}
        self._current: dict[int, int] = {}
        """Number by the core's order id."""
        self._named: dict[str, int] = {}
        """Newest number by cloid."""
        self.fills: list[dict[str, Any]] = []
        self.cause = "canceled"
        """What a cancel is called that happens now."""

    def row(self, name: int | str) -> Row | None:
        """Find an order by number or cloid."""
        oid = self._named.get(name.lower()) if isinstance(name, str) else name
        return None if oid is None else self._rows.get(oid)

    def row_of(self, record: OrderRecord) -> Row:
        """Return what an order of the core is called now."""
        if record.order_id not in self._current:
            return self._enter(record, record.qty, record.created_ns // MS_NS)
        return self._rows[self._current[record.order_id]]

    def _enter(self, record: OrderRecord, qty: Decimal, at_ms: int) -> Row:
        row = Row(next(self._numbers), record, qty, record.price, at_ms, at_ms=at_ms)
        self._rows[row.oid] = row
        if record.order_id:
            self._current[record.order_id] = row.oid
        if row.cloid is not None:
            self._named[row.cloid] = row.oid
        if len(self._rows) > ROWS_MAX:
            self._rows.pop(next(oid for oid, old in self._rows.items() if old.status != "open"))
        return row

    def history(self) -> Iterator[Row]:
        """Yield every order, newest first."""
        return reversed(self._rows.values())

    # --- what happens --------------------------------------------------------------------------

    def take(self, told: OrderTold) -> None:
        """Follow the core."""
        at_ms = told.at_ns // MS_NS
        match told.kind:
            case Kind.REJECTED if told.order.reason == Why.DUPLICATE_ID:
                pass  # the name is another order's
            case Kind.REJECTED:
                row = self._enter(told.order, told.order.qty, at_ms)
                self._say(row, REJECTIONS.get(Why(told.order.reason), "rejected"), at_ms)
            case Kind.AMENDED:
                self._replace(told.order, at_ms)
            case Kind.FILLED:
                self._fill(told, at_ms)
            case Kind.NEW:
                if not is_immediate(told.order):
                    self._say(self.row_of(told.order), "open", at_ms)
            case _:
                self._say(self.row_of(told.order), self._ending(told), at_ms)

    def _ending(self, told: OrderTold) -> str:
        if told.kind is Kind.TRIGGERED:
            return "triggered"
        if told.kind is Kind.CANCELED:
            return self.cause
        return "iocCancelRejected" if is_immediate(told.order) else "reduceOnlyCanceled"

    def _say(self, row: Row, status: str, at_ms: int) -> None:
        row.status, row.at_ms = status, at_ms
        self._tell(row)

    def _replace(self, record: OrderRecord, at_ms: int) -> None:
        old = self.row_of(record)
        new = self._enter(record, record.qty - record.filled_qty, at_ms)
        self._say(new, "open", at_ms)
        self._say(old, "canceled", at_ms)

    def _fill(self, told: OrderTold, at_ms: int) -> None:
        row = self.row_of(told.order)
        assert told.fill is not None, "the core tells it with the fill"
        row.filled += told.fill.qty
        is_done = told.order.state is State.FILLED
        self._say(row, "filled" if is_done else "open", at_ms)

    def keep(self, fill: FillRecord, row: Row, position: Decimal) -> dict[str, Any]:
        """Keep an execution and return it as the venue words it.

        Args:
            fill: It.
            row: Its order.
            position: Held after it, signed.

        """
        before = position - fill.side.sign * fill.qty
        is_closing = before * fill.side.sign < 0
        worded = {
            "coin": fill.symbol, "px": wire(fill.price), "sz": wire(fill.qty),
            "side": SIDES[fill.side], "time": fill.at_ns // MS_NS, "startPosition": wire(before),
            "dir": OPENING[fill.side][is_closing], "closedPnl": money(fill.realized_pnl),
            "hash": f"0x{fill.trade_id:064x}", "oid": row.oid, "crossed": not fill.is_maker,
            "fee": money(fill.fee), "tid": fill.trade_id, "feeToken": "USDC",
            "twapId": None,
        }  # fmt: skip
        if row.cloid is not None:
            worded["cloid"] = row.cloid
        self.fills.append(worded)
        del self.fills[:-FILLS_MAX]
        return worded


def average(record: OrderRecord) -> Decimal:
    """Return the average price of an order's fills, as many figures as the venue shows."""
    return ROUNDED.divide(record.cost, record.filled_qty).quantize(Decimal("1e-6"))


def worded(refusal: Refusal, asset: int, touch: tuple[Decimal, Decimal] | None) -> str:
    """Return a refusal in the venue's words."""
    bbo = "none" if touch is None else f"{wire(touch[0])}@{wire(touch[1])}"
    text = TEXTS.get(refusal.why, "Order could not be taken: {why}.")
    return text.format(asset=asset, bbo=bbo, why=refusal.why)


TEXTS: Final = {
    Why.OFF_TICK: "Price must be divisible by tick size. asset={asset}",
    Why.OFF_LOT: "Order has invalid size.",
    Why.TOO_SMALL: "Order has zero size.",
    Why.TOO_LARGE: "Order has invalid size.",
    Why.MIN_NOTIONAL: "Order must have minimum value of $10. asset={asset}",
    Why.PRICE_BAND: "Order price cannot be more than 80% away from the reference price",
    Why.TOO_MANY_ORDERS: "Too many open orders.",
    Why.REDUCE_ONLY: "Reduce only order would increase position. asset={asset}",
    Why.MARGIN: "Insufficient margin to place order. asset={asset}",
    Why.DUPLICATE_ID: "Duplicate cloid. asset={asset}",
    Why.POST_ONLY_WOULD_CROSS: (
        "Post only order would have immediately matched, bbo was {bbo}. asset={asset}"
    ),
    Why.NOT_FOUND: "Order was never placed, already canceled, or filled. asset={asset}",
    Why.NO_PRICE: "No liquidity available for market order. asset={asset}",
    Why.NOT_AMENDABLE: "Cannot modify canceled or filled order",
    Why.LEVERAGE: "Invalid leverage value",
    Why.HALTED: "Asset is delisted. asset={asset}",
    Why.HAS_ORDERS: "Cannot switch leverage type with open orders.",
    Why.HAS_POSITION: "Cannot switch leverage type with open position.",
}
UNMATCHED: Final = "Order could not immediately match against any resting orders. asset={asset}"
