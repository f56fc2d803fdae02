"""The program, with a mark at each stage between a frame and its order's bytes; for `live.py`.

    python -m benchmarks.marked_session FILE WORD...

WORDs are the program's own. FILE gets a JSON line for each order: nanoseconds from the instant at
which the loop was handed the frame's bytes to each stage, by the clock and by the processor time of
the loop's thread, which a crowded machine does not stretch. Marks ride in a context variable, so
what an order was caused by is known, not guessed, also where others happen in between.
"""

import functools
import json
import sys
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from time import perf_counter_ns, thread_time_ns
from typing import Any, Final

from brokers.binance.account import BinanceAccount
from brokers.link.broker import LiveBroker
from brokers.link.connection import Connection
from brokers.link.feed import MarketFeed
from brokers.link.reader import Reader
from brokers.link.rest import Rest
from engine.model.market import Quote
from engine.session.commits import Commits
from engine.session.turn import Turn
from laptop_agents.__main__ import main

Marks = tuple[tuple[str, int, int], ...]
ORDERS: Final = (b"POST /fapi/v1/order", b"PUT /fapi/v1/order")
_marks: ContextVar[Marks] = ContextVar("marks", default=())
_waiting: dict[int, Marks] = {}
"""What an event has behind it while it waits for its turn, by its identity."""
_told: list[Marks] = []
_arrived = [(0, 0)]


def _now() -> tuple[int, int]:
    return perf_counter_ns(), thread_time_ns()


def _mark(stage: str) -> None:
    if marks := _marks.get():
        _marks.set((*marks, (stage, *_now())))


def _around(owner: type, name: str, before: Callable[..., None]) -> None:
    """Have `before` called first, with the same arguments."""
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def marked(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever is wrapped
        before(*args)
        return inner(*args, **kwargs)

    setattr(owner, name, marked)


def _stage(owner: type, name: str, stage: str) -> None:
    _around(owner, name, lambda *_: _mark(stage))


def _frame_came(*_: object) -> None:
    _arrived[0] = _now()


def _event_waits(_: object, event: object) -> None:
    if isinstance(event, Quote):
        _waiting[id(event)] = (("frame", *_arrived[0]), ("read", *_now()))


def _turn_begins(_: object, event: object) -> None:
    _marks.set(_waiting.pop(id(event), ()))
    _mark("turn")


def _other_turn(*_: object) -> None:
    _marks.set(())


def _bytes_left(_: object, sent: bytes) -> None:
    """Count an order's bytes; called just before the socket is."""
    if sent.startswith(ORDERS) and (marks := _marks.get()):
        _told.append((*marks, ("written", *_now())))


def wire() -> None:
    """Put every mark in its place."""
    _around(Reader, "data_received", _frame_came)
    _around(MarketFeed, "_put", _event_waits)
    _around(Turn, "market", _turn_begins)
    _around(Turn, "input", _other_turn)
    _around(Turn, "deliver", _other_turn)
    _stage(Turn, "_send", "decided")
    for name in ("hurry", "_refusal"):
        _stage(Commits, name, "waits")
    _stage(Turn, "release", "durable")
    _stage(LiveBroker, "submit", "submitted")
    for name in ("place", "amend"):
        _stage(BinanceAccount, name, "errand")
    _stage(Rest, "ask", "signed")
    _around(Connection, "ask", _bytes_left)


def told() -> list[str]:
    """Return a JSON line for each order: by stage, nanoseconds of time and of processor time."""
    lines = []
    for marks in _told:
        _, frame_ns, frame_cpu_ns = marks[0]
        since = {name: (ns - frame_ns, cpu_ns - frame_cpu_ns) for name, ns, cpu_ns in marks}
        lines.append(json.dumps(since))
    return lines


if __name__ == "__main__":
    wire()
    code = main(sys.argv[2:])
    Path(sys.argv[1]).write_text("\n".join(told()))
    raise SystemExit(code)
