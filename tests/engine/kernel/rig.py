"""A kernel with scripted agents, the real turn, and a venue: simulated, or played by the test."""

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from brokers.paper.config import PaperConfig
from brokers.paper.venue import CAPABILITIES, PaperVenue
from engine.agents.contract import NOTHING, BaseAgent, Needs, NoState
from engine.agents.desk import Desk
from engine.execution.config import SyncConfig
from engine.execution.router import RouterConfig
from engine.kernel import Kernel, KernelConfig
from engine.kernel.checkpoint import restore, snapshot
from engine.model.account import Liquidity
from engine.model.commands import CancelOrder, Command, PlaceOrder, Query
from engine.model.events import Operator, OperatorCommand, Timer
from engine.model.instrument import Instrument
from engine.model.market import Quote, Trade
from engine.model.orders import Side
from engine.model.venue_events import VenueAccepted, VenueCanceled, VenueEvent, VenueFill
from engine.risk.limits import RiskLimits
from engine.session.journal import MemoryJournal
from engine.session.turn import Turn

D = Decimal
MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND
BUY, SELL = Side.BUY, Side.SELL

INSTANT = {
    "submit_latency_ms": 0.0, "amend_latency_ms": 0.0, "cancel_latency_ms": 0.0,
    "ack_latency_ms": 0.0, "fill_latency_ms": 0.0,
}  # fmt: skip

GENEROUS: dict[str, Any] = {
    "max_order_notional": None, "max_position_notional": None, "max_gross_notional": None,
    "max_net_notional": None, "max_leverage": None, "max_slippage_bps": None,
    "max_loss_pct": None, "max_session_drawdown_pct": None,
}  # fmt: skip
"""No appetite limits: a test sets the one it is about."""

UNASKED = SyncConfig(interval_s=None)
"""A venue played by hand is asked for its account only where the test says so."""

Wish = Callable[[Desk], Any]


def instrument(symbol: str, min_notional: str = "0") -> Instrument:
    return Instrument(
        symbol=symbol, base=symbol, quote="USDT", settlement="USDT",
        tick_size=D("0.1"), lot_size=D("0.001"), min_qty=D("0.001"),
        min_notional=D(min_notional),
    )  # fmt: skip


@dataclass
class Memory:
    """What a scripted agent remembers."""

    calls: int = 0
    timers: list[int] = field(default_factory=list)


class Scripted(BaseAgent):
    """Answers what the test put in `next`, once; `always` answers every quote."""

    Params = NoState
    State = Memory

    def __init__(self, name: str, *, always: Wish | None = None, **needs: Any) -> None:
        super().__init__(None)
        self.name = name  # type: ignore[misc]
        self._needs = {"quotes": True, "fills": True} | needs
        self.needs = Needs(**self._needs)
        self.next: deque[tuple[str, Wish]] = deque()
        self.always = always
        self.fills: list[Any] = []

    def again(self) -> "Scripted":
        """A fresh agent with the same script and no memory."""
        agent = Scripted(self.name, always=self.always, **self._needs)
        agent.next = self.next
        return agent

    def on_quote(self, desk: Desk) -> Any:
        self.state.calls += 1
        for place, (symbol, wish) in enumerate(self.next):
            if symbol == desk.symbol:
                del self.next[place]
                return wish(desk)
        return self.always(desk) if self.always else NOTHING

    def on_timer(self, desk: Desk) -> Any:
        self.state.timers.append(desk.now_ns)
        return NOTHING

    def on_fill(self, desk: Desk, fill: Any) -> Any:
        self.fills.append(fill)
        return NOTHING


class HandVenue:
    """A venue that keeps what it is sent; the test answers in its stead."""

    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.sent: list[Command] = []
        self.asked: list[Query] = []

    def submit(self, commands: Sequence[Command]) -> None:
        for command in commands:
            (self.asked if isinstance(command, Query) else self.sent).append(command)

    def advance(self, ts_ns: int) -> None: ...

    def observe(self, event: Any) -> None: ...

    def next_due_ns(self) -> int | None:
        return None

    def queue_ahead(self, order_id: str) -> Decimal | None:
        return None

    def margin(self, symbol: str) -> None:
        return None

    def snapshot(self) -> bytes:
        return b""

    def restore(self, snapshot: bytes) -> None: ...

    def placed(self) -> list[str]:
        return [c.order_id for c in self.sent if isinstance(c, PlaceOrder)]

    def canceled(self) -> list[str]:
        return [c.order_id for c in self.sent if isinstance(c, CancelOrder)]


