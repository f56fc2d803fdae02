"""All agents of the session: who is called for what, with which desk, and who is quarantined.

This is the seam at which an agent's failure stops: whatever it raises or returns, the session goes
on without it (reliability.md F1).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from engine.agents.answers import checked
from engine.agents.contract import NOTHING, Agent
from engine.agents.desk import Desk, IntentSequence
from engine.market.features.spec import FeatureSpec
from engine.market.view import MarketView
from engine.model.account import Fill
from engine.model.market import Bar, Trade
from engine.model.operators import OPERATOR
from engine.model.orders import Intent
from engine.model.text import Redactor, sanitize

Readers = Sequence[tuple[Callable[..., Any], Desk]]
"""Whom to call, with which desk, in the order of names."""


FATAL: Final = (MemoryError, KeyboardInterrupt)
"""What no agent is blamed for. SystemExit and the like are an agent's failure: only the session
ends the session."""


FAILURE_MAX: Final = 200
"""Characters of a failure's detail, which stands in the journal and on screens."""
SCANNED_MAX: Final = 10_000
"""Characters of an exception's text searched for secrets; the rest is cut off unseen."""
_PATTERNS: Final = Redactor()
"""An exception may quote a URL or a header; what looks like a secret never reaches the journal."""


class Failure(NamedTuple):
    """An agent that raised or returned nonsense."""

    agent: str
    detail: str


class _AgentState(msgspec.Struct):
    state: msgspec.Raw
    last_intent: int
    next_timer_ns: int
    is_paused: bool
    quarantine: str
    weight: Decimal


class Standing(NamedTuple):
    """How one agent stands, for people."""

    agent: str
    is_paused: bool
    quarantine: str
    """What it did; empty for an agent in good standing."""
    weight: Decimal
    """Its share of the size it would trade, 0 to 1."""
    intents: int
    """Wishes so far."""
    features: tuple[FeatureSpec, ...] = ()
    """What it reads, and waits for while it is cold."""


class _Member:
    """One agent with its desks."""

    __slots__ = ("agent", "desks", "is_paused", "next_timer_ns", "quarantine", "sequence", "weight")

    def __init__(self, agent: Agent, views: Mapping[str, MarketView]) -> None:
        self.agent = agent
        self.sequence = IntentSequence(agent.name)
        self.desks = {symbol: Desk(view, self.sequence) for symbol, view in views.items()}
        self.is_paused = False
        self.quarantine = ""
        self.next_timer_ns = 0
        self.weight = Decimal(1)

    @property
    def is_called(self) -> bool:
        return not self.is_paused and not self.quarantine


