"""Widths come from instruments and account, so columns stand still while figures move."""

from decimal import Decimal

import pytest

from tests.tui import fixtures
from tui.grid import grid, side_token, signed_token

D = Decimal


def market(bid: str | None, tick: str = "0.1", lot: str = "0.001", name: str = "X"):
    """A market at one price."""
    price = None if bid is None else D(bid)
    return fixtures.market(
        name, bid=price, ask=price, mark_price=price, tick_size=D(tick), lot_size=D(lot)
    )


PRICES = [
    # bid,         tick,          whole, decimals
    ("67412.3",    "0.1",         7,     1),
    ("99999.9",    "0.1",         7,     1),
    ("999999.9",   "0.1",         7,     1),
    ("1000000",    "0.1",         11,    1),
    ("999.9",      "0.01",        3,     2),
    ("0.00001234", "0.00000001",  3,     8),
    (None,         "0.1",         7,     1),
]  # fmt: skip


@pytest.mark.parametrize(("bid", "tick", "whole", "decimals"), PRICES)
def test_price_columns(bid: str | None, tick: str, whole: int, decimals: int) -> None:
    """Whole groups of three before the point, the decimals of the tick after it."""
    sizes = grid(fixtures.view(markets=(market(bid, tick),)))

    assert (whole, decimals) == (sizes.price_whole, sizes.price_decimals)
    assert whole + 1 + decimals == sizes.price_width


QUANTITIES = [
    # bid,         lot,      what 10,000 times ten can buy, and its decimals
    ("67412.3",    "0.001",  "999",            3),
    ("151.22",     "0.01",   "999",            2),
    ("0.1",        "1",      "9,999,999",      0),
    ("0.0000123",  "1",      "9,999,999,999",  0),
    (None,         "1",      "unseen!",        0),
]  # fmt: skip


@pytest.mark.parametrize(("bid", "lot", "most", "decimals"), QUANTITIES)
def test_quantity_columns(bid: str | None, lot: str, most: str, decimals: int) -> None:
    """Room for what the account could hold at ten times its balance."""
    sizes = grid(fixtures.view(markets=(market(bid, lot=lot),)))

    assert (len(most), decimals) == (sizes.qty_whole, sizes.qty_decimals)


def test_the_widest_instrument_decides() -> None:
    """Points of all rows stand under each other."""
    both = (market("67412.3"), market("0.25", "0.0001", "1", "LONGNAMEUSDT"))
    sizes = grid(fixtures.view(markets=both))

    assert (12, 7, 4) == (sizes.symbol, sizes.price_whole, sizes.price_decimals)
    assert (" 67,412.3   ", "      0.2500") == (
        sizes.price("X", D("67412.3")),
        sizes.price("LONGNAMEUSDT", D("0.25")),
    )
    assert ("      +1.500", "-120,000    ") == (
        sizes.position("X", D("1.5")),
        sizes.position("LONGNAMEUSDT", D(-120_000)),
    )


def test_money_columns_follow_the_starting_balance() -> None:
    """A gain as large as the account fits; one ten times as large is crossed out."""
    sizes = grid(fixtures.view())

    assert ("+10,012.34  ", "      -    ") == (sizes.pnl(D("10012.34")), sizes.pnl(None)[:11])
    assert "       #####" == sizes.pnl(D("1000000"))
    assert "     -0.98  " == sizes.paid(D("0.98"))
    assert (
        10
        == grid(
            fixtures.view(session=fixtures.session(equity=D(5_000_000), balance=D(4_999_997)))
        ).pnl_whole
    )


def test_no_figure_makes_a_column_without_end() -> None:
    """A fortune is crossed out before it pushes everything else from the screen."""
    sizes = grid(fixtures.extremes())
    rich = grid(fixtures.view(session=fixtures.session(equity=D(10) ** 20, balance=D(10) ** 20)))

    assert (14, 14, 14) == (sizes.price_whole, sizes.qty_whole, rich.pnl_whole)
    assert "#####" in sizes.price(fixtures.BTC, D("98765432109876543210"))


def test_no_market_no_balance() -> None:
    """Widths of last resort, no division by nothing."""
    broke = fixtures.session(balance=D("9.87"))  # 10,000 was lost before it was ever there
    sizes = grid(fixtures.view(markets=(), session=broke))

    assert (7, 7, 7, 0) == (sizes.symbol, sizes.price_whole, sizes.qty_whole, sizes.qty_decimals)
    assert 7 == grid(fixtures.view(markets=(market("5"),), session=broke)).qty_whole


def test_tokens() -> None:
    """Gain, loss, neither, unknown; bid and ask."""
    assert ["up", "down", "flat", "flat"] == [
        signed_token(value) for value in (D("0.1"), D("-0.1"), D("-0"), None)
    ]
    assert ("bid", "ask") == (side_token(fixtures.BUY), side_token(fixtures.SELL))
