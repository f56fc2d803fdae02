"""What positions tie up and where they end: by hand, and by walking the price there."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.instrument import Instrument
from engine.portfolio.margin import Exposure, initial_margin, liquidation_price
from tests.engine.factories import ETH, D, instrument

F = Fraction


def held(qty: str, mark: str, **changes: object) -> Exposure:
    return Exposure(instrument(**changes), D(qty), D(mark))


TIED_UP = [
    # positions,                                       leverage, margin
    ((),                                               "5",      "0"),
    ((held("2", "1000"),),                             "5",      "400"),
    ((held("-2", "1000"),),                            "5",      "400"),
    ((held("2", "1000", multiplier=D("0.1")),),        "5",      "40"),
    ((held("2", "1000", max_leverage=4),),             "5",      "500"),
    ((held("2", "1000", max_leverage=5),),             "5",      "400"),
    ((held("2", "1000", max_leverage=3),),             "5",      "666.6666666666666666666666667"),
    ((held("2", "1000"), held("-3", "100", symbol=ETH, max_leverage=2)), "5", "550"),
    ((held("0", "1000"),),                             "5",      "0"),
]  # fmt: skip


@pytest.mark.parametrize(("positions", "leverage", "margin"), TIED_UP)
def test_initial_margin(positions: tuple[Exposure, ...], leverage: str, margin: str) -> None:
    """Notional over leverage, or over less where the venue allows less; nothing is netted."""
    assert D(margin) == initial_margin(positions, D(leverage))


OTHER = held("-10", "100", symbol=ETH, maintenance_margin=D("0.01"))
"""Needs 10 to be maintained."""

ENDS = [
    # position,                              others,  equity,  price
    (held("0", "1000"),                      (),      "100",   None),
    (held("0", "1000"),                      (OTHER,), "-5",   None),
    (held("1", "1000"),                      (),      "100",   "903.7"),
    (held("-1", "1000"),                     (),      "100",   "1095.6"),
    (held("10", "1000", multiplier=D("0.1")), (),     "100",   "903.7"),
    (held("1", "1000"),                      (OTHER,), "100",  "913.7"),
    (held("-1", "1000"),                     (OTHER,), "100",  "1085.6"),
    (held("1", "1000", maintenance_margin=D(0)), (),  "100",   "900.0"),
    (held("-1", "1000", maintenance_margin=D(0)), (), "100",   "1100.0"),
    (held("1", "1000"),                      (),      "0",     "1004.1"),
    (held("1", "1000"),                      (),      "999",   "1.1"),
    (held("1", "1000"),                      (),      "1000",  None),
    (held("1", "1000"),                      (),      "5000",  None),
    (held("-1", "1000"),                     (),      "5000",  "5976.0"),
]  # fmt: skip


@pytest.mark.parametrize(("position", "others", "equity", "price"), ENDS)
def test_liquidation_price(
    position: Exposure, others: tuple[Exposure, ...], equity: str, price: str | None
) -> None:
    """On the tick that comes first; none for a flat position, nor where even zero would not do."""
    found = liquidation_price(position, others, D(equity))

    assert (None if price is None else D(price)) == found


def room(position: Exposure, needed: Decimal, equity: Decimal, price: Decimal) -> Fraction:
    """What is left above the maintenance margin if the price were another, in fractions."""
    of: Instrument = position.instrument
    size = F(position.qty) * F(of.multiplier)
    worth = F(equity) + size * (F(price) - F(position.mark))
    return worth - F(needed) - abs(size) * F(price) * F(of.maintenance_margin)


@given(
    lots=st.integers(-5_000, 5_000).filter(bool),
    ticks=st.integers(1, 20_000),
    equity=st.decimals(0, 20_000, places=3),
    other=st.integers(-5, 5),
    multiplier=st.sampled_from(["0.01", "1", "10"]),
)
@settings(max_examples=400, derandomize=True)
def test_one_tick_further_the_account_is_gone(
    lots: int, ticks: int, equity: Decimal, other: int, multiplier: str
) -> None:
    """At the price it still stands, one tick on it does not; without one it stands at zero."""
    of = instrument(multiplier=D(multiplier))
    position = Exposure(of, of.qty(lots), of.price(ticks))
    beside = held(str(other), "100", symbol=ETH)
    needed = beside.notional * beside.instrument.maintenance_margin
    price = liquidation_price(position, (beside,), equity)
    on = -of.tick_size if lots > 0 else of.tick_size

    if price is None:
        assert room(position, needed, equity, D(0)) >= 0 or lots < 0
    else:
        assert room(position, needed, equity, price) >= 0
        assert room(position, needed, equity, price + on) < 0
