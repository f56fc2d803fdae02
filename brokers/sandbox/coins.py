"""Another source's market as Hyperliquid would list it: coins, its grid, funding by the hour.

Prices are rounded away from mid to the venue's grid, sizes down to its lots, so that everything
here, the matching included, happens on the grid a client sees.
"""

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal
from itertools import islice
from typing import Final, NamedTuple

from brokers.hyperliquid.listing import QUOTE
from brokers.hyperliquid.rules import MIN_NOTIONAL, tick_at
from engine.model.book import Book
from engine.model.errors import UnknownInstrument
from engine.model.instrument import Instrument
from engine.model.market import Depth, FeedEvent, Funding, Levels, Malformed, Quote, Trade
from engine.model.money import ROUNDED
from engine.model.orders import Side
from engine.venue import Feed, FeedInput

HOUR_NS: Final = 3_600 * 1_000_000_000
HOURS: Final = 8
"""Other venues' funding is for so long."""
RATE_UNIT: Final = Decimal("1e-8")
LEVELS_MAX: Final = 100
"""Of each side of the source's book that are kept."""
LOOK_MAX: Final = 10_000
"""Batches in which every instrument must have been quoted once."""
RULES: Final = {
    # coin: decimals of a size, largest leverage
    "BTC": (5, 40), "ETH": (4, 25), "SOL": (2, 20), "BNB": (3, 10),
    "XRP": (0, 20), "DOGE": (0, 10), "ADA": (0, 10), "LINK": (1, 10),
}  # fmt: skip
OTHERS_LEVERAGE: Final = 5
SIZE_DECIMALS_MAX: Final = 5


class _Scale(NamedTuple):
    """From one grid to the other."""

    coin: Instrument
    tick: Decimal
    """The source's, in ours."""
    lot: Decimal

    def down(self, ticks: int) -> int:
        return max(1, int(ticks * self.tick))

    def up(self, ticks: int) -> int:
        return int((ticks * self.tick).to_integral_value(ROUND_CEILING))

    def lots(self, lots: int) -> int:
        return max(1, int(lots * self.lot)) if lots else 0


class CoinFeed:
    """A `Feed` over another one."""

    name = "coins"

    def __init__(self, source: Feed) -> None:
        """Look at the source's first quotes: a coin's tick follows from its price.

        Raises:
            UnknownInstrument: An instrument of it is never quoted.

        """
        self.is_simulated = source.is_simulated
        self._source = source
        first = _first_quotes(source)
        self._scales = {item.symbol: _scale(item, first) for item in source.instruments}
        self._books = {symbol: Book(LEVELS_MAX) for symbol in self._scales}

    @property
    def instruments(self) -> Sequence[Instrument]:
        """The coins, in the source's order."""
        return tuple(scale.coin for scale in self._scales.values())

    def batches(self) -> Iterator[Sequence[FeedInput]]:
        """Yield what the source does, on the venue's grid."""
        for batch in self._source.batches():
            yield [told for event in batch if (told := self._told(event)) is not None]

    def _told(self, event: FeedInput) -> FeedInput | None:
        if isinstance(event, Malformed):
            return None  # a venue sends no defects of its source
        scale = self._scales.get(getattr(event, "symbol", ""))
        if isinstance(event, Depth):
            event = self._whole(event)
        return event if scale is None else _regrid(event, scale)

    def _whole(self, depth: Depth) -> Depth:
        """Return the whole book after a change of it: a change on one grid is none on the other."""
        book = self._books[depth.symbol]
        book.apply(depth)
        bids, asks = (tuple(book.levels(side)) for side in (Side.BUY, Side.SELL))
        return Depth(
            depth.ts_ns, depth.symbol, bids, asks, is_snapshot=True, ts_event_ns=depth.ts_event_ns
        )


def _first_quotes(source: Feed) -> dict[str, Quote]:
    found: dict[str, Quote] = {}
    missing = {item.symbol for item in source.instruments}
    for batch in islice(source.batches(), LOOK_MAX):
        for event in batch:
            if isinstance(event, Quote):
                found.setdefault(event.symbol, event)
        if not missing - found.keys():
            return found
    raise UnknownInstrument(min(missing - found.keys()), tuple(found))


def _scale(item: Instrument, first: dict[str, Quote]) -> _Scale:
    decimals, leverage = RULES.get(item.base, (_size_decimals(item), OTHERS_LEVERAGE))
    price = item.price(first[item.symbol].bid_ticks)
    tick, lot = tick_at(price, decimals), Decimal(1).scaleb(-decimals)
    coin = Instrument(
        symbol=item.base, base=item.base, quote=QUOTE, settlement=QUOTE,
        tick_size=tick, lot_size=lot, min_qty=lot, min_notional=MIN_NOTIONAL,
        max_leverage=leverage,
    )  # fmt: skip
    return _Scale(coin, ROUNDED.divide(item.tick_size, tick), ROUNDED.divide(item.lot_size, lot))


def _size_decimals(item: Instrument) -> int:
    exponent = item.lot_size.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a lot is finite"
    return min(SIZE_DECIMALS_MAX, max(0, -exponent))


def _regrid(event: FeedInput, scale: _Scale) -> FeedEvent | None:
    symbol = scale.coin.symbol
    match event:
        case Quote():
            return Quote(
                event.ts_ns, symbol,
                scale.down(event.bid_ticks), scale.lots(event.bid_lots),
                scale.up(event.ask_ticks), scale.lots(event.ask_lots),
                event.ts_event_ns, event.seq,
            )  # fmt: skip
        case Trade():
            at = scale.up if event.aggressor is Side.BUY else scale.down
            return Trade(
                event.ts_ns, symbol, at(event.price_ticks), scale.lots(event.qty_lots),
                event.aggressor, event.trade_id, event.ts_event_ns,
            )  # fmt: skip
        case Depth():
            bids = _levels(event.bids, scale, is_up=False)
            asks = _levels(event.asks, scale, is_up=True)
            return Depth(
                event.ts_ns, symbol, bids, asks, is_snapshot=True, ts_event_ns=event.ts_event_ns
            )
        case Funding():
            rate = ROUNDED.divide(event.rate, Decimal(HOURS)).quantize(RATE_UNIT, context=ROUNDED)
            next_ns = (event.ts_ns // HOUR_NS + 1) * HOUR_NS
            return Funding(event.ts_ns, symbol, event.mark_price, rate, next_ns)
        case _:
            return None


def _levels(levels: Levels, scale: _Scale, *, is_up: bool) -> Levels:
    sums: dict[int, int] = {}
    for ticks, lots in levels:
        at = scale.up(ticks) if is_up else scale.down(ticks)
        sums[at] = sums.get(at, 0) + scale.lots(lots)
    return tuple(sums.items())
