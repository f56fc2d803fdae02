"""The paper account in the sentinel's hands: cancels and closes in the ledger, in its own name."""

from collections.abc import Sequence
from pathlib import Path
from time import time_ns
from typing import Final

import msgspec

from brokers.paper.ledger import Ledger, PositionLine
from engine.model.account import Liquidity
from engine.model.money import ZERO
from engine.model.orders import Side
from engine.model.venue_events import VenueCanceled, VenueFill
from engine.venue import Holding, WorkingOrder

SENTINEL: Final = "sentinel"


class LedgerDesk:
    """An `EmergencyDesk` over a ledger whose engine is dead; nobody else writes there then."""

    def __init__(self, path: Path) -> None:
        """Open the ledger.

        Raises:
            StateDamaged: There is none.

        """
        self._ledger = Ledger(path)
        self._places: dict[str, int] = {}
        self._fills = 0

    def working(self) -> Sequence[WorkingOrder]:
        """Return every order that works, those that add risk first."""
        self._places = {o.order_id: at for at, o in self._ledger.orders() if o.state == "working"}
        orders = (self._ledger.order(at) for at in self._places.values())
        working = [WorkingOrder(o.order_id, o.symbol, o.reduce_only) for o in orders]
        return sorted(working, key=lambda order: order.is_reducing)

    def cancel(self, order: WorkingOrder, event_ns: int) -> VenueCanceled | None:
        """Take an order out that `working` named; None if it is out already."""
        at = self._places.pop(order.order_id, None)
        if at is None:
            return None
        self._ledger.end(at, "sentinel", time_ns())
        return VenueCanceled(event_ns, order.symbol, order.order_id)

    def holdings(self) -> Sequence[Holding]:
        """Return every open position."""
        return [Holding(line.symbol, line.qty) for _, line in self._positions() if line.qty]

    def latest_fills(self, event_ns: int) -> Sequence[VenueFill]:
        """Return the venue's latest fills, those the engine never heard of among them."""
        return [
            VenueFill(
                event_ns,
                fill.symbol,
                fill.order_id,
                fill.trade_id,
                Side(fill.side),
                fill.price,
                fill.qty,
                fill.fee,
                Liquidity(fill.liquidity),
            )
            for fill in sorted(self._ledger.fills(), key=lambda fill: int(fill.trade_id[1:]))
        ]

    def flatten(self, holding: Holding, event_ns: int) -> VenueFill | None:
        """Close a position at the touch the engine saw last, as taker; None without a price."""
        at, line = next(
            (at, line) for at, line in self._positions() if line.symbol == holding.symbol
        )
        if line.exit_price is None or not line.qty:
            return None
        flat = PositionLine(line.symbol, ZERO, line.exit_price, line.taker_rate, SENTINEL)
        self._ledger.write(at, flat)
        self._fills += 1
        qty = abs(line.qty)
        return VenueFill(
            event_ns,
            line.symbol,
            f"{SENTINEL}-{self._fills}",
            f"{SENTINEL}-{self._fills}",
            Side.SELL if line.qty > 0 else Side.BUY,
            line.exit_price,
            qty,
            line.exit_price * qty * line.taker_rate,
            Liquidity.TAKER,
        )

    def _positions(self) -> Sequence[tuple[int, PositionLine]]:
        try:
            return list(self._ledger.positions())
        except msgspec.DecodeError as error:  # its writer was killed in the middle of it
            raise OSError("a position's line in the venue's ledger is torn") from error
