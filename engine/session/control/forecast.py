"""When a breaker would trip if the last minute went on: a straight line, and no more than that."""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from engine.model.money import ROUNDED
from engine.risk.breakers import Breakers, Reading

EVERY_S: Final = 5
WINDOW_S: Final = 60
PROJECTED: Final = frozenset(
    {
        "max_loss_pct",
        "max_daily_loss",
        "max_session_drawdown_pct",
        "max_daily_drawdown_pct",
        "max_trades",
    }
)
"""Breakers whose reading moves by degrees; the others jump, or count a window that forgets."""
SECOND_NS: Final = 1_000_000_000


class Forecast:
    """Keeps a minute of readings."""

    def __init__(self, breakers: Breakers) -> None:
        self._breakers = breakers
        self._past: deque[tuple[int, Mapping[str, Decimal]]] = deque(maxlen=WINDOW_S // EVERY_S + 1)

    def on_second(self, ts_ns: int) -> None:
        """Take a reading, every few seconds."""
        if not self._past or ts_ns - self._past[-1][0] >= EVERY_S * SECOND_NS:
            now = {reading.name: reading.reading for reading in self._breakers.readings()}
            self._past.append((ts_ns, now))

    def breach_s(self, reading: Reading, now_ns: int) -> float | None:
        """Return the seconds to the limit at the pace of the last minute; None if not on the way.

        None too while less than `EVERY_S` of the past is known, and of a breaker that tripped.
        """
        if reading.name not in PROJECTED or reading.is_tripped or not self._past:
            return None
        since_ns, before = self._past[0]
        risen = reading.reading - before.get(reading.name, reading.reading)
        elapsed_ns = now_ns - since_ns
        if risen <= 0 or elapsed_ns < EVERY_S * SECOND_NS:
            return None
        left = ROUNDED.divide((reading.limit - reading.reading) * elapsed_ns, risen * SECOND_NS)
        return max(0.0, float(left))
