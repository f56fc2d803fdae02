"""What is constant about one instrument at this venue: values of a step, fees, floors."""

from dataclasses import dataclass
from decimal import Decimal

from brokers.paper.config import PaperConfig
from engine.model.instrument import Instrument
from engine.model.money import ROUNDED

HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Terms:
    """Precomputed once per instrument, so that the matching itself only multiplies."""

    instrument: Instrument
    tick_size: Decimal
    lot_size: Decimal
    unit: Decimal
    """Quote currency per tick and lot: profit on one lot when the price moves one tick."""
    half_unit: Decimal
    """The same for `bid + ask`, which is twice the mid and always whole."""
    lot_value: Decimal
    """Base currency per lot."""
    long_loss: Decimal
    """Slack over maintenance a lot held long loses when `bid + ask` falls by one."""
    short_loss: Decimal
    """The same for a lot held short when `bid + ask` rises by one."""
    margin_unit: Decimal
    """Initial margin per tick and lot."""
    maker_rate: Decimal
    """Fee per price times quantity, the multiplier included. Exact: bps shift the exponent."""
    taker_rate: Decimal
    min_lots: int
    min_units: int
    """Minimum notional in ticks times lots."""
    band: tuple[int, int]
    """Allowed distance from mid as numerator and denominator of a fraction of it."""

    @classmethod
    def of(cls, instrument: Instrument, config: PaperConfig) -> "Terms":
        """Combine an instrument's rules with the venue's settings."""
        unit = instrument.tick_size * instrument.lot_size * instrument.multiplier
        leverage = min(config.leverage, Decimal(instrument.max_leverage))
        band, scale = config.max_price_band_bps.as_integer_ratio()
        return cls(
            instrument=instrument,
            tick_size=instrument.tick_size,
            lot_size=instrument.lot_size,
            unit=unit,
            half_unit=unit * HALF,
            lot_value=instrument.lot_size * instrument.multiplier,
            long_loss=unit * HALF * (1 - instrument.maintenance_margin),
            short_loss=unit * HALF * (1 + instrument.maintenance_margin),
            margin_unit=ROUNDED.divide(unit, leverage),
            maker_rate=config.maker_fee_bps.scaleb(-4) * instrument.multiplier,
            taker_rate=config.taker_fee_bps.scaleb(-4) * instrument.multiplier,
            min_lots=max(1, ceil_steps(instrument.min_qty, instrument.lot_size)),
            min_units=ceil_steps(instrument.min_notional, unit),
            band=(band, scale * 10_000),
        )


def ceil_steps(number: Decimal, step: Decimal) -> int:
    """Return the smallest count of `step` that is at least `number`."""
    count = int(ROUNDED.divide(number, step))
    return count if count * step >= number else count + 1


def whole_steps(number: Decimal, step: Decimal) -> int:
    """Return `number` in steps, or -1 when it is no positive whole count of them.

    Never raises: the number comes from outside, and a venue answers nonsense with a reject. The
    whole division is exact in any context, and a third of the cost of `Instrument.ticks`.
    """
    try:
        count, rest = divmod(number, step)
        return int(count) if count > 0 and not rest else -1
    except (ArithmeticError, ValueError):
        return -1
