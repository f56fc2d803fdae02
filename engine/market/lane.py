"""Everything the engine keeps about one instrument's data, and the order in which it is updated.

A lane takes events the filter admitted: first the view, then features of ticks, then bars, then
features of the bars that closed.
"""

from collections.abc import Sequence

from engine.market.band import Rules
from engine.market.bars import BarBuilder, BarMerger, BarSeries
from engine.market.book import BookSync
from engine.market.config import MarketConfig
from engine.market.features.base import Feature
from engine.market.features.registry import make_feature
from engine.market.features.spec import FeatureSpec
from engine.market.quality import QualityFilter
from engine.market.view import MarketView
from engine.model.instrument import Instrument
from engine.model.market import Bar, BarHistory, Flaw, Quote, Trade


class Lane:
    """One instrument: filter, view, bar builders, features. Hot: slots, and lists made once."""

    __slots__ = (
        "bar_features",
        "builders",
        "filter",
        "has_quote_work",
        "mergers",
        "messages",
        "mid_builders",
        "quote_features",
        "refused",
        "trade_features",
        "traded_lots",
        "view",
    )

    def __init__(
        self,
        instrument: Instrument,
        config: MarketConfig,
        bar_intervals_s: Sequence[int],
        features: Sequence[FeatureSpec],
    ) -> None:
        self.filter = QualityFilter(Rules.of(config), instrument.tick_size)
        self.view = MarketView(instrument, BookSync(config.book_levels))
        self.refused: dict[Flaw, int] = {}
        intervals = sorted({*bar_intervals_s, *(spec.interval_s for spec in features)} - {0})
        self.view.bars = {interval_s: BarSeries(config.bar_window) for interval_s in intervals}
        self.builders = [BarBuilder(instrument.symbol, interval_s) for interval_s in intervals]
        """Of the intervals the venue sends no bars for."""
        self.mergers = [BarMerger(instrument.symbol, interval_s) for interval_s in intervals]
        self.view.features = {spec: make_feature(spec, instrument) for spec in features}
        self.messages = 0
        """Admitted since the process began; this and the next are for people and no state."""
        self.traded_lots = 0
        """Of public trades."""
        self.link()

    def link(self) -> None:
        """Work out who is called for what, from the features and builders there are."""
        features = self.view.features
        self.quote_features = [f for f in features.values() if f.input == "quotes"]
        self.trade_features = [f for f in features.values() if f.input == "trades"]
        self.bar_features: dict[int, list[Feature]] = {}
        for spec, feature in features.items():
            if feature.input == "bars":
                self.bar_features.setdefault(spec.interval_s, []).append(feature)
        self.mid_builders = [builder for builder in self.builders if not builder.has_trades]
        self.has_quote_work = bool(self.quote_features or self.mid_builders)

    def on_quote(self, quote: Quote, closed: list[Bar]) -> None:
        """Do the work beyond the view that somebody asked for."""
        for feature in self.quote_features:
            feature.on_quote(self.view)
        for builder in self.mid_builders:
            bars = builder.on_price(quote.ts_ns, self.view.mid2_ticks)
            if bars:
                self._file(bars, closed)

    def on_trade(self, trade: Trade, closed: list[Bar]) -> None:
        """Update features of the tape, then the bars."""
        self.traded_lots += trade.qty_lots
        for feature in self.trade_features:
            feature.on_trade(trade)
        for builder in self.builders:
            bars = builder.on_trade(trade)
            if bars:
                self._file(bars, closed)
        if self.mid_builders:
            self.link()

    def on_bar(self, bar: Bar, closed: list[Bar]) -> None:
        """Take a bar of the venue: from now on its bars replace those built here."""
        if self.builders:
            self._hand_over(bar.interval_s)
        if not self.filter.quote_ns and bar.ts_ns >= self.view.priced_ns:
            self._price_at(bar)
        for merger in self.mergers:
            bars = merger.on_bar(bar)
            if bars:
                self._file(bars, closed)

    def on_history(self, history: BarHistory) -> bool:
        """Take bars of before the session; False where its own have begun, or nobody reads them."""
        series = self.view.bars.get(history.interval_s)
        if series is None or series.bars:
            return False
        for bar in history.bars:
            series.append(bar)
            for feature in self.bar_features.get(history.interval_s, ()):
                feature.on_bar(bar)
        return True

    def _hand_over(self, interval_s: int) -> None:
        kept = [builder for builder in self.builders if builder.interval_s % interval_s]
        if len(kept) < len(self.builders):
            self.builders = kept
            self.link()

    def on_time(self, ts_ns: int, closed: list[Bar]) -> None:
        """Close the bars whose interval has ended."""
        for builder in self.builders:
            bars = builder.on_time(ts_ns)
            if bars:
                self._file(bars, closed)

    def _price_at(self, bar: Bar) -> None:
        """Set a touch without sizes at the close: all that a source of bars alone can tell."""
        view = self.view
        view.bid_ticks = view.ask_ticks = bar.close_ticks
        view.bid_lots = view.ask_lots = 0
        view.mid2_ticks = 2 * bar.close_ticks
        view.priced_ns = bar.ts_ns
        for feature in self.quote_features:
            feature.on_quote(view)

    def _file(self, bars: Sequence[Bar], closed: list[Bar]) -> None:
        for bar in bars:
            series = self.view.bars[bar.interval_s]
            known = series.bars
            if known and bar.open_ns <= known[-1].open_ns:
                continue  # Built here before the venue's own bar of the interval arrived.
            series.append(bar)
            for feature in self.bar_features.get(bar.interval_s, ()):
                feature.on_bar(bar)
            closed.append(bar)
