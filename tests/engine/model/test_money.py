"""Money is exact: what would round raises, and who divides says so."""

import decimal
import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest

from engine.model.money import PRECISION, ROUNDED, ZERO, ratio, use_exact_arithmetic

D = Decimal


@pytest.fixture
def exact() -> Iterator[None]:
    before = decimal.getcontext()
    use_exact_arithmetic()
    yield
    decimal.setcontext(before)


def test_inexact_results_raise(exact: None) -> None:
    """A third of one is nobody's money."""
    with pytest.raises(decimal.Inexact):
        D(1) / D(3)


def test_floats_do_not_mix(exact: None) -> None:
    """Neither in sums, nor in comparisons, nor in construction."""
    with pytest.raises((decimal.FloatOperation, TypeError)):
        D(1) + 0.5  # type: ignore[operator]
    with pytest.raises(decimal.FloatOperation):
        assert D(1) < 0.5
    with pytest.raises(decimal.FloatOperation):
        D(0.1)


@pytest.mark.parametrize("wrong", [lambda: D(1) / ZERO, lambda: ZERO / ZERO, lambda: D("x")])
def test_nonsense_raises(exact: None, wrong) -> None:
    """There is no quiet NaN."""
    with pytest.raises(ArithmeticError):
        wrong()


def test_sums_of_venue_numbers_fit(exact: None) -> None:
    """Two 20-digit numbers multiplied, a million times over."""
    price, qty = D("12345678901.234567891"), D("98765432109.876543211")
    total = sum((price * qty for _ in range(1_000)), ZERO)

    assert price * qty * 1_000 == total
    assert PRECISION >= 46


def test_dividing_rounds_only_where_asked(exact: None) -> None:
    """28 digits, half to even, also inside the exact context."""
    assert D("0.3333333333333333333333333333") == ratio(D(1), D(3)) == ROUNDED.divide(D(1), D(3))
    assert ZERO == ratio(D(5), ZERO)


def test_it_is_for_this_thread_alone(exact: None) -> None:
    """Another thread keeps its own context, which is why each start calls it."""
    found: list[Decimal] = []
    thread = threading.Thread(target=lambda: found.append(D(1) / D(3)))
    thread.start()
    thread.join()

    assert 1 == len(found)
