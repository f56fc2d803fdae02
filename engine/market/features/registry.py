"""The features by name; adding one is a class and a row here."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Final

from engine.market.features.averages import BarEma, Ema, QuoteEma, Vwap
from engine.market.features.base import Feature
from engine.market.features.flow import Cvd
from engine.market.features.price import (
    RETURN_BUCKETS,
    Microprice,
    Mid,
    QueueImbalance,
    Returns,
    SpreadBps,
)
from engine.market.features.spec import FeatureSpec
from engine.market.features.volatility import Atr, BarVolatility, QuoteVolatility
from engine.market.features.window import IntegerWindow, MomentWindow
from engine.model.instrument import Instrument

WINDOW_MAX: Final = 100_000
"""Longest window, in bars, messages or seconds: it bounds the memory of a feature to some MB."""

Factory = Callable[[int, float, float], Feature]
"""Makes a cold feature from its window, the tick size and the lot size."""

OF_TICKS: Final[Mapping[str, tuple[int, Factory]]] = {
    "mid": (0, lambda _n, tick, _lot: Mid(tick / 2)),
    "spread_bps": (0, lambda _n, _tick, _lot: SpreadBps()),
    "microprice": (0, lambda _n, tick, _lot: Microprice(tick)),
    "queue_imbalance": (0, lambda _n, _tick, _lot: QueueImbalance()),
    "returns": (1, lambda n, _tick, _lot: Returns(n * 1_000_000_000 // RETURN_BUCKETS)),
    "ema": (1, lambda n, tick, _lot: QuoteEma(Ema.over(n), tick / 2)),
    "vwap": (0, lambda n, tick, _lot: Vwap(tick, IntegerWindow(n), IntegerWindow(n))),
    "realised_vol": (2, lambda n, _tick, _lot: QuoteVolatility(MomentWindow(n))),
    "cvd": (0, lambda n, _tick, lot: Cvd(lot, IntegerWindow(n))),
}
"""Features of quotes and trades (`interval_s` is 0): the shortest window, and how to make it."""

OF_BARS: Final[Mapping[str, tuple[int, Factory]]] = {
    "ema": (1, lambda n, tick, _lot: BarEma(Ema.over(n), tick)),
    "atr": (1, lambda n, tick, _lot: Atr(n, tick)),
    "realised_vol": (2, lambda n, _tick, _lot: BarVolatility(MomentWindow(n))),
}
"""Features of bars, whose length `interval_s` names: the same."""


def make_feature(spec: FeatureSpec, instrument: Instrument) -> Feature:
    """Make the feature `spec` names, cold.

    Raises:
        KeyError: No feature of that name exists on that input; the message lists the nearest.
        ValueError: The window is missing, too short or too long.
    """
    table = OF_BARS if spec.interval_s else OF_TICKS
    if spec.name not in table:
        kind = f"of {spec.interval_s} s bars" if spec.interval_s else "of quotes and trades"
        nearest = get_close_matches(spec.name, table, cutoff=0.4) or sorted(table)
        raise KeyError(f"no feature {spec.name!r} {kind}; the nearest: {', '.join(nearest)}")
    least, make = table[spec.name]
    if not least <= spec.window <= WINDOW_MAX:
        raise ValueError(f"feature {spec.name} needs a window of {least} to {WINDOW_MAX}")
    return make(spec.window, float(instrument.tick_size), float(instrument.lot_size))
