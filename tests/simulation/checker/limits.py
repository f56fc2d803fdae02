"""What may be asked of the venue, and when: B2 to B6 and D1."""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Any, Final

from tests.simulation.checker.chain import Line
from tests.simulation.checker.lifecycle import Lifecycle
from tests.simulation.checker.money import DIGITS, Money
from tests.simulation.checker.orders import Order, Orders
from tests.simulation.checker.verdicts import Verdicts

MINUTE_NS: Final = 60_000_000_000
SECOND_NS: Final = 1_000_000_000
TRADING: Final = ("ACTIVE", "THROTTLED")
HOUSE: Final = "house"
UNCANCELABLE: Final = ("PENDING_CANCEL",)
"""Its cancel is on the way already."""


class Limits:
    """Judges every request at the line that announces it."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        orders: Orders,
        money: Money,
        lifecycle: Lifecycle,
        verdicts: Verdicts,
    ) -> None:
        self._limit = {
            k.removeprefix("risk."): v for k, v in settings.items() if k.startswith("risk.")
        }
        self._orders = orders
        self._money = money
        self._lifecycle = lifecycle
        self._verdicts = verdicts
        self._quoted_ns: dict[str, int] = {}
        self._sent: dict[str, deque[int]] = {name: deque() for name in ("place", "amend", "cancel")}
        self._killed_ns = 0
        self._to_cancel: dict[str, Order] = {}

    def quoted(self, symbol: str, ts_ns: int) -> None:
        """Note a quote that may have been believed."""
        self._quoted_ns[symbol] = ts_ns

    def see(self, line: Line) -> None:
        """Take one line, after orders, money and lifecycle have."""
        kind = line.type
        if kind == "order_submitted":
            self._placed(line)
        elif kind == "order_pending_update":
            self._amended(line)
        elif kind == "router_decision" and line.data["decision"] == "CANCEL":
            self._sent["cancel"].append(line.ts)
        elif kind == "order_pending_cancel":
            self._to_cancel.pop(line.data["order_id"], None)
        elif kind == "gate_verdict" and line.data["setting"] == "max_cancels_per_minute":
            self._refused_cancel(line)
        elif kind == "fsm_transition" and line.data["to_state"] == "EMERGENCY":
            self._killed_ns = line.ts
            live = self._orders.live.items()
            self._to_cancel = {
                i: o for i, o in live if o.state not in UNCANCELABLE and o.agent != HOUSE
            }
        elif kind == "timer" and self._to_cancel and line.ts > self._killed_ns + SECOND_NS:
            left = [i for i in self._to_cancel if i in self._orders.live]
            self._verdicts.hold("D1", line.seq, [], left)
            self._to_cancel = {}

    def _placed(self, line: Line) -> None:
        order = self._orders.orders[line.data["order_id"]]
        price = line.data["price"]
        if order.agent != HOUSE:
            self._rate(line, "place", "max_orders_per_minute")
        self._judge(line, order, order.qty, Decimal(price) if price else None)

    def _amended(self, line: Line) -> None:
        request = self._orders.last_request
        order = self._orders.orders.get(line.data["order_id"])
        if order is None or request.get("what") != "amend":
            return
        self._rate(line, "amend", "max_amends_per_minute")
        leaves = Decimal(request["qty"]) - order.filled
        self._judge(line, order, leaves, Decimal(request["price"]))

    def _rate(self, line: Line, what: str, setting: str) -> None:
        limit, sent = self._limit[setting], self._sent[what]
        sent.append(line.ts)
        while sent[0] <= line.ts - MINUTE_NS:
            sent.popleft()
        if limit is not None:
            self._verdicts.judge(
                "B6", line.seq, len(sent) <= limit, f"{setting} {limit}", len(sent)
            )

    def _refused_cancel(self, line: Line) -> None:
        sent = [ts for ts in self._sent["cancel"] if ts > line.ts - MINUTE_NS]
        limit = self._limit["max_cancels_per_minute"]
        self._verdicts.judge("B5", line.seq, len(sent) >= limit, f"{limit} cancels sent", len(sent))

    def _judge(self, line: Line, order: Order, qty: Decimal, price: Decimal | None) -> None:
        """Judge one order by what its worst case does to the position."""
        held = self._money.positions[order.symbol]
        sign = 1 if order.side == "BUY" else -1
        others = [
            o for o in self._orders.live.values() if o is not order and o.symbol == order.symbol
        ]
        same = [o for o in others if o.side == order.side and o.leaves > 0]
        working = sum((o.leaves for o in same if not o.reduce_only), Decimal(0))
        exits = sum((o.leaves for o in same if o.reduce_only), Decimal(0))
        left = max(Decimal(0), -sign * held - exits)
        """Of the position on the other side, when what works reduce-only has filled."""
        adds = not order.reduce_only and qty + working > left
        state, is_barred = self._lifecycle.state, self._is_barred(order.symbol)
        if state == "EMERGENCY" or (self._killed_ns and state == "STOPPED"):
            self._verdicts.judge(
                "D1", line.seq, not adds, "no new risk", (line.type, line.data["order_id"])
            )
        if not adds:
            self._verdicts.judge("B4", line.seq, state != "INIT", "not in INIT", state)
            return
        self._verdicts.judge(
            "B4", line.seq, state in TRADING and not is_barred, TRADING, (state, is_barred)
        )
        age_ns = line.ts - self._quoted_ns.get(order.symbol, 0)
        limit_ms = self._limit["max_quote_age_ms"]
        self._verdicts.judge(
            "B2", line.seq, age_ns <= limit_ms * 1_000_000, f"{limit_ms} ms", age_ns
        )
        self._worst(line, abs(held + sign * (working + qty)), qty, price)

    def _is_barred(self, symbol: str) -> bool:
        return any(scope == symbol for _, scope in self._lifecycle.doubts)

    def _worst(self, line: Line, worst: Decimal, qty: Decimal, price: Decimal | None) -> None:
        if price is None:
            return
        with localcontext(prec=DIGITS):
            for setting, size in (("max_position_notional", worst), ("max_order_notional", qty)):
                limit = self._limit[setting]
                if limit is not None:
                    is_within = size * price <= Decimal(limit)
                    self._verdicts.judge(
                        "B3", line.seq, is_within, f"{setting} {limit}", size * price
                    )
        limit = self._limit["max_open_orders"]
        if line.type == "order_submitted" and limit is not None:
            live = len(self._orders.live)
            self._verdicts.judge("B3", line.seq, live <= limit, f"max_open_orders {limit}", live)
