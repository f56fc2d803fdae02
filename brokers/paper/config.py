"""Settings `paper.*`: how the simulated venue fills, charges, delays and refuses."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperConfig:
    """The paper venue of domain.md section 12."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    taker_model: Literal["book", "touch"] = "book"
    """`book` walks displayed levels; `touch` fills everything at the best price."""
    maker_model: Literal["queue", "touch"] = "queue"
    """`queue` waits behind what is displayed; `touch` fills when the other side is at the price."""
    queue_cancel_share: Annotated[float, Ge(0), Le(1)] = 0.5
    """When displayed size shrinks without trading, the share of it taken from ahead of us."""
    maker_fee_bps: Annotated[Decimal, Ge(-10), Le(100)] = Decimal(2)
    """Negative is a rebate."""
    taker_fee_bps: Annotated[Decimal, Ge(-10), Le(100)] = Decimal(5)
    """Of notional."""
    slippage_bps: Annotated[Decimal, Ge(0)] = Decimal(1)
    """Added per further touch-size when a market order outgrows all known depth."""
    submit_latency_ms: Annotated[float, Ge(0)] = 20.0
    """Median time from us to the matching engine, for placing."""
    amend_latency_ms: Annotated[float, Ge(0)] = 20.0
    """The same for amends."""
    cancel_latency_ms: Annotated[float, Ge(0)] = 20.0
    """The same for cancels."""
    ack_latency_ms: Annotated[float, Ge(0)] = 10.0
    """Median time of acceptances, rejects and cancel confirmations back to us."""
    fill_latency_ms: Annotated[float, Ge(0)] = 10.0
    """Median time of fills back to us."""
    latency_jitter: Annotated[float, Ge(0), Le(2)] = 0.3
    """Sigma of the log-normal factor on every latency; 0 is constant."""
    leverage: Annotated[Decimal, Gt(0), Le(125)] = Decimal(5)
    """Initial margin is notional over this."""
    max_price_band_bps: Annotated[Decimal, Gt(0)] = Decimal(1_000)
    """Limit prices further than this from mid are refused by the venue."""
    max_open_orders: Annotated[int, Gt(0)] = 200
    """Working orders per symbol the venue holds."""
    reject_rate: Annotated[float, Ge(0), Le(1)] = 0.0
    """Share of placements refused at random, for drills."""
