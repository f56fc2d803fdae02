"""Which prices and sizes the venue has; the oracle is the sheet, section 3, and the venue's SDK."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.hyperliquid.rules import OffWire, is_price, is_size, slipped, tick_at, wire
from engine.model.orders import Side

PRICES = [
    # price, size decimals, is one
    ("60000", 5, True),
    ("60000.5", 5, False),
    ("123456", 5, True),
    ("123456.0", 5, True),
    ("0.0012345", 0, False),
    ("0.001234", 0, True),
    ("2600.1", 4, True),
    ("2600.12", 4, False),
    ("0.01234", 1, True),
    ("0.012345", 1, False),
    ("1234.5", 5, True),
    ("123.45", 5, False),
    ("0", 5, False),
    ("-1", 5, False),
    ("NaN", 5, False),
    ("Infinity", 5, False),
    ("1E+5", 5, True),
]


@pytest.mark.parametrize(("price", "decimals", "expected"), PRICES)
def test_price(price: str, decimals: int, expected: bool) -> None:
    """Five figures and 6 less the size's decimals, or whole."""
    assert expected is is_price(Decimal(price), decimals)


TICKS = [
    ("60000", 5, "1"),
    ("105000", 5, "1"),
    ("9999.9", 2, "0.1"),
    ("2600", 4, "0.1"),
    ("150", 2, "0.01"),
    ("0.18", 0, "0.00001"),
    ("0.00001234", 0, "0.000001"),
    ("12.5", 5, "0.1"),
]


@pytest.mark.parametrize(("price", "decimals", "expected"), TICKS)
def test_tick(price: str, decimals: int, expected: str) -> None:
    """The distance to the next price."""
    assert Decimal(expected) == tick_at(Decimal(price), decimals)


@given(
    st.decimals("0.000001", "999999", places=6),
    st.integers(0, 5),
    st.sampled_from(Side),
    st.decimals("0", "500", places=0),
)
def test_a_market_order_stays_within_its_slippage(
    price: Decimal, decimals: int, side: Side, bps: Decimal
) -> None:
    """And its worst price is one of the venue's, or nothing."""
    worst = slipped(price, side, bps, decimals)

    bound = price * (1 + side.sign * bps / 10_000)
    assert worst <= bound if side is Side.BUY else worst >= bound
    assert not worst or is_price(worst, decimals)


@given(st.decimals("0.000001", "999999", places=6), st.integers(0, 5))
def test_a_tick_is_the_grid_of_its_decade(price: Decimal, decimals: int) -> None:
    """Prices one tick apart are prices, and what lies between is none."""
    tick = tick_at(price, decimals)
    on = (price / tick).to_integral_value() * tick

    assert not on or is_price(on, decimals)
    if price.adjusted() == (on + tick / 10).adjusted():
        assert not is_price(on + tick / 10, decimals)


@pytest.mark.parametrize(
    ("qty", "decimals", "expected"),
    [
        ("0.001", 5, True),
        ("0.000001", 5, False),
        ("3", 0, True),
        ("0.5", 0, False),
        ("0", 5, False),
    ],
)
def test_size(qty: str, decimals: int, expected: bool) -> None:
    """At most its decimals."""
    assert expected is is_size(Decimal(qty), decimals)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("60000", "60000"),
        ("6E+4", "60000"),
        ("0.00100", "0.001"),
        ("1E-8", "0.00000001"),
        ("0", "0"),
    ],
)
def test_wire(number: str, expected: str) -> None:
    """No exponent, no zeros behind."""
    assert expected == wire(Decimal(number))


@pytest.mark.parametrize("number", ["0.000000001", "NaN", "Infinity"])
def test_what_has_no_words(number: str) -> None:
    """Is never rounded to something that has."""
    with pytest.raises(OffWire):
        wire(Decimal(number))
