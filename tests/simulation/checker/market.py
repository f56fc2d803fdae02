"""What agents were shown, and that silence was noticed: E1, E2 and F1."""

from collections.abc import Mapping
from typing import Any, Final

from tests.simulation.checker.chain import Line
from tests.simulation.checker.lifecycle import Lifecycle
from tests.simulation.checker.limits import Limits
from tests.simulation.checker.verdicts import Verdicts

OFFERED: Final = frozenset(
    ["quote", "trade", "depth", "funding", "bar", "malformed", "feed_status"]
)
FLAWED, SOUND = "flawed", "sound"
GRACE_NS: Final = 300_000_000
"""One beat of the timer, and a little."""
HOUSE: Final = "house"
DEAF: Final = ("INIT", "READY", "EMERGENCY", "STOPPED")


class Market:
    """Pairs the journal's market lines with the tags of what the feed offered."""

    def __init__(
        self,
        tags: tuple[str, ...],
        settings: Mapping[str, Any],
        *,
        limits: Limits,
        lifecycle: Lifecycle,
        verdicts: Verdicts,
    ) -> None:
        self._tags = tags
        self._taken = 0
        self._lag_ns = round(float(settings["risk.max_feed_lag_s"]) * 1e9)
        self._limits = limits
        self._lifecycle = lifecycle
        self._verdicts = verdicts
        self._heard_ns: dict[str, int] = {}
        self._now_ns = 0
        self._is_flawed = False
        self._quarantined: set[str] = set()

    def see(self, line: Line) -> None:
        """Take one line of any kind."""
        if line.type in OFFERED:
            self._offered(line)
        elif line.type in ("timer", "operator_command") or line.type.startswith("venue_"):
            self._is_flawed = False
            if line.type == "timer":
                self._silence(line)
        elif line.type == "session_resumed":
            self._rest(line.data.get("paused_ns", 0))
        elif line.type == "intent":
            self._wish(line)
        elif line.type == "alert" and line.data["kind"] == "agent_quarantined":
            self._quarantined.add(line.data["message"].split()[1])
            self._verdicts.hold("F1", line.seq, True, line.data["message"].startswith("agent "))

    def _rest(self, paused_ns: int) -> None:
        """Count no time that nobody lived through as silence; the first beat tells the rest."""
        for symbol in self._heard_ns:
            self._heard_ns[symbol] += int(paused_ns)

    def _offered(self, line: Line) -> None:
        tag = self._tags[self._taken] if self._taken < len(self._tags) else "nothing"
        self._taken += 1
        self._now_ns = max(self._now_ns, line.ts)
        self._is_flawed = tag == FLAWED
        if line.type == "quote" and not self._is_flawed:
            self._heard_ns[line.symbol] = self._now_ns
            self._limits.quoted(line.symbol, self._now_ns)
        if self._is_flawed:
            self._verdicts.counts["E1"] += 1

    def _wish(self, line: Line) -> None:
        agent = line.data["agent"]
        if self._is_flawed:
            self._verdicts.hold(
                "E1", line.seq, "no wish at a flawed message", line.data["intent_id"]
            )
        is_follow_up = agent == HOUSE or line.data["reduce_only"]
        if self._quarantined and not is_follow_up:
            self._verdicts.judge("F1", line.seq, agent not in self._quarantined, "silence", agent)

    def _silence(self, line: Line) -> None:
        if self._lifecycle.state in DEAF:
            return
        for symbol, heard_ns in self._heard_ns.items():
            if line.ts - heard_ns > self._lag_ns + GRACE_NS:
                is_told = ("FEED_STALE", symbol) in self._lifecycle.doubts
                self._verdicts.judge("E2", line.seq, is_told, f"FEED_STALE {symbol}", "nothing")