class Rig:
    """Time stands still unless told to pass; prices are in ticks of 0.1, sizes in lots of 0.001."""

    def __init__(
        self,
        *agents: BaseAgent,
        symbols: Sequence[str] = ("BTC",),
        by_hand: bool = False,
        paper: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
        router: RouterConfig | None = None,
        priced: bool = True,
        min_notional: str = "0",
        references: Sequence[str] = (),
        **config: Any,
    ) -> None:
        self.symbols = tuple(symbols)
        self.agents = {agent.name: agent for agent in agents}
        self.instruments = instruments = [instrument(symbol, min_notional) for symbol in symbols]
        self.config = KernelConfig(
            limits=RiskLimits(**(GENEROUS | (limits or {}))),
            router=router or RouterConfig(),
            starting_balance=D(10_000),
            asserts_identity=True,
            **({"sync": UNASKED} if by_hand else {}) | config,
        )
        self.references = {symbol: instrument(f"{symbol}-there") for symbol in references}
        self.kernel = Kernel(self.config, instruments, agents, CAPABILITIES, self.references)
        self.inbox: deque[VenueEvent] = deque()
        inbox = self.inbox
        self.venue = HandVenue()
        settings = PaperConfig(**(INSTANT | (paper or {})))
        broker: Any = self.venue
        if not by_hand:
            broker = PaperVenue(instruments, settings, 7, D(10_000), inbox.append)
        self.broker = broker
        self.journal = MemoryJournal()
        self.turn = self._turn()
        self.now = START
        self.touch = dict.fromkeys(symbols, (10_000, 10_001))
        if priced:
            for symbol in symbols:
                self.quote(symbol)

    def _turn(self) -> Turn:
        return Turn(
            self.kernel,
            self.broker,
            self.inbox,
            self.journal,
            detail="inputs",
            observe=lambda _: None,
        )

    def restart(self) -> None:
        """Let a fresh kernel with fresh agents take over from a snapshot; the venue goes on."""
        content = snapshot(self.kernel)
        self.agents = {name: agent.again() for name, agent in self.agents.items()}  # type: ignore[attr-defined]
        self.kernel = Kernel(
            self.config,
            self.instruments,
            list(self.agents.values()),
            CAPABILITIES,
            self.references,
        )
        restore(self.kernel, content)
        self.turn = self._turn()

    # --- what happens ---------------------------------------------------------------------------

    def quote(
        self, symbol: str = "BTC", bid: int = 0, ask: int = 0, lots: int = 100_000, ms: float = 1
    ) -> None:
        """A quote, 1 ms after whatever was last."""
        self.now += round(ms * MS)
        bid = bid or self.touch[symbol][0]
        ask = ask or max(bid + 1, self.touch[symbol][1])
        self.touch[symbol] = (bid, ask)
        self.turn.market(Quote(self.now, symbol, bid, lots, ask, lots))

    def trade(self, side: Side, ticks: int, lots: int, symbol: str = "BTC") -> None:
        self.now += MS
        self.turn.market(Trade(self.now, symbol, ticks, lots, side))

    def ask(self, agent: str, wish: Wish, symbol: str = "BTC") -> None:
        """Let an agent wish at the next quote, which is now."""
        self.agents[agent].next.append((symbol, wish))  # type: ignore[attr-defined]
        self.quote(symbol)

    def wait(self, seconds: float, *, quotes: bool = True) -> None:
        """Let time pass on the timer's grid, with a quote of every symbol after each timer."""
        end = self.now + round(seconds * SECOND)
        grid = 250 * MS
        while (at := (self.now // grid + 1) * grid) <= end:
            self.turn.deliver(at)
            self.now = at
            self.turn.input(Timer(at))
            if quotes:
                for symbol in self.symbols:
                    self.quote(symbol)
        self.now = max(self.now, end)
        self.turn.deliver(self.now)

    def tell(self, command: Operator, by: str = "test", argument: str = "") -> None:
        self.turn.input(OperatorCommand(self.now, command, by, argument))

    # --- answers of a hand-played venue ---------------------------------------------------------

    def answer(self, event: VenueEvent) -> None:
        self.turn.input(event)

    def accept(self, order_id: str) -> None:
        self.answer(VenueAccepted(self.now, "BTC", order_id, f"v-{order_id}"))

    def confirm_cancel(self, order_id: str) -> None:
        self.answer(VenueCanceled(self.now, "BTC", order_id))

    def fill(
        self, order_id: str, qty: str, side: Side = BUY, price: str = "1000", trade_id: str = ""
    ) -> None:
        trade_id = trade_id or f"t{len(self.journal.lines)}"
        self.answer(
            VenueFill(
                self.now,
                "BTC",
                order_id,
                trade_id,
                side,
                D(price),
                D(qty),
                D("0.01"),
                Liquidity.MAKER,
            )
        )

    # --- what is seen ---------------------------------------------------------------------------

    def lines(self, *types: str) -> list[dict[str, Any]]:
        """The journal's data of some types, in order, with `line`, its type, added."""
        found = (json.loads(line) for line in self.journal.lines)
        return [
            {**line["data"], "line": line["type"], "ts": line["ts"]}
            for line in found
            if not types or line["type"] in types
        ]

    def states(self) -> list[str]:
        return [line["to_state"] for line in self.lines("fsm_transition")]

    @property
    def state(self) -> str:
        return self.kernel.conduct.lifecycle.state.value

    def net(self, symbol: str = "BTC") -> Decimal:
        return self.kernel.portfolio.holdings[symbol].qty

    def own(self, agent: str, symbol: str = "BTC") -> Decimal:
        ledger = self.kernel.portfolio.holdings[symbol].ledgers.get(agent)
        return ledger.qty if ledger else D(0)

    @property
    def live(self) -> list[str]:
        return list(self.kernel.blotter.live)


def limit(
    side: Side, qty: str, price: str, slot: str = "s", *, post_only: bool = True, **fields: Any
) -> Wish:
    return lambda desk: [
        desk.limit_order(
            side, D(qty), D(price), slot=slot, reason="", post_only=post_only, **fields
        )
    ]


def market(side: Side, qty: str, slot: str = "m", *, reduce_only: bool = False) -> Wish:
    return lambda desk: [
        desk.market_order(side, D(qty), slot=slot, reason="", reduce_only=reduce_only)
    ]


def cancel(slot: str = "s") -> Wish:
    return lambda desk: [desk.cancel(slot, "")]


def decisions(lines: Sequence[bytes], input_types: Any) -> list[tuple[str, bytes]]:
    """(type, raw bytes of data) of every line that is no input, as it stands on disk."""
    found = []
    for line in lines:
        name = line[line.index(b'"type":"') + 8 :].split(b'"', 1)[0].decode()
        if name not in input_types:
            found.append((name, line[line.index(b'"data":') + 7 : line.rindex(b',"prev":"')]))
    return found
