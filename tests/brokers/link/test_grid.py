"""Decimal strings to steps: the oracle is `decimal`, which the code under test does not use."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.link.grid import NUMBER_CHARS_MAX, REMEMBERED_MAX, Refused, Steps

STEPS = [
    Decimal(text) for text in ("0.1", "0.01", "0.00001", "0.5", "0.25", "1", "5", "10", "1E+2")
]

EXACT = [
    # text,       step,    count
    ("61800.20", "0.1", 618002),
    ("61800.2", "0.1", 618002),
    ("61800", "0.1", 618000),
    ("0.000", "0.001", 0),
    ("0.00001", "0.00001", 1),
    ("00012.50", "0.5", 25),
    ("2.75", "0.25", 11),
    ("1200", "1E+2", 12),
]


@pytest.mark.parametrize(("text", "step", "count"), EXACT)
def test_exact(text: str, step: str, count: int) -> None:
    """Trailing and leading zeros, and steps that are no power of ten, convert exactly."""
    assert count == Steps(Decimal(step), least=0)[text]


REFUSED = [
    # text,                flaw
    ("NaN", "nan"),
    ("-nan", "nan"),
    ("sNaN", "nan"),
    ("Infinity", "nan"),
    ("-inf", "nan"),
    ("1e999", "malformed"),
    ("1e5", "malformed"),
    ("", "malformed"),
    (".", "malformed"),
    (".5", "malformed"),
    ("5.", "malformed"),
    ("1.2.3", "malformed"),
    ("+1", "malformed"),
    (" 1", "malformed"),
    ("1_000", "malformed"),
    ("0x10", "malformed"),
    ("١٢", "malformed"),
    ("²", "malformed"),
    ("--1", "malformed"),
    ("9" * 17, "malformed"),
    ("1" * (NUMBER_CHARS_MAX + 1), "malformed"),
    ("0." + "0" * 5_000, "malformed"),
    ("-1", "non_positive"),
    ("-0.5", "non_positive"),
    ("0", "non_positive"),
    ("0.00", "non_positive"),
    ("61800.25", "off_grid"),
    ("0.01", "off_grid"),
]


@pytest.mark.parametrize(("text", "flaw"), REFUSED)
def test_refused(text: str, flaw: str) -> None:
    """Each kind of nonsense has its flaw, a short detail, and is not remembered."""
    steps = Steps(Decimal("0.1"), least=1)

    with pytest.raises(Refused) as caught:
        _ = steps[text]
    assert flaw == caught.value.flaw
    assert text not in steps


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=6), st.sampled_from(STEPS))
def test_agrees_with_decimal(number: Decimal, step: Decimal) -> None:
    """Any plain decimal converts to its exact quotient, and is refused exactly off the grid."""
    text = f"{number:f}"
    steps = Steps(step, least=0)
    count, rest = divmod(number, step)

    if rest:
        with pytest.raises(Refused, match=r"decimals|between two steps"):
            _ = steps[text]
    else:
        assert int(count) == steps[text]


@settings(deadline=None)
@given(st.text(max_size=60))
def test_text_converts_or_is_refused(text: str) -> None:
    """No text raises anything but `Refused`, and what converts is what Decimal reads."""
    step = Decimal("0.01")
    try:
        count = Steps(step, least=0)[text]
    except Refused:
        return
    assert Decimal(text) == count * step


def test_memory_is_bounded() -> None:
    """A feed of ever new numbers can't fill the memory."""
    steps = Steps(Decimal(1), least=0)
    for number in range(REMEMBERED_MAX + 10):
        _ = steps[str(number)]

    assert len(steps) <= REMEMBERED_MAX
