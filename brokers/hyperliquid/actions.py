"""What can be done at Hyperliquid's `/exchange`, word for word. Pure.

The order of the keys is part of what is signed: it is that of the sheet's table, section 4.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from brokers.hyperliquid.rules import wire
from brokers.hyperliquid.sign import Action, Signature
from engine.model.account import MarginMode
from engine.model.orders import Side
from engine.venue import MarginTerms

POST_ONLY, IMMEDIATE, RESTING = "Alo", "Ioc", "Gtc"
ALONE: Final = "na"
LISTS: Final = ("orders", "cancels", "modifies")


class OrderTerms(NamedTuple):
    """An order in the venue's terms."""

    asset: int
    side: Side
    price: Decimal
    qty: Decimal
    tif: str
    is_reduce_only: bool
    cloid: str


def _order(terms: OrderTerms) -> dict[str, Any]:
    return {
        "a": terms.asset,
        "b": terms.side is Side.BUY,
        "p": wire(terms.price),
        "s": wire(terms.qty),
        "r": terms.is_reduce_only,
        "t": {"limit": {"tif": terms.tif}},
        "c": terms.cloid,
    }


def place(*terms: OrderTerms) -> Action:
    """Place orders."""
    return {"type": "order", "orders": [_order(one) for one in terms], "grouping": ALONE}


def modify(terms: OrderTerms) -> Action:
    """Put another order in the place of the one of the same cloid."""
    return {"type": "batchModify", "modifies": [{"oid": terms.cloid, "order": _order(terms)}]}


def cancel(asset: int, *cloids: str) -> Action:
    """Take orders of one coin out by our names for them."""
    return {
        "type": "cancelByCloid",
        "cancels": [{"asset": asset, "cloid": cloid} for cloid in cloids],
    }


def cancel_by_oid(asset: int, *oids: int) -> Action:
    """Take orders of one coin out by the venue's names for them."""
    return {"type": "cancel", "cancels": [{"a": asset, "o": oid} for oid in oids]}


def schedule_cancel(at_ms: int | None) -> Action:
    """Have the venue take everything out at a time; None takes that back."""
    return {"type": "scheduleCancel"} | ({} if at_ms is None else {"time": at_ms})


def update_leverage(asset: int, leverage: int, *, is_cross: bool) -> Action:
    """Set a coin's leverage and margin mode."""
    return {"type": "updateLeverage", "asset": asset, "isCross": is_cross, "leverage": leverage}


def margin(asset: int, wanted: MarginTerms) -> Action:
    """Set them as wished; a coin starts out crossed."""
    is_cross = wanted.mode is not MarginMode.ISOLATED
    return update_leverage(asset, wanted.leverage, is_cross=is_cross)


def count(action: Action) -> int:
    """Return how many things an action is about."""
    assert isinstance(action, Mapping), "made here"
    return max(len(action.get(name, ())) for name in LISTS) or 1


def request(
    action: Action,
    nonce: int,
    signature: Signature,
    *,
    vault: str | None = None,
    expires_ms: int | None = None,
) -> dict[str, Any]:
    """Return the body that carries an action."""
    return {
        "action": action,
        "nonce": nonce,
        "signature": signature.words(),
        "vaultAddress": vault,
        "expiresAfter": expires_ms,
    }
