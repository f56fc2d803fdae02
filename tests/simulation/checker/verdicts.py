"""What was checked, how often, and what was found broken."""

from collections import Counter
from typing import Final, NamedTuple

BROKEN_MAX: Final = 5
"""Findings kept of one invariant in one session; the first says it all."""

INVARIANTS: Final[dict[str, str]] = {
    "A1": "a request has its line before it, the same in every number",
    "A2": "one order id an intent, one live order a slot",
    "A3": "only the venue ends an order, never a timer",
    "A4": "an order changes state by the table, and for its cause",
    "A5": "an execution is booked exactly once",
    "A6": "position is the sum of fills, and the venue's",
    "A7": "equity = start + realised - fees + funding + unrealised, exactly",
    "A8": "more filled than ordered is kept, alarmed and degrades",
    "B2": "nothing adds risk on a price older than the limit",
    "B3": "the worst case of an adding request is within the limits",
    "B4": "no request adds risk in a state that forbids it",
    "B5": "a cancel is refused by the cancels' own limit alone",
    "B6": "no minute holds more placements than the limit",
    "B8": "transitions follow the table and one another; journal, report and log agree",
    "C2": "what was on the disk at a crash is in the journal, byte for byte",
    "C9": "a second run, and the product's own replay, decide the same",
    "C10": "every line hashes to its hash and follows the line before",
    "D1": "after a kill nothing adds risk, and every order's cancel is sent within 1 s",
    "D2": "EMERGENCY is left by a flat end, a typed reset or a stop only",
    "E1": "no flawed quote is acted upon",
    "E2": "silence beyond the limit is told",
    "F1": "a quarantined agent wishes no more, and the session goes on",
    "L1": "30 s after the last fault: trading, or a stated reason why not",
    "L2": "at an orderly end no order is left, here or at the venue",
    "L3": "an end that flattens is flat, here and at the venue",
    "L4": "the exit code is that of the reason, and no exception escapes",
}


class Broken(NamedTuple):
    """An invariant that does not hold, with both sides."""

    invariant: str
    seq: int
    """The journal line at which it was found; 0 where it concerns the whole."""
    expected: str
    found: str

    def __str__(self) -> str:
        where = f"line {self.seq}: " if self.seq else ""
        return f"{self.invariant} {where}expected {self.expected}, found {self.found}"


class Verdicts:
    """Collects every judgement of a checker."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.broken: list[Broken] = []
        self._found: Counter[str] = Counter()

    def hold(self, invariant: str, seq: int, expected: object, found: object) -> bool:
        """Judge that both sides are equal."""
        return self.judge(invariant, seq, expected == found, expected, found)

    def judge(
        self, invariant: str, seq: int, is_kept: bool, expected: object, found: object
    ) -> bool:
        """Count one judgement, and keep both sides where it is a bad one."""
        assert invariant in INVARIANTS, invariant
        self.counts[invariant] += 1
        if not is_kept:
            self._found[invariant] += 1
            if self._found[invariant] <= BROKEN_MAX:
                self.broken.append(Broken(invariant, seq, str(expected)[:300], str(found)[:300]))
        return is_kept
