"""The strategies of the common workloads, as ordinary agents."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from time import perf_counter_ns
from typing import Final

from engine.agents.contract import NOTHING, BaseAgent, Needs
from engine.agents.desk import Desk
from engine.model.market import Bar
from engine.model.orders import BUY, SELL, Intent

QTY: Final = Decimal("0.01")
FAST, SLOW = 2 / 11, 2 / 21
WARM_UP: Final = 21
"""The strategy acts from this quote or bar on."""


@dataclass(slots=True)
class CrossState:
    """Two moving averages and whether a position is wished."""

    seen: int = 0
    fast: float = 0.0
    slow: float = 0.0
    is_long: bool = False


class Cross(BaseAgent):
    """EMA(10)/EMA(20) of the mid, long or flat (W1); on closes of one-minute bars (W2)."""

    name = "cross"
    State = CrossState
    needs = Needs(quotes=True, bar_intervals_s=(60,))

    def on_quote(self, desk: Desk) -> Sequence[Intent]:
        """Follow the mid of every quote."""
        return self._follow(desk, desk.market.mid2_ticks / 2)

    def on_bar(self, desk: Desk, bar: Bar) -> Sequence[Intent]:
        """Follow the close of every bar."""
        return self._follow(desk, float(bar.close_ticks))

    def _follow(self, desk: Desk, price: float) -> Sequence[Intent]:
        state = self.state
        state.seen = seen = state.seen + 1
        if seen == 1:
            state.fast = state.slow = price
            return NOTHING
        fast = state.fast + FAST * (price - state.fast)
        slow = state.slow + SLOW * (price - state.slow)
        state.fast, state.slow = fast, slow
        if seen < WARM_UP or (fast > slow) is state.is_long:
            return NOTHING
        state.is_long = not state.is_long
        side = BUY if state.is_long else SELL
        return (desk.market_order(side, QTY, slot="main", reason="cross"),)


class BarCross(Cross):
    """W2: the same, on bars alone."""

    needs = Needs(bar_intervals_s=(60,))


class QuoteCross(Cross):
    """W1: the same, on quotes alone."""

    needs = Needs(quotes=True)


class Silent(QuoteCross):
    """W0: computes, sends nothing."""

    def _follow(self, desk: Desk, price: float) -> Sequence[Intent]:
        super()._follow(desk, price)
        return NOTHING


class Timed(QuoteCross):
    """W5: W1 that stamps every call."""

    stamps: "array[int]" = array("q")

    def on_quote(self, desk: Desk) -> Sequence[Intent]:
        """Stamp, then follow."""
        self.stamps.append(perf_counter_ns())
        return super().on_quote(desk)


@dataclass(slots=True)
class RequoteState:
    """Which of two slots a side is resting in."""

    parity: int = 0


class Requote(BaseAgent):
    """W3: at each quote cancel both resting quotes and place new ones at the touch."""

    name = "requote"
    State = RequoteState
    needs = Needs(quotes=True)

    def on_quote(self, desk: Desk) -> Sequence[Intent]:
        """Cancel what rests, rest anew; slots alternate so that neither waits for the other."""
        old, self.state.parity = self.state.parity, 1 - self.state.parity
        new = self.state.parity
        market, instrument = desk.market, desk.instrument
        wishes: list[Intent] = [
            desk.cancel(slot, "requote")
            for slot in (f"bid{old}", f"ask{old}")
            if slot in desk.working
        ]
        bid, ask = instrument.price(market.bid_ticks), instrument.price(market.ask_ticks)
        for side, price, slot in ((BUY, bid, "bid"), (SELL, ask, "ask")):
            wishes.append(
                desk.limit_order(
                    side, QTY, price, slot=f"{slot}{new}", reason="requote", post_only=True
                )
            )
        return wishes


class TimedRequote(Requote):
    """W5: W3 that stamps every call."""

    stamps: "array[int]" = array("q")

    def on_quote(self, desk: Desk) -> Sequence[Intent]:
        """Stamp, then requote."""
        self.stamps.append(perf_counter_ns())
        return super().on_quote(desk)
