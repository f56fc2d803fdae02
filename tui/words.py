"""What became of a command, in words with times. Pure; outside text is sanitised here."""

from collections.abc import Iterable
from typing import Final

from engine.model.events import Operator
from engine.session.control.words import Outcome, Ruling
from tui import format as fmt
from tui.link import Answer

NAMES: Final = {
    Operator.PAUSE: "PAUSE",
    Operator.RESUME: "RESUME",
    Operator.REDUCE_ONLY: "REDUCE-ONLY",
    Operator.FLATTEN: "FLATTEN",
    Operator.STOP: "CLOSE",
    Operator.KILL: "KILL",
    Operator.RESET: "RESET",
    Operator.PAUSE_AGENT: "PAUSE AGENT",
    Operator.RESUME_AGENT: "RESUME AGENT",
    Operator.WEIGH_AGENT: "WEIGH AGENT",
    Operator.PLACE_ORDER: "ORDER",
    Operator.AMEND_ORDER: "AMEND",
    Operator.CANCEL_ORDER: "CANCEL",
    Operator.CANCEL_SYMBOL: "CANCEL ALL OF",
    Operator.CANCEL_ALL: "CANCEL ALL",
    Operator.FLATTEN_SYMBOL: "FLATTEN",
    Operator.TAKE_CONTROLS: "CONTROLS",
}
RULINGS: Final = {
    Ruling.DONE: "done in",
    Ruling.UNCHANGED: "it was so already,",
    Ruling.REFUSED: "REFUSED after",
    Ruling.UNCONFIRMED: "UNCONFIRMED after",
}
DETAIL_MAX: Final = 120
ARGUMENT_SHOWN: Final = 40
TOLD_WHOLE: Final = frozenset(NAMES) - {Operator.RESET}
"""Commands whose argument says what they are about."""


def sent(command: Operator, at_ns: int, argument: str = "") -> str:
    """Return what is said while nobody has answered."""
    what = f" {fmt.text(argument, ARGUMENT_SHOWN)}" if argument and command in TOLD_WHOLE else ""
    return f"{NAMES[command]}{what}: sent {fmt.clock_ms(at_ns)}"


def told(answer: Answer, at_ns: int) -> str:
    """Return what is said once somebody has, or nobody will."""
    head = sent(answer.command, at_ns, answer.argument)
    if answer.outcome is None:
        return f"{head}, UNCONFIRMED: {fmt.text(answer.trouble, DETAIL_MAX)}"
    return f"{head}, {', '.join(_facts(answer.outcome))}"


def awake(slept_s: float) -> str:
    """Return what is said after the machine has slept; that is a gap, not a quiet market."""
    return f"this machine slept for {fmt.age(slept_s)}: no price of that time was seen"


def is_open(answer: Answer) -> bool:
    """Say whether a person must still find out what happened."""
    return answer.outcome is None or answer.outcome.ruling is Ruling.UNCONFIRMED


def is_bad(answer: Answer) -> bool:
    """Say whether it is not as asked."""
    return is_open(answer) or (
        answer.outcome is not None and answer.outcome.ruling is Ruling.REFUSED
    )


def _facts(outcome: Outcome) -> Iterable[str]:
    yield f"{RULINGS[outcome.ruling]} {_took(outcome.seconds)}"
    if outcome.detail:
        yield fmt.text(outcome.detail, DETAIL_MAX)
    if outcome.ruling is Ruling.REFUSED:
        return
    if outcome.orders_canceled:
        yield f"{outcome.orders_canceled} canceled"
    if outcome.fills:
        yield f"{outcome.fills} fills"
    yield f"{outcome.open_orders} open"
    held = (f"{fmt.text(symbol, 12)} {qty:+f}" for symbol, qty in outcome.positions.items())
    yield " ".join(held) or "flat"
    yield outcome.state


def _took(seconds: float) -> str:
    return f"{seconds * 1_000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
