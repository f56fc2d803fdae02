"""Moods of the invented market: a Markov chain over calm, busy and storm.

Rates and volatility in the settings are those of the calm mood; the other rows are factors on
them. Time in a mood is exponential, the next mood drawn by weight, so calm returns often and a
storm never lasts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """One mood; every factor is relative to calm."""

    name: str
    dwell_s: float
    """Mean time spent in it."""
    volatility: float
    activity: float
    spread: float
    depth: float
    """Displayed size."""
    exits: tuple[float, ...]
    """Weight of each regime as the next one, in the order of the table."""


REGIMES: Final[tuple[Regime, ...]] = (
    Regime(
        name="calm", dwell_s=240, volatility=1, activity=1, spread=1, depth=1, exits=(0, 0.9, 0.1)
    ),
    Regime(
        name="busy",
        dwell_s=60,
        volatility=2,
        activity=2,
        spread=1.8,
        depth=0.6,
        exits=(0.8, 0, 0.2),
    ),
    Regime(
        name="storm", dwell_s=15, volatility=4, activity=4, spread=5, depth=0.3, exits=(0.2, 0.8, 0)
    ),
)

_SETTLING_STEPS: Final = 500
"""Steps after which the jump chain's shares no longer change: 0.8^500 is below 1e-48."""


def shares(regimes: Sequence[Regime] = REGIMES) -> tuple[float, ...]:
    """Return the long-run share of time spent in each regime, in table order, summing to 1."""
    visits = [1.0 / len(regimes)] * len(regimes)
    for _ in range(_SETTLING_STEPS):
        moved = [
            sum(visit * regime.exits[i] for visit, regime in zip(visits, regimes, strict=True))
            for i in range(len(regimes))
        ]
        # Half a step keeps a chain that only alternates from swinging for ever.
        visits = [(old + new) / 2 for old, new in zip(visits, moved, strict=True)]
    times = [visit * regime.dwell_s for visit, regime in zip(visits, regimes, strict=True)]
    return tuple(time / sum(times) for time in times)


def mix_volatility(regimes: Sequence[Regime] = REGIMES) -> float:
    """Return long-run volatility over calm volatility: the root mean square of the factors."""
    weighted = zip(shares(regimes), regimes, strict=True)
    return math.sqrt(sum(share * regime.volatility**2 for share, regime in weighted))


def next_regime(current: Regime, regimes: Sequence[Regime], rng: Random) -> Regime:
    """Draw what follows `current`."""
    return rng.choices(regimes, weights=current.exits)[0]
