"""What the venue's order numbers are called by us: its fills name an order by number alone."""

from typing import Final

from brokers.link.account import OrderReport

REMEMBERED_MAX: Final = 20_000
"""Orders; the oldest are forgotten and asked for again where a fill of theirs turns up."""


class Names:
    """Client ids by symbol and venue order number."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    def learn(self, report: OrderReport) -> None:
        """Remember what an order is called."""
        self._names[report.symbol, report.venue_order_id] = report.client_id
        while len(self._names) > REMEMBERED_MAX:
            self._names.pop(next(iter(self._names)))

    def of(self, symbol: str, venue_order_id: str) -> str | None:
        """Return an order's client id; None where it is not known."""
        return self._names.get((symbol, venue_order_id))
