"""What an agent declares, what it sees, what it may answer.

An agent is one file: a class with a `name`, a frozen `Params` dataclass, a `State` dataclass, the
inputs it `needs`, and any of the `on_*` methods. The kernel calls it in event time, one instrument
at a time, and takes a sequence of intents back. Rule 1: an agent reads its `Desk`, never the
engine. Rule 2: what it must remember lives in `state`, so that a checkpoint holds it. Rule 3: no
clock, no I/O, no randomness of its own: replay depends on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import msgspec

from engine.agents.desk import Desk
from engine.market.features.spec import FeatureSpec
from engine.model.account import Fill
from engine.model.market import Bar, Trade
from engine.model.orders import Intent

NOTHING: Sequence[Intent] = ()
"""The answer of an agent that wants no change."""


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs an agent is called for, and the features it reads."""

    quotes: bool = False
    trades: bool = False
    fills: bool = False
    timer_s: float | None = None
    """Seconds between `on_timer` calls, on a grid of event time."""
    bar_intervals_s: tuple[int, ...] = ()
    features: tuple[FeatureSpec, ...] = ()


class Agent(Protocol):
    """One strategy over all symbols of the session."""

    name: ClassVar[str]
    Params: ClassVar[type[Any]]
    """Frozen dataclass of settings `agents.<name>.*`, pydantic-compatible, defaults for all."""
    State: ClassVar[type[Any]]
    """Dataclass that msgspec can encode and decode: everything the agent remembers."""
    needs: Needs
    state: Any

    def on_quote(self, desk: Desk) -> Sequence[Intent]:
        """Called for every admitted quote of `desk.symbol` if `needs.quotes`."""
        ...

    def on_trade(self, desk: Desk, trade: Trade) -> Sequence[Intent]:
        """Called for every admitted public trade if `needs.trades`."""
        ...

    def on_bar(self, desk: Desk, bar: Bar) -> Sequence[Intent]:
        """Called exactly once for each closed bar of an interval in `needs.bar_intervals_s`."""
        ...

    def on_timer(self, desk: Desk) -> Sequence[Intent]:
        """Called on the grid of `needs.timer_s`, once for each symbol."""
        ...

    def on_fill(self, desk: Desk, fill: Fill) -> Sequence[Intent]:
        """Called after one of its own orders filled if `needs.fills`."""
        ...


@dataclass
class NoState:
    """For agents that remember nothing."""


class BaseAgent:
    """Empty answers for the calls an agent does not need, and the usual constructor."""

    name: ClassVar[str] = ""
    Params: ClassVar[type[Any]] = NoState
    State: ClassVar[type[Any]] = NoState
    needs: Needs = Needs()

    def __init__(self, params: Any) -> None:
        self.params = params
        self.state = self.State()

    def on_quote(self, desk: Desk) -> Sequence[Intent]:
        """Want nothing."""
        return NOTHING

    def on_trade(self, desk: Desk, trade: Trade) -> Sequence[Intent]:
        """Want nothing."""
        return NOTHING

    def on_bar(self, desk: Desk, bar: Bar) -> Sequence[Intent]:
        """Want nothing."""
        return NOTHING

    def on_timer(self, desk: Desk) -> Sequence[Intent]:
        """Want nothing."""
        return NOTHING

    def on_fill(self, desk: Desk, fill: Fill) -> Sequence[Intent]:
        """Want nothing."""
        return NOTHING
