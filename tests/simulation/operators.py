"""People, signals and kill files, by a plan drawn from the seed instead of by a clock."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from engine.model.events import Operator
from engine.session.stops import Request
from tests.simulation.swarm import Dice, Swarm

RESET_WORDS: Final = ("RESET", "RESET", "reset", "")
SIGNALS: Final = ("SIGTERM", "SIGINT", "SIGHUP")
HEAL: Final = (
    Request(Operator.RESET, "cli", "RESET"),
    Request(Operator.START, "cli", ""),
    Request(Operator.RESUME, "cli", ""),
)
"""What a person does when the trouble is over."""


class Order(NamedTuple):
    """A request and when it is made."""

    at_ns: int
    request: Request


def plan(swarm: Swarm, start_ns: int, agents: Sequence[str]) -> tuple[Order, ...]:
    """Draw every request of a seed, in order of time."""
    orders = [
        Order(at_ns, request)
        for kind, phrase in PHRASES.items()
        for at_ns in swarm.moments(kind, start_ns)
        for request in phrase(swarm.dice(kind), agents)
    ]
    heal = [Order(swarm.calm_ns, request) for request in HEAL]
    return tuple(sorted([*orders, *heal], key=lambda order: order.at_ns))


def _pause(dice: Dice, agents: Sequence[str]) -> list[Request]:
    command = dice.choice((Operator.PAUSE, Operator.RESUME))
    return [Request(command, "cli", "")]


def _pause_agent(dice: Dice, agents: Sequence[str]) -> list[Request]:
    command = dice.choice((Operator.PAUSE_AGENT, Operator.RESUME_AGENT))
    return [Request(command, "cli", dice.choice((*agents, "nobody")))]


def _reset(dice: Dice, agents: Sequence[str]) -> list[Request]:
    return [
        Request(Operator.RESET, "cli", dice.choice(RESET_WORDS)),
        Request(Operator.START, "cli", ""),
    ]


SYMBOLS: Final = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
"""Of all worlds; what a session does not trade is nonsense to it, and must stay harmless."""
LOTS: Final = {"BTCUSDT": "0.00{}", "ETHUSDT": "0.0{}", "SOLUSDT": "{}", "XRPUSDT": "{}00"}


def _order(dice: Dice, agents: Sequence[str]) -> list[Request]:
    """Order at market, in or out; or change an order that may be there."""
    symbol, side = dice.choice(SYMBOLS), dice.choice(("BUY", "SELL"))
    qty = LOTS[symbol].format(dice.randint(1, 9))
    flag = dice.choice(("", "", " reduce_only"))
    if dice.random() < 0.2:
        words = f"operator-{dice.randint(1, 9)} {qty} {dice.randint(1, 200_000)}"
        return [Request(Operator.AMEND_ORDER, "screen", words)]
    return [Request(Operator.PLACE_ORDER, "screen", f"{side} {qty} {symbol} MARKET IOC{flag}")]


def _withdraw(dice: Dice, agents: Sequence[str]) -> list[Request]:
    command = dice.choice((Operator.CANCEL_SYMBOL, Operator.FLATTEN_SYMBOL, Operator.CANCEL_ALL))
    return [Request(command, "screen", dice.choice(SYMBOLS))]


PHRASES: Final[dict[str, Callable[[Dice, Sequence[str]], list[Request]]]] = {
    "operator.pause": _pause,
    "operator.pause_agent": _pause_agent,
    "operator.order": _order,
    "operator.withdraw": _withdraw,
    "operator.reset": _reset,
    "operator.kill": lambda dice, agents: [Request(Operator.KILL, "cli", "")],
    "operator.kill_file": lambda dice, agents: [Request(Operator.KILL, "kill_file", "kill.txt")],
    "operator.stop": lambda dice, agents: [Request(Operator.STOP, "cli", "")],
    "operator.signal": lambda dice, agents: [
        Request(Operator.SIGNAL, name, name) for name in [dice.choice(SIGNALS)]
    ],
}


class PlannedStops:
    """Stands where `Stops` stands: gives each request out once its event time has come."""

    is_abort = False

    def __init__(
        self, orders: Sequence[Order], swarm: Swarm, now_ns: Callable[[], int], kill_file: Path
    ) -> None:
        self._left = list(orders)
        self._swarm = swarm
        self._now_ns = now_ns
        self._kill_file = kill_file

    @property
    def is_any(self) -> bool:
        return bool(self._left) and self._left[0].at_ns <= self._now_ns()

    def take(self) -> Request | None:
        if not self.is_any:
            return None
        request = self._left.pop(0).request
        is_file = request.by == "kill_file"
        self._swarm.injected[
            "operator.kill_file" if is_file else f"operator.{request.command}"
        ] += 1
        if is_file:
            self._kill_file.touch()
        return request

    def forget(self, made: Sequence[tuple[str, str, str]]) -> None:
        """Drop the requests an earlier life has journalled: nobody makes them twice."""
        for place in made:
            for order in self._left:
                if (order.request.command, order.request.by, order.request.argument) == place:
                    self._left.remove(order)
                    break

    def watch(self) -> None: ...

    async def close(self) -> None: ...
