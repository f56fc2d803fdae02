"""Reads a journal and says when new risk was forbidden by the reference market, on its own account.

It knows the rules of ADR 15 and nothing of the kernel's code: prices, times and limits come from the
lines, formulas are written out again. One instrument; quotes that the filter would refuse must not
be in it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

SECOND = 1_000_000_000
LIMITS = {"deviation": 75.0, "alpha": 0.08, "lag": 2.0, "down": 10.0, "backoff": 5.0}


class Watcher:
    """What somebody who sees every line would forbid."""

    def __init__(self, ticks: tuple[float, float], limits: Mapping[str, float]) -> None:
        self.here, self.there = ticks
        self.limits = {**LIMITS, **limits}
        self.ours: tuple[float, int] | None = None
        self.theirs: tuple[float, int] | None = None
        self.fair: float | None = None
        self.basis = 0.0
        self.moved_ns = self.cleared_ns = 0
        self.first_beat_ns = self.beat_ns = 0
        """First and last timer; a session recovers on one."""
        self.down: dict[str, int] = {}
        self.doubts: set[str] = set()
        self.is_trading = False
        self.looked_away: list[str] = []
        """Orders that were sent while it was forbidden."""

    def read(self, lines: Iterable[Mapping[str, Any]]) -> "Watcher":
        for line in lines:
            self.line(line["type"], line["ts"], line["data"])
        return self

    def line(self, kind: str, ts: int, data: Mapping[str, Any]) -> None:
        match kind:
            case "quote":
                self.ours = (self.here * (data["bid_ticks"] + data["ask_ticks"]) / 2, ts)
            case "reference_quote":
                self.theirs = (self.there * (data["bid_ticks"] + data["ask_ticks"]) / 2, ts)
                self.look(ts)
            case "reference_status" if data["is_connected"]:
                self.down.pop(data["source"], None)
            case "reference_status":
                self.down.setdefault(data["source"], ts)
            case "timer":
                self.first_beat_ns = self.first_beat_ns or ts
                self.beat_ns = ts
                self.look(ts)
            case "fsm_transition":
                self.is_trading = self.is_trading or data["event"] == "START"
                if data["event"] == "START":
                    self.look(ts)
            case "operator_command" if data["command"] == "resume":
                self.accept(ts)
            case "operator_command" if data["command"] == "reconcile":
                self.look(ts)
            case "order_submitted" if not self.may_open(ts):
                self.looked_away.append(data["order_id"])

    def look(self, ts: int) -> None:
        if not self.is_trading:
            return
        silent_s = (ts - (self.theirs[1] if self.theirs else self.first_beat_ns)) / SECOND
        down_s = max(((ts - since) / SECOND for since in self.down.values()), default=0.0)
        is_lost = silent_s > self.limits["lag"] or down_s > self.limits["down"]
        self.doubt("lost", is_lost, ts)
        if is_lost or self.ours is None or self.theirs is None:
            return
        if (ts - self.ours[1]) / SECOND > self.limits["lag"]:
            return
        self.basis = 10_000 * (self.ours[0] / self.theirs[0] - 1)
        if self.fair is None:
            self.fair, self.moved_ns = self.basis, ts
        is_apart = abs(self.basis - self.fair) > self.limits["deviation"]
        self.doubt("apart", is_apart, ts)
        if not is_apart and ts - self.moved_ns >= SECOND // 2:
            alpha = self.limits["alpha"]
            self.fair = alpha * self.basis + (1 - alpha) * self.fair
            self.moved_ns = ts

    def accept(self, ts: int) -> None:
        if self.doubts == {"apart"}:
            self.fair = self.basis
            self.doubt("apart", False, ts)

    def doubt(self, name: str, is_held: bool, ts: int) -> None:
        if is_held:
            self.doubts.add(name)
        elif name in self.doubts:
            self.doubts.remove(name)
            self.cleared_ns = ts

    def may_open(self, ts: int) -> bool:
        backoff_ns = self.limits["backoff"] * SECOND
        rested = not self.cleared_ns or ts - self.cleared_ns >= backoff_ns
        return self.is_trading and not self.doubts and rested
