"""The price band: how far a price may jump before somebody has to confirm it.

Exact rule: a price `x` is out of band when `|x - last| > last * max_jump_bps / 10_000`, where
`last` is the last good price. Prices come as `x2`, twice the price in ticks, so that a mid is an
integer.

Fast rule: the exact band moves with every price, and moving it costs a multiplication. So a fixed
band of relative half-width J / (2 + J) is kept around an anchor: two prices inside it are never
further than J apart, hence whoever stays inside needs two comparisons and no arithmetic. Leaving it
is rare; then the exact rule decides and the anchor follows.
"""

from dataclasses import dataclass
from typing import Final

from engine.market.config import MarketConfig

JUMP_SCALE: Final = 10_000_000
"""`max_jump_bps` counts in thousandths of a basis point: the largest factor kept whole."""

NEVER: Final = 1 << 62
"""A bound no price or lag reaches; as a lower bound it sends every message the slow way."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The thresholds of the quality filter as integers, converted once."""

    jump: int
    """Largest relative move, in 1 / `JUMP_SCALE`."""
    confirmations: int
    max_lag_ns: int
    allow_locked: bool

    @classmethod
    def of(cls, config: MarketConfig) -> "Rules":
        """Convert the settings."""
        return cls(
            jump=round(config.max_jump_bps * (JUMP_SCALE // 10_000)),
            confirmations=config.jump_confirmations,
            max_lag_ns=config.max_event_lag_ms * 1_000_000,
            allow_locked=config.allow_locked,
        )


@dataclass(slots=True)
class Band:
    """Decides whether a price is believable, and when a new level has to be believed."""

    last2: int = 0
    """The last good price, doubled; 0 before the first."""
    anchor2: int = 0
    """Where the fast band was laid."""
    candidate2: int = 0
    """The newest of the out-of-band prices that agree with each other."""
    pending: int = 0
    """How many of those came in a row; 0 in quiet times."""

    def contains(self, x2: int, jump: int) -> bool:
        """Apply the exact rule; everything is in band before the first good price."""
        return is_near(x2, self.last2, jump) or not self.last2

    def admit(self, x2: int, rules: Rules) -> bool:
        """Take one otherwise flawless price: move on to it, or hold it against the next ones.

        The `jump_confirmations`-th of a row of agreeing out-of-band prices is admitted and becomes
        the last good one. A good price in between ends the row, and so does one that agrees with
        neither level, which starts its own.
        """
        last2 = self.last2
        if last2 and abs(x2 - last2) * JUMP_SCALE > last2 * rules.jump:
            agrees = self.pending > 0 and is_near(x2, self.candidate2, rules.jump)
            self.pending = self.pending + 1 if agrees else 1
            self.candidate2 = x2
            if self.pending < rules.confirmations:
                return False
        self.pending = 0
        self.last2 = self.anchor2 = x2
        return True

    def believe(self, x2: int) -> None:
        """Make `x2` the last good price, without asking."""
        self.pending = 0
        self.last2 = self.anchor2 = x2

    def fast_ticks(self, jump: int) -> tuple[int, int]:
        """Return the single (undoubled) price range that needs no further look."""
        if self.pending or not self.last2:
            return NEVER, 0
        # floor((A * J / (2 + J)) in doubled ticks, then narrowed to whole ticks on both ends.
        half_width = self.anchor2 * jump // (2 * JUMP_SCALE + jump)
        return -((half_width - self.anchor2) // 2), (self.anchor2 + half_width) // 2


def is_near(x2: int, reference2: int, jump: int) -> bool:
    """Whether `x2` lies within `jump` of `reference2`, exactly."""
    return abs(x2 - reference2) * JUMP_SCALE <= reference2 * jump
