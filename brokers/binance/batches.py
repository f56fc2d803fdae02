"""Several orders in one request to Binance, and what is answered of each. Pure.

A batch of placements weighs as much as five orders, whatever is in it. Answers come in the order of
the items: an order each, or a complaint.

Source: the Binance sheet, section 5; the weights are those of the venue's page of the endpoint.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw

from brokers.binance.answers import BROKEN
from brokers.binance.faults import OK, Fault, fault_in
from brokers.binance.requests import Call, place
from brokers.link.account import NewOrder
from brokers.link.budget import Lane

PATH: Final = "/fapi/v1/batchOrders"
PLACES_MAX, CANCELS_MAX = 5, 10
WEIGHT: Final = 5
UNREADABLE: Final = "an answer that can't be read"

_items: Final = msgspec.json.Decoder(list[Raw]).decode


def place_many(orders: Sequence[NewOrder]) -> Call:
    """Place orders that lack nothing, all of which only reduce, or none."""
    rows = [dict(place(order).params) for order in orders]
    params = (("batchOrders", _text(rows)),)
    lane = Lane.of_order(is_reducing=all(order.is_reduce_only for order in orders))
    return Call("POST", PATH, params, lane=lane, weight=WEIGHT, orders=WEIGHT, is_repeatable=False)


def cancel_many(symbol: str, client_ids: Sequence[str]) -> Call:
    """Take orders of one instrument out."""
    params = (("symbol", symbol), ("origClientOrderIdList", _text(client_ids)))
    return Call("DELETE", PATH, params, lane=Lane.CANCEL, weight=1)


def _text(told: object) -> str:
    return msgspec.json.encode(told).decode()


def split(told: bytes | Fault, count: int) -> Sequence[bytes | Fault]:
    """Return what is answered of each of so many; what ails the whole ails each."""
    if isinstance(told, Fault):
        return [told] * count
    try:
        items = [bytes(item) for item in _items(told)]
    except BROKEN:
        items = []
    if len(items) != count:
        return [Fault(None, UNREADABLE)] * count
    return [fault_in(OK, item) or item for item in items]
