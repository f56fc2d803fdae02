"""The order of rows: by exact figures, the same for what is drawn and for what a key acts on."""

import json
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.tui import fixtures as fx
from tests.tui.stage import FakeSource, L, M, staged
from tui.desk import PANES
from tui.ordering import OWN, SORTABLE, Sort, listed, ordered, stepped

D = Decimal


def column(view, pane: str, sort: Sort) -> list[object]:
    """The field that is sorted by, row after row."""
    sortable = SORTABLE[pane]
    field = dict(sortable.columns)[sort.column].removeprefix("-")
    return [getattr(row, field) for row in listed(ordered(view, pane, sort), sortable)]


def test_rows_stand_by_the_exact_figure() -> None:
    """Not by its text: 9 is less than 67,253; rising, then falling."""
    positions = [fx.position(f"S{i}", qty=D(q)) for i, q in enumerate(("10", "-9", "9.5", "100"))]
    view = fx.view(positions=tuple(positions))

    assert [D("-9"), D("9.5"), D(10), D(100)] == column(view, "positions", Sort("QTY"))
    assert [D(100), D(10), D("9.5"), D("-9")] == column(view, "positions", Sort("QTY", True))


@pytest.mark.parametrize("is_falling", [False, True])
def test_unknown_stands_last(is_falling: bool) -> None:
    """Whichever way: nothing is smaller or larger than what nobody knows."""
    view = fx.view(positions=(fx.position("A", mark=None), fx.position("B")))

    assert [D("67412.6"), None] == column(view, "positions", Sort("MARK", is_falling))


def test_an_age_rises_as_its_time_falls() -> None:
    """The youngest order first."""
    ages = [fx.NOW_NS - o.created_ns for o in ordered(fx.view(), "orders", Sort("AGE")).orders]

    assert sorted(ages) == ages
    assert ages[0] < ages[-1]


def test_lists_that_are_turned_round_are_sorted_as_shown() -> None:
    """A pane shows fills newest first, so what it is given stands the other way."""
    shown = ordered(fx.view(), "fills", Sort("QTY")).fills[::-1]

    assert sorted(fill.qty for fill in shown) == [fill.qty for fill in shown]


def test_nothing_is_lost_or_changed() -> None:
    """Every column of every pane, both ways, keeps every row; the pane's own order is the view."""
    view = fx.crowded()
    for pane, sortable in SORTABLE.items():
        rows = listed(view, sortable)
        assert ordered(view, pane, OWN) is view
        for head, _ in sortable.columns:
            for is_falling in (False, True):
                got = listed(ordered(view, pane, Sort(head, is_falling)), sortable)
                assert len(rows) == len(got)
                assert {id(row) for row in rows} == {id(row) for row in got}


def test_stepping_comes_round() -> None:
    """Past the last column stands the pane's own order; a pane without columns has no other."""
    sort, seen = OWN, []
    for _ in range(len(SORTABLE["orders"].columns) + 1):
        sort = stepped("orders", sort, 1)
        seen.append(sort.column)

    assert [*(head for head, _ in SORTABLE["orders"].columns), ""] == seen
    assert "BY" == stepped("orders", OWN, -1).column
    assert OWN == stepped("health", OWN, 1)
    assert "S" == stepped("orders", Sort("GONE"), 1).column


def test_every_sortable_pane_exists() -> None:
    """A renamed pane would lose its columns in silence."""
    assert set(SORTABLE) <= {pane.__name__.removesuffix("Pane").lower() for pane in PANES}


@pytest.mark.parametrize("pane", [pane for pane in SORTABLE if pane != "router"])
async def test_what_is_marked_is_what_is_chosen(pane: str) -> None:
    """Sorted by each column, the row with the mark is the record a key would act on."""
    async with staged(size=M, is_ascii=True) as stage:
        shown = stage.app.desk.pane(pane)
        stage.app.desk.go_to(pane)
        await stage.press("j")
        for head, _ in SORTABLE[pane].columns:
            await stage.press("full_stop")
            assert f"^{head}" in shown.render_line(0).text
            lines = [shown.render_line(y).text for y in range(1, shown.size.height)]
            (marked,) = [line for line in lines if line.lstrip("|").startswith(">")]
            standing = shown.standing()
            name = getattr(standing, "symbol", None) or standing.name.removeprefix("max_")
            assert name in marked
        await stage.press("r")
        assert f"v{SORTABLE[pane].columns[-1][0]}" in shown.render_line(0).text


async def test_the_reasons_of_the_router_can_be_sorted() -> None:
    """Where there is room for them; a copy is of all the pane shows."""
    async with staged(size=L, is_ascii=True) as stage:
        await stage.press("L", "L", "full_stop", "full_stop", "full_stop")
        rows = [row for row in stage.rows() if "NOOP  " in row]
        places = [rows.index(next(row for row in rows if reason in row))
                  for reason in ("IN_FLIGHT", "NO_CHANGE", "WITHIN_TOLERANCE")]  # fmt: skip

        assert sorted(places) == places
        await stage.press("Y")
        assert {"decisions", "hops"} == set(json.loads(stage.app.clipboard))


async def test_a_choice_stays_with_its_row() -> None:
    """The order above is gone: the key still acts on the one that was chosen."""
    source = FakeSource(fx.view(orders=tuple(fx.order(i) for i in range(1, 6))))
    async with staged(source=source) as stage:
        await stage.press("5", "j", "j")
        pane = stage.app.desk.pane("orders")
        assert "maker-3" == pane.standing().order_id
        await stage.press("full_stop", "full_stop", "full_stop", "full_stop", "full_stop", "r")
        assert "maker-3" == pane.standing().order_id

        left = tuple(order for order in source.seen.view.orders if order.order_id != "maker-1")
        source.seen = source.seen._replace(view=replace(source.seen.view, orders=left))
        await stage.settle()
        assert "maker-3" == pane.standing().order_id

        gone = tuple(order for order in left if order.order_id != "maker-3")
        at = pane.selected
        source.seen = source.seen._replace(view=replace(source.seen.view, orders=gone))
        await stage.settle()
        assert min(at, len(gone) - 1) == pane.selected, "the next one, when it is gone"
        assert pane.standing() in gone


async def test_whoever_stands_on_the_newest_stays_there() -> None:
    """A new fill comes on top of the list, under the mark."""
    source = FakeSource(fx.view())
    async with staged(source=source) as stage:
        await stage.press("6")
        pane = stage.app.desk.pane("fills")
        more = (*source.seen.view.fills, fx.fill(9))
        source.seen = source.seen._replace(view=replace(source.seen.view, fills=more))
        await stage.settle()

        assert "t9" == pane.standing().trade_id


async def test_the_chosen_symbol_survives_sorting_of_quotes() -> None:
    """The book keeps showing what was chosen, whatever moves above it, also without the focus."""
    source = FakeSource(fx.view())
    async with staged(source=source) as stage:
        assert stage.app.desk.pane("quotes").has_focus
        await stage.press("full_stop", "full_stop", "right_square_bracket")
        symbol = stage.app.desk.pane("quotes").standing().symbol
        await stage.press("5")
        dear = [replace(m, bid=D(1)) if m.symbol == symbol else m for m in source.seen.view.markets]
        source.seen = source.seen._replace(view=replace(source.seen.view, markets=tuple(dear)))
        await stage.settle()

        assert f"Book {symbol}" in stage.text()
