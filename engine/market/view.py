"""What the engine currently believes of one instrument's market.

Updated in place by `engine.market.market`, read by everybody else. Hot: every quote writes here.
"""

from decimal import Decimal

from engine.market.bars import BarSeries
from engine.market.book import BookSync
from engine.market.features.base import Feature
from engine.market.features.spec import FeatureSpec
from engine.model.instrument import Instrument


class MarketView:
    """Touch, book, bars and features of one instrument; zeros and None until first seen."""

    __slots__ = (
        "ask_lots",
        "ask_ticks",
        "bars",
        "bid_lots",
        "bid_ticks",
        "book",
        "features",
        "funding_rate",
        "instrument",
        "mark_price",
        "mid2_ticks",
        "next_funding_ns",
        "priced_ns",
        "symbol",
    )

    def __init__(self, instrument: Instrument, book: BookSync) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.bid_ticks = 0
        self.bid_lots = 0
        self.ask_ticks = 0
        self.ask_lots = 0
        self.mid2_ticks = 0
        """bid + ask in ticks, i.e. twice the mid, so that it stays an integer; 0 until priced."""
        self.priced_ns = 0
        """`ts_ns` of the last admitted quote (or bar, where only bars exist)."""
        self.book = book
        self.bars: dict[int, BarSeries] = {}
        self.features: dict[FeatureSpec, Feature] = {}
        self.mark_price: Decimal | None = None
        self.funding_rate: Decimal | None = None
        self.next_funding_ns = 0

    @property
    def is_priced(self) -> bool:
        """Whether a mid is known."""
        return self.mid2_ticks > 0

    @property
    def mid(self) -> Decimal | None:
        """Half way between bid and ask, exactly; None until priced."""
        return self.mid2_ticks * self.instrument.tick_size / 2 if self.mid2_ticks else None

    def feature(self, spec: FeatureSpec) -> float | None:
        """Return the feature's value, None until it is warm.

        Raises:
            KeyError: No agent declared `spec` in its needs.
        """
        return self.features[spec].value
