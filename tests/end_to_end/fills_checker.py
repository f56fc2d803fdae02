"""Proves that every fill of a session was offered by the recorded market it ran on.

    python tests/end_to_end/fills_checker.py CAPTURE EVENTS

CAPTURE is a raw Binance USD-M capture (`<receive time> <combined-stream JSON>`, gzipped or not),
EVENTS our `events.jsonl`. Nothing of the engine or the brokers is imported: the order book is
rebuilt here from the capture, by receive time, and the orders' lives are read from the journal.

What is proven of each `venue_fill`:

- it belongs to an order that was submitted before, on its side, and stays within its quantity;
- TAKER: at some instant between the order's departure and the fill's arrival, at most `bound`
  before the latter, every fill of the sweep was at the touch within its displayed size, or at a
  deeper displayed level within that level's size; never better than the touch, never beyond the
  order's own limit; a stop or target had been reached. What is displayed is given once: two sweeps
  on one displayed state must share its sizes;
- MAKER: at the order's own price in force, and in the last `bound` before the fill a print went
  through the price, or prints at the price add up to the fill, or the opposite touch reached it.

`bound` is how late a fill may be told: the journal's settings give the median and the jitter of the
way back, six sigma of it is allowed, and at least 20 ms.
"""

import gzip
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

D = Decimal
UNIT_NS = {19: 1, 16: 1_000, 13: 1_000_000, 10: 1_000_000_000}
BUY, SELL = "BUY", "SELL"
READ = {
    b"session_started", b"order_submitted", b"order_pending_update", b"venue_amended", b"venue_fill"
}  # fmt: skip
"""Journal types that are looked at."""


@dataclass
class Fill:
    """One `venue_fill`."""

    ts: int
    order_id: str
    side: str
    price: Decimal
    qty: Decimal
    liquidity: str

    def __str__(self) -> str:
        return (
            f"{self.order_id} {self.liquidity} {self.side} {self.qty} at {self.price} ({self.ts})"
        )


@dataclass
class Order:
    """What the journal says of one order."""

    sent_ns: int
    side: str
    kind: str
    qty: Decimal
    price: Decimal | None
    trigger: Decimal | None
    prices: list[list[Any]] = field(default_factory=list)
    """[from, until, price] of each limit, `from` when it was asked for, `until` when its
    successor was confirmed."""
    filled: Decimal = field(default_factory=D)


@dataclass
class State:
    """A displayed market: from `ts` until the next."""

    number: int
    ts: int
    bid: Decimal
    bid_qty: Decimal
    ask: Decimal
    ask_qty: Decimal
    levels: dict[Decimal, Decimal]
    """Deeper sizes at the prices that are asked about."""


@dataclass
class Window:
    """What the market showed while a fill, or a sweep of them, can have happened."""

    start: int
    end: int
    side: str
    prices: set[Decimal]
    states: list[State] = field(default_factory=list)
    prints: list[tuple[Decimal, Decimal, str]] = field(default_factory=list)
    """(price, quantity, side of the taker)."""


class Ladder:
    """Depth beyond the touch; valid only in sequence."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[Decimal, Decimal]] = {BUY: {}, SELL: {}}
        self.last = 0
        self.is_valid = False
        self.is_bridged = False
        self.waiting: list[dict[str, Any]] = []

    def snapshot(self, data: dict[str, Any]) -> None:
        for side, key in ((BUY, "bids"), (SELL, "asks")):
            self.sides[side] = {D(p): D(q) for p, q in data[key]}
        self.last, self.is_valid, self.is_bridged = data["lastUpdateId"], True, False
        waiting, self.waiting = self.waiting, []
        for diff in waiting:
            self.diff(diff)

    def diff(self, data: dict[str, Any]) -> None:
        if not self.is_valid:
            self.waiting.append(data)
            return
        if data["u"] < self.last:
            return
        follows = data["pu"] == self.last if self.is_bridged else data["U"] <= self.last + 1
        if not follows:
            self.is_valid, self.waiting = False, [data]
            return
        for side, key in ((BUY, "b"), (SELL, "a")):
            book = self.sides[side]
            for price, qty in data[key]:
                book[D(price)] = D(qty)
        self.last, self.is_bridged = data["u"], True

    def sizes(self, side: str, prices: set[Decimal]) -> dict[Decimal, Decimal]:
        """Displayed sizes against an order of `side`."""
        if not self.is_valid:
            return {}
        book = self.sides[SELL if side == BUY else BUY]
        return {price: book.get(price, D(0)) for price in prices}


def capture(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (receive time, message); time never goes back. A cut end is an end."""
    last = 0
    opener = gzip.open if path.read_bytes()[:2] == b"\x1f\x8b" else open
    with opener(path, "rb") as file:
        try:
            for line in file:
                stamp, _, body = line.partition(b" ")
                try:
                    at = int(stamp) * UNIT_NS[len(stamp)]
                    message = json.loads(body)
                except (ValueError, KeyError):
                    continue
                last = max(last, at)
                yield last, message
        except EOFError:
            return