class Roster:
    """Calls agents in the order of their names and collects checked intents."""

    def __init__(self, agents: Iterable[Agent], views: Mapping[str, MarketView]) -> None:
        self._members = {a.name: _Member(a, views) for a in sorted(agents, key=lambda a: a.name)}
        self._symbols = tuple(views)
        self.seat_sequence = IntentSequence(OPERATOR)
        self.seat = {symbol: Desk(view, self.seat_sequence) for symbol, view in views.items()}
        """Desks of the person who orders by hand: kept like an agent's, never called."""
        self.failures: list[Failure] = []
        """Since last drained by the kernel."""
        self._quotes: dict[str, Readers] = {}
        self._trades: dict[str, Readers] = {}
        self._bars: dict[tuple[str, int], Readers] = {}
        self._index()

    def _index(self) -> None:
        """Work out who is called for what, from what agents need and who is called at all."""
        called = [member for member in self._members.values() if member.is_called]
        intervals = dict.fromkeys(
            interval_s for m in called for interval_s in m.agent.needs.bar_intervals_s
        )
        for symbol in self._symbols:
            self._quotes[symbol] = tuple(
                (m.agent.on_quote, m.desks[symbol]) for m in called if m.agent.needs.quotes
            )
            self._trades[symbol] = tuple(
                (m.agent.on_trade, m.desks[symbol]) for m in called if m.agent.needs.trades
            )
        self._bars = {
            (symbol, interval_s): tuple(
                (m.agent.on_bar, m.desks[symbol])
                for m in called
                if interval_s in m.agent.needs.bar_intervals_s
            )
            for symbol in self._symbols
            for interval_s in intervals
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Every agent, quarantined ones included."""
        return tuple(self._members)

    @property
    def quarantined(self) -> dict[str, str]:
        """Agent to what it did."""
        return {name: m.quarantine for name, m in self._members.items() if m.quarantine}

    def desk(self, agent: str, symbol: str) -> Desk | None:
        """Return an agent's desk, or the person's; None for the house and for strangers."""
        member = self._members.get(agent)
        if member is None:
            return self.seat[symbol] if agent == OPERATOR else None
        return member.desks[symbol]

    def desks(self) -> Iterable[Desk]:
        """Every desk of every agent, and the person's."""
        members = (member.desks for member in self._members.values())
        return (desk for desks in (*members, self.seat) for desk in desks.values())

    def is_shared(self) -> bool:
        """Whether more than one owner may trade the account: a person counts from their first."""
        return len(self._members) + bool(self.seat_sequence.last) > 1

    def on_quote(self, symbol: str, now_ns: int) -> Sequence[Intent]:
        """Ask everybody who reads quotes. Hot: called for each admitted quote."""
        wishes: Sequence[Intent] = NOTHING
        for ask, desk in self._quotes[symbol]:
            desk.now_ns = now_ns
            try:
                answer = ask(desk)
                if answer:
                    wishes = (*wishes, *checked(answer, desk.agent, symbol))
            except FATAL:
                raise
            except BaseException as error:  # noqa: BLE001 - the supervisor seam of agents
                self._fail(desk.agent, error)
        return wishes

    def on_trade(self, trade: Trade, now_ns: int) -> Sequence[Intent]:
        """Ask everybody who reads public trades."""
        readers = self._trades[trade.symbol]
        return self._ask(readers, now_ns, trade) if readers else NOTHING

    def on_bar(self, bar: Bar, now_ns: int) -> Sequence[Intent]:
        """Ask everybody who declared the bar's interval."""
        readers = self._bars.get((bar.symbol, bar.interval_s))
        return self._ask(readers, now_ns, bar) if readers else NOTHING

    def on_fill(self, fill: Fill, now_ns: int) -> Sequence[Intent]:
        """Ask the agent whose order filled."""
        member = self._members.get(fill.agent)
        if member is None or not member.agent.needs.fills or not member.is_called:
            return NOTHING
        reader = (member.agent.on_fill, member.desks[fill.symbol])
        return self._ask((reader,), now_ns, fill)

    def on_timer(self, symbol: str, now_ns: int) -> Sequence[Intent]:
        """Ask everybody whose timer is due; call once per symbol, then `end_timers`."""
        due = [
            (m.agent.on_timer, m.desks[symbol])
            for m in self._members.values()
            if m.agent.needs.timer_s is not None and now_ns >= m.next_timer_ns and m.is_called
        ]
        return self._ask(due, now_ns)

    def end_timers(self, now_ns: int) -> None:
        """Set the next grid point of every timer that was due."""
        for member in self._members.values():
            every_s = member.agent.needs.timer_s
            if every_s is not None and now_ns >= member.next_timer_ns:
                every_ns = int(every_s * 1e9)
                member.next_timer_ns = (now_ns // every_ns + 1) * every_ns

    def _ask(self, readers: Readers, now_ns: int, *event: object) -> Sequence[Intent]:
        wishes: Sequence[Intent] = NOTHING
        for ask, desk in readers:
            desk.now_ns = now_ns
            try:
                answer = ask(desk, *event)
                if answer:
                    wishes = (*wishes, *checked(answer, desk.agent, desk.symbol))
            except FATAL:
                raise
            except BaseException as error:  # noqa: BLE001 - the supervisor seam of agents
                self._fail(desk.agent, error)
        return wishes

    def _fail(self, agent: str, error: BaseException) -> None:
        detail = sanitize(
            _PATTERNS.text(f"{type(error).__name__}: {error}"[:SCANNED_MAX]), FAILURE_MAX
        )
        self._members[agent].quarantine = detail
        self.failures.append(Failure(agent, detail))
        self._index()

    def pause(self, agent: str, *, is_paused: bool) -> bool:
        """Stop or go on calling an agent; False when that changes nothing, or nobody."""
        member = self._members.get(agent)
        if member is None or member.is_paused is is_paused:
            return False
        member.is_paused = is_paused
        self._index()
        return True

    def weight(self, agent: str) -> Decimal:
        """Return an agent's weight; a person says the size."""
        return self._members[agent].weight if agent != OPERATOR else Decimal(1)

    def weigh(self, agent: str, weight: Decimal) -> None:
        """Scale the sizes of an agent, 0 to 1."""
        assert 0 <= weight <= 1, "the operator's words are checked before"
        self._members[agent].weight = weight

    def standings(self) -> list[Standing]:
        """Describe every agent, in the order of names."""
        return [
            Standing(
                name, m.is_paused, m.quarantine, m.weight, m.sequence.last, m.agent.needs.features
            )
            for name, m in self._members.items()
        ]

    def snapshot(self) -> bytes:
        """Encode every agent's own state and counters."""
        return msgspec.json.encode(
            {
                name: _AgentState(
                    msgspec.Raw(msgspec.json.encode(member.agent.state)),
                    member.sequence.last,
                    member.next_timer_ns,
                    member.is_paused,
                    member.quarantine,
                    member.weight,
                )
                for name, member in self._members.items()
            }
        )

    def restore(self, state: bytes) -> None:
        """Continue from a snapshot of the same agents."""
        for name, saved in msgspec.json.decode(state, type=dict[str, _AgentState]).items():
            member = self._members[name]
            member.agent.state = msgspec.json.decode(saved.state, type=member.agent.State)
            member.sequence.last = saved.last_intent
            member.next_timer_ns = saved.next_timer_ns
            member.is_paused, member.quarantine = saved.is_paused, saved.quarantine
            member.weight = saved.weight
        self._index()
