"""How late messages are, judged without trusting that two clocks agree.

`lag = ts_ns - ts_event_ns` mixes the delay with the offset between our clock and the venue's, and
that offset is unknown: -1.3 s in our captures of August 2024. The smallest lag seen so far stands
for "no delay", and a message is stale when it is slower than that by more than `max_event_lag_ms`.

A single message stamped in the future would drag the smallest lag down and make everything after it
stale. So a lag below zero and below what was seen, by more than the same limit, is refused too,
until `jump_confirmations` messages in a row agree that our clock is the wrong one.

Source: reliability.md E1, E2; rows 4 and 15 of the fault matrix.
"""

from dataclasses import dataclass

from engine.market.band import NEVER, Rules


@dataclass(slots=True)
class LagEstimate:
    """The running minimum of the lags of one instrument, shared by all its streams."""

    smallest_ns: int = NEVER
    candidate_ns: int = 0
    pending: int = 0
    """How many messages from the future came in a row."""

    def admit(self, lag_ns: int, rules: Rules) -> bool:
        """Take the lag of one message, return whether the message is timely."""
        if lag_ns < min(self.smallest_ns, 0) - rules.max_lag_ns:
            agrees = self.pending > 0 and abs(lag_ns - self.candidate_ns) <= rules.max_lag_ns
            self.pending = self.pending + 1 if agrees else 1
            self.candidate_ns = lag_ns
            if self.pending < rules.confirmations:
                return False
        self.pending = 0
        self.smallest_ns = min(self.smallest_ns, lag_ns)
        return lag_ns <= self.smallest_ns + rules.max_lag_ns

    def fast_ns(self, rules: Rules) -> tuple[int, int]:
        """Return the range of lags that needs no further look."""
        if self.pending or self.smallest_ns == NEVER:
            return NEVER, -NEVER
        return self.smallest_ns, self.smallest_ns + rules.max_lag_ns
