"""Every kind of nonsense an agent may return, and what it is told."""

import gc
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.agents.answers import ANSWER_MAX, REASON_MAX, SLOT_MAX, BadAnswer, checked
from engine.agents.contract import NOTHING
from engine.model.orders import CancelIntent, OrderIntent, OrderType
from tests.engine.agents.build import SYMBOL, D, order_intent

A = "a"
CANCEL = CancelIntent(1, "a-1", A, SYMBOL, "bid")


async def answer_later() -> tuple:
    return ()


class Sly(OrderIntent, frozen=True):
    """A subclass could answer differently at every look."""


def numbered(*numbers: int) -> list:
    return [order_intent(number=number) for number in numbers]


@pytest.mark.parametrize("answer", [NOTHING, (), []])
def test_nothing(answer: object) -> None:
    """No wish is the usual answer."""
    assert checked(answer, A, SYMBOL) == ()


GOOD = [
    {},
    {"type": OrderType.LIMIT, "price": D("1.5")},
    {"type": OrderType.STOP, "trigger_price": D(1)},
    {"type": OrderType.TAKE_PROFIT, "trigger_price": D(1)},
    {"type": OrderType.TRAILING, "trail_bps": D(5)},
    {"type": OrderType.TRAILING, "trail_bps": D(5), "trigger_price": D(1)},
    {"confidence": 0.0},
    {"confidence": 1},
    {"slot": "s" * SLOT_MAX, "reason": "r" * REASON_MAX},
]


@pytest.mark.parametrize("fields", GOOD)
def test_sound_intents_pass_as_they_are(fields: dict) -> None:
    """A list or tuple comes back as a tuple of the very same intents."""
    intent = order_intent(**fields)

    assert (intent,) == checked([intent], A, SYMBOL) == checked((intent,), A, SYMBOL)
    assert checked([intent], A, SYMBOL)[0] is intent


def test_cancels_pass() -> None:
    """A cancel has fewer fields and the same rules."""
    intents = [CANCEL, *numbered(2, 10)]

    assert tuple(intents) == checked(intents, A, SYMBOL)


def test_a_full_answer_passes() -> None:
    """The limit itself is allowed."""
    assert len(checked(numbered(*range(1, ANSWER_MAX + 1)), A, SYMBOL)) == ANSWER_MAX


SHAPES = [
    (None, "NoneType, not a list"),
    (0, "int, not a list"),
    ("buy", "str, not a list"),
    ({"a": 1}, "dict, not a list"),
    (order_intent(), "OrderIntent, not a list"),
    (iter(numbered(1)), "not a list or tuple"),
    ([None], "NoneType, not an intent"),
    ([numbered(1)], "list, not an intent"),
    (["a-1"], "str, not an intent"),
    ([Sly(1, "a-1", A, SYMBOL, "s", order_intent().side, D(1))], "Sly, not an intent"),
    (numbered(*range(1, ANSWER_MAX + 2)), "at most 32"),
    (numbered(2, 1), "not rising"),
    (numbered(1, 1), "not rising"),
    (numbered(0), "not rising"),
    ([CANCEL, CANCEL], "not rising"),
]


@pytest.mark.parametrize(("answer", "detail"), SHAPES)
def test_nonsense_shapes(answer: object, detail: str) -> None:
    """What is no short sequence of intents with rising numbers is refused."""
    with pytest.raises(BadAnswer, match=detail):
        checked(answer, A, SYMBOL)


