"""Sliding windows that stay exact: nothing is ever subtracted from a floating-point sum.

Subtracting what leaves a window accumulates rounding, and after a large value has passed through,
what is left of it drowns the small ones. Integers don't have that problem and get a plain running
sum; floats get the queue of two stacks, in which every value is only ever merged.
"""

from dataclasses import dataclass, field

Moments = tuple[int, float, float]
"""How many numbers, their mean, and the sum of their squared deviations from it."""


def merge(some: Moments, others: Moments) -> Moments:
    """Return the moments of both sets of numbers together; neither is empty.

    Source: Chan, Golub, LeVeque (1979), "Updating formulae and a pairwise algorithm".
    """
    size, mean, squares = some
    other_size, other_mean, other_squares = others
    total = size + other_size
    delta = other_mean - mean
    share = other_size / total
    return total, mean + delta * share, squares + other_squares + delta * delta * size * share


@dataclass(slots=True)
class MomentWindow:
    """Mean and deviation of the last `length` floats; amortized O(1), at worst O(length)."""

    length: int
    newer: list[float] = field(default_factory=list)
    """Values since the last turn-over, oldest first; their moments are the next two fields."""
    mean: float = 0.0
    squares: float = 0.0
    older: list[Moments] = field(default_factory=list)
    """For each value before the turn-over, the moments of it and of those that came between it and
    the turn-over. The oldest value is last: to drop it is to drop the last element."""

    def push(self, number: float) -> None:
        """Add a number; the one `length` before it leaves. Source: Welford (1962)."""
        newer = self.newer
        if len(newer) + len(self.older) == self.length:
            if not self.older:
                self._turn_over()
                newer = self.newer
            self.older.pop()
        newer.append(number)
        delta = number - self.mean
        self.mean += delta / len(newer)
        self.squares += delta * (number - self.mean)

    def moments(self) -> Moments:
        """Return the moments of what is in the window."""
        newer = (len(self.newer), self.mean, self.squares)
        if not self.older:
            return newer
        return merge(self.older[-1], newer) if self.newer else self.older[-1]

    @property
    def warmth(self) -> tuple[int, int]:
        """Numbers held, of those it has room for."""
        return len(self.newer) + len(self.older), self.length

    def _turn_over(self) -> None:
        total: Moments | None = None
        for number in reversed(self.newer):
            single = (1, number, 0.0)
            total = single if total is None else merge(single, total)
            self.older.append(total)
        self.newer = []
        self.mean = self.squares = 0.0


@dataclass(slots=True)
class IntegerWindow:
    """Exact sum of the last `length` integers, or of all of them when `length` is 0."""

    length: int
    total: int = 0
    ring: list[int] = field(default_factory=list)
    oldest: int = 0
    """Index in `ring` of the integer that leaves next."""

    def push(self, number: int) -> None:
        """Add an integer; the one `length` before it leaves."""
        self.total += number
        if not self.length:
            return
        if len(self.ring) < self.length:
            self.ring.append(number)
            return
        self.total -= self.ring[self.oldest]
        self.ring[self.oldest] = number
        self.oldest = (self.oldest + 1) % self.length

    @property
    def is_full(self) -> bool:
        """Whether `length` integers were seen."""
        return len(self.ring) == self.length

    @property
    def warmth(self) -> tuple[int, int]:
        """Integers held, of those it needs."""
        return len(self.ring), self.length
