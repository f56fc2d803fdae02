"""What Binance answers when it says no: codes, words, statuses. Pure.

Source: the Binance sheet, sections 6, 8 and 9.
"""

from collections.abc import Mapping
from typing import Any, Final

from brokers.sandbox.orders import Refusal, Ticket, Why
from engine.model.instrument import Instrument
from engine.model.money import ZERO


class ApiError(Exception):
    """A request that is answered with a code."""

    def __init__(self, code: int, msg: str, status: int = 400, retry_after_s: float = 0.0) -> None:
        super().__init__(msg)
        self.code = code
        self.msg = msg
        self.status = status
        self.retry_after_s = retry_after_s

    def told(self) -> dict[str, Any]:
        """Return the body."""
        return {"code": self.code, "msg": self.msg}


WORDS: Final[Mapping[Why, tuple[int, str]]] = {
    Why.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Why.OFF_TICK: (-4014, "Price not increased by tick size."),
    Why.OFF_LOT: (-1013, "Filter failure: LOT_SIZE"),
    Why.TOO_SMALL: (-1013, "Filter failure: LOT_SIZE"),
    Why.TOO_LARGE: (-4005, "Quantity greater than max quantity."),
    Why.MIN_NOTIONAL: (-4164, "Order's notional must be no smaller than {notional} "
                              "(unless you choose reduce only)."),
    Why.PRICE_BAND: (-4024, "Limit price is outside the PERCENT_PRICE filter."),
    Why.TOO_MANY_ORDERS: (-2025, "Reach max open order limit."),
    Why.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    Why.MARGIN: (-2019, "Margin is insufficient."),
    Why.DUPLICATE_ID: (-4116, "ClientOrderId is duplicated."),
    Why.POST_ONLY_WOULD_CROSS: (-5022, "Due to the order could not be executed as maker, the Post "
                                       "Only order will be rejected. The order will not be "
                                       "recorded in the order history"),
    Why.WOULD_NOT_FILL: (-5021, "Due to the order could not be filled immediately, the FOK order "
                                "has been rejected. The order will not be recorded in the order "
                                "history"),
    Why.NOT_FOUND: (-2013, "Order does not exist."),
    Why.NOTHING_TO_CHANGE: (-5027, "No need to modify the order."),
    Why.TOO_MANY_AMENDMENTS: (-5026, "Exceed maximum modify order limit."),
    Why.NOT_AMENDABLE: (-5025, "Only limit order is supported."),
    Why.HALTED: (-4108, "Symbol is on delivering or delivered or settling or closed or "
                        "pre-trading."),
    Why.LEVERAGE: (-4028, "Leverage is not valid."),
    Why.INVALID: (-2010, "NEW_ORDER_REJECTED"),
}  # fmt: skip

UNKNOWN_ORDER: Final = (-2011, "Unknown order sent.")
TOO_PRECISE: Final = (-1111, "Precision is over the maximum defined for this asset.")
BAD_PRICE: Final = (-1013, "Filter failure: PRICE_FILTER")
NOT_ENOUGH_QTY: Final = (-4003, "Quantity less than or equal to zero.")
BUSY: Final = (-1008, "Request throttled by system-level protection. Please try again.")


def refused(refusal: Refusal, ticket: Ticket, instrument: Instrument | None) -> ApiError:
    """Return what the venue says to an order that breaks a rule."""
    if refusal.why is Why.NO_PRICE:
        return ApiError(*BUSY, status=503)
    code, msg = WORDS[refusal.why]
    if instrument is not None:
        msg = msg.replace("{notional}", f"{instrument.min_notional:f}")
        code, msg = _finer(refusal.why, ticket, instrument) or (code, msg)
    return ApiError(code, msg)


def _finer(why: Why, ticket: Ticket, instrument: Instrument) -> tuple[int, str] | None:
    """Tell too many digits from off the grid, and both from what is no number of anything."""
    if why is Why.OFF_LOT:
        if ticket.qty <= 0:
            return NOT_ENOUGH_QTY
        return TOO_PRECISE if _digits(ticket.qty) > _digits(instrument.lot_size) else None
    if why is Why.OFF_TICK:
        price = ticket.price or ZERO
        if price <= 0:
            return BAD_PRICE
        return TOO_PRECISE if _digits(price) > _digits(instrument.tick_size) else None
    return None


def _digits(number: object) -> int:
    return len(f"{number:f}".partition(".")[2].rstrip("0"))


def missing(name: str) -> ApiError:
    """Say that a parameter is needed."""
    return ApiError(
        -1102,
        f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
    )
