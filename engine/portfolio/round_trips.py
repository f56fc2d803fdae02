"""One cycle of an agent's position, from flat to flat, as its fills build it up.

Rule 1: a flip closes one cycle and opens the next, the fill split exactly, its fee by quantity.
Rule 2: the extremes (MAE, MFE) are exact for mids: between two fills the mark is linear in the mid,
so the lowest and highest mid of each stretch are enough.

Source: domain.md section 7.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine.model.account import Fill, Liquidity, RoundTrip
from engine.model.money import ROUNDED, ZERO
from engine.model.orders import BUY, Side

MAKER: Final = Liquidity.MAKER
ORDER_IDS_MAX: Final = 16
"""Order ids a round trip lists; a market maker's cycle can have thousands, the journal has all."""


@dataclass(slots=True)
class Cycle:
    """An open round trip."""

    opened_ns: int
    side: Side
    realised_before: Decimal
    """The ledger's realised profit when the cycle opened."""
    funding_before: Decimal
    entered: Decimal = ZERO
    entry_value: Decimal = ZERO
    exit_value: Decimal = ZERO
    peak_qty: Decimal = ZERO
    maker_fees: Decimal = ZERO
    taker_fees: Decimal = ZERO
    slippage: Decimal = ZERO
    mae: Decimal = ZERO
    mfe: Decimal = ZERO
    fills: int = 0
    order_ids: list[str] = field(default_factory=list)

    def add(self, fill: Fill, qty: Decimal, fee: Decimal, held: Decimal) -> None:
        """Take in `qty` (positive) of a fill; `held` is the signed position after it."""
        price, mid = fill.price, fill.arrival_mid
        if fill.side is self.side:
            self.entered += qty
            self.entry_value += qty * price
        else:
            self.exit_value += qty * price
        if fill.liquidity is MAKER:
            self.maker_fees += fee
        else:
            self.taker_fees += fee
        if mid is not None:
            lost = (price - mid) * qty
            self.slippage += lost if fill.side is BUY else -lost
        size = abs(held)
        if size > self.peak_qty:
            self.peak_qty = size
        self.fills += 1
        if len(self.order_ids) < ORDER_IDS_MAX and fill.order_id not in self.order_ids:
            self.order_ids.append(fill.order_id)

    def stretch(self, worst: Decimal, best: Decimal) -> None:
        """Fold in the extremes of the cycle's gross profit since the last fill."""
        self.mae = min(self.mae, worst, best)
        self.mfe = max(self.mfe, worst, best)

    def close(
        self, last: Fill, *, realised: Decimal, funding: Decimal, multiplier: Decimal
    ) -> RoundTrip:
        """Turn the cycle into its record; `realised` and `funding` are the ledger's totals now."""
        ts_ns = last.ts_ns
        gross = realised - self.realised_before
        paid = funding - self.funding_before
        return RoundTrip(
            ts_ns=ts_ns,
            symbol=last.symbol,
            agent=last.agent,
            side=self.side,
            opened_ns=self.opened_ns,
            duration_s=(ts_ns - self.opened_ns) / 1e9,
            entry_price=ROUNDED.divide(self.entry_value, self.entered),
            exit_price=ROUNDED.divide(self.exit_value, self.entered),
            qty=self.entered,
            peak_qty=self.peak_qty,
            gross_pnl=gross,
            maker_fees=self.maker_fees,
            taker_fees=self.taker_fees,
            funding=paid,
            net_pnl=gross - self.maker_fees - self.taker_fees + paid,
            slippage=self.slippage * multiplier,
            mae=min(self.mae, gross),
            mfe=max(self.mfe, gross),
            fills=self.fills,
            order_ids=tuple(self.order_ids),
        )
