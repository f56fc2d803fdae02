"""The only edge between integers and decimals: exact both ways, or refused."""

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.errors import OffGrid
from engine.model.instrument import Instrument

D = Decimal
STEPS = st.sampled_from(["0.00000001", "0.001", "0.05", "0.1", "0.25", "1", "2.5", "10", "1E+2"])


def instrument(tick: str = "0.1", lot: str = "0.001", **fields: object) -> Instrument:
    return Instrument(
        symbol="BTC", base="BTC", quote="USDT", settlement="USDT",
        tick_size=D(tick), lot_size=D(lot), min_qty=D(lot), **fields,  # type: ignore[arg-type]
    )  # fmt: skip


@given(STEPS, STEPS, st.integers(-(10**12), 10**12))
def test_there_and_back(tick: str, lot: str, count: int) -> None:
    """Every count survives, for prices and for quantities."""
    item = instrument(tick, lot)

    assert count == item.ticks(item.price(count))
    assert count == item.lots(item.qty(count))


@given(STEPS, st.integers(0, 10**9), st.decimals("0.01", "0.99", places=2))
def test_between_two_ticks(tick: str, count: int, share: Decimal) -> None:
    """Refused unless a rounding is named, and then to the side it names."""
    item = instrument(tick)
    price = (count + share) * D(tick)

    with pytest.raises(OffGrid):
        item.ticks(price)
    assert count == item.ticks(price, decimal.ROUND_FLOOR)
    assert count + 1 == item.ticks(price, decimal.ROUND_CEILING)


def test_a_word_about_what_is_off() -> None:
    """The number and the step are named."""
    with pytest.raises(OffGrid, match=r"100\.05.*0\.1"):
        instrument().ticks(D("100.05"))


def test_trailing_zeros_mean_nothing() -> None:
    """Venues write 61800.20 on a tick of 0.1."""
    item = instrument()

    assert 618_002 == item.ticks(D("61800.20")) == item.ticks(D("61800.2000"))


@pytest.mark.parametrize("qty", ["2", "-2"])
def test_notional_is_positive(qty: str) -> None:
    """And counts the multiplier."""
    assert D("60") == instrument(multiplier=D("0.01")).notional(D(3_000), D(qty))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_price(number: str) -> None:
    """It raises; it never becomes a count."""
    with pytest.raises((ArithmeticError, ValueError, OffGrid)):
        instrument().ticks(D(number))


def test_a_tiny_miss_is_a_miss() -> None:
    """Far beyond what a float could see."""
    with pytest.raises(OffGrid):
        instrument().ticks(D("100.10000000000000000001"))


def test_a_miss_beyond_any_precision_is_a_miss() -> None:
    """Thirty digits deep, where a rounded quotient would be whole."""
    with pytest.raises((OffGrid, ArithmeticError)):
        instrument().ticks(D("100.1000000000000000000000000000001"))
