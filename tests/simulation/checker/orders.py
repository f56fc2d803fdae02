"""Orders as venue and journal tell them: A1 to A5, A8. The tables are typed from domain.md."""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from tests.simulation.checker.chain import Line
from tests.simulation.checker.verdicts import Verdicts

ZERO: Final = Decimal(0)
LIVE: Final = frozenset(
    ["SUBMITTED", "ACCEPTED", "PARTIALLY_FILLED", "PENDING_UPDATE", "PENDING_CANCEL", "UNKNOWN"]
)

_ANY_END: Final = "FILLED CANCELED EXPIRED UNKNOWN"
LEGAL: Final[dict[str, frozenset[str]]] = {
    state: frozenset(targets.split())
    for state, targets in {
        "": "SUBMITTED DENIED",
        "SUBMITTED": f"ACCEPTED REJECTED PARTIALLY_FILLED PENDING_CANCEL {_ANY_END}",
        "ACCEPTED": f"REJECTED PARTIALLY_FILLED PENDING_UPDATE PENDING_CANCEL {_ANY_END}",
        "PARTIALLY_FILLED": f"PARTIALLY_FILLED PENDING_UPDATE PENDING_CANCEL {_ANY_END}",
        "PENDING_UPDATE": f"ACCEPTED PARTIALLY_FILLED PENDING_CANCEL {_ANY_END}",
        "PENDING_CANCEL": f"ACCEPTED PARTIALLY_FILLED REJECTED {_ANY_END}",
        "UNKNOWN": f"ACCEPTED PARTIALLY_FILLED REJECTED PENDING_CANCEL {_ANY_END}",
        "DENIED": "",
        "REJECTED": "FILLED",
        "FILLED": "",
        "CANCELED": "FILLED",
        "EXPIRED": "FILLED",
    }.items()
}
"""Where an order may go from each state; a late fill moves even an ended one."""

_ALIVE: Final = (
    "venue_accepted venue_amended venue_amend_rejected venue_cancel_rejected venue_triggered"
    " venue_order_status"
)
_ASKED: Final = ("venue_order_status",)
"""The venue's word about an order it was asked after; never a timer's."""
_SHOWN: Final = ("venue_snapshot",)
"""Its word about all of them."""
CAUSES: Final[dict[str, frozenset[str]]] = {
    "ACCEPTED": frozenset(_ALIVE.split()),
    "PARTIALLY_FILLED": frozenset([*_ALIVE.split(), "venue_fill", *_SHOWN]),
    "FILLED": frozenset(("venue_fill", "venue_amended", "venue_amend_rejected", *_SHOWN)),
    "CANCELED": frozenset(("venue_canceled", *_ASKED)),
    "EXPIRED": frozenset(("venue_expired", *_ASKED)),
    "REJECTED": frozenset(("venue_rejected", *_ASKED)),
    "UNKNOWN": frozenset(
        ("venue_unknown", "venue_cancel_rejected", "venue_rejected", "timer", *_SHOWN)
    ),
}
"""What alone may bring an order into each state: the venue's word about that very order."""

ASKS: Final = {
    "order_submitted": "place",
    "order_pending_update": "amend",
    "order_pending_cancel": "cancel",
}
"""Lines that announce a request, and the request."""


@dataclass
class Order:
    """One order by the checker's own count."""

    symbol: str
    agent: str
    slot: str
    side: str
    qty: Decimal
    reduce_only: bool
    state: str
    filled: Decimal = ZERO
    qty_asked: Decimal | None = None
    """Total quantity of the amend under way."""

    @property
    def leaves(self) -> Decimal:
        """What may still fill, in the worst case."""
        return max(self.qty, self.qty_asked or ZERO) - self.filled


