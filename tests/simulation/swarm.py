"""The faults there are, how often each may strike, and which of them one seed has.

A swarm: every seed draws its own subset of the kinds and a rate for each, so that rare combinations
are not drowned by common ones. Ranges are those of reliability.md section 3 where it has one.
Every kind rolls dice of its own: to leave one out moves no other, which is what shrinking needs.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from random import Random
from typing import Final, NamedTuple


class Kind(NamedTuple):
    """One kind of fault."""

    room: str
    low: float
    high: float
    share: float = 0.5
    """Of the seeds that have it at all."""


# Rates are chances for each event (feed), each request or answer (venue), else a mean per minute.
KINDS: Final[dict[str, Kind]] = {
    "feed.drop": Kind("feed", 0.01, 0.30),
    "feed.duplicate": Kind("feed", 0.01, 0.50),
    "feed.reorder": Kind("feed", 0.01, 0.10),
    "feed.delay": Kind("feed", 0.001, 0.02),
    "feed.silence": Kind("feed", 0.1, 0.6),
    "feed.disconnect": Kind("feed", 0.1, 0.6),
    "feed.nan": Kind("feed", 0.001, 0.05),
    "feed.crossed": Kind("feed", 0.001, 0.02),
    "feed.out_of_band": Kind("feed", 0.001, 0.02),
    "feed.garbage": Kind("feed", 0.001, 0.02),
    "feed.frozen": Kind("feed", 0.001, 0.05),
    "feed.unknown_symbol": Kind("feed", 0.001, 0.05),
    "feed.gap": Kind("feed", 0.001, 0.05),
    "venue.reject": Kind("venue", 0.01, 0.30),
    "venue.lose": Kind("venue", 0.005, 0.10),
    "venue.slow": Kind("venue", 0.01, 0.30),
    "venue.duplicate_answer": Kind("venue", 0.01, 0.30),
    "venue.duplicate_fill": Kind("venue", 0.05, 0.50),
    "venue.late_fill": Kind("venue", 0.05, 0.50),
    "venue.overfill": Kind("venue", 0.02, 0.2, 0.3),
    "venue.foreign_fill": Kind("venue", 0.1, 1.0, 0.3),
    "venue.unknown_order": Kind("venue", 0.005, 0.05),
    "venue.outage": Kind("venue", 0.1, 0.6),
    "clock.leap": Kind("clock", 0.05, 0.3, 0.3),
    "clock.back": Kind("clock", 0.001, 0.01, 0.3),
    "disk.full": Kind("disk", 1, 1, 0.08),
    "disk.short_write": Kind("disk", 1, 1, 0.08),
    "disk.torn_tail": Kind("disk", 0.5, 1),
    "process.crash": Kind("process", 0.05, 0.3, 0.4),
    "process.crash_mid_turn": Kind("process", 0.05, 0.3, 0.4),
    "operator.pause": Kind("operator", 0.1, 0.6),
    "operator.pause_agent": Kind("operator", 0.1, 0.6),
    "operator.order": Kind("operator", 0.5, 6.0),
    "operator.withdraw": Kind("operator", 0.1, 1.0),
    "operator.reset": Kind("operator", 0.1, 1.0),
    "operator.kill": Kind("operator", 0.1, 0.3, 0.15),
    "operator.kill_file": Kind("operator", 0.1, 0.2, 0.08),
    "operator.stop": Kind("operator", 0.1, 0.2, 0.06),
    "operator.signal": Kind("operator", 0.1, 0.2, 0.06),
}  # fmt: skip

Dice = Random
MINUTE_NS: Final = 60_000_000_000


class Swarm:
    """The faults of one seed, until `calm_ns`; counts what it injected."""

    def __init__(
        self,
        seed: int,
        calm_ns: int,
        without: Collection[str] = (),
        kinds: Mapping[str, Kind] = KINDS,
    ) -> None:
        self.calm_ns = calm_ns
        self.injected: Counter[str] = Counter()
        self.seed = seed
        self._rates: dict[str, float] = {}
        self._dice: dict[str, Dice] = {}
        for name, kind in kinds.items():
            dice = Random(f"{seed}:{name}")
            if dice.random() < kind.share and name not in without:
                self._rates[name] = dice.uniform(kind.low, kind.high)
                self._dice[name] = dice

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds this seed has."""
        return tuple(self._rates)

    def strikes(self, name: str, now_ns: int) -> bool:
        """Roll for one event; count a hit."""
        rate = self._rates.get(name)
        if rate is None or now_ns >= self.calm_ns or self._dice[name].random() >= rate:
            return False
        self.injected[name] += 1
        return True

    def moments(self, name: str, start_ns: int) -> list[int]:
        """Return the moments at which a kind counted by the minute strikes, in order."""
        rate, moments, at_ns = self._rates.get(name), [], float(start_ns)
        while rate is not None:
            at_ns += self._dice[name].expovariate(rate / MINUTE_NS)
            if at_ns >= self.calm_ns:
                break
            moments.append(int(at_ns))
        return moments

    def dice(self, name: str) -> Dice:
        """Return the dice of a kind, for how large a fault is."""
        return self._dice[name]
