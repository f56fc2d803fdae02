"""What was realised before the running UTC day, so that a view can tell what was made today."""

from decimal import Decimal
from typing import Final

from engine.kernel import Kernel

DAY_NS: Final = 86_400_000_000_000


class Days:
    """Remembers the books as they stood at the last midnight it saw."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._day = -1
        self._before: dict[str, Decimal] | None = None

    def on_second(self, ts_ns: int) -> None:
        """Note a new day."""
        day = ts_ns // DAY_NS
        if day == self._day:
            return
        if self._day >= 0:
            holdings = self._kernel.portfolio.holdings
            self._before = {symbol: holding.realised for symbol, holding in holdings.items()}
        self._day = day

    def realised(self, symbol: str, *, began_ns: int) -> Decimal | None:
        """Return what a symbol made since UTC midnight; None where nobody saw that midnight."""
        realised = self._kernel.portfolio.holdings[symbol].realised
        if self._before is not None:
            return realised - self._before[symbol]
        is_young = began_ns // DAY_NS == self._kernel.now_ns // DAY_NS
        return realised if is_young else None
