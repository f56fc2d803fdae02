"""The session's states: B8 and D2. The table is typed from domain.md section 1."""

from typing import Any, Final

from tests.simulation.checker.chain import Line
from tests.simulation.checker.verdicts import Verdicts

RUNNING: Final = ("READY", "ACTIVE", "THROTTLED", "PAUSED")
NOT_STOPPED: Final = ("INIT", *RUNNING, "DEGRADED", "EMERGENCY")
DOUBTS: Final = [
    "FEED_STALE",
    "FEED_DISCONNECTED",
    "RULES_CHANGED",
    "BASIS_DEPEG",
    "REFERENCE_LOST",
    "VOLATILITY_HALT",
    "VENUE_DOWN",
    "POSITION_MISMATCH",
    "CLOCK_SKEW",
    "MARGIN_SHORT",
    "MARKET_CLOSED",
    "ORDERS_REFUSED",
    "KEY_DOUBTED",
]
HALTS: Final = [
    "MAX_LOSS",
    "MAX_DRAWDOWN",
    "MAX_CONSECUTIVE_LOSSES",
    "KILL_FILE",
    "OPERATOR_KILL",
    "JOURNAL_FAILURE",
    "RECONCILE_FAILED",
    "KEY_REFUSED",
]
STOPS: Final = [
    "DURATION_ELAPSED",
    "END_OF_DATA",
    "MAX_TRADES",
    "OPERATOR_STOP",
    "SIGTERM",
    "SIGINT",
    "SIGHUP",
]

LEGAL: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "HEALTH_OK": (("INIT",), ("READY",)),
    "START": (("READY",), ("ACTIVE", "PAUSED", "THROTTLED")),
    "OPERATOR_PAUSE": (("ACTIVE", "THROTTLED"), ("PAUSED",)),
    "BREAKER_PAUSE": (("ACTIVE", "THROTTLED"), ("PAUSED",)),
    "OPERATOR_RESUME": (("PAUSED",), ("ACTIVE",)),
    "BREAKER_REARMED": (("PAUSED",), ("ACTIVE", "THROTTLED")),
    "RECOVERED": (("DEGRADED",), RUNNING),
    "FLAT": (("EMERGENCY",), ("STOPPED",)),
    "OPERATOR_RESET": (("EMERGENCY",), ("READY",)),
    **dict.fromkeys(DOUBTS, (RUNNING, ("DEGRADED",))),
    **dict.fromkeys(HALTS, (NOT_STOPPED, ("EMERGENCY",))),
    **dict.fromkeys(STOPS, (NOT_STOPPED, ("STOPPED",))),
}
"""Event to the states it may leave and those it may lead to."""

LEAVES_EMERGENCY: Final = frozenset(("FLAT", "OPERATOR_RESET", *STOPS))


class Lifecycle:
    """Follows the state, and the doubts that bar single instruments."""

    def __init__(self, verdicts: Verdicts) -> None:
        self.state = "INIT"
        self.since_ns = 0
        self.doubts: set[tuple[str, str]] = set()
        """Open doubts as (kind, scope)."""
        self.visited = {"INIT"}
        self.transitions: list[dict[str, Any]] = []
        self.reasons: list[str] = []
        self._typed = ""
        self._verdicts = verdicts

    def see(self, line: Line) -> None:
        """Take one line of any kind."""
        if line.type == "fsm_transition":
            self._move(line)
        elif line.type == "alert":
            self._note(line.data)
        elif line.type == "operator_command":
            self._typed = line.data["argument"] if line.data["command"] == "reset" else ""

    def _move(self, line: Line) -> None:
        data, hold = line.data, self._verdicts.hold
        before, after, event = data["from_state"], data["to_state"], data["event"]
        hold("B8", line.seq, self.state, before)
        sources, targets = LEGAL.get(event, ((), ()))
        is_legal = before in sources and after in targets
        self._verdicts.judge(
            "B8", line.seq, is_legal, f"{event}: {sources} to {targets}", (before, after)
        )
        if before == "EMERGENCY":
            self._verdicts.judge(
                "D2", line.seq, event in LEAVES_EMERGENCY, sorted(LEAVES_EMERGENCY), event
            )
            if event == "OPERATOR_RESET":
                hold("D2", line.seq, "RESET", self._typed)
        self.state, self.since_ns = after, line.ts
        self.reasons = data["reasons"]
        self.visited.add(after)
        self.transitions.append({"ts_ns": str(line.ts), **data})

    def _note(self, data: dict[str, Any]) -> None:
        kind, _, scope = data["message"].rpartition(" (")
        kind, scope = kind.replace(" ", "_").upper(), scope.rstrip(")")
        if kind in DOUBTS:
            self.doubts.add((kind, scope))
        elif kind.endswith("_CLEARED"):
            self.doubts.discard((kind.removesuffix("_CLEARED"), scope))

    def end(self, report: dict[str, Any], logged: int, is_whole: bool) -> None:
        """Hold journal, report and log against one another; a failed disk has fewer lines."""
        told = report["fsm"]["transitions"]
        if is_whole:
            self._verdicts.hold("B8", 0, self.transitions, told)
            self._verdicts.hold("B8", 0, self.state, report["fsm"]["final_state"])
        self._verdicts.judge("B8", 0, logged >= len(told), f"{len(told)} lines in the log", logged)
