"""How a session recovers and ends: L1 to L4 and C2."""

from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from tests.simulation.checker.chain import Line
from tests.simulation.checker.evidence import Evidence
from tests.simulation.checker.lifecycle import Lifecycle
from tests.simulation.checker.money import Money
from tests.simulation.checker.orders import Orders
from tests.simulation.checker.verdicts import Verdicts

PATIENCE_NS: Final = 30_000_000_000
"""Source: reliability.md section 3, safety against liveness phase."""
WELL: Final = ("READY", "ACTIVE", "THROTTLED")
STATED: Final = {
    "PAUSED": ["BREAKER_PAUSE", "OPERATOR_PAUSE"],
    "DEGRADED": ["POSITION_MISMATCH"],
}
"""States that are a refusal, and the reasons that make them one."""
FINAL: Final = ("EMERGENCY", "STOPPED")

EXIT_CODES: Final = {
    "duration": 0, "end_of_data": 0,
    "max_trades": 3, "max_loss": 3, "max_drawdown": 3, "max_consecutive_losses": 3,
    "kill_file": 4, "operator_kill": 4, "operator_stop": 4, "signal": 4,
    "journal_failure": 6, "reconcile_failed": 6, "key_refused": 7,
}  # fmt: skip
"""By the table of interface.md."""
ENDS: Final = frozenset(["venue_canceled", "venue_expired", "venue_rejected"])


class Endings:
    """Judges the liveness phase and the end."""

    def __init__(self, evidence: Evidence, lifecycle: Lifecycle, verdicts: Verdicts) -> None:
        self._evidence = evidence
        self._lifecycle = lifecycle
        self._verdicts = verdicts
        self._has_recovered = False

    def see(self, line: Line) -> None:
        """Look at every beat of the liveness phase; judge once its patience ends."""
        if line.type != "timer" or line.ts < self._evidence.calm_ns or self._has_recovered:
            return
        state, reasons = self._lifecycle.state, self._lifecycle.reasons
        stated = STATED.get(state, ())
        is_stated = any(reason.partition(":")[0] in stated for reason in reasons)
        is_due = line.ts >= self._evidence.calm_ns + PATIENCE_NS
        if state in WELL or is_due:
            self._has_recovered = True
            is_well = state in (*WELL, *FINAL) or is_stated
            expected = f"one of {WELL} or a stated reason"
            self._verdicts.judge("L1", line.seq, is_well, expected, (state, reasons))

    def end(self, settings: dict[str, Any], orders: Orders, money: Money, last_ns: int) -> None:
        """Judge what is left."""
        evidence, hold = self._evidence, self._verdicts.hold
        for prefix in evidence.prefixes:
            hold("C2", 0, prefix[-200:], evidence.journal[: len(prefix)][-200:])
            self._verdicts.judge(
                "C2", 0, evidence.journal.startswith(prefix), "the prefix", "another"
            )
        report = evidence.report
        if report is None:
            return
        reason = report["stop_reason"]
        hold("L4", 0, EXIT_CODES.get(reason, 1), int(report["exit_code"]))
        if evidence.has_disk_failed or reason == "shutdown_deadline":
            return
        is_calm = last_ns > evidence.calm_ns + PATIENCE_NS
        closing_ns = last_ns - self._lifecycle.since_ns
        if is_calm or closing_ns < round(settings["session.close_deadline_s"] * 1e9):
            hold("L2", 0, [], sorted(orders.live))
        flattens = settings["session.flatten_on_stop"] or EXIT_CODES[reason] in (3, 4)
        if not is_calm:
            return  # what the venue did last may still be on its way
        hold("L2", 0, [], _open_at(evidence.venue))
        at_venue = _positions_at(evidence.venue)
        hold("A6", 0, at_venue, {s: q for s, q in money.positions.items() if q})
        if flattens and reason in ("duration", "end_of_data"):
            hold("L3", 0, {}, at_venue)


def _positions_at(venue: tuple[dict[str, Any], ...]) -> dict[str, Decimal]:
    positions: dict[str, Decimal] = defaultdict(Decimal)
    for entry in venue:
        if entry["what"] == "venue_fill":
            sign = 1 if entry["side"] == "BUY" else -1
            positions[entry["symbol"]] += sign * Decimal(entry["qty"])
    return {symbol: qty for symbol, qty in positions.items() if qty}


def _open_at(venue: tuple[dict[str, Any], ...]) -> list[str]:
    """Return the orders the venue holds by its own account of what happened."""
    left: dict[str, Decimal] = {}
    qty: dict[str, Decimal] = {}
    for entry in venue:
        order_id = entry.get("order_id", "")
        if entry["entry"] == "request" and entry["what"] == "place":
            qty[order_id] = Decimal(entry["qty"])
        elif entry["what"] == "venue_accepted":
            left[order_id] = left.get(order_id, Decimal(0)) + qty.get(order_id, Decimal(0))
        elif entry["what"] == "venue_amended":
            left[order_id] = left.get(order_id, Decimal(0)) + Decimal(entry["qty"]) - qty[order_id]
            qty[order_id] = Decimal(entry["qty"])
        elif entry["what"] == "venue_fill":
            left[order_id] = left.get(order_id, Decimal(0)) - Decimal(entry["qty"])
        elif entry["what"] in ENDS:
            left[order_id] = Decimal(0)
    return sorted(order_id for order_id, leaves in left.items() if leaves > 0)
