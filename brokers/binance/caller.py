"""Asks Binance one thing at a time: within its limits, on its clock, signed.

Rule 1: an order that finds no room in the limits is refused at once; what waited would be stale.
Rule 2: once more is sent only what surely was not executed: a late time stamp, after a look at the
        venue's clock; and what does the same twice, after an overload.
Rule 3: every refusal for too many requests is obeyed before anything else is sent.
Rule 4: cancels, orders and questions have connections of their own: none waits behind another kind.

Source: reliability.md B5, E4, rows 30, 31, 43; the Binance sheet, section 8.
"""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import ClassVar, Final, Self

from brokers.binance import requests
from brokers.binance.answers import BROKEN
from brokers.binance.config import BinanceConfig
from brokers.binance.faults import BANNED, LATE, TOO_MANY, Fault, fault_in
from brokers.binance.requests import Call, written
from brokers.binance.terms import limits_in, server_time_ms
from brokers.link.budget import Budget, Lane, Limit
from brokers.link.offset import ClockOffset
from brokers.link.questions import Questions
from brokers.link.rest import NotSent, Outcome, Reply, Request, Rest, RestConfig, Unknown
from brokers.link.secret import Credentials
from brokers.link.trust import trusted
from engine.model.venue_events import RejectReason

MS_NS: Final = 1_000_000
HEADER: Final = "x-mbx-"
DEFAULT_LIMITS: Final = (
    Limit("used-weight-1m", 2_400, 60.0),
    Limit("order-count-10s", 300, 10.0),
    Limit("order-count-1m", 1_200, 60.0),
)
"""Until the venue tells its own; named as its headers are."""
CONNECT_S: Final = 3.0
"""For name, connection and TLS."""
NO_ROOM: Final = "no room left in the venue's request limits"
ONCE_MAX: Final = 4
"""Least share of a window that questions need room for together: more never fits at once."""
READ_PATIENCE_S: Final = 3.0
"""How long a question may wait for room."""
PAUSE_S: Final = {TOO_MANY: 60.0, BANNED: 120.0}
"""Where an answer does not say how long: the window, and the shortest ban."""
PAUSE_MAX_S: Final = 3 * 86_400.0
SAMPLES: Final = 3
"""Looks at the venue's clock; the quickest counts."""
CLOCK_KEPT_NS: Final = 300 * 1_000_000_000
"""After so long the clocks are compared again."""


Way = Callable[[RestConfig, ssl.SSLContext | None], Rest | Questions]
"""Makes connections to a host."""


