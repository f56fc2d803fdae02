"""The drills: what goes wrong in each, and what must hold afterwards.

Each act does one thing to a session that trades, and returns what it found; what every one must end
with - nothing working, nothing held, ledger equal to journal - is judged by `drill_proof`.
"""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from laptop_agents.drill_stage import Stage


class Finding(NamedTuple):
    """One thing that was looked at."""

    holds: bool
    text: str


class Drill(NamedTuple):
    """One line of the list."""

    what: str
    act: Callable[[Stage], Iterator[Finding]]
    codes: tuple[int, ...] = (0,)
    """How the session's process must end."""
    minutes: str = "0.5"
    """How long the session is to run, unless it is ended before."""
    lacking: Mapping[str, str] = {}
    """Venues it can't be done at, and why."""


PLACED_AT: Final = {
    "binance": "/fapi/v1/order",
    "bitunix": "/api/v1/futures/trade/place_order",
    "hyperliquid": "/exchange",
}
SOON_S: Final = 15.0
LATER_S: Final = 40.0
"""Where a venue wants peace first."""
TOLD: Final = (
    "order_accepted",
    "order_unknown",
    "order_partially_filled",
    "order_filled",
    "order_canceled",
    "order_rejected",
    "order_expired",
)
"""Lines that say what became of an order that was sent."""
NO_SWITCH: Final = {"bitunix": "it has no dead-man switch: while nothing runs here, orders stay"}


def _of(line: Mapping[str, Any]) -> str:
    return str(line["data"]["order_id"])


def _more_trades(stage: Stage, after: str, within_s: float = SOON_S) -> Finding:
    """Wait for trades after a fault: the session has got over it."""
    before = len(stage.seen("fill"))
    took_s = stage.until(
        lambda: len(stage.seen("fill")) > before, within_s, f"trades after {after}"
    )
    return Finding(True, f"traded again {took_s:.2f} s after {after}")


def _kill_switch(stage: Stage) -> Iterator[Finding]:
    (stage.home / "kill.txt").touch()
    began_s = time.monotonic()
    stage.end()
    took_s = time.monotonic() - began_s
    yield Finding(took_s < 5, f"ended {took_s:.2f} s after the kill file appeared (at most 5)")


def _crash_resume(stage: Stage) -> Iterator[Finding]:
    stage.send(signal.SIGKILL)
    code = stage.end()
    yield Finding(code == -signal.SIGKILL, "killed without a word, SIGKILL")
    stage.resume()
    took_s = stage.until(lambda: stage.seen("session_resumed"), 2 * SOON_S, "the resume")
    yield Finding(True, f"resumed after {took_s:.2f} s")
    yield _more_trades(stage, "the resume")


def _lost_ack(stage: Stage) -> Iterator[Finding]:
    before = len(stage.seen("order_submitted"))
    stage.strike("accept_then_timeout", times=1, path=PLACED_AT[stage.venue], method="POST")
    stage.until(lambda: not stage.waiting(), SOON_S, "a request that is not answered")
    sent = {_of(line) for line in stage.seen("order_submitted")[before:]}

    def told() -> bool:
        return sent <= {_of(line) for line in stage.seen(*TOLD)}

    took_s = stage.until(told, SOON_S, "word of every order")
    became = {line["data"]["state"] for line in stage.seen(*TOLD) if _of(line) in sent}
    text = f"what became of every order was known after {took_s:.2f} s: {', '.join(sorted(became))}"
    yield Finding(True, text)
    yield _more_trades(stage, "the lost answer")
    names = [line["client_id"] for line in stage.told("new")]
    twice = len(names) - len(set(names))
    yield Finding(not twice, f"{len(names)} orders at the venue, {twice} of them sent twice")


def _cut_streams(stage: Stage) -> Iterator[Finding]:
    stage.strike("kill_streams")
    took_s = stage.until(lambda: stage.seen("venue_status"), SOON_S, "notice of the cut")
    yield Finding(True, f"the cut was noticed after {took_s:.2f} s")
    yield _more_trades(stage, "the cut")


def _refused(stage: Stage, fault: str, times: int, *kinds: str) -> Iterator[Finding]:
    before = len(stage.seen(*kinds))
    stage.strike(fault, times=times, path=PLACED_AT[stage.venue], method="POST")
    took_s = stage.until(lambda: len(stage.seen(*kinds)) > before, SOON_S, f"an effect of {fault}")
    yield Finding(True, f"{fault} was felt after {took_s:.2f} s: {stage.seen(*kinds)[-1]['type']}")
    yield _more_trades(stage, fault, LATER_S)


def _rate_limit(stage: Stage) -> Iterator[Finding]:
    yield from _refused(stage, "rate_limit", 1, "venue_rejected")
    reasons = {line["data"]["reason"] for line in stage.seen("venue_rejected")}
    yield Finding("rate_limit" in reasons, f"refused for {', '.join(sorted(reasons))}")


def _venue_down(stage: Stage) -> Iterator[Finding]:
    yield from _refused(stage, "drop", 3, "venue_unknown", "venue_rejected")


def _dead_man(stage: Stage) -> Iterator[Finding]:
    stage.until(lambda: working(stage), SOON_S, "a working order")
    meant = working(stage)
    stage.strike("dead_man")

    def taken_out() -> bool:
        return bool(meant & {line["order_id"] for line in stage.told("canceled")})

    took_s = stage.until(taken_out, SOON_S, "the switch")
    yield Finding(True, f"the venue took orders out {took_s:.2f} s after the switch fired")
    yield _more_trades(stage, "the switch")


def _sentinel(stage: Stage) -> Iterator[Finding]:
    stage.send(signal.SIGSTOP)
    (stage.home / "kill.txt").touch()
    began_s = time.monotonic()
    stage.end()
    took_s = time.monotonic() - began_s
    yield Finding(took_s < SOON_S, f"a frozen engine was killed by its sentinel, {took_s:.2f} s")
    until_s = time.monotonic() + SOON_S
    while (working(stage) or not (stage.run / "final_report.json").exists()) and (
        time.monotonic() < until_s
    ):
        time.sleep(0.05)
    took_s = time.monotonic() - began_s
    yield Finding(not working(stage), f"nothing works at the venue after {took_s:.2f} s")


def working(stage: Stage) -> set[str]:
    """Return the orders that work at the venue, by its own word."""
    states = {line["order_id"]: line["state"] for line in stage.told(*KINDS)}
    return {order_id for order_id, state in states.items() if state in OPEN}


KINDS: Final = ("new", "amended", "triggered", "fill", "canceled", "expired", "rejected")
OPEN: Final = ("new", "partially_filled")

DRILLS: Final[Mapping[str, Drill]] = {
    "kill-switch": Drill("a kill file: canceled and closed at once", _kill_switch, (4,)),
    "crash-resume": Drill("kill -9, then --resume", _crash_resume),
    "lost-ack": Drill("an order is taken and never answered", _lost_ack),
    "cut-streams": Drill("every stream is cut", _cut_streams),
    "rate-limit": Drill("too many requests: refused", _rate_limit, minutes="1"),
    "venue-down": Drill("connections break before anything is done", _venue_down),
    "dead-man": Drill("the venue's dead-man switch fires", _dead_man, lacking=NO_SWITCH),
    "sentinel": Drill(
        "the engine freezes, and the kill file appears",
        _sentinel,
        (-signal.SIGKILL,),
    ),
}