def journal(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            name = line[line.index(b'"type":"') + 8 :].split(b'"', 1)[0]
            if name in READ:
                yield json.loads(line)


def latency_bound_ns(settings: dict[str, Any]) -> int:
    """How late an answer of the venue may be."""
    median = max(float(settings["paper.fill_latency_ms"]), float(settings["paper.ack_latency_ms"]))
    jitter = float(settings["paper.latency_jitter"])
    return round(max(20.0, median * math.exp(6 * jitter)) * 1e6)


def read_events(path: Path) -> tuple[dict[str, Order], list[Fill], int, list[str]]:
    """Return orders, fills, the latency bound, and what is wrong in the journal alone."""
    orders: dict[str, Order] = {}
    fills: list[Fill] = []
    wrong: list[str] = []
    bound = 0
    amending: dict[str, int] = {}
    for line in journal(path):
        kind, ts, data = line["type"], line["ts"], line["data"]
        if kind == "session_started":
            bound = latency_bound_ns(data["settings"])
        elif kind == "order_submitted":
            price = D(data["price"]) if data["price"] else None
            trigger = D(data["trigger_price"]) if data["trigger_price"] else None
            order = Order(ts, data["side"], data["type"], D(data["qty"]), price, trigger)
            order.prices.append([ts, math.inf, price])
            orders[data["order_id"]] = order
        elif kind == "order_pending_update":
            amending[data["order_id"]] = ts
        elif kind == "venue_amended":
            order = orders[data["order_id"]]
            order.prices[-1][1] = ts
            order.prices.append([amending[data["order_id"]], math.inf, D(data["price"])])
            order.qty = max(order.qty, D(data["qty"]))
        elif kind == "venue_fill":
            fill = Fill(
                ts, data["order_id"], data["side"], D(data["price"]), D(data["qty"]),
                data["liquidity"],
            )  # fmt: skip
            fills.append(fill)
            wrong += _against_order(fill, orders.get(fill.order_id))
    return orders, fills, bound, wrong


def _against_order(fill: Fill, order: Order | None) -> Iterator[str]:
    if order is None:
        yield f"{fill}: of an order nobody submitted"
        return
    order.filled += fill.qty
    if fill.side != order.side:
        yield f"{fill}: on the other side of its order"
    if fill.qty <= 0 or order.filled > order.qty:
        yield f"{fill}: {order.filled} filled of {order.qty}"


def limits_at(order: Order, start: int, end: int) -> set[Decimal]:
    """Limits that may have been in force between two times."""
    return {
        p for since, until, p in order.prices if p is not None and since <= end and until >= start
    }


def sweeps(fills: list[Fill], bound: int) -> list[list[Fill]]:
    """Group taker fills of one order that can be of one instant."""
    found: list[list[Fill]] = []
    open_: dict[str, list[Fill]] = {}
    for fill in fills:
        if fill.liquidity != "TAKER":
            continue
        group = open_.get(fill.order_id)
        if group is not None and fill.ts - group[0].ts <= bound:
            group.append(fill)
        else:
            open_[fill.order_id] = group = [fill]
            found.append(group)
    return found


def watch(path: Path, windows: list[Window]) -> None:
    """Play the capture once and note in each window what the market showed."""
    pending = sorted(windows, key=lambda w: w.start)
    active: list[Window] = []
    ladder = Ladder()
    touch: tuple[Decimal, ...] | None = None
    number = 0

    def show(window: Window, ts: int) -> None:
        if touch is not None:
            levels = ladder.sizes(window.side, window.prices)
            window.states.append(State(number, ts, *touch, levels))

    def admit(until: int) -> None:
        while pending and pending[0].start <= until:
            window = pending.pop(0)
            show(window, window.start)
            active.append(window)

    for ts, message in capture(path):
        if pending and pending[0].start < ts:
            admit(ts - 1)
        if active:
            active = [w for w in active if w.end >= ts]
        stream = message.get("stream", "")
        data = message.get("data", message)
        if stream.endswith("@bookTicker"):
            touch = tuple(D(data[key]) for key in ("b", "B", "a", "A"))
            number += 1
        elif "@depth" in stream:
            ladder.diff(data)
        elif "lastUpdateId" in data:
            ladder.snapshot(data)
        elif stream.endswith("@trade"):
            for window in active:
                taker = SELL if data["m"] else BUY
                window.prints.append((D(data["p"]), D(data["q"]), taker))
            continue
        for window in active:
            show(window, ts)
    admit(2**63)


def prove_sweep(
    group: list[Fill], order: Order, window: Window, spent: dict[tuple[int, Decimal], Decimal]
) -> str | None:
    """Find an instant that offered all of it; return None, or why there is none."""
    wanted: dict[Decimal, Decimal] = defaultdict(Decimal)
    for fill in group:
        wanted[fill.price] += fill.qty
    limits = limits_at(order, window.start, window.end)
    worst = max(wanted) if order.side == BUY else min(wanted)
    if limits and not any(worst <= p if order.side == BUY else worst >= p for p in limits):
        return "beyond the order's limit"
    why = "no market was displayed"
    for state in window.states:
        why = _offers(state, order, wanted, spent) or ""
        if not why:
            for price, qty in wanted.items():
                spent[state.number, price] = spent.get((state.number, price), D(0)) + qty
            return None
    return why


def _offers(
    state: State,
    order: Order,
    wanted: dict[Decimal, Decimal],
    spent: dict[tuple[int, Decimal], Decimal],
) -> str | None:
    buying = order.side == BUY
    touch, size = (state.ask, state.ask_qty) if buying else (state.bid, state.bid_qty)
    if order.trigger is not None:
        falls = buying is (order.kind == "TAKE_PROFIT")
        if not (touch <= order.trigger if falls else touch >= order.trigger):
            return f"the trigger {order.trigger} was not reached by {touch}"
    for price, qty in wanted.items():
        if price < touch if buying else price > touch:
            return f"better than the touch {touch}"
        shown = size if price == touch else state.levels.get(price, D(0))
        if qty + spent.get((state.number, price), D(0)) > shown:
            return f"{qty} at {price}, displayed {shown}"
    return None


def prove_maker(fill: Fill, order: Order, window: Window) -> str | None:
    """Find what traded against a resting order; return None, or what is missing."""
    if fill.price not in limits_at(order, window.start, window.end):
        return "not at the order's own limit"
    buying = fill.side == BUY
    printed = D(0)
    for price, qty, taker in window.prints:
        if taker == fill.side:
            continue
        if price < fill.price if buying else price > fill.price:
            return None
        if price == fill.price:
            printed += qty
    if printed >= fill.qty:
        return None
    for state in window.states:
        touch, size = (state.ask, state.ask_qty) if buying else (state.bid, state.bid_qty)
        if (touch <= fill.price if buying else touch >= fill.price) and size >= fill.qty:
            return None
    return f"only {printed} printed at the price, and no quote crossed it"


def check(capture_path: Path, events_path: Path) -> tuple[int, list[str]]:
    """Return how many fills there are, and one sentence for each that the market did not offer."""
    orders, fills, bound, wrong = read_events(events_path)
    spent: dict[tuple[int, Decimal], Decimal] = {}
    jobs: list[tuple[list[Fill], Order, Window]] = []
    makers = [[fill] for fill in fills if fill.liquidity == "MAKER"]
    for group in (*sweeps(fills, bound), *makers):
        order = orders.get(group[0].order_id)
        if order is not None:
            start = max(order.sent_ns, group[-1].ts - bound)
            prices = {fill.price for fill in group}
            jobs.append((group, order, Window(start, group[0].ts, group[0].side, prices)))
    jobs.sort(key=lambda job: job[2].start)
    watch(capture_path, [window for _, _, window in jobs])
    for group, order, window in jobs:
        if group[0].liquidity == "TAKER":
            why = prove_sweep(group, order, window, spent)
        else:
            why = prove_maker(group[0], order, window)
        if why is not None:
            wrong += [f"{fill}: {why}" for fill in group]
    return len(fills), wrong


def main(arguments: list[str]) -> int:
    """Print what is wrong; exit 1 if anything is."""
    if len(arguments) != 2:
        sys.stderr.write("usage: fills_checker.py CAPTURE EVENTS\n")
        return 2
    count, wrong = check(Path(arguments[0]), Path(arguments[1]))
    for sentence in wrong:
        sys.stdout.write(f"NOT OFFERED {sentence}\n")
    sys.stdout.write(f"{count} fills, {len(wrong)} not offered\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
