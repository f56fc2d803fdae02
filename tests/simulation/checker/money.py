"""Positions and money, added up from what the venue told: A6 and A7."""

from collections import defaultdict
from decimal import Decimal, localcontext
from typing import Any, Final

from tests.simulation.checker.chain import Line
from tests.simulation.checker.verdicts import Verdicts

ZERO: Final = Decimal(0)
DIGITS: Final = 60
"""Enough that no sum here is ever rounded."""


class Money:
    """Keeps the account by executions and funding alone."""

    def __init__(self, verdicts: Verdicts) -> None:
        self.start = self.fees = self.funding = self.cash = ZERO
        self.positions: dict[str, Decimal] = defaultdict(Decimal)
        self.fills = 0
        self._executions: set[tuple[str, str]] = set()
        self._shown: dict[tuple[str, str], dict[str, Any]] = {}
        self._settled: set[tuple[str, int]] = set()
        self._verdicts = verdicts

    def see(self, line: Line) -> None:
        """Take one line of any kind."""
        kind = line.type
        if kind == "venue_fill":
            self._fill(line.data)
        elif kind == "venue_snapshot":
            self._shown = {(f["symbol"], f["trade_id"]): f for f in line.data["fills"]}
        elif kind == "fill" and (fill := self._shown.get(_key(line.data))):
            self._fill(fill)  # booked because the venue's picture shows it
        elif kind == "venue_funding":
            self._fund(line.data)
        elif kind == "position":
            qty = Decimal(line.data["qty"])
            self._verdicts.hold("A6", line.seq, self.positions[line.data["symbol"]], qty)
        elif kind in ("heartbeat", "session_ended"):
            self._balance(line)
        elif kind == "session_started":
            self.start = Decimal(line.data["starting_balance"])

    def _fund(self, data: dict[str, Any]) -> None:
        """Count a settlement once, however often it is told."""
        settlement = data["symbol"], int(data["funding_ns"])
        if settlement not in self._settled:
            self._settled.add(settlement)
            self.funding += Decimal(data["amount"])

    def _fill(self, data: dict[str, Any]) -> None:
        key = _key(data)
        if key in self._executions:
            return
        self._executions.add(key)
        with localcontext(prec=DIGITS):
            signed = Decimal(data["qty"]) * (1 if data["side"] == "BUY" else -1)
            self.positions[data["symbol"]] += signed
            self.cash -= signed * Decimal(data["price"])
            self.fees += Decimal(data["fee"])
        self.fills += 1

    def _balance(self, line: Line) -> None:
        data, hold = line.data, self._verdicts.hold
        with localcontext(prec=DIGITS):
            whole = Decimal(data["balance"]) + Decimal(data["unrealised"])
            hold("A7", line.seq, whole, Decimal(data["equity"]))
            hold(
                "A7",
                line.seq,
                (self.fees, self.funding),
                (Decimal(data["fees"]), Decimal(data["funding"])),
            )
            open_ = {symbol: qty for symbol, qty in self.positions.items() if qty}
            found = {symbol: Decimal(qty) for symbol, qty in data["positions"].items()}
            hold("A6", line.seq, open_, found)
            if not open_:
                flat = self.start + self.cash - self.fees + self.funding
                hold("A7", line.seq, flat, Decimal(data["equity"]))

    def end(self, report: dict[str, Any]) -> None:
        """Hold the report's figures against one another and against the account here."""
        pnl = {name: Decimal(value) for name, value in report["pnl"].items() if value is not None}
        with localcontext(prec=DIGITS):
            equity = Decimal(report["starting_balance"]) + pnl["realised"] - pnl["fees"]
            equity += pnl["funding"] + pnl["unrealised"]
        self._verdicts.hold("A7", 0, equity, Decimal(report["equity"]))
        self._verdicts.hold("A7", 0, (self.fees, self.funding), (pnl["fees"], pnl["funding"]))
        self._verdicts.hold("A6", 0, self.fills, int(report["trades"]))


def _key(data: dict[str, Any]) -> tuple[str, str]:
    return data["symbol"], data["trade_id"]
