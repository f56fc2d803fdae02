"""The name of a feature, as an agent asks for it."""

from typing import NamedTuple


class FeatureSpec(NamedTuple):
    """One feature of one instrument: `FeatureSpec("ema", 20, 5)` is the EMA(20) of 5 s closes."""

    name: str
    window: int = 0
    """Length in bars, messages or seconds, as the feature says; 0 where it has none."""
    interval_s: int = 0
    """Bar interval it is computed on; 0 for features of quotes and trades."""
