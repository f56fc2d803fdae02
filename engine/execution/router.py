"""The router: what is wished, what works, what the venue can do → one decision.

Pure and stateless. The rows below are tried in order and are those of domain.md section 5.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

import msgspec
from annotated_types import Ge

from engine.execution.orders import IN_FLIGHT
from engine.model.instrument import Instrument
from engine.model.money import BPS, ROUNDED
from engine.model.orders import Order, OrderIntent, OrderState, OrderType
from engine.model.words import Word
from engine.venue import Capabilities


class Decision(Word):
    """What to do about one slot."""

    BLOCK = "BLOCK"
    CANCEL = "CANCEL"
    PLACE = "PLACE"
    NOOP = "NOOP"
    AMEND = "AMEND"
    CANCEL_REPLACE = "CANCEL_REPLACE"


class Reason(Word):
    """Why."""

    RISK_GATE = "RISK_GATE"
    CONSTRAINT_VIOLATION = "CONSTRAINT_VIOLATION"
    EXPLICIT_CANCEL = "EXPLICIT_CANCEL"
    NO_EXISTING_ORDER = "NO_EXISTING_ORDER"
    NO_CHANGE = "NO_CHANGE"
    WITHIN_TOLERANCE = "WITHIN_TOLERANCE"
    TOO_SOON = "TOO_SOON"
    IN_FLIGHT = "IN_FLIGHT"
    QTY_DOWN = "QTY_DOWN"
    SMALL_CHANGE = "SMALL_CHANGE"
    LARGE_CHANGE = "LARGE_CHANGE"
    AMEND_UNSUPPORTED = "AMEND_UNSUPPORTED"


class Route(msgspec.Struct, frozen=True, gc=False):
    """A decision with its reason."""

    decision: Decision
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterConfig:
    """Settings `router.*`: when a working order is left alone, amended or replaced."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    reprice_tolerance_ticks: Annotated[int, Ge(0)] = 0
    """A working price this close to the wished one stays."""
    min_quote_interval_ms: Annotated[int, Ge(0)] = 0
    """A working order younger than this is not repriced."""
    amend_threshold_bps: Annotated[Decimal, Ge(0)] = Decimal(25)
    """Largest price change sent as an amend; larger ones cancel and replace."""


PLACE = Route(Decision.PLACE, Reason.NO_EXISTING_ORDER)
CANCEL = Route(Decision.CANCEL, Reason.EXPLICIT_CANCEL)
BLOCK_RISK = Route(Decision.BLOCK, Reason.RISK_GATE)
BLOCK_CONSTRAINT = Route(Decision.BLOCK, Reason.CONSTRAINT_VIOLATION)
_IN_FLIGHT = Route(Decision.NOOP, Reason.IN_FLIGHT)
_NO_CHANGE = Route(Decision.NOOP, Reason.NO_CHANGE)
_WITHIN = Route(Decision.NOOP, Reason.WITHIN_TOLERANCE)
_TOO_SOON = Route(Decision.NOOP, Reason.TOO_SOON)
_QTY_DOWN = Route(Decision.AMEND, Reason.QTY_DOWN)
_SMALL = Route(Decision.AMEND, Reason.SMALL_CHANGE)
_LARGE = Route(Decision.CANCEL_REPLACE, Reason.LARGE_CHANGE)
_UNSUPPORTED = Route(Decision.CANCEL_REPLACE, Reason.AMEND_UNSUPPORTED)


def blocked(rule: str) -> Route:
    """Rows 1 and 2: the route of an intent the gate refused by `rule`."""
    return BLOCK_CONSTRAINT if rule == "venue_rules" else BLOCK_RISK


def route(
    desired: OrderIntent | None,
    working: Order | None,
    *,
    instrument: Instrument,
    capabilities: Capabilities,
    config: RouterConfig,
    now_ns: int,
    touch: tuple[int, int],
) -> Route:
    """Decide rows 3 to 9 for an intent the gate approved, or for the wish of nothing.

    Args:
        desired: None wishes the slot empty.
        touch: Best bid and ask in ticks, 0 where unknown, for the post-only check of an amend.

    """
    if working is None:
        return PLACE if desired is not None else _NO_CHANGE
    if desired is None:
        return _IN_FLIGHT if working.state is OrderState.PENDING_CANCEL else CANCEL
    if working.state in IN_FLIGHT:
        return _IN_FLIGHT
    if _is_same(desired, working):
        return _NO_CHANGE
    if not _is_comparable(desired, working):
        return _LARGE
    return _compare(
        desired,
        working,
        instrument=instrument,
        capabilities=capabilities,
        config=config,
        now_ns=now_ns,
        touch=touch,
    )


def _is_same(desired: OrderIntent, working: Order) -> bool:
    return (
        desired.type is working.type
        and desired.side is working.side
        and desired.tif is working.tif
        and desired.post_only is working.post_only
        and desired.reduce_only is working.reduce_only
        and desired.price == working.price
        and desired.trigger_price == working.trigger_price
        and desired.trail_bps == working.trail_bps
        and desired.qty == working.leaves_qty
    )


def _is_comparable(desired: OrderIntent, working: Order) -> bool:
    """Whether the wish is the same order but for price and quantity."""
    return (
        desired.type is working.type is OrderType.LIMIT
        and desired.side is working.side
        and desired.tif is working.tif
        and desired.post_only is working.post_only
        and desired.reduce_only is working.reduce_only
    )


def _compare(
    desired: OrderIntent,
    working: Order,
    *,
    instrument: Instrument,
    capabilities: Capabilities,
    config: RouterConfig,
    now_ns: int,
    touch: tuple[int, int],
) -> Route:
    assert desired.price is not None
    assert working.price is not None
    price_change = abs(desired.price - working.price)
    qty_change = desired.qty - working.leaves_qty
    if not price_change and not qty_change:
        return _NO_CHANGE
    if not price_change and qty_change < 0:
        if capabilities.can_amend_qty and capabilities.amend_down_keeps_queue:
            return _QTY_DOWN
    elif price_change <= config.reprice_tolerance_ticks * instrument.tick_size and not qty_change:
        return _WITHIN
    if now_ns - working.changed_ns < config.min_quote_interval_ms * 1_000_000:
        return _TOO_SOON
    if ROUNDED.divide(price_change * BPS, working.price) > config.amend_threshold_bps:
        return _LARGE
    if price_change and not capabilities.can_amend_price:
        return _UNSUPPORTED
    if qty_change and not capabilities.can_amend_qty:
        return _UNSUPPORTED
    if desired.post_only and _would_cross(desired, instrument, touch):
        return _LARGE
    return _SMALL


def _would_cross(desired: OrderIntent, instrument: Instrument, touch: tuple[int, int]) -> bool:
    assert desired.price is not None
    bid, ask = touch
    ticks = instrument.ticks(desired.price)
    if desired.side.sign > 0:
        return bool(ask) and ticks >= ask
    return bool(bid) and ticks <= bid
