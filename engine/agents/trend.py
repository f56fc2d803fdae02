"""Agent `trend`: follow a cross of two averages, with a stop and a target by volatility.

Enters at market when the fast EMA of closes crosses the slow one, leaves when it crosses back. As
soon as the entry fills, a stop and a take-profit wait at the venue, so that the position is guarded
while this program is not looking; when one of them fills, the other is canceled.

Rule 1: first out, then in. A reversal exits on its bar; the entry waits for a bar after the exit.
Rule 2: a cross is acted upon once. Stopped out, the agent waits for the next cross.
Rule 3: what should stand at the venue is compared with what does at every bar, so that a refused
    exit or stop is wished for again.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, ClassVar, NamedTuple

from annotated_types import Ge, Gt

from engine.agents.contract import NOTHING, BaseAgent, Needs
from engine.agents.desk import Desk
from engine.agents.sizing import whole_lots
from engine.market.features.spec import FeatureSpec
from engine.model.account import Fill
from engine.model.market import Bar
from engine.model.orders import Intent, OrderState, OrderType, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendParams:
    """Settings `agents.trend.*`."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    bar_interval_s: Annotated[int, Gt(0)] = 5
    """Seconds per bar."""
    fast: Annotated[int, Gt(0)] = 5
    """Bars of the fast average."""
    slow: Annotated[int, Gt(0)] = 13
    """Bars of the slow average; longer than `fast`."""
    atr_window: Annotated[int, Gt(0)] = 8
    """Bars of the average true range."""
    atr_stop: Annotated[float, Gt(0)] = 2.0
    """Stop distance from the entry, in ATR at the time of entry."""
    atr_target: Annotated[float, Gt(0)] = 3.0
    """Target distance from the entry, in ATR at the time of entry."""
    order_notional: Annotated[Decimal, Gt(0)] = Decimal(500)
    """Size of an entry, quote currency, rounded down to whole lots."""
    long_only: bool = False
    """Whether a cross downward only exits."""
    cooldown_bars: Annotated[int, Ge(1)] = 1
    """Bars that must close after an exit, the one that enters included."""
    min_atr_bps: Annotated[float, Ge(0)] = 0.0
    """Calmest market worth entering, ATR in basis points of price."""

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be shorter than slow ({self.slow})")


@dataclass(slots=True)
class Memory:
    """What is remembered of one symbol."""

    is_above: bool | None = None
    """Whether fast stood over slow at the last bar; None before the first warm one."""
    signal: Side | None = None
    """The last cross, until acted upon."""
    bars_to_wait: int = 0
    atr: float | None = None
    """ATR when the present position was wished for, quote currency."""


@dataclass(slots=True)
class TrendState:
    """Everything the agent remembers."""

    symbols: dict[str, Memory] = field(default_factory=dict)


class _Reading(NamedTuple):
    fast: float
    slow: float
    atr: float


