"""The fault menu: what a sandbox does wrong on request, and how often. No sockets here.

`POST /sandbox/faults` takes one fault as JSON, `GET` lists what is still armed and what there is,
`DELETE` takes back all that has not struck yet or still lasts.
A fault on requests strikes the next `times` of them whose path starts with `path` (and whose
method is `method`, if given); the ones armed first strike first. A fault on streams strikes frames
of sockets whose path starts with `path`. What happens at once is done when the answer arrives.
"""

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from engine.model.money import ZERO


class Entry(NamedTuple):
    """One line of the menu."""

    what: str
    times: int = 1
    """How often it strikes if not stated; 0 is for what happens at once."""
    seconds: float = 0.0
    """Of its effect, if not stated."""


MENU: Final[Mapping[str, Entry]] = {
    "drop": Entry("close the connection before anything is done"),
    "delay": Entry("wait before anything is done", seconds=1.0),
    "error_5xx": Entry("answer 503 and do nothing"),
    "error_5xx_after": Entry("do it and answer 502"),
    "accept_then_timeout": Entry("do it and never answer", seconds=60.0),
    "html_200": Entry("do it and answer a web page with status 200"),
    "truncated_json": Entry("do it and answer the first half of the JSON"),
    "rate_limit": Entry("answer 429 with Retry-After", seconds=1.0),
    "ban": Entry("answer 418 to everything for so long", times=0, seconds=2.0),
    "maintenance": Entry("answer that the venue is closed, for so long", times=0, seconds=2.0),
    "revoke_key": Entry("take no key any more, for so long", times=0, seconds=60.0),
    "not_found_twice": Entry("know nothing of the order that is asked for", times=2),
    "post_only_expires": Entry("accept a post-only order that crosses, and expire it"),
    "clock_skew": Entry("run the venue's clock `ms` ahead from now on, 0 mends it", times=0),
    "price_jump": Entry("move every price by `bps` from now on, 0 mends it", times=0),
    "rules": Entry(
        "list and enforce another `tick`, `lot`, `min_notional`, or halt it, of `symbol`"
        " or of all from now on; naming none of them mends it",
        times=0,
    ),
    "silent_stream": Entry("send nothing on open streams for so long", times=0, seconds=5.0),
    "kill_streams": Entry("cut open streams", times=0),
    "duplicate_fills": Entry("tell a fill twice"),
    "reordered_fills": Entry("tell a fill after the next one, or after so long", seconds=1.0),
    "expire_listen_key": Entry("let the key of the account's stream expire", times=0),
    "transfer": Entry("bring `amount` of money in, or take it out where it is negative", times=0),
    "dead_man": Entry("let the dead-man switches that are set fire now", times=0),
}
"""By name. Which of them a venue has is its own business: see `Faults.known`."""

BEFORE: Final = ("drop", "delay", "error_5xx", "rate_limit", "not_found_twice")
"""Strike before anything is done."""
AFTER: Final = ("error_5xx_after", "accept_then_timeout", "html_200", "truncated_json")
"""Strike when everything is done."""
LASTING: Final = ("ban", "maintenance", "silent_stream", "revoke_key")
"""Hold for their seconds, whoever comes."""
ARMED_MAX: Final = 100
JUMP_MAX_BPS: Final = 5_000
RULE_MAX: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """One fault as asked for; what is absent takes the menu's word."""

    name: str
    times: int | None = None
    seconds: float | None = None
    path: str = ""
    method: str = ""
    ms: int = 0
    bps: int = 0
    amount: Decimal = ZERO
    symbol: str = ""
    tick: Decimal | None = None
    lot: Decimal | None = None
    min_notional: Decimal | None = None
    is_halted: bool = False


class NoSuchFault(ValueError):
    """It is not on the menu, or makes no sense; the text says why."""