class Inquirer:
    """One account's questions; use it as an async context. What is none is not even signed."""

    LANES: ClassVar[tuple[Lane, ...]] = (Lane.READ,)
    """Kinds of requests, each with connections of its own."""

    def __init__(
        self, credentials: Credentials, config: BinanceConfig, way: Way = Questions
    ) -> None:
        self._credentials = credentials
        self._config = config
        tls = trusted("binance", config)
        self._rests = {
            lane: way(_host(config.rest_url, config, stays_warm=lane.is_urgent), tls)
            for lane in self.LANES
        }
        self._spot = way(_host(config.spot_url, config), tls)
        self._budget = Budget(DEFAULT_LIMITS)
        self._limits: tuple[Limit, ...] = DEFAULT_LIMITS
        self._kinds = _kinds(DEFAULT_LIMITS)
        self._clock = ClockOffset()
        self._compared_ns = 0
        """Monotonic."""

    async def __aenter__(self) -> Self:
        """Open; nothing is sent yet."""
        for rest in (*self._rests.values(), self._spot):
            await rest.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close every connection."""
        for rest in (*self._rests.values(), self._spot):
            await rest.__aexit__(kind, error, at)

    # --- clock and limits ----------------------------------------------------------------------

    @property
    def offset_ns(self) -> int:
        """What to add to our wall clock to get the venue's; 0 before they were compared."""
        offset = self._clock.now(time.monotonic_ns())
        return 0 if offset is None else offset.ns

    def now_ns(self) -> int:
        """Return the venue's time."""
        return time.time_ns() + self.offset_ns

    async def compare_clocks(self) -> Fault | None:
        """Ask for the venue's time; return why it could not be had."""
        self._clock.reset()
        for _ in range(SAMPLES):
            outcome = await self._send(requests.clock(), self._rests[Lane.READ])
            if isinstance(outcome, Fault):
                return outcome
            try:
                venue_ns = server_time_ms(outcome.body) * MS_NS
            except BROKEN:
                return Fault(None, "a time that can't be read")
            self._clock.sample(
                sent_ns=outcome.sent_ns,
                received_ns=outcome.received_ns,
                wall_ns=time.time_ns(),
                venue_ns=venue_ns,
            )
        self._compared_ns = time.monotonic_ns()
        return None

    async def keep_time(self) -> None:
        """Compare the clocks again where that was long ago."""
        if time.monotonic_ns() - self._compared_ns > CLOCK_KEPT_NS:
            await self.compare_clocks()

    async def learn_limits(self) -> Fault | None:
        """Ask for the venue's limits and keep to them; return why they could not be had."""
        told = await self.ask(requests.listing())
        if isinstance(told, Fault):
            return told
        try:
            limits = limits_in(told) or self._limits
        except BROKEN:
            return Fault(None, "limits that can't be read")
        if limits != self._limits:
            banned_s = self._budget.banned_s(time.monotonic())
            self._limits, self._kinds, self._budget = limits, _kinds(limits), Budget(limits)
            self._budget.back_off(banned_s, time.monotonic(), is_ban=True)
        return None

    # --- asking --------------------------------------------------------------------------------

    async def ask(self, call: Call, *, of_spot: bool = False) -> bytes | Fault:
        """Send one request; return a good answer, or what is known of its failure."""
        if not self._may_send(call):
            return Fault(RejectReason.VENUE_UNAVAILABLE, "not sent: it is no question")
        rest = self._spot if of_spot else self._rests[call.lane]
        outcome = await self._send(call, rest)
        if isinstance(outcome, Fault) and outcome.code in LATE:
            if await self.compare_clocks() is None:
                outcome = await self._send(call, rest)
        elif isinstance(outcome, Fault) and self._may_repeat(call, outcome):
            outcome = await self._send(call, rest)
            if isinstance(outcome, Fault) and outcome.is_overload:
                return outcome._replace(reason=RejectReason.VENUE_UNAVAILABLE)
        return outcome if isinstance(outcome, Fault) else outcome.body

    def _may_repeat(self, call: Call, fault: Fault) -> bool:
        return fault.is_overload and (call.is_repeatable or self._config.retries_overload)

    def _may_send(self, call: Call) -> bool:
        return call.method == "GET"

    async def _send(self, call: Call, rest: Rest | Questions) -> Reply | Fault:
        costs = self._costs(call)
        if not await self._has_room(costs, call.lane):
            return Fault(RejectReason.RATE_LIMIT, NO_ROOM)
        self._budget.spend(costs, time.monotonic())
        at_ms = self.now_ns() // MS_NS
        sent = written(call, self._credentials, at_ms, self._config.recv_window_ms)
        return self._read(await rest.ask(Request(*sent)))

    def _costs(self, call: Call) -> dict[str, int]:
        weight = {"used-weight": call.weight, "order-count": call.orders}
        return {name: cost for name, kind in self._kinds if (cost := weight[kind])}

    async def _has_room(self, costs: dict[str, int], lane: Lane) -> bool:
        """Wait for room where the request is a question, and not for long."""
        until_s = time.monotonic() + READ_PATIENCE_S
        while (wait_s := self._budget.wait_s(costs, lane, now_s := time.monotonic())) > 0:
            if lane is not Lane.READ or now_s + wait_s > until_s:
                return False
            await asyncio.sleep(wait_s)
        return True

    async def has_room_for(self, questions: Iterable[Call]) -> bool:
        """Wait for room for all of some questions, not for long; False where one would be refused.

        A part of an answer that needs all of them is spent for nothing.
        """
        costs: Counter[str] = Counter()
        for question in questions:
            costs.update(self._costs(question))
        most = {limit.name: limit.weight // ONCE_MAX for limit in self._limits}
        return await self._has_room({n: min(c, most[n]) for n, c in costs.items()}, Lane.READ)

    def _read(self, outcome: Outcome) -> Reply | Fault:
        match outcome:
            case NotSent(cause=cause):
                return Fault(RejectReason.VENUE_UNAVAILABLE, f"not sent: {cause}")
            case Unknown(cause=cause):
                return Fault(None, cause)
        self._heed(outcome)
        return fault_in(outcome.status, outcome.body) or outcome

    def _heed(self, reply: Reply) -> None:
        now_s = time.monotonic()
        for limit in self._limits:
            used = reply.headers.get(HEADER + limit.name, "")
            if _is_count(used):
                self._budget.heed(limit.name, int(used), now_s)
        if reply.status in PAUSE_S:
            told = reply.headers.get("retry-after", "")
            pause_s = float(told) if _is_count(told) else PAUSE_S[reply.status]
            is_ban = reply.status == BANNED
            self._budget.back_off(min(pause_s, PAUSE_MAX_S), now_s, is_ban=is_ban)


class Caller(Inquirer):
    """One account's requests, those that change something among them."""

    LANES: ClassVar[tuple[Lane, ...]] = tuple(Lane)

    def __init__(self, credentials: Credentials, config: BinanceConfig) -> None:
        super().__init__(credentials, config, Rest)

    def _may_send(self, call: Call) -> bool:  # noqa: ARG002 - everything may be
        return True


def _kinds(limits: Iterable[Limit]) -> list[tuple[str, str]]:
    """Return each limit's name and what it counts."""
    return [(limit.name, limit.name.rpartition("-")[0]) for limit in limits]


def _host(url: str, config: BinanceConfig, *, stays_warm: bool = False) -> RestConfig:
    return RestConfig(
        base_url=url,
        connect_s=CONNECT_S,
        answer_s=config.answer_s,
        total_s=config.answer_s + CONNECT_S,
        stays_warm=stays_warm,
    )


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
