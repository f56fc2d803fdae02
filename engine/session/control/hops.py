"""How long each hop of an order took: venue → us → request → acknowledgement → fill.

The hops between us and the venue are event times, so a simulated venue shows its configured delays.
Only fills that took count as a hop: how long a resting order waits is the market's doing.
"""

from typing import Final

from engine.model.account import Fill, Liquidity
from engine.model.market import Trade
from engine.model.orders import OrderState
from engine.model.records import OrderChanged, OrderSubmitted
from engine.reports.latency import NOTHING_MEASURED, LatencyHistogram, Quantiles

PENDING_MAX: Final = 1_000
"""Orders whose answer is awaited; a session that has more forgets the oldest, not its memory."""

_ENDS: Final = frozenset({OrderState.REJECTED, OrderState.CANCELED, OrderState.EXPIRED})
"""After which no fill is waited for; FILLED comes right before the fill itself."""


class Hop:
    """One hop's histogram; its quantiles are counted anew only when there is a new reading."""

    def __init__(self) -> None:
        self._histogram = LatencyHistogram()
        self._known: Quantiles | None = NOTHING_MEASURED

    def record(self, elapsed_ns: int) -> None:
        """Add one reading."""
        self._histogram.record(elapsed_ns / 1_000)
        self._known = None

    def quantiles(self) -> Quantiles:
        """Return those of the whole session."""
        if self._known is None:
            self._known = self._histogram.quantiles()
        return self._known


class Hops:
    """Follows every order from its request to its fill."""

    def __init__(self) -> None:
        self.feed = Hop()
        """From the venue's stamp of a print to ours; one print a beat and instrument."""
        self.ack = Hop()
        self.fill = Hop()
        self._sent: dict[str, int] = {}
        self._answered: dict[str, int] = {}

    def printed(self, trade: Trade) -> None:
        """Measure the way of a print; clocks that disagree about its direction measure nothing."""
        if 0 < trade.ts_event_ns <= trade.ts_ns:
            self.feed.record(trade.ts_ns - trade.ts_event_ns)

    def submitted(self, order: OrderSubmitted) -> None:
        """Start the clock of a request."""
        _keep(self._sent, order.order_id, order.ts_ns)

    def changed(self, change: OrderChanged) -> None:
        """Stop it at the answer, start that of the fill; forget what has ended."""
        order_id, state = change.order_id, change.state
        if state is OrderState.ACCEPTED or state is OrderState.REJECTED:
            sent_ns = self._sent.pop(order_id, None)
            if sent_ns is not None:
                self.ack.record(change.ts_ns - sent_ns)
                _keep(self._answered, order_id, change.ts_ns)
        if state in _ENDS:
            self._sent.pop(order_id, None)
            self._answered.pop(order_id, None)

    def filled(self, fill: Fill) -> None:
        """Measure the first fill of an order that took; one filled unanswered since its request."""
        sent_ns = self._sent.pop(fill.order_id, None)
        since_ns = self._answered.pop(fill.order_id, sent_ns)
        if fill.liquidity is Liquidity.TAKER and since_ns is not None:
            self.fill.record(fill.ts_ns - since_ns)


def _keep(times: dict[str, int], order_id: str, ts_ns: int) -> None:
    if len(times) >= PENDING_MAX:
        del times[next(iter(times))]
    times[order_id] = ts_ns
