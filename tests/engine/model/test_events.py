"""Every input and record has one name on disk, and survives the way there and back."""

import typing
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.model.events import (
    DELIBERATIONS,
    INPUT_TYPES,
    JOURNAL_TYPES,
    RECORD_TYPES,
    Input,
    Operator,
    journal_type,
)
from engine.model.orders import OrderState, OrderType, Side, TimeInForce
from engine.model.records import OrderChanged, Record

SAMPLES: dict[Any, Any] = {
    int: 1_700_000_000_123_456_789,
    str: 'é "x"\n',
    bool: True,
    float: 0.1,
    Decimal: Decimal("1.500"),
    tuple: (),
}


def sample(cls: type) -> Any:
    """Build one with a value in every field."""
    return cls(**{name: _value(kind) for name, kind in typing.get_type_hints(cls).items()})


def _value(kind: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return arguments[0]
    if origin is tuple:
        return (
            (_value(arguments[0]),) if arguments[-1] is Ellipsis else tuple(map(_value, arguments))
        )
    if arguments:
        return _value(arguments[0])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return sample(kind)
    return SAMPLES[kind] if kind in SAMPLES else next(iter(kind))


STATISTICS = {
    ("OrderIntent", "confidence"), ("RoundTrip", "duration_s"),
    ("HealthChanged", "limit"), ("HealthChanged", "reading"),
}  # fmt: skip
"""Where a binary float may stand."""

ALL = sorted({*INPUT_TYPES.values(), *RECORD_TYPES.values()}, key=lambda cls: cls.__name__)


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_there_and_back(cls: type) -> None:
    """Encoded and decoded it is equal, and encodes to the same bytes."""
    one = sample(cls)
    raw = msgspec.json.encode(one)
    two = msgspec.json.decode(raw, type=cls)

    assert one == two
    assert raw == msgspec.json.encode(two)


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_time_comes_first(cls: type) -> None:
    """The journal's line takes `ts` from there."""
    assert "ts_ns" == cls.__struct_fields__[0]
    assert msgspec.json.encode(sample(cls)).startswith(b'{"ts_ns":1700000000123456789')


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_money_is_written_as_text(cls: type) -> None:
    """interface.md: decimal strings; binary floats only in features and statistics."""
    one = sample(cls)
    read = msgspec.json.decode(msgspec.json.encode(one))
    for name, kind in typing.get_type_hints(cls).items():
        if kind in (Decimal, Decimal | None):
            assert "1.500" == read[name], name
        if kind is float:
            assert (cls.__name__, name) in STATISTICS


def test_every_member_of_the_families_has_a_name() -> None:
    """A new input or record fails here until it is named."""
    inputs = {cls for part in typing.get_args(Input) for cls in _flat(part)}
    records = set(typing.get_args(Record))

    assert inputs == set(INPUT_TYPES.values())
    assert records == set(RECORD_TYPES.values())
    assert not set(INPUT_TYPES) & set(RECORD_TYPES)


def _flat(part: Any) -> tuple[Any, ...]:
    return typing.get_args(part) or (part,)


def test_names_lead_back_to_their_class() -> None:
    """The two tables are inverse, but for orders, which are named by state."""
    for cls, name in JOURNAL_TYPES.items():
        assert (INPUT_TYPES | RECORD_TYPES)[name] is cls
    assert OrderChanged not in JOURNAL_TYPES


@pytest.mark.parametrize("state", [s for s in OrderState if s is not OrderState.SUBMITTED])
def test_orders_are_named_by_state(state: OrderState) -> None:
    """And each of those names is in the table of records."""
    record = OrderChanged(1, "a-1", "BTC", state, Decimal(0), Decimal(1), None)

    assert f"order_{state.value.lower()}" == journal_type(record)
    assert RECORD_TYPES[journal_type(record)] is OrderChanged


def test_deliberations_are_records() -> None:
    """What a thin journal leaves out are decisions about why, never about what."""
    assert set(RECORD_TYPES.values()) >= DELIBERATIONS
    kept = {RECORD_TYPES[n] for n in ("fill", "position", "round_trip", "fsm_transition", "error")}
    assert not kept & DELIBERATIONS


@pytest.mark.parametrize("words", [Side, OrderType, TimeInForce, OrderState, Operator])
def test_words_hash_as_the_text_they_are(words: Any) -> None:
    """So that tables keyed by either find them."""
    for word in words:
        assert hash(word) == hash(word.value)
        assert {word.value: 1}[word] == 1


def test_sides() -> None:
    """Signs and opposites."""
    assert [(1, Side.SELL), (-1, Side.BUY)] == [(s.sign, s.opposite) for s in (Side.BUY, Side.SELL)]
