"""Pane 3: the ladder, our orders in it, and books that are not what they should be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.orders import Side
from engine.session.control.views import View
from tests.tui.fixtures import BTC, ETH, HOSTILE, SELL, D, empty, market, order, view
from tests.tui.stage import L, staged
from tui.ladder import GROUPS, gathered, ladder
from tui.panes.book import draw
from tui.theme import palette


def texts(
    shown: View, width: int = 44, height: int = 9, symbol: str = "", **chosen: int
) -> list[str]:
    rows = draw(shown, width, height, palette("mono", is_ascii=True), symbol, **chosen)
    return ["".join(cell.text for cell in row) for row in rows]


def test_the_ladder() -> None:
    """Asks fall to the touch, bids fall from it; `o` is ours, with its size."""
    assert [
        "            67,414.4   5.110         #######",
        "            67,413.9   4.110         ####",
        "            67,413.4   3.110 o 0.020<0.380",
        "a           67,412.9   2.110         #",
        "--- mid 67,412.6 spr 0.1 bps --------------",
        "b   0.910   67,412.3         o 0.020<0.380",
        "    1.910   67,411.8                 #",
        "    2.910   67,411.3                 ##",
        "    3.910   67,410.8                 ####",
    ] == [row.rstrip() for row in texts(view())]


def test_coarser_prices() -> None:
    """Asks round up and bids down, sizes add up, ours too; the touch is where it falls."""
    assert [
        "            67,416.0  26.440         #######",
        "a           67,414.0   9.330 o 0.020<0.380",
        "--- mid 67,412.6 spr 0.1 bps --------------",
        "b   0.910   67,412.0         o 0.020<0.380",
        "   13.640   67,410.0                 ##",
    ] == [row.rstrip() for row in texts(view(), height=5, group=20)]


async def test_plus_and_minus_group() -> None:
    """The title says how coarse."""
    async with staged(size=L) as stage:
        await stage.press("3", "plus", "plus")
        assert "Book BTCUSDT grp 0.5" in stage.text()
        await stage.press("minus", "minus", "minus")

        assert "Book BTCUSDT grp 0.1" in stage.text()


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), min_size=1, max_size=40),
    st.sampled_from(GROUPS),
    st.sampled_from(list(Side)),
)
def test_groups_lose_nothing_and_promise_nothing(levels: list, group: int, side: Side) -> None:
    """The same size in all, never at a better price than a level has."""
    step = D("0.1") * group
    exact = [(ticks * D("0.1"), D(lots)) for ticks, lots in levels]
    shown = market(
        **{"asks" if side is SELL else "bids": exact, "bids" if side is SELL else "asks": ()}
    )
    rungs = [rung for rungs in ladder(shown, {}, step) for rung in rungs]

    assert sum(qty for _, qty in exact) == sum(rung.size for rung in rungs)
    assert all(rung.spot.price % step == 0 for rung in rungs)
    assert all((gathered(side, price, step) - price) * side.sign <= 0 for price, _ in exact)


def test_our_place_in_the_queue_is_told_where_it_fits() -> None:
    """Of several at a level the first counts; unknown is not zero."""
    first, second = (
        order(number, side=SELL, price=D("67413.4"), qty=D("0.02"), queue_ahead=ahead)
        for number, ahead in ((1, D("0.4")), (2, D("0.31")))
    )
    unknown = order(3, side=SELL, price=D("67413.9"), qty=D("0.02"), queue_ahead=None)
    shown = view(orders=(first, second, unknown))

    assert "3.110 o 0.040<0.310" in "".join(texts(shown, width=46))
    assert "4.110 o 0.020 " in "".join(f"{row} " for row in texts(shown, width=46))
    assert "<" not in "".join(texts(shown, width=40))


def test_our_price_between_levels_has_a_row_of_its_own() -> None:
    """Partly filled: what is left."""
    mine = order(side=SELL, price=D("67413.0"), qty=D("0.5"), filled_qty=D("0.2"))
    rows = texts(view(orders=(mine,)))

    assert "67,413.0         o 0.300" in rows[2]
    assert rows[3].startswith("a")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bid": D("67413"), "ask": D("67412")}, "CROSSED"),
        ({"bid": D("67413"), "ask": D("67413")}, "LOCKED"),
        ({"is_book_synced": False, "bids": (), "asks": ()}, "BBO only, spr 0.1 bps"),
        ({"bid": None, "bids": ()}, "spr - bps"),
    ],
)
def test_an_odd_book_is_said_and_shown(changes: dict, said: str) -> None:
    """It is not hidden."""
    rows = texts(view(markets=(market(**changes),)))

    assert said in rows[4]
    assert any("67,41" in row for row in rows)


def test_nothing_to_show_is_said() -> None:
    """No data, no instrument."""
    assert [" BTCUSDT: no data yet"] == texts(empty())
    assert [" no instruments in this session"] == texts(view(markets=()))


def test_another_instrument() -> None:
    """By its symbol; one that is gone is the first."""
    assert "3,508.40" in "".join(texts(view(), symbol=ETH))
    assert texts(view(), symbol=BTC) == texts(view(), symbol="GONE")


@pytest.mark.parametrize("height", [1, 2, 3, 24, 60])
@pytest.mark.parametrize("width", [30, 32, 44])
def test_it_fits(width: int, height: int) -> None:
    """Any height, any width, huge sizes, hostile names."""
    huge = market(HOSTILE, bids=((D("1"), D("123456789")),), lot_size=D("0.00000001"))
    for shown in (view(), view(markets=(huge,), orders=())):
        rows = texts(shown, width, height)
        assert height >= len(rows)
        assert all(width >= len(row) for row in rows)
