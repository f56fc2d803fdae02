"""What an aggressive order gets: the displayed sizes, each of them once.

Rule 1: level 1 is the quote's touch, fresher than any ladder; then only ladder levels strictly
        worse than the touch.
Rule 2: a size is consumed once. A side of the touch is refreshed by the next quote that changes its
        price or size, a deeper level by the next depth update that names it.
Rule 3: the one price nobody displayed is `slippage_bps` beyond the touch, for market orders where
        the symbol never showed depth (or only bars), and it is never better than the touch.
"""

from decimal import Decimal
from typing import Final, Protocol

from brokers.paper.config import PaperConfig
from brokers.paper.market import Market, Source

SLICES_MAX: Final = 100
"""Touch-sizes a market order may reach beyond the touch; past that nobody would quote."""

Takes = list[tuple[int, int]]
"""(ticks, lots) in the order they trade."""


class Taker(Protocol):
    """A liquidity model."""

    def sweep(self, market: Market, *, is_buy: bool, lots: int, limit: int) -> Takes:
        """Return what an order would take now, best first; `limit` 0 is a market order."""
        ...

    def consume(self, market: Market, takes: Takes, *, is_buy: bool) -> None:
        """Mark a sweep as done."""
        ...


def is_within(ticks: int, limit: int, *, is_buy: bool) -> bool:
    """Whether a price respects a limit; 0 is no limit."""
    return not limit or (ticks <= limit if is_buy else ticks >= limit)


class TouchTaker:
    """Everything trades at the best price, whatever its size: the common benchmark model."""

    __slots__ = ()

    def sweep(self, market: Market, *, is_buy: bool, lots: int, limit: int) -> Takes:
        """Take all of it at the touch, or nothing."""
        ticks = market.ask if is_buy else market.bid
        if limit and not (ticks <= limit if is_buy else ticks >= limit):
            return []
        return [(ticks, lots)]

    def consume(self, market: Market, takes: Takes, *, is_buy: bool) -> None:
        """Unlimited size is never used up."""


class BookTaker:
    """Walks what is displayed."""

    __slots__ = ("_scale", "_slip")

    def __init__(self, slippage_bps: Decimal) -> None:
        self._slip, scale = slippage_bps.as_integer_ratio()
        self._scale = scale * 10_000

    def sweep(self, market: Market, *, is_buy: bool, lots: int, limit: int) -> Takes:
        """Walk touch, ladder and, for market orders without a ladder, the slippage model."""
        if market.source is Source.BARS:
            return self._at_close(market, is_buy=is_buy, lots=lots, limit=limit)
        takes: Takes = []
        left = self._take_displayed(market, takes, is_buy=is_buy, lots=lots, limit=limit)
        if left and not limit and not market.depth.is_known:
            self._take_beyond(market, takes, is_buy=is_buy, lots=left)
        return takes

    def consume(self, market: Market, takes: Takes, *, is_buy: bool) -> None:
        """Charge each level, once."""
        for ticks, lots in takes:
            market.spend(ticks, lots, is_buy=is_buy)

    def _take_displayed(
        self, market: Market, takes: Takes, *, is_buy: bool, lots: int, limit: int
    ) -> int:
        touch = market.ask if is_buy else market.bid
        free = market.ask_lots - market.ask_taken if is_buy else market.bid_lots - market.bid_taken
        if not is_within(touch, limit, is_buy=is_buy):
            return lots
        if free > 0:
            takes.append((touch, min(free, lots)))
            lots -= min(free, lots)
        if not lots:
            return 0
        for ticks, offered in market.depth.offers(is_buy=is_buy, worse_than=touch):
            if not is_within(ticks, limit, is_buy=is_buy):
                break
            if offered > 0:
                takes.append((ticks, min(offered, lots)))
                lots -= min(offered, lots)
            if not lots:
                break
        return lots

    def _take_beyond(self, market: Market, takes: Takes, *, is_buy: bool, lots: int) -> None:
        size = market.ask_lots if is_buy else market.bid_lots
        used = max(size, market.ask_taken if is_buy else market.bid_taken)
        while lots and used // size <= SLICES_MAX:
            steps, offset = divmod(used, size)
            ticks = self._slipped(market, steps, is_buy=is_buy)
            if ticks < 1:
                break
            take = min(size - offset, lots)
            takes.append((ticks, take))
            lots -= take
            used += take

    def _slipped(self, market: Market, steps: int, *, is_buy: bool) -> int:
        """Return the touch moved against us by `steps` slippages, at least one tick."""
        if is_buy:
            return max(self._against(market.ask, steps, is_buy=True), market.ask + 1)
        return min(self._against(market.bid, steps, is_buy=False), market.bid - 1)

    def _against(self, ticks: int, steps: int, *, is_buy: bool) -> int:
        """Move a price by whole slippages, rounded to the tick that is worse for us."""
        if is_buy:
            return -(-ticks * (self._scale + steps * self._slip) // self._scale)
        return ticks * (self._scale - steps * self._slip) // self._scale

    def _at_close(self, market: Market, *, is_buy: bool, lots: int, limit: int) -> Takes:
        """Bars show a price without a size: any quantity trades one slippage against us."""
        ticks = self._against(market.ask if is_buy else market.bid, 1, is_buy=is_buy)
        is_offered = ticks > 0 and is_within(ticks, limit, is_buy=is_buy)
        return [(ticks, lots)] if is_offered else []


def taker_of(config: PaperConfig) -> Taker:
    """Choose by `paper.taker_model`."""
    return TouchTaker() if config.taker_model == "touch" else BookTaker(config.slippage_bps)
