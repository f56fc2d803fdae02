"""Figures as text, row by row; the oracle is section 8 of the screen's specification."""

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from engine.model.orders import Side
from tests.tui import fixtures
from tui import format as figures

D = Decimal
NAN = D("NaN")

PRICES = [
    ("67412.3", "0.1", "67,412.3"),
    ("67412", "0.1", "67,412.0"),
    ("67253.1333333333333333333333", "0.1", "67,253.1"),
    ("67253.15", "0.1", "67,253.2"),  # half even
    ("67253.25", "0.1", "67,253.2"),
    ("0.00001234", "0.00000001", "0.00001234"),
    ("12345678901234567890123456789012.5", "0.5", "12,345,678,901,234,567,890,123,456,789,012.5"),
    ("60", "10", "60"),
    ("60", "1E+1", "60"),
    ("1.5", "0.50", "1.5"),
    ("-3.0", "0.1", "-3.0"),
    ("0.00004", "0.1", "<0.1"),
    ("0.4", "1", "<1"),
    ("0", "0.1", "0.0"),
    (None, "0.1", "-"),
    ("NaN", "0.1", "-"),
    ("Infinity", "0.1", "-"),
]


@pytest.mark.parametrize(("value", "tick", "expected"), PRICES)
def test_price(value: str | None, tick: str, expected: str) -> None:
    """The tick says how many decimals; nothing known is a dash, never a zero."""
    assert expected == figures.price(None if value is None else D(value), D(tick))


POSITIONS = [
    ("0.020", "0.0001", "+0.0200"),
    ("-1.5", "0.01", "-1.50"),
    ("0", "0.001", "0.000"),
    ("-0", "0.001", "0.000"),
    ("-0.0001", "0.001", "-<0.001"),  # what is not flat never looks flat
    ("0.0005", "0.001", "+<0.001"),
    ("0.00051", "0.001", "+0.001"),
    (None, "0.001", "-"),
]


@pytest.mark.parametrize(("value", "lot", "expected"), POSITIONS)
def test_position(value: str | None, lot: str, expected: str) -> None:
    """A position says which side it is on; flat is on none."""
    assert expected == figures.position(None if value is None else D(value), D(lot))


def test_quantity_has_no_sign() -> None:
    """A size on the book is only a size."""
    assert "1.200" == figures.quantity(D("1.2"), D("0.001"))


AMOUNTS = [
    # value,       money,          pnl,             paid
    ("10012.34",   "10,012.34",    "+10,012.34",    "-10,012.34"),
    ("3.185",      "3.18",         "+3.18",         "-3.18"),
    ("0.5",        "0.50",         "+0.50",         "-0.50"),
    ("0.0042",     "0.0042",       "+0.0042",       "-0.0042"),
    ("0.12345",    "0.1234",       "+0.1234",       "-0.1234"),
    ("-0.02",      "-0.02",        "-0.02",         "+0.02"),
    ("0.99999",    "1.00",         "+1.00",         "-1.00"),
    ("0.00001",    "<0.0001",      "+<0.0001",      "-<0.0001"),
    ("0.00006",    "0.0001",       "+0.0001",       "-0.0001"),
    ("-0.00001",   "-<0.0001",     "-<0.0001",      "+<0.0001"),
    ("0",          "0.00",         "0.00",          "0.00"),
    ("-0.00",      "0.00",         "0.00",          "0.00"),
    (None,         "-",            "-",             "-"),
    ("-Infinity",  "-",            "-",             "-"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "money", "pnl", "paid"), AMOUNTS)
def test_amounts(value: str | None, money: str, pnl: str, paid: str) -> None:
    """Two decimals, more below one, and a cost is shown as what it does to the account."""
    amount = None if value is None else D(value)

    assert (money, pnl, paid) == (figures.money(amount), figures.pnl(amount), figures.paid(amount))


