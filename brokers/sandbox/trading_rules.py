"""What a sandbox refuses before matching: the venue's trading rules as one ordered table. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from brokers.sandbox.orders import Refusal, Ticket, Why
from engine.model.instrument import Instrument
from engine.model.orders import OrderType, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingRules:
    """Limits that instruments don't carry."""

    max_qty: Decimal = Decimal(1_000_000)
    price_band: Decimal = Decimal("0.05")
    """How far beyond the mark, as a fraction of it, a buy may bid and a sell may offer."""
    open_orders_max: int = 200
    """For each symbol."""
    amendments_max: int = 10_000
    amend_requeues: bool = False
    """Whether even an order that only becomes smaller goes to the back of its line."""
    refuses_unfillable_fok: bool = False
    """Instead of accepting and expiring them."""


class Asked(NamedTuple):
    """A ticket beside what it is judged by."""

    ticket: Ticket
    instrument: Instrument
    rules: TradingRules
    mark: Decimal
    """0 while no price is known."""
    open_orders: int
    """Of the symbol, this one not counted."""


def judge(asked: Asked) -> Refusal | None:
    """Return the first rule that a ticket breaks."""
    for why, is_broken in CHECKS:
        if is_broken(asked):
            return Refusal(why)
    return None


def _is_off(number: Decimal | None, step: Decimal) -> bool:
    """Whether a number is no positive whole count of a step; what is absent is not."""
    if number is None:
        return False
    return not number.is_finite() or number <= 0 or number % step != 0


def _has_no_price(asked: Asked) -> bool:
    return not asked.mark


def _is_off_tick(asked: Asked) -> bool:
    ticket, tick = asked.ticket, asked.instrument.tick_size
    return _is_off(ticket.price, tick) or _is_off(ticket.trigger_price, tick)


def _lacks_price(asked: Asked) -> bool:
    return (asked.ticket.type is OrderType.LIMIT) is (asked.ticket.price is None)


def _is_off_lot(asked: Asked) -> bool:
    return _is_off(asked.ticket.qty, asked.instrument.lot_size)


def _is_too_small(asked: Asked) -> bool:
    return asked.ticket.qty < asked.instrument.min_qty


def _is_too_large(asked: Asked) -> bool:
    return asked.ticket.qty > asked.rules.max_qty


def _is_below_notional(asked: Asked) -> bool:
    ticket, instrument = asked.ticket, asked.instrument
    price = ticket.price or ticket.trigger_price or asked.mark
    return not ticket.is_reduce_only and instrument.notional(price, ticket.qty) < (
        instrument.min_notional
    )


def _is_outside_band(asked: Asked) -> bool:
    price, band = asked.ticket.price, asked.rules.price_band
    if price is None:
        return False
    if asked.ticket.side is Side.BUY:
        return price > asked.mark * (1 + band)
    return price < asked.mark * (1 - band)


def _is_one_too_many(asked: Asked) -> bool:
    return asked.open_orders >= asked.rules.open_orders_max


CHECKS: Final[tuple[tuple[Why, Callable[[Asked], bool]], ...]] = (
    (Why.INVALID, _lacks_price),
    (Why.OFF_TICK, _is_off_tick),
    (Why.OFF_LOT, _is_off_lot),
    (Why.TOO_SMALL, _is_too_small),
    (Why.TOO_LARGE, _is_too_large),
    (Why.NO_PRICE, _has_no_price),
    (Why.MIN_NOTIONAL, _is_below_notional),
    (Why.PRICE_BAND, _is_outside_band),
    (Why.TOO_MANY_ORDERS, _is_one_too_many),
)