FIELDS = [
    ({"agent": "b"}, "another agent"),
    ({"agent": None}, "another agent"),
    ({"symbol": "ETH-USDT"}, "another symbol"),
    ({"intent_id": "b-1"}, "not of this agent"),
    ({"intent_id": 1}, "not of this agent"),
    ({"intent_id": "a1"}, "not of this agent"),
    ({"intent_id": "a-"}, "no number"),
    ({"intent_id": "a--1"}, "no number"),
    ({"intent_id": "a-1.0"}, "no number"),
    ({"intent_id": "a-²"}, "no number"),
    ({"intent_id": "a-٣"}, "no number"),
    ({"intent_id": f"a-{10**20}"}, "no number"),
    ({"slot": ""}, "slot: empty"),
    ({"slot": None}, "slot: a NoneType"),
    ({"slot": "s" * (SLOT_MAX + 1)}, "slot: longer"),
    ({"reason": b"why"}, "reason: a bytes"),
    ({"reason": "r" * (REASON_MAX + 1)}, "reason: longer"),
    ({"reason": "two\nlines"}, "reason: not printable"),
    ({"reason": "\x1b]0;x\x07"}, "reason: not printable"),
    ({"reason": "\ud800"}, "reason: not printable"),
    ({"slot": "\u202e"}, "slot: not printable"),
    ({"side": "BUY"}, "side or type"),
    ({"type": "MARKET"}, "side or type"),
    ({"tif": "IOC"}, "tif"),
    ({"post_only": 1}, "not a bool"),
    ({"reduce_only": None}, "not a bool"),
    ({"qty": D(0)}, "qty: not a positive"),
    ({"qty": D(-1)}, "qty: not a positive"),
    ({"qty": D("NaN")}, "qty: not a positive"),
    ({"qty": D("sNaN")}, "qty: not a positive"),
    ({"qty": D("Infinity")}, "qty: not a positive"),
    ({"qty": 1.5}, "qty: a float"),
    ({"qty": 1}, "qty: a int"),
    ({"qty": None}, "qty: a NoneType"),
    ({"type": OrderType.LIMIT}, "price: a NoneType"),
    ({"type": OrderType.LIMIT, "price": D("NaN")}, "price: not a positive"),
    ({"type": OrderType.LIMIT, "price": 1.5}, "price: a float"),
    ({"type": OrderType.LIMIT, "price": D(0)}, "price: not a positive"),
    ({"type": OrderType.STOP}, "trigger_price: a NoneType"),
    ({"type": OrderType.TAKE_PROFIT, "trigger_price": D(-1)}, "trigger_price: not a positive"),
    ({"type": OrderType.TRAILING}, "trail_bps: a NoneType"),
    ({"price": D("NaN")}, "price: not a positive"),
    ({"confidence": float("nan")}, "confidence"),
    ({"confidence": 1.1}, "confidence"),
    ({"confidence": -0.1}, "confidence"),
    ({"confidence": "1"}, "confidence"),
]


@pytest.mark.parametrize(("fields", "detail"), FIELDS)
def test_nonsense_fields(fields: dict, detail: str) -> None:
    """Each field is what it says it is, and nothing later has to look again."""
    with pytest.raises(BadAnswer, match=detail) as caught:
        checked([order_intent(**fields)], A, SYMBOL)

    assert caught.value.detail == str(caught.value)


def test_cancels_are_checked_too() -> None:
    """A cancel in another's name is no cancel."""
    with pytest.raises(BadAnswer, match="another agent"):
        checked([CancelIntent(1, "b-1", "b", SYMBOL, "bid")], A, SYMBOL)


def test_a_coroutine_is_refused_and_closed() -> None:
    """An async agent is told so, and leaves no warning behind."""
    with pytest.raises(BadAnswer, match="coroutine"):
        checked(answer_later(), A, SYMBOL)
    gc.collect()


def test_details_repeat_nothing_hostile() -> None:
    """What an agent wrote does not reach the log through the refusal."""
    with pytest.raises(BadAnswer) as caught:
        checked([order_intent(agent="\x1b]0;x\x07")], A, SYMBOL)

    assert str(caught.value).isprintable()


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(), inner)
    ),
    max_leaves=5,
)


@given(JUNK, st.sampled_from(OrderIntent.__struct_fields__))
def test_only_bad_answer_is_ever_raised(junk: object, field: str) -> None:
    """Whatever comes, alone or in a field of an intent, the refusal is the one error."""
    for answer in (junk, [junk], [msgspec.structs.replace(order_intent(), **{field: junk})]):
        try:
            intents = checked(answer, A, SYMBOL)
        except BadAnswer:
            continue
        for intent in intents:
            assert type(intent.qty) is Decimal
            assert intent.qty > 0
