"""Asks Hyperliquid one thing at a time: within its limits, and signed where it changes something.

Rule 1: an action that finds no room in the limits is refused at once; what waited would be stale.
Rule 2: nothing is sent twice. A number that is used once (nonce) and never again goes with each
        action; one that comes after `expires_after_s` has no effect at the venue.
Rule 3: an answer of 429 is obeyed before anything else is sent.

Source: the Hyperliquid sheet, sections 4, 5, 7 and 8; reliability.md A3, B5, rows 23-31.
"""

import asyncio
import time
from dataclasses import replace
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec

from brokers.hyperliquid import actions
from brokers.hyperliquid.allowance import Allowance
from brokers.hyperliquid.answers import BROKEN, Done, Failed, done
from brokers.hyperliquid.config import HyperliquidConfig
from brokers.hyperliquid.refusals import harmless, reason_of
from brokers.hyperliquid.sealing import Nonces, sealed
from brokers.hyperliquid.sign import Action, Signer
from brokers.hyperliquid.wire import JSON
from brokers.link.budget import Budget, Lane, Limit
from brokers.link.offset import ClockOffset
from brokers.link.rest import NotSent, Reply, Request, Rest, RestConfig, Unknown
from brokers.link.trust import trusted
from engine.model.venue_events import RejectReason

IP: Final = "ip"
IP_LIMIT: Final = Limit(IP, 1_200, 60.0)
WEIGHT_EVERY: Final = 40
"""An action weighs one, and one more for each so many elements."""
CHEAP: Final = frozenset(
    {"l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState"}
)
WEIGHTS: Final = {"userRole": 60} | dict.fromkeys(CHEAP, 2)
WEIGHT: Final = 20
"""Of every other question."""
READ_PATIENCE_S: Final = 5.0
"""How long a question may wait for room."""
CONNECT_S: Final = 3.0
PAUSE_S: Final = 15.0
"""After a 429, which does not say how long."""
MS_NS: Final = 1_000_000
OK, SHAPELESS, TOO_MANY = 200, 422, 429
DENIED: Final = frozenset({401, 403, 451})


class Fault(NamedTuple):
    """A request that did not do what it should."""

    reason: RejectReason | None
    """None where it may have had an effect."""
    detail: str


class Caller:
    """One account's requests; use it as an async context."""

    def __init__(self, signer: Signer, address: str, config: HyperliquidConfig) -> None:
        """Prepare.

        Args:
            signer: The wallet that may trade.
            address: Of the account it trades for: the master's, or a vault's.
            config: Where the venue is.

        """
        self.address = address
        self.signer = signer
        self._config = config
        total_s = config.answer_s + CONNECT_S
        at_once = RestConfig(base_url=config.rest_url, answer_s=config.answer_s, total_s=total_s)
        tls = trusted("hyperliquid", config)
        self._rests = {
            lane: Rest(replace(at_once, stays_warm=lane.is_urgent), tls) for lane in Lane
        }
        """By lane, so that no cancel waits for a connection that an order hangs on."""
        self._nonces = Nonces()
        self._budget = Budget((IP_LIMIT,))
        self.allowance = Allowance()
        self._clock = ClockOffset()

    async def __aenter__(self) -> Self:
        """Open; nothing is sent yet."""
        for rest in self._rests.values():
            await rest.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        at: TracebackType | None = None,
    ) -> None:
        """Close every connection."""
        for rest in self._rests.values():
            await rest.__aexit__(kind, error, at)

    # --- clock ---------------------------------------------------------------------------------

    @property
    def offset_ns(self) -> int:
        """What to add to our wall clock to get the venue's; 0 before they were compared."""
        offset = self._clock.now(time.monotonic_ns())
        return 0 if offset is None else offset.ns

    def now_ns(self) -> int:
        """Return the venue's time."""
        return time.time_ns() + self.offset_ns

    def compare_clocks(self, reply: Reply, venue_ms: int) -> None:
        """Learn from an answer that says when it was made: no route tells the time alone."""
        wall_ns = time.time_ns() - (time.monotonic_ns() - reply.received_ns)
        self._clock.sample(
            sent_ns=reply.sent_ns,
            received_ns=reply.received_ns,
            wall_ns=wall_ns,
            venue_ns=venue_ms * MS_NS,
        )

    # --- asking --------------------------------------------------------------------------------

    async def ask(self, kind: str, **words: object) -> Reply | Fault:
        """Put a question; it changes nothing."""
        costs = {IP: WEIGHTS.get(kind, WEIGHT)}
        until_s = time.monotonic() + READ_PATIENCE_S
        while (wait_s := self._budget.wait_s(costs, Lane.READ, now_s := time.monotonic())) > 0:
            if now_s + wait_s > until_s:
                return _no_room("the venue's limits for this machine")
            await asyncio.sleep(wait_s)
        body = msgspec.json.encode({"type": kind, **words})
        return await self._send("/info", body, costs, Lane.READ)

    async def ask_of_us(self, kind: str, **words: object) -> Reply | Fault:
        """Put a question about the account."""
        return await self.ask(kind, user=self.address, **words)

    async def act(self, action: Action, lane: Lane) -> Done | Fault:
        """Have one thing done; return what became of each of its elements."""
        count, now_s = actions.count(action), time.monotonic()
        costs = {IP: 1 + count // WEIGHT_EVERY}
        if not self.allowance.has_room(now_s, is_cancel=lane is Lane.CANCEL, count=count):
            return _no_room("this address's requests, which trading earns")
        if self._budget.wait_s(costs, lane, now_s) > 0:
            return _no_room("the venue's limits for this machine")
        self.allowance.spend(now_s, count)
        reply = await self._send("/exchange", self._signed(action), costs, lane)
        return reply if isinstance(reply, Fault) else _carried_out(reply.body)

    def _signed(self, action: Action) -> bytes:
        """Return the body that carries an action, signed for now."""
        nonce = self._nonces.next(time.time_ns() // MS_NS)
        return sealed(action, self.signer, nonce, self._config, self.now_ns() // MS_NS).body

    async def _send(
        self, path: str, body: bytes, costs: dict[str, int], lane: Lane
    ) -> Reply | Fault:
        self._budget.spend(costs, time.monotonic())
        outcome = await self._rests[lane].ask(Request("POST", path, JSON, body))
        match outcome:
            case NotSent(cause=cause):
                return Fault(RejectReason.VENUE_UNAVAILABLE, f"not sent: {cause}")
            case Unknown(cause=cause):
                return Fault(None, cause)
        if outcome.status == TOO_MANY:
            self._budget.back_off(PAUSE_S, time.monotonic())
        return outcome if outcome.status == OK else _bad_status(outcome)


def _carried_out(body: bytes) -> Done | Fault:
    try:
        told = done(body)
    except BROKEN:
        return Fault(None, "an answer that can't be read")
    if isinstance(told, Failed):
        return Fault(reason_of(told.text), harmless(told.text))
    return told


def _bad_status(reply: Reply) -> Fault:
    """Say what an answer means that is none: what was not read, or not let in, had no effect."""
    said = harmless(f"{reply.status}: {reply.body[:200].decode('utf-8', 'replace')}")
    reasons = {SHAPELESS: RejectReason.INVALID_ORDER, TOO_MANY: RejectReason.RATE_LIMIT}
    reasons |= dict.fromkeys(DENIED, RejectReason.AUTH)
    return Fault(reasons.get(reply.status), said)


def _no_room(where: str) -> Fault:
    return Fault(RejectReason.RATE_LIMIT, f"no room left in {where}")
