"""One owner, one instrument, by average cost: cases worked out by hand."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.portfolio.ledger import COST_GRID, Ledger, split
from tests.engine.factories import D

CASES = [
    # multiplier, fills as (signed qty, price, fee),               qty,   cost,     realised, fees
    ("1",    [],                                                   "0",   "0",      "0",      "0"),
    ("1",    [("2", "100", "0.1")],                                "2",   "200",    "0",      "0.1"),
    ("1",    [("-2", "100", "0.1")],                               "-2",  "-200",   "0",      "0.1"),
    ("1",    [("2", "100", "0"), ("2", "110", "0")],               "4",   "420",    "0",      "0"),
    ("1",    [("4", "105", "0"), ("-1", "110", "0")],              "3",   "315",    "5",      "0"),
    ("1",    [("4", "105", "0"), ("-4", "110", "0")],              "0",   "0",      "20",     "0"),
    ("1",    [("-4", "105", "0"), ("1", "110", "0")],              "-3",  "-315",   "-5",     "0"),
    ("1",    [("-4", "105", "0"), ("4", "100", "0")],              "0",   "0",      "20",     "0"),
    ("10",   [("4", "105", "0"), ("-1", "110", "0")],              "3",   "3150",   "50",     "0"),
    ("0.01", [("4", "105", "0"), ("-1", "110", "0")],              "3",   "3.15",   "0.05",   "0"),
    ("1",    [("1", "100", "-0.02"), ("-1", "100", "0.05")],       "0",   "0",      "0",      "0.03"),
    # Finer than the grid: what closes in full still leaves no cost behind.
    ("1E-7", [("1", "3E-7", "0"), ("-1", "5E-7", "0")],            "0",   "0",      "2E-14",  "0"),
    # A third of 100 is not a decimal: the grid decides, and the rest stays with the remainder.
    ("1",    [("2", "50", "0"), ("1", "0", "0"), ("-1", "50", "0")],
             "2", "66.666666666667", "16.666666666667", "0"),
    ("1",    [("2", "50", "0"), ("1", "0", "0"), ("-1", "50", "0"), ("-1", "50", "0"), ("-1", "50", "0")],
             "0", "0", "50", "0"),
    ("1",    [("-2", "50", "0"), ("-1", "0", "0"), ("1", "50", "0")],
             "-2", "-66.666666666667", "-16.666666666667", "0"),
]  # fmt: skip


def book(multiplier: str, fills: list) -> tuple[Ledger, list[Decimal]]:
    ledger = Ledger()
    profits = [ledger.book(D(qty), D(price), D(multiplier), D(fee)) for qty, price, fee in fills]
    return ledger, profits


@pytest.mark.parametrize(("multiplier", "fills", "qty", "cost", "realised", "fees"), CASES)
def test_row(multiplier, fills, qty: str, cost: str, realised: str, fees: str) -> None:
    """Average cost, exact to the grid; each fill returns what it realised."""
    ledger, profits = book(multiplier, fills)

    assert (D(qty), D(cost)) == (ledger.qty, ledger.cost)
    assert (D(realised), D(fees)) == (ledger.realised, ledger.fees)
    assert ledger.realised == sum(profits)


SPLITS = [
    # held, fill,    closes, opens
    ("0",   "3",     "3",    "0"),
    ("2",   "3",     "3",    "0"),
    ("-2",  "-3",    "-3",   "0"),
    ("3",   "-2",    "-2",   "0"),
    ("3",   "-3",    "-3",   "0"),
    ("3",   "-5",    "-3",   "-2"),
    ("-3",  "5",     "3",    "2"),
    ("-3",  "3.001", "3",    "0.001"),
]  # fmt: skip


@pytest.mark.parametrize(("held", "qty", "closing", "opening"), SPLITS)
def test_split(held: str, qty: str, closing: str, opening: str) -> None:
    """A flip closes exactly what is held; the two parts are the fill."""
    parts = split(D(held), D(qty))

    assert (D(closing), D(opening)) == parts
    assert D(qty) == sum(parts)


@pytest.mark.parametrize(
    ("multiplier", "qty", "mark", "unrealised"),
    [("1", "2", "110", "20"), ("1", "-2", "110", "-20"), ("10", "2", "99.5", "-10")],
)
def test_unrealised(multiplier: str, qty: str, mark: str, unrealised: str) -> None:
    """What closing at the mark would bring."""
    ledger, _ = book(multiplier, [(qty, "100", "1")])

    assert D(unrealised) == ledger.unrealised(D(mark), D(multiplier))


def test_entry_price() -> None:
    """The average paid, whatever the multiplier; none where nothing is held."""
    ledger, _ = book("10", [("-2", "100", "0"), ("-1", "103", "0")])

    assert D(101) == ledger.entry_price(D(10))
    assert Ledger().entry_price(D(10)) is None


FILLS = st.tuples(st.integers(-9, 9).filter(bool), st.integers(1, 2_000))


@given(st.lists(FILLS, max_size=30), st.sampled_from(["1", "10", "0.001"]))
@settings(derandomize=True, max_examples=200, deadline=None)
def test_rounding_creates_and_destroys_nothing(fills: list, multiplier: str) -> None:
    """Realised less cost is the cash that flowed, exactly; each share is within the grid."""
    ledger, cash, held, cost = Ledger(), Fraction(0), Fraction(0), Fraction(0)
    for number, (lots, ticks) in enumerate(fills):
        for part in split(ledger.qty, lots * D("0.001")):
            if not part:
                continue
            price, qty = ticks * D("0.1"), Fraction(part)
            ledger.book(part, price, D(multiplier), D(0))
            cash -= qty * Fraction(price) * Fraction(multiplier)
            closes = held * qty < 0
            cost += cost * qty / held if closes else qty * Fraction(price) * Fraction(multiplier)
            held += qty
            cost = cost if held else Fraction(0)

        assert Fraction(ledger.realised) - Fraction(ledger.cost) == cash
        assert Fraction(ledger.qty) == held
        assert abs(Fraction(ledger.cost) - cost) <= (number + 1) * Fraction(COST_GRID)
        assert ledger.qty or not ledger.cost
