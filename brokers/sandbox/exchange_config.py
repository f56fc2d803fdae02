"""What the account of a sandbox is like: money, leverage, fees, and the venue's trading rules."""

from dataclasses import dataclass, field
from decimal import Decimal

from brokers.paper.config import PaperConfig
from brokers.sandbox.trading_rules import TradingRules


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeConfig:
    """What an account is like."""

    balance: Decimal = Decimal(10_000)
    """Quote currency at the start."""
    leverage: int = 5
    """Of every symbol until set."""
    maker_fee_bps: Decimal = Decimal(2)
    taker_fee_bps: Decimal = Decimal(5)
    seed: int = 1
    rules: TradingRules = field(default_factory=TradingRules)

    def paper(self) -> PaperConfig:
        """Return the settings of the venue behind it: no distance, and no rule that is ours."""
        return PaperConfig(
            maker_fee_bps=self.maker_fee_bps,
            taker_fee_bps=self.taker_fee_bps,
            leverage=Decimal(self.leverage),
            submit_latency_ms=0.0,
            amend_latency_ms=0.0,
            cancel_latency_ms=0.0,
            ack_latency_ms=0.0,
            fill_latency_ms=0.0,
            max_price_band_bps=Decimal(1_000_000),
            max_open_orders=1_000_000,
        )
