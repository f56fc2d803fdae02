"""How each instrument's data arrives: its age by kind, pace and skew, and what was kept out."""

from collections import deque
from typing import Final

from engine.market.market import Market
from engine.session.control.faces import StreamFace

WINDOW_S: Final = 5
SECOND_NS: Final = 1_000_000_000
MS_NS: Final = 1_000_000


class Streams:
    """Remembers how many messages there were some seconds ago."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._past: deque[tuple[int, dict[str, int]]] = deque(maxlen=WINDOW_S + 1)

    def on_second(self, ts_ns: int) -> None:
        """Count."""
        arrivals = {symbol: self._market.arrival(symbol) for symbol in self._market.views}
        self._past.append((ts_ns, {symbol: a.messages for symbol, a in arrivals.items()}))

    def faces(self) -> tuple[StreamFace, ...]:
        """Return every instrument's stream, in the order of the session's symbols."""
        return tuple(self._face(symbol) for symbol in self._market.views)

    def _face(self, symbol: str) -> StreamFace:
        arrival = self._market.arrival(symbol)
        skew_ns = arrival.skew_ns
        return StreamFace(
            symbol=symbol,
            quote_ns=arrival.quote_ns,
            trade_ns=arrival.trade_ns,
            depth_ns=arrival.depth_ns,
            funding_ns=arrival.funding_ns,
            messages=arrival.messages,
            per_s=self._per_s(symbol),
            skew_ms=None if skew_ns is None else skew_ns / MS_NS,
            refused={str(flaw): n for flaw, n in self._market.refused[symbol].items()},
        )

    def _per_s(self, symbol: str) -> float | None:
        if len(self._past) < 2:
            return None
        (from_ns, before), (to_ns, now) = self._past[0], self._past[-1]
        return (now[symbol] - before[symbol]) * SECOND_NS / (to_ns - from_ns)