class Faults:
    """What is armed at one sandbox."""

    def __init__(
        self, known: frozenset[str], clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        assert known <= MENU.keys(), "the menu is one for all"
        self.known = known
        self.skew_ms = 0
        self._clock_ns = clock_ns
        self._armed: list[Fault] = []
        self._until_ns: dict[str, tuple[int, str]] = {}
        self._actions: dict[str, Callable[[Fault], None]] = {"clock_skew": self._skew}

    def let_transfer(self, transfer: Callable[[Decimal], bool]) -> None:
        """State who moves money in and out."""

        def move(fault: Fault) -> None:
            if not fault.amount.is_finite() or not transfer(fault.amount):
                raise NoSuchFault("the account can't do without so much")

        self.on("transfer", move)

    def let_prices_jump(self, jump: Callable[[int], None]) -> None:
        """State who moves the prices."""

        def move(fault: Fault) -> None:
            if abs(fault.bps) > JUMP_MAX_BPS:
                raise NoSuchFault(f"prices jump by at most {JUMP_MAX_BPS} bps")
            jump(fault.bps)

        self.on("price_jump", move)

    def let_rules_change(self, change: Callable[[Fault], bool]) -> None:
        """State who lists the instruments."""

        def list_anew(fault: Fault) -> None:
            steps = [n for n in (fault.tick, fault.lot, fault.min_notional) if n is not None]
            if not all(step.is_finite() and 0 < step < RULE_MAX for step in steps):
                raise NoSuchFault(f"a rule is above 0 and below {RULE_MAX}")
            if not change(fault):
                raise NoSuchFault("no such symbol here")

        self.on("rules", list_anew)

    def on(self, name: str, action: Callable[[Fault], None]) -> None:
        """State what a fault that happens at once does here."""
        self._actions[name] = action

    def ask(self, body: bytes) -> Fault:
        """Read what somebody wants and arm it.

        Raises:
            NoSuchFault: It is none.
        """
        try:
            fault = msgspec.json.decode(body, type=Fault)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NoSuchFault(str(error)) from error
        self.arm(fault)
        return fault

    def arm(self, fault: Fault) -> None:
        """Let a fault strike from now on, or do at once what it does at once.

        Raises:
            NoSuchFault: This sandbox has no such fault, or a number makes no sense.
        """
        if fault.name not in self.known:
            raise NoSuchFault(f"no fault {fault.name[:40]!r}; there are {', '.join(self._names())}")
        entry = MENU[fault.name]
        fault.times = entry.times if fault.times is None else fault.times
        fault.seconds = entry.seconds if fault.seconds is None else fault.seconds
        if fault.times < 0 or not 0 <= fault.seconds <= 3_600 or len(self._armed) >= ARMED_MAX:
            raise NoSuchFault("times and seconds (at most 3600) can't be negative, nor too many")
        if fault.name in LASTING:
            until_ns = self._clock_ns() + int(fault.seconds * SECOND_NS)
            self._until_ns[fault.name] = (until_ns, fault.path)
        action = self._actions.get(fault.name)
        if action is not None:
            action(fault)
        elif fault.name not in LASTING:
            self._armed.append(fault)

    def take(self, names: tuple[str, ...], path: str, method: str = "") -> Fault | None:
        """Return the first armed fault of these names that strikes here, and count it."""
        for fault in self._armed:
            is_meant = fault.name in names and path.startswith(fault.path)
            if is_meant and fault.method.upper() in {"", method}:
                assert fault.times is not None, "armed"
                fault.times -= 1
                if fault.times <= 0:
                    self._armed.remove(fault)
                return fault
        return None

    def lasts_s(self, name: str, path: str) -> float:
        """Return for how long a lasting fault still holds here, 0 if it does not."""
        until_ns, start = self._until_ns.get(name, (0, ""))
        left_ns = until_ns - self._clock_ns()
        return left_ns / SECOND_NS if left_ns > 0 and path.startswith(start) else 0.0

    def mend(self) -> None:
        """Take back what is armed, and end what lasts."""
        self._armed.clear()
        self._until_ns.clear()
        self.skew_ms = 0

    def listing(self) -> dict[str, Any]:
        """Return what is armed and what there is, for people."""
        lasting = {name: round(self.lasts_s(name, path), 3) for name, path in self._lasting()}
        return {
            "armed": [msgspec.to_builtins(fault) for fault in self._armed],
            "lasting_s": {name: left for name, left in lasting.items() if left},
            "clock_skew_ms": self.skew_ms,
            "menu": {name: MENU[name].what for name in self._names()},
        }

    def _lasting(self) -> list[tuple[str, str]]:
        return [(name, path) for name, (_, path) in self._until_ns.items()]

    def _names(self) -> list[str]:
        return [name for name in MENU if name in self.known]

    def _skew(self, fault: Fault) -> None:
        self.skew_ms = fault.ms
