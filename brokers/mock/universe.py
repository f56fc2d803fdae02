"""The perpetuals the mock market lists: believable rules, invented prices.

Rules follow Binance USDT-M as of mid-2025; `start_price` is a round figure of those weeks. A new
symbol is one more row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.model.errors import UnknownInstrument
from engine.model.instrument import Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One instrument and the character of its invented market."""

    instrument: Instrument
    start_price: Decimal
    """Quote currency."""
    relative_volatility: float
    """Multiplies `mock.volatility`; 1 is Bitcoin."""
    spread_ticks: float
    """Spread of an undisturbed calm book; never quoted below one tick."""
    touch_lots: int
    """Typical size displayed at a price level."""
    level_gap_ticks: int
    """Deeper levels stand at multiples of this."""


# fmt: off
_ROWS: Final = (
    # base, tick,      lot,    min qty, min notional, start,    vol, spread, touch,   gap
    ("BTC",  "0.1",     "0.001", "0.001", "100",       "105000", 1.0, 1.4,   2_500,   10),
    ("ETH",  "0.01",    "0.001", "0.001", "20",        "2500",   1.3, 1.4,   40_000,  4),
    ("SOL",  "0.01",    "0.01",  "0.01",  "5",         "150",    1.5, 1.1,   60_000,  1),
    ("BNB",  "0.01",    "0.01",  "0.01",  "5",         "650",    0.8, 1.3,   4_000,   2),
    ("XRP",  "0.0001",  "0.1",   "0.1",   "5",         "2.2",    1.4, 1.1,   300_000, 1),
    ("DOGE", "0.00001", "1",     "1",     "5",         "0.18",   1.7, 1.2,   200_000, 1),
    ("ADA",  "0.0001",  "1",     "1",     "5",         "0.62",   1.5, 1.0,   150_000, 1),
    ("LINK", "0.001",   "0.01",  "0.01",  "5",         "13.5",   1.6, 1.2,   120_000, 1),
)
# fmt: on


def _listing(row: tuple[str, str, str, str, str, str, float, float, int, int]) -> Listing:
    base, tick, lot, min_qty, min_notional, start, volatility, spread, touch, gap = row
    return Listing(
        instrument=Instrument(
            symbol=f"{base}USDT",
            base=base,
            quote="USDT",
            settlement="USDT",
            tick_size=Decimal(tick),
            lot_size=Decimal(lot),
            min_qty=Decimal(min_qty),
            min_notional=Decimal(min_notional),
        ),
        start_price=Decimal(start),
        relative_volatility=volatility,
        spread_ticks=spread,
        touch_lots=touch,
        level_gap_ticks=gap,
    )


UNIVERSE: Final[Mapping[str, Listing]] = {f"{row[0]}USDT": _listing(row) for row in _ROWS}


def listing(symbol: str) -> Listing:
    """Look one symbol up.

    Raises:
        UnknownInstrument: The mock market does not list it; the message names what it does.
    """
    try:
        return UNIVERSE[symbol]
    except KeyError:
        raise UnknownInstrument(symbol, tuple(UNIVERSE)) from None
