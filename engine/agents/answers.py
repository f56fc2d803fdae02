"""What an agent answered, before anything believes it (reliability.md F1).

Types are not enforced where an agent runs, so a plugin may return anything. Here an answer is
either a tuple of well-formed intents or a `BadAnswer`, for which the kernel quarantines the agent.
Rule: a detail names types and fields, never repeats what the agent wrote.
"""

from collections.abc import Coroutine
from decimal import Decimal
from math import isfinite
from typing import Final

from engine.agents.contract import NOTHING
from engine.model.errors import LaptopAgentsError
from engine.model.money import ZERO
from engine.model.orders import (
    REQUIRED_NUMBER,
    CancelIntent,
    Intent,
    OrderIntent,
    OrderType,
    Side,
    TimeInForce,
)

ANSWER_MAX: Final = 32
"""Intents in one answer: a ladder of 15 levels a side and two cancels; more is a runaway loop."""
SLOT_MAX: Final = 32
"""Characters of a slot's name, which stands in journal lines and on screens."""
REASON_MAX: Final = 300
"""Characters of a reason, for the same cause."""


class BadAnswer(LaptopAgentsError):
    """An agent returned what no agent may return."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


def checked(answer: object, agent: str, symbol: str) -> tuple[Intent, ...]:
    """Return the answer as a tuple of intents of this agent on this symbol, ids rising.

    Raises:
        BadAnswer: It is anything else.

    """
    if answer is NOTHING:
        return ()
    if type(answer) is list:
        answer = tuple(answer)
    if type(answer) is not tuple:
        raise _unwanted(answer)
    if len(answer) > ANSWER_MAX:
        raise BadAnswer(f"{len(answer)} intents in one answer, at most {ANSWER_MAX}")
    last, head = 0, f"{agent}-"
    for intent in answer:
        _check(intent, agent, symbol)
        last = _check_id(intent.intent_id, head, last)
    return answer


def sequence_of(intent_id: str) -> int:
    """Return the number in `<agent>-<number>`."""
    return int(intent_id.rpartition("-")[2])


def _unwanted(answer: object) -> BadAnswer:
    if isinstance(answer, Coroutine):
        answer.close()  # it never ran, and must not warn that nobody awaited it
        return BadAnswer("a coroutine; an agent answers at once")
    return BadAnswer(f"a {type(answer).__name__}, not a list or tuple")


def _check(intent: object, agent: str, symbol: str) -> None:
    if type(intent) is OrderIntent:
        _check_order(intent)
    elif type(intent) is not CancelIntent:
        raise BadAnswer(f"a {type(intent).__name__}, not an intent")
    if intent.agent != agent:
        raise BadAnswer("an intent in the name of another agent")
    if intent.symbol != symbol:
        raise BadAnswer("an intent for another symbol")
    slot, reason = intent.slot, intent.reason
    if type(slot) is not str or not 0 < len(slot) <= SLOT_MAX or not slot.isprintable():
        raise _bad_text("slot", slot, SLOT_MAX)
    if type(reason) is not str or len(reason) > REASON_MAX or not reason.isprintable():
        raise _bad_text("reason", reason, REASON_MAX)


def _check_id(intent_id: object, head: str, last: int) -> int:
    """Return the sequence number, which must rise from intent to intent."""
    if type(intent_id) is not str or not intent_id.startswith(head):
        raise BadAnswer("intent_id: not of this agent")
    digits = intent_id[len(head) :]
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
        raise BadAnswer("intent_id: no number")
    number = int(digits)
    if number <= last:
        raise BadAnswer("intent_id: not rising")
    return number


def _bad_text(field: str, text: object, most: int) -> BadAnswer:
    if type(text) is not str:
        return BadAnswer(f"{field}: a {type(text).__name__}")
    if 0 < len(text) <= most:
        return BadAnswer(f"{field}: not printable on one line")
    return BadAnswer(f"{field}: longer than {most}" if text else f"{field}: empty")


def _check_order(intent: OrderIntent) -> None:
    kind = intent.type
    if type(intent.side) is not Side or type(kind) is not OrderType:
        raise BadAnswer("side or type: unknown")
    if type(intent.tif) is not TimeInForce:
        raise BadAnswer("tif: unknown")
    if type(intent.post_only) is not bool or type(intent.reduce_only) is not bool:
        raise BadAnswer("post_only or reduce_only: not a bool")
    _check_positive("qty", intent.qty)
    # What its type does not use may still be read by somebody: nothing, or a sound number.
    required = REQUIRED_NUMBER.get(kind)
    if intent.price is not None or required == "price":
        _check_positive("price", intent.price)
    if intent.trigger_price is not None or required == "trigger_price":
        _check_positive("trigger_price", intent.trigger_price)
    if intent.trail_bps is not None or required == "trail_bps":
        _check_positive("trail_bps", intent.trail_bps)
    confidence = intent.confidence
    if type(confidence) not in (float, int) or not isfinite(confidence) or not 0 <= confidence <= 1:
        raise BadAnswer("confidence: not between 0 and 1")


def _check_positive(field: str, number: object) -> None:
    if type(number) is not Decimal:
        raise BadAnswer(f"{field}: a {type(number).__name__}, not a Decimal")
    if not number.is_finite() or number <= ZERO:
        raise BadAnswer(f"{field}: not a positive number")
