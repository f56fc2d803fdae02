"""Trading rules of recorded instruments: stated by the user, well known, or read off the data.

A capture holds prices, not rules. The known table is Binance USDT-M; where most of a recording does
not fit it (spot BTC moves in hundredths), the recording is right and its own decimals decide.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from brokers.file.config import TradingRules
from brokers.link.grid import Refused, Steps, plain_decimal
from engine.model.errors import BrokenCapture, UsageError
from engine.model.instrument import Instrument

QUOTES: Final = ("USDT", "USDC", "FDUSD", "BUSD", "USD", "BTC", "ETH")
"""Quote currencies a symbol may end in, first match wins."""

# fmt: off
_ROWS: Final = (
    # symbol,    tick,        lot,     min notional
    ("BTCUSDT",  "0.1",       "0.001", "100"),
    ("ETHUSDT",  "0.01",      "0.001", "20"),
    ("SOLUSDT",  "0.01",      "0.01",  "5"),
    ("BNBUSDT",  "0.01",      "0.01",  "5"),
    ("XRPUSDT",  "0.0001",    "0.1",   "5"),
    ("LTCUSDT",  "0.01",      "0.001", "20"),
    ("ADAUSDT",  "0.0001",    "1",     "5"),
    ("LINKUSDT", "0.001",     "0.01",  "20"),
    ("AVAXUSDT", "0.001",     "1",     "5"),
    ("SUIUSDT",  "0.0001",    "0.1",   "5"),
    ("BCHUSDT",  "0.01",      "0.001", "20"),
    ("DOGEUSDT", "0.00001",   "1",     "5"),
    ("APEUSDT",  "0.0001",    "1",     "5"),
)
# fmt: on

KNOWN: Final[Mapping[str, TradingRules]] = {
    symbol: TradingRules(
        tick_size=Decimal(tick), lot_size=Decimal(lot), min_notional=Decimal(notional)
    )
    for symbol, tick, lot, notional in _ROWS
}


@dataclass(slots=True)
class Sample:
    """Numbers seen of one instrument at the head of a file."""

    prices: set[str] = field(default_factory=set)
    sizes: set[str] = field(default_factory=set)


def instrument_of(
    symbol: str,
    sample: Sample,
    stated: Mapping[str, TradingRules],
    table: Mapping[str, TradingRules] = KNOWN,
) -> Instrument:
    """Decide an instrument's rules: stated, else known if the sample fits them, else inferred."""
    rules = stated.get(symbol)
    if rules is None:
        known = table.get(symbol)
        rules = known if known and _fits(sample, known) else _inferred(sample)
    base, quote = split_symbol(symbol)
    return Instrument(
        symbol=symbol,
        base=base,
        quote=quote,
        settlement=quote,
        tick_size=rules.tick_size,
        lot_size=rules.lot_size,
        min_qty=rules.lot_size,
        min_notional=rules.min_notional,
    )


def agreed(first: Instrument, second: Instrument) -> Instrument:
    """Settle on one set of rules when two files hold the same symbol: the finer of two inferred.

    Raises:
        UsageError: One file fits the known rules and one does not: two markets, one name.
    """
    if first == second:
        return first
    known = KNOWN.get(first.symbol)
    if known and known.tick_size in (first.tick_size, second.tick_size):
        raise UsageError(
            f"the files hold two different markets named {first.symbol} (tick {first.tick_size} "
            f"and {second.tick_size}); play them one at a time"
        )
    return finer(first, second)


def finer(first: Instrument, second: Instrument) -> Instrument:
    """Return rules both samples fit: the smaller tick and the smaller lot."""
    lot = min(first.lot_size, second.lot_size)
    return replace(
        first, tick_size=min(first.tick_size, second.tick_size), lot_size=lot, min_qty=lot
    )


def refuse_inverse(symbol: str, pair: str) -> None:
    """Stop at a COIN-M contract: its sizes are dollars and its profit is coin.

    Raises:
        BrokenCapture: `pair` is set, which only COIN-M streams do.
    """
    if pair:
        raise BrokenCapture(
            f"{symbol} is an inverse (COIN-M) contract; only linear ones can be played"
        )


def split_symbol(symbol: str) -> tuple[str, str]:
    """Split `BTCUSDT` into base and quote; an ending nobody knows counts as USDT's."""
    for quote in QUOTES:
        if symbol.endswith(quote) and symbol != quote:
            return symbol.removesuffix(quote), quote
    return symbol, "USDT"


def _fits(sample: Sample, rules: TradingRules) -> bool:
    """Whether at least half of the prices, and of the sizes, are on the grid of `rules`.

    A majority, because a flaw in the recording must not change the rules it is judged by.
    """
    pairs = ((sample.prices, rules.tick_size), (sample.sizes, rules.lot_size))
    return all(2 * _on_grid(numbers, step) >= len(numbers) for numbers, step in pairs)


def _on_grid(numbers: Iterable[str], step: Decimal) -> int:
    steps = Steps(step, least=0)
    count = 0
    for number in numbers:
        try:
            count += steps[number] >= 0
        except Refused:
            continue
    return count


def _inferred(sample: Sample) -> TradingRules:
    return TradingRules(tick_size=_finest(sample.prices), lot_size=_finest(sample.sizes))


def _finest(numbers: Iterable[str]) -> Decimal:
    """Return the power of ten of the last decimal anybody uses; 1 where there are none."""
    return Decimal(1).scaleb(-max(map(_decimals, numbers), default=0))


def _decimals(number: str) -> int:
    try:
        return len(plain_decimal(number).partition(".")[2].rstrip("0"))
    except Refused:
        return 0