class Orders:
    """Follows every order through the journal and matches it with what the venue saw."""

    def __init__(self, venue: tuple[dict[str, Any], ...], verdicts: Verdicts) -> None:
        self.orders: dict[str, Order] = {}
        self.live: dict[str, Order] = {}
        self.told: dict[tuple[str, str], dict[str, Any]] = {}
        """Each execution as it was first told."""
        self.shown: dict[tuple[str, str], dict[str, Any]] = {}
        """What the last picture of the account tells again."""
        self.requests = deque(entry for entry in venue if entry["entry"] == "request")
        self.last_request: dict[str, Any] = {}
        self.input: Line | None = None
        self._intents: set[str] = set()
        self._booked: set[tuple[str, str]] = set()
        self._overfilled: str = ""
        self._verdicts = verdicts

    def see_input(self, line: Line) -> None:
        """Take what the engine was told."""
        self._end_step(line)
        self.input = line
        if line.type == "venue_fill":
            self._see_fill(line.data)
        elif line.type == "venue_snapshot":
            self.shown = {(f["symbol"], f["trade_id"]): f for f in line.data["fills"]}
        elif line.type == "venue_amended":
            order = self.orders.get(line.data["order_id"])
            if order is not None:
                order.qty, order.qty_asked = Decimal(line.data["qty"]), None
        elif line.type in ("venue_amend_rejected", "venue_unknown"):
            order = self.orders.get(line.data["order_id"])
            if order is not None and line.type == "venue_amend_rejected":
                order.qty_asked = None

    def _see_fill(self, data: dict[str, Any]) -> None:
        key = (data["symbol"], data["trade_id"])
        if key in self.told:
            return
        self.told[key] = data
        order = self.orders.get(data["order_id"])
        if order is not None:
            order.filled += Decimal(data["qty"])
            if order.filled > max(order.qty, order.qty_asked or ZERO):
                self._overfilled = data["order_id"]

    def _see_backfill(self, order_id: str) -> None:
        """Take the oldest fill of an order that only a snapshot has told of: it is booked now."""
        is_snapshot = self.input is not None and self.input.type == "venue_snapshot"
        for key, fill in self.shown.items() if is_snapshot else ():
            if fill["order_id"] == order_id and key not in self.told:
                self._see_fill(fill)
                return

    def _end_step(self, line: Line) -> None:
        if self._overfilled:
            self._verdicts.hold("A8", line.seq, "an alert overfill", f"none for {self._overfilled}")
            self._overfilled = ""

    def see(self, line: Line) -> None:
        """Take what the engine decided."""
        kind = line.type
        if kind == "intent":
            self._intents.add(line.data["intent_id"])
        elif kind == "order_submitted":
            self._submitted(line)
        elif kind == "fill":
            self._filled(line)
        elif kind == "sync_report":
            self._repaired(line)
        elif kind == "alert" and line.data["kind"] == "overfill" and self._overfilled:
            self._verdicts.hold("A8", line.seq, "overfill", line.data["kind"])
            self._overfilled = ""
        elif kind.startswith("order_"):
            self._changed(line, kind.removeprefix("order_").upper())
        if kind in ASKS:
            self._match(line, (ASKS[kind], line.data["order_id"]))

    def _submitted(self, line: Line) -> None:
        data, order_id = line.data, line.data["order_id"]
        slot = (data["agent"], data["symbol"], data["slot"])
        self._verdicts.hold("A2", line.seq, True, order_id in self._intents)
        rivals = [i for i, o in self.live.items() if (o.agent, o.symbol, o.slot) == slot]
        self._verdicts.hold("A2", line.seq, [], rivals)
        self._verdicts.judge("A4", line.seq, order_id not in self.orders, "a new order", order_id)
        order = Order(
            *(data[name] for name in ("symbol", "agent", "slot", "side")),
            qty=Decimal(data["qty"]),
            reduce_only=data["reduce_only"],
            state="SUBMITTED",
        )
        self.orders[order_id] = self.live[order_id] = order

    def _changed(self, line: Line, state: str) -> None:
        data, order_id = line.data, line.data["order_id"]
        order = self.orders.get(order_id)
        if order is None:
            self._verdicts.hold("A4", line.seq, "DENIED", state)
            return
        if state in ("FILLED", "PARTIALLY_FILLED"):
            self._see_backfill(order_id)
        legal = LEGAL[order.state]
        self._verdicts.judge(
            "A4", line.seq, state in legal, f"{order.state} to {sorted(legal)}", state
        )
        if state in CAUSES and self.input is not None:
            speaks_of_all = self.input.type in ("timer", "venue_snapshot")
            is_meant = speaks_of_all or self.input.data.get("order_id") == order_id
            cause = self.input.type if is_meant else "another"
            invariant = "A4" if state in LIVE else "A3"
            is_caused = cause in CAUSES[state]
            self._verdicts.judge(
                invariant, line.seq, is_caused, sorted(CAUSES[state]), (order_id, cause)
            )
        self._verdicts.hold("A4", line.seq, order.filled, Decimal(data["filled_qty"]))
        order.state = state
        if state not in LIVE:
            self.live.pop(order_id, None)

    def _filled(self, line: Line) -> None:
        data = line.data
        key = (data["symbol"], data["trade_id"])
        if key not in self.told and key in self.shown:
            self._see_fill(self.shown[key])
        told = self.told.get(key)
        self._verdicts.judge("A5", line.seq, key not in self._booked, "booked once", key)
        self._booked.add(key)
        names = ("order_id", "side", "price", "qty", "fee")
        expected = [told[name] for name in names] if told else "an execution"
        self._verdicts.hold("A5", line.seq, expected, [data[name] for name in names])

    def _repaired(self, line: Line) -> None:
        """Take the cancels of orders that both sides know of again."""
        for word in line.data["repaired"]:
            what, _, order_id = word.partition(" ")
            if what == "canceled":
                self._match(line, ("cancel", order_id))

    def _match(self, line: Line, announced: tuple[str, str]) -> None:
        """Hold an announced request against the next one the venue received."""
        if not self.requests:
            self.last_request = {}
            return  # the process died, or the session ended, between line and request
        request = self.requests.popleft()
        self.last_request = request
        hold, seq = self._verdicts.hold, line.seq
        if not hold("A1", seq, announced, (request["what"], request["order_id"])):
            return
        written = request["lines"]
        self._verdicts.judge("A1", seq, written >= seq, f"line {seq} written", f"{written} lines")
        if request["what"] == "place":
            names = ("symbol", "side", "qty", "price", "type", "reduce_only")
            hold("A1", seq, [line.data[name] for name in names], [request[name] for name in names])
        elif request["what"] == "amend":
            text = f"to {request['qty']} at {request['price']}"
            self._verdicts.hold("A1", line.seq, line.data["reason"], text)
            order = self.orders.get(request["order_id"])
            if order is not None:
                order.qty_asked = Decimal(request["qty"])

    def end(self, has_disk_failed: bool) -> None:
        """Judge what is left: requests without a line, executions told and not booked."""
        for request in self.requests:
            # Before a disk is known to have failed, its lines wait in memory and are lost with it:
            # on paper the sync is batched. From then on only what sheds risk may go without one.
            is_safe = request["what"] == "cancel" or request.get("reduce_only", False)
            is_excused = has_disk_failed and (is_safe or request["is_journal_sound"])
            self._verdicts.judge("A1", 0, is_excused, "a line for it", request)
        self._verdicts.hold("A5", 0, sorted(self.told), sorted(self._booked))
