"""The working orders of a whole account, at the weight of those of the session's instruments.

To ask for all of them weighs 40, to ask for an instrument's weighs 1. An account that is in doubt
is looked at every two seconds, and at 40 each those looks fill the room that questions have, until
none finds room and the doubt can't end. So orders of other instruments, which are reported and
touched by nobody, are looked at twice a minute and shown as last seen in between.

Source: the Binance sheet, sections 5 and 8; reliability.md rows 39, 40.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from typing import Final

from brokers.binance import requests
from brokers.binance.requests import Call
from brokers.link.account import OrderReport

ELSEWHERE_S: Final = 30.0
"""Between two looks at orders of other instruments."""
Reports = tuple[OrderReport, ...]
Read = Callable[[Call], Awaitable[Reports]]


class WorkingOrders:
    """Asks for them, and remembers those elsewhere."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self._symbols = tuple(symbols)
        whole = requests.open_orders().weight
        self._is_cheaper = 0 < sum(requests.open_orders(one).weight for one in symbols) < whole
        self._elsewhere: Reports = ()
        self._looked_s: float | None = None

    async def ask(self, read: Read) -> Reports:
        """Return every working order; raises what `read` raises."""
        now_s = time.monotonic()
        is_known = self._looked_s is not None and now_s - self._looked_s < ELSEWHERE_S
        if self._is_cheaper and is_known:
            asked = (read(requests.open_orders(symbol)) for symbol in self._symbols)
            return (*chain(*await asyncio.gather(*asked)), *self._elsewhere)
        orders = await read(requests.open_orders())
        self._elsewhere = tuple(one for one in orders if one.symbol not in self._symbols)
        self._looked_s = now_s
        return orders