SHARES = [
    ("0.42", 2, "+0.42%"), ("-1.3", 2, "-1.30%"), ("0", 2, "0.00%"), ("-0.004", 2, "0.00%"),
    ("0.01", 3, "+0.010%"), (None, 2, "-"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "decimals", "expected"), SHARES)
def test_percent(value: str | None, decimals: int, expected: str) -> None:
    """Signed, with the letter; nothing known has no letter."""
    assert expected == figures.percent(None if value is None else D(value), decimals)


def test_bps() -> None:
    """One decimal, and no letters."""
    assert ("2.0", "-") == (figures.bps(D(2)), figures.bps(None))


BIG = [
    (0, "0"), (412, "412"), (999, "999"), (1_000, "1.0k"), (1_204, "1.2k"), (9_949, "9.9k"),
    (9_950, "10k"), (44_000, "44k"), (999_499, "999k"), (999_500, "1.00M"), (3_410_000, "3.41M"),
    (15_900_000, "15.9M"), (999_499_999, "999M"), (9_500_000_000, "9.50B"), (-44_000, "-44k"),
    (10**12, "#####"), (D("12.345"), "12.3"), (D("0.5"), "0.50"), (None, "-"), (NAN, "-"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), BIG)
def test_big(value: Decimal | int | None, expected: str) -> None:
    """Never more than five digits and letters; rounding moves to the next letter in time."""
    assert expected == figures.big(value)


AGES = [
    (0.0, "0.0s"), (0.36, "0.3s"), (2.4, "2.4s"), (9.99, "9.9s"), (10.0, "10s"), (59.9, "59s"),
    (60, "1m"), (3_599, "59m"), (3_600, "1h"), (86_399, "23h"), (86_400, "1d"),
    (999 * 86_400, "999d"), (1_000 * 86_400, "#####"), (-0.2, "0.0s"), (None, "-"),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "expected"), AGES)
def test_age(seconds: float | None, expected: str) -> None:
    """An age is cut, never rounded up to what has not been reached."""
    assert expected == figures.age(seconds)


def test_between() -> None:
    """Nanoseconds become seconds; an event that never was has no distance."""
    assert 2.4 == figures.between(1, 2_400_000_001)
    assert figures.between(0, 2_400_000_000) is None


LATENCIES = [
    (0.4, "0us"), (180.0, "180us"), (999.4, "999us"), (999.6, "1.0ms"), (1_400, "1.4ms"),
    (9_951, "10ms"), (999_400, "999ms"), (999_600, "1.0s"), (12.34e6, "12.3s"), (120e6, "120s"),
    (1e12, "#####"), (None, "-"),
]  # fmt: skip


@pytest.mark.parametrize(("us", "expected"), LATENCIES)
def test_latency(us: float | None, expected: str) -> None:
    """The unit that leaves one to three digits before the point."""
    assert expected == figures.latency(us)


COUNTDOWNS = [
    (461.9, "T-07:41"), (59.0, "T-00:59"), (0.0, "T-00:00"), (-3.0, "T-00:00"),
    (3_723.0, "T-1:02:03"), (None, "no limit"),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "expected"), COUNTDOWNS)
def test_countdown(seconds: float | None, expected: str) -> None:
    """To the planned end, or that there is none."""
    assert expected == figures.countdown(seconds)


def test_clocks() -> None:
    """UTC, to the second with its letter, to the millisecond in logs."""
    assert "12:02:19Z" == figures.clock(fixtures.NOW_NS)
    assert "12:02:19.500" == figures.clock_ms(fixtures.NOW_NS)


def test_letters_and_marks() -> None:
    """Side and direction read without a color, on any terminal."""
    marks = [figures.direction(D(n)) for n in (2, -1, 0)]

    assert ("B", "S") == (figures.side(Side.BUY), figures.side(Side.SELL))
    assert (["^", "v", "="], " ") == (marks, figures.direction(None))
    assert "▲" == figures.direction(D(1), figures.BLOCKS)


