"""Whether two markets of one instrument agree: their basis, held against its own average. Pure.

`b = (p_loc - p_ref) / p_ref` of mids, in basis points of the reference; its average is the fair
basis, `b_fair = alpha * b + (1 - alpha) * b_fair`, seeded with the first `b`. The markets are apart
while `|b - b_fair|` is more than the limit.

Rule 1: the average moves once in `STEP_NS` however many quotes come, so that `alpha` means a time.
Rule 2: while they are apart the average stands still. It would follow any jump within seconds and
        call the new level fair; agreement is with what was known before. A level that lasts is for
        a person to `accept`.

Source: domain.md sections 3 and 8; style.md section 8.
"""

from dataclasses import dataclass
from typing import Final

BPS: Final = 1e4
STEP_NS: Final = 500_000_000
"""`tick_interval_ms` of domain.md section 8."""


@dataclass(slots=True)
class Basis:
    """The basis of one instrument; its fields are its whole state."""

    fair_bps: float | None = None
    """None before the first reading."""
    basis_bps: float = 0.0
    """The last reading."""
    stepped_ns: int = 0
    """When the average last moved."""
    is_apart: bool = False

    @property
    def deviation_bps(self) -> float:
        """How far the last reading is from fair, never negative."""
        return 0.0 if self.fair_bps is None else abs(self.basis_bps - self.fair_bps)

    def read(
        self, ours: float, theirs: float, at_ns: int, *, alpha: float, limit_bps: float
    ) -> bool:
        """Take both mids; return whether the markets have parted, or have come together again.

        Args:
            ours: Mid at our venue, quote currency.
            theirs: Mid at the reference, above 0.
            at_ns: Now.
            alpha: Weight of a reading in the average, above 0 to 1.
            limit_bps: Furthest a reading may be from the average.
        """
        basis = self.basis_bps = (ours - theirs) / theirs * BPS
        if self.fair_bps is None:
            self.fair_bps, self.stepped_ns = basis, at_ns
        was_apart, self.is_apart = self.is_apart, abs(basis - self.fair_bps) > limit_bps
        if not self.is_apart and at_ns - self.stepped_ns >= STEP_NS:
            self.fair_bps += alpha * (basis - self.fair_bps)
            self.stepped_ns = at_ns
        return self.is_apart is not was_apart

    def accept(self) -> float:
        """Call the last reading fair, a person has looked at it; return what was fair before."""
        before = self.basis_bps if self.fair_bps is None else self.fair_bps
        self.fair_bps, self.is_apart = self.basis_bps, False
        return before