class Trend(BaseAgent):
    """Follow a cross of two averages of closes, guarded by a stop and a target at the venue."""

    name = "trend"
    Params = TrendParams
    State = TrendState
    params: TrendParams
    state: TrendState

    def __init__(self, params: TrendParams) -> None:
        super().__init__(params)
        interval = params.bar_interval_s
        self._fast = FeatureSpec("ema", params.fast, interval)
        self._slow = FeatureSpec("ema", params.slow, interval)
        self._atr = FeatureSpec("atr", params.atr_window, interval)
        self.needs = Needs(
            fills=True,
            bar_intervals_s=(interval,),
            features=(self._fast, self._slow, self._atr),
        )

    def on_bar(self, desk: Desk, bar: Bar) -> Sequence[Intent]:
        """Look for a cross, then keep, guard, leave or open a position."""
        reading = self._read(desk)
        if reading is None:
            return NOTHING
        memory = self.state.symbols.setdefault(desk.symbol, Memory())
        _note_cross(memory, reading)
        if desk.position:
            return self._hold(desk, memory, reading)
        memory.bars_to_wait = max(0, memory.bars_to_wait - 1)
        leftovers = _cancel_all(desk, "nothing left to guard")
        return leftovers or self._enter(desk, memory, reading, bar)

    def on_fill(self, desk: Desk, fill: Fill) -> Sequence[Intent]:  # noqa: ARG002 the desk tells
        """Guard what was opened; once flat, take back what guarded it."""
        memory = self.state.symbols.setdefault(desk.symbol, Memory())
        if not desk.position:
            memory.bars_to_wait = self.params.cooldown_bars
            memory.atr = None
            return _cancel_all(desk, "position closed")
        return NOTHING if "exit" in desk.working else self._guard(desk, memory)

    def _read(self, desk: Desk) -> _Reading | None:
        fast, slow = desk.market.feature(self._fast), desk.market.feature(self._slow)
        atr = desk.market.feature(self._atr)
        return None if fast is None or slow is None or atr is None else _Reading(fast, slow, atr)

    def _enter(self, desk: Desk, memory: Memory, reading: _Reading, bar: Bar) -> Sequence[Intent]:
        side = memory.signal
        if side is None or memory.bars_to_wait or desk.working:
            return NOTHING
        price = desk.market.mid or desk.instrument.price(bar.close_ticks)
        memory.signal = None
        if side is Side.SELL and self.params.long_only:
            return NOTHING
        if reading.atr * 10_000 < self.params.min_atr_bps * float(price):
            return NOTHING
        notional = self.params.order_notional * desk.size_factor
        qty = whole_lots(desk.instrument, notional, price)
        if qty is None:
            return NOTHING
        memory.atr = reading.atr
        return (desk.market_order(side, qty, slot="entry", reason=self._words(reading)),)

    def _hold(self, desk: Desk, memory: Memory, reading: _Reading) -> Sequence[Intent]:
        is_long = desk.position > 0
        if "exit" in desk.working:
            return NOTHING
        if is_long is (reading.fast > reading.slow) or reading.fast == reading.slow:
            memory.atr = reading.atr if memory.atr is None else memory.atr
            return self._guard(desk, memory)
        side = Side.SELL if is_long else Side.BUY
        reason = f"exit, {self._words(reading)}"
        qty = abs(desk.position)
        return (desk.market_order(side, qty, slot="exit", reason=reason, reduce_only=True),)

    def _guard(self, desk: Desk, memory: Memory) -> list[Intent]:
        """Wish for the stop and the target that do not work yet, or for another size."""
        if memory.atr is None or desk.entry_price is None:
            return []
        side = Side.SELL if desk.position > 0 else Side.BUY
        qty = abs(desk.position)
        intents: list[Intent] = []
        for slot, kind, multiple in (
            ("stop", OrderType.STOP, -self.params.atr_stop),
            ("target", OrderType.TAKE_PROFIT, self.params.atr_target),
        ):
            order = desk.working.get(slot)
            if order is not None and order.side is side and order.leaves_qty == qty:
                continue
            price = _shifted(desk, desk.entry_price, -side.sign * multiple * memory.atr)
            reason = f"{slot} {abs(multiple):g} atr of {memory.atr:.8g} from {desk.entry_price}"
            intents.append(
                desk.triggered_order(kind, side, qty, slot=slot, trigger_price=price, reason=reason)
            )
        return intents

    def _words(self, reading: _Reading) -> str:
        relation = "over" if reading.fast > reading.slow else "under"
        fast, slow = self.params.fast, self.params.slow
        return f"ema {fast} {relation} {slow}: {reading.fast:.8g}, {reading.slow:.8g}"


def _note_cross(memory: Memory, reading: _Reading) -> None:
    if reading.fast == reading.slow:
        return
    is_above = reading.fast > reading.slow
    if memory.is_above is not None and is_above is not memory.is_above:
        memory.signal = Side.BUY if is_above else Side.SELL
    memory.is_above = is_above


def _shifted(desk: Desk, price: Decimal, distance: float) -> Decimal:
    """Return `price` moved by `distance`, quote currency, to the next tick outward."""
    ticks = distance / float(desk.instrument.tick_size)
    outward = math.floor(ticks) if ticks < 0 else math.ceil(ticks)
    return desk.instrument.price(max(1, desk.instrument.ticks(price, ROUND_HALF_EVEN) + outward))


def _cancel_all(desk: Desk, reason: str) -> list[Intent]:
    """Take back whatever guards or closes a position that is no more."""
    return [
        desk.cancel(slot, reason)
        for slot, order in desk.working.items()
        if slot != "entry" and order.state is not OrderState.PENDING_CANCEL
    ]


AGENT = Trend
