"""Agents as a stranger's plugin may bring them: one that gambles, four that misbehave.

Each misbehaves after a number of calls that its settings name, so that a world with good agents has
something to lose before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Annotated, Any, ClassVar, Final

from annotated_types import Ge, Gt

from engine.agents.contract import NOTHING, BaseAgent, Needs
from engine.agents.desk import Desk
from engine.model.account import Fill
from engine.model.orders import Intent, OrderType, Side

SLOTS: Final = ("a", "b", "c")


@dataclass(frozen=True, slots=True, kw_only=True)
class GamblerParams:
    """Settings `agents.gambler.*`."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    seed: Annotated[int, Ge(0)] = 1
    order_notional: Annotated[Decimal, Gt(0)] = Decimal(400)
    """Mean size of a bet, quote currency."""
    act: Annotated[float, Gt(0)] = 0.1
    """Chance of a wish at each quote and fill."""


@dataclass(slots=True)
class Calls:
    """How often an agent was asked."""

    count: int = 0


class Gambler(BaseAgent):
    """Wish at random, in every way a desk offers: it visits what a sound strategy never would."""

    name = "gambler"
    Params = GamblerParams
    State = Calls
    needs = Needs(quotes=True, fills=True)

    def on_quote(self, desk: Desk) -> Sequence[Intent]:
        self.state.count += 1
        rng = Random(f"{self.params.seed}:{self.state.count}")
        if rng.random() >= self.params.act:
            return NOTHING
        return [rng.choice(BETS)(desk, rng, self._size(desk, rng))]

    def on_fill(self, desk: Desk, fill: Fill) -> Sequence[Intent]:
        return self.on_quote(desk)

    def _size(self, desk: Desk, rng: Random) -> Decimal:
        lot = desk.instrument.lot_size
        price = desk.market.ask_ticks * desk.instrument.tick_size
        lots = self.params.order_notional * rng.randrange(1, 300) // (100 * price * lot)
        return max(Decimal(1), lots) * lot


def _market(desk: Desk, rng: Random, size: Decimal) -> Intent:
    side = rng.choice((Side.BUY, Side.SELL))
    return desk.market_order(side, size, slot="m", reason="bet")


def _exit(desk: Desk, rng: Random, size: Decimal) -> Intent:
    side = Side.SELL if desk.position > 0 else Side.BUY
    size = abs(desk.position) or size
    return desk.market_order(side, size, slot="x", reason="out", reduce_only=True)


def _resting(desk: Desk, rng: Random, size: Decimal) -> Intent:
    side = rng.choice((Side.BUY, Side.SELL))
    touch = desk.market.bid_ticks if side is Side.BUY else desk.market.ask_ticks
    ticks = touch - side.sign * rng.choice((0, 1, 2, 5, 20)) * max(1, touch // 100_000)
    price = ticks * desk.instrument.tick_size
    return desk.limit_order(
        side, size, price, slot=rng.choice(SLOTS), reason="bet", post_only=rng.random() < 0.7
    )


def _again(desk: Desk, rng: Random, size: Decimal) -> Intent:
    """Change a resting order a little, so that it is amended."""
    resting = [order for order in desk.working.values() if order.type is OrderType.LIMIT]
    if not resting:
        return _resting(desk, rng, size)
    order = rng.choice(resting)
    step = rng.choice((-1, 0, 1)) * desk.instrument.tick_size
    price = max(desk.instrument.tick_size, (order.price or step) + step)
    return desk.limit_order(
        order.side, size, price, slot=order.slot, reason="again", post_only=order.post_only
    )


def _guard(desk: Desk, rng: Random, size: Decimal) -> Intent:
    kind = rng.choice((OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING))
    side = Side.SELL if desk.position >= 0 else Side.BUY
    if kind is OrderType.TRAILING:
        return desk.triggered_order(
            kind, side, size, slot="t", reason="guard", trail_bps=Decimal(rng.randrange(1, 20))
        )
    mid = desk.market.mid2_ticks // 2
    away = (1 if kind is OrderType.TAKE_PROFIT else -1) * (1 if side is Side.SELL else -1)
    trigger = (mid + away * max(1, mid // 10_000)) * desk.instrument.tick_size
    return desk.triggered_order(kind, side, size, slot="t", reason="guard", trigger_price=trigger)


def _cancel(desk: Desk, rng: Random, size: Decimal) -> Intent:
    return desk.cancel(rng.choice([*desk.working, "a"]), "changed my mind")


BETS: Final = (_market, _exit, _resting, _resting, _again, _again, _guard, _cancel)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileParams:
    """Settings of every agent below."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    after: Annotated[int, Ge(0)] = 100
    """Calls it answers like anybody else."""


class _Hostile(BaseAgent):
    Params = HostileParams
    State = Calls
    needs = Needs(quotes=True)

    def on_quote(self, desk: Desk) -> Any:
        self.state.count += 1
        return self.misbehave(desk) if self.state.count > self.params.after else NOTHING

    def misbehave(self, desk: Desk) -> Any:
        raise NotImplementedError


class Raiser(_Hostile):
    """Fail, also by what is not an `Exception`."""

    name = "raiser"

    def misbehave(self, desk: Desk) -> Any:
        raise SystemExit if self.params.after % 2 else ZeroDivisionError("of the agent")


class Liar(_Hostile):
    """Return what no agent may return."""

    name = "liar"

    def misbehave(self, desk: Desk) -> Any:
        return NONSENSE[self.params.after % len(NONSENSE)](desk)


class Racer(_Hostile):
    """Wish for a new order at every quote, for ever."""

    name = "racer"

    def misbehave(self, desk: Desk) -> Any:
        size = desk.instrument.min_qty
        slot = f"r{self.state.count % 7}"
        side = Side.BUY if self.state.count % 2 else Side.SELL
        return [desk.market_order(side, size * 5, slot=slot, reason="more")]


class Giant(_Hostile):
    """Wish for sizes and prices no account can bear."""

    name = "giant"

    def misbehave(self, desk: Desk) -> Any:
        size = desk.instrument.lot_size * 10 ** (self.state.count % 20)
        return [desk.market_order(Side.BUY, size, slot="g", reason="all of it")]


async def _later() -> None:
    """Never run."""


NONSENSE: Final = (
    lambda desk: "buy",
    lambda desk: 42,
    lambda desk: [None],
    lambda desk: _later(),
    lambda desk: [desk.market_order(Side.BUY, Decimal("NaN"), slot="n", reason="")],
    lambda desk: [desk.market_order(Side.BUY, Decimal(-1), slot="n", reason="")],
    lambda desk: [desk.market_order(Side.BUY, 1.5, slot="n", reason="")],
    lambda desk: [desk.cancel("n", "")] * 1_000,
    lambda desk: [desk.limit_order(Side.BUY, Decimal(1), None, slot="n", reason="")],
    lambda desk: [desk.market_order(Side.BUY, Decimal("Infinity"), slot="n", reason="")],
)  # fmt: skip
