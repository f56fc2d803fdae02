"""The venue's own truth as JSON lines: every order, fill and cancel as it happened, for comparing.

One line for each thing told, flushed at once, so that whoever reads while the venue runs, or after
it was killed, sees everything that was ever answered. Numbers are strings, exactly as booked.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec

from brokers.sandbox.orders import (
    FundingTold,
    Kind,
    LeverageTold,
    MoneyTold,
    OrderTold,
    Told,
    TransferTold,
)
from engine.model.errors import DataUnavailable

_ENCODE: Final = msgspec.json.Encoder().encode


class VenueLedger:
    """A listener of an exchange that writes to a file."""

    def __init__(self, path: Path) -> None:
        """Open a file to write on at its end.

        Raises:
            DataUnavailable: It can't be written.
        """
        try:
            self._file: TextIO = path.open("a", encoding="utf-8")
        except OSError as error:
            raise DataUnavailable(f"can't write {path}: {error.strerror}") from error

    def __call__(self, told: Told) -> None:
        """Write one thing down."""
        if not isinstance(told, MoneyTold):
            self._file.write(_ENCODE(line(told)).decode() + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def line(told: OrderTold | FundingTold | TransferTold | LeverageTold) -> dict[str, Any]:
    """Return one line of the ledger."""
    match told:
        case FundingTold():
            what: dict[str, Any] = {"kind": "funding", "amount": told.amount, "rate": told.rate}
        case TransferTold(at_ns=at_ns, amount=amount):
            return {"at_ns": at_ns, **_plain({"kind": "transfer", "amount": amount})}
        case LeverageTold():
            mode = "isolated" if told.is_isolated else "cross"
            what = {"kind": "leverage", "leverage": told.leverage, "margin_mode": mode}
        case OrderTold():
            return _order_line(told)
    return {"at_ns": told.at_ns, "symbol": told.symbol, **_plain(what)}


def _order_line(told: OrderTold) -> dict[str, Any]:
    order, fill = told.order, told.fill
    said: dict[str, Any] = {
        "at_ns": told.at_ns, "symbol": order.symbol,
        "kind": "fill" if told.kind is Kind.FILLED else told.kind,
        "order_id": order.order_id, "client_id": order.client_id, "side": order.ticket.side,
        "state": order.state, "qty": order.qty, "price": order.price,
        "filled_qty": order.filled_qty,
    }  # fmt: skip
    if order.reason:
        said["reason"] = order.reason
    if fill is not None:
        said |= {
            "trade_id": fill.trade_id, "fill_price": fill.price, "fill_qty": fill.qty,
            "fee": fill.fee, "fee_asset": fill.fee_asset, "realized_pnl": fill.realized_pnl,
            "is_maker": fill.is_maker,
        }  # fmt: skip
    return _plain(said)


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    return {k: f"{v:f}" if isinstance(v, Decimal) else v for k, v in said.items()}