BARS = [
    (0, "........"), (0.001, "#......."), (0.31, "##......"), (0.999, "#######."), (1, "########"),
    (7, "########"), (-1, "........"),
]  # fmt: skip


@pytest.mark.parametrize(("share", "expected"), BARS)
def test_bar(share: float, expected: str) -> None:
    """Something is never nothing, and nearly full is not full."""
    assert expected == figures.bar(share, 8)
    assert expected.translate({35: "█", 46: "░"}) == figures.bar(share, 8, figures.BLOCKS)


ALIGNED = [
    ("67,412.3", 7, 2, " 67,412.3 "), ("151.22", 7, 2, "    151.22"), ("60", 7, 2, "     60   "),
    ("-", 7, 2, "      -   "), ("1,234,567.3", 7, 2, "     #####"), ("1.234", 7, 2, "     #####"),
    ("12", 4, 0, "  12"), ("12345", 4, 0, "####"),
]  # fmt: skip


@pytest.mark.parametrize(("figure", "whole", "decimals", "expected"), ALIGNED)
def test_aligned(figure: str, whole: int, decimals: int, expected: str) -> None:
    """Points stand under points, and no digit is ever cut."""
    assert expected == figures.aligned(figure, whole, decimals)


def test_fit() -> None:
    """Padding on the side that was asked for; too wide is not cut but crossed out."""
    assert ("  ab", "ab  ", "####") == (
        figures.fit("ab", 4),
        figures.fit("ab", 4, "left"),
        figures.fit("12,345", 4),
    )


def test_hostile_text_is_cut_and_harmless() -> None:
    """No escape, no override, no newline, and as many cells as there are."""
    shown = figures.text(fixtures.HOSTILE, 40)

    assert "[@click=app.quit]x[/] \ufffd]0;owned\ufffd\ufffd[31m\ufffde~" == shown


@pytest.mark.parametrize(
    ("outside", "expected"), [("日本語テキスト", "日本語~"), ("日本語e\u0301!", "日本語e\u0301!")]
)
def test_wide_and_combining_characters_count_as_cells(outside: str, expected: str) -> None:
    """Two cells for each of these, none for an accent."""
    assert expected == figures.text(outside, 8)


@given(st.text(max_size=80), st.integers(0, 30))
def test_text_fits_any_column(outside: str, width: int) -> None:
    """Whatever it is made of."""
    shown = figures.text(outside, width)

    assert cell_len(shown) <= width
    assert not {unicodedata.category(letter) for letter in shown} & {"Cc", "Cf", "Cs", "Co"}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12)))
def test_no_digit_is_invented(value: Decimal) -> None:
    """What is shown differs from what is by half a step at most."""
    assert abs(D(figures.number(value, 2).replace(",", "")) - value) <= D("0.005")


def test_the_fixture_keeps_its_books() -> None:
    """The pictures the tests draw are of a session that could be."""
    view = fixtures.view()
    held = view.positions

    assert D(10_000) == view.session.starting_balance
    assert view.session.equity == view.session.balance + view.session.unrealised
    assert view.session.realised == sum(position.realised for position in held)
    assert view.session.fees == sum(position.fees for position in held)
    assert view.session.unrealised == sum(position.unrealised for position in held)


@pytest.mark.parametrize(
    ("outside", "width", "expected"),
    [
        ("limit 2.0 reading 2.6", 9, "limit~"),
        ("limit 2.0 reading 2.6", 12, "limit 2.0 r~"),
        ("equity 10,012.34", 14, "equity~"),
        ("equity 10,012.34", 16, "equity 10,012.34"),
        ("1234567", 5, "1234~"),
        ("2.6 / 2.0 x", 10, "2.6 /~"),
    ],
)
def test_a_cut_leaves_no_part_of_a_number(outside: str, width: int, expected: str) -> None:
    """A shorter number is another number; what is nothing but a number shows that it was cut."""
    assert expected == figures.text(outside, width)
