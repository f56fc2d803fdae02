"""Pane tape: prints newest first, sweeps as one, ours marked, and what was missed counted."""

import pytest
from rich.cells import cell_len

from engine.session.control.views import BarFace, BarTail, Print, View
from tests.tui import fixtures as fx
from tests.tui.fixtures import BTC, ETH, MS, NOW_NS, D, fill, market, view
from tests.tui.stage import L, staged
from tui.panes.tape import LINES_MAX, draw
from tui.theme import TOKENS, palette


def texts(shown: View, width: int = 46, height: int = 20, **chosen: object) -> list[str]:
    rows = draw(shown, width, height, palette("mono", is_ascii=True), **chosen)
    return ["".join(cell.text for cell in row).rstrip() for row in rows]


def printed(*prints: Print, **changes: object) -> View:
    return view(markets=(market(prints=prints, **changes),), fills=())


def test_newest_first_with_sweeps_as_one() -> None:
    """Three prints of one buyer within a millisecond: last price, whole size, how many."""
    rows = texts(view())

    assert " 12:02:18.600 67,412.5 B 0.372 x3" == rows[1]
    assert " 12:02:18.300 67,412.9 S 0.098" == rows[2]
    assert 1 + 8 == len(rows)


def test_what_ends_a_sweep() -> None:
    """The other side, or time."""
    shown = printed(
        Print(NOW_NS, 10, 1, True), Print(NOW_NS, 11, 1, False), Print(NOW_NS + 2 * MS, 12, 1, False),
        Print(NOW_NS + 3 * MS, 13, 4, False),
    )  # fmt: skip

    assert ["1.3 S 0.005 x2", "1.1 S 0.001", "1.0 B 0.001"] == [
        row[14:] for row in texts(shown)[1:]
    ]


def test_sums_of_the_last_minute() -> None:
    """What was bought less what was sold, both, and how often."""
    bars = (BarFace(1, 1, 1, 1, 900, 900, 9),) + (BarFace(1, 1, 1, 1, 30, 10, 3),) * 60
    shown = printed(Print(NOW_NS, 10, 1, True), bars=(BarTail(1, 0, bars),))

    assert " 60s delta -0.600 B 0.60 S 1.20 per s 3.0" == texts(shown)[0]


def test_our_fills_stand_among_them() -> None:
    """Marked, at their time; of this instrument, and not older than the tape."""
    mine = fill(
        9, symbol=BTC, ts_ns=NOW_NS - 2_000 * MS, side=fx.BUY, price=D("67412.7"), qty=D("0.02")
    )
    old = fill(8, symbol=BTC, ts_ns=NOW_NS - 9_000 * MS)
    rows = texts(view(fills=(old, mine, fill(7))))
    own = [place for place, row in enumerate(rows) if row.startswith("o")]

    assert [5] == own
    assert "o12:02:17.500 67,412.7 B 0.020" == rows[5]


def test_what_was_missed_is_counted() -> None:
    """Those since the frame before that no line tells of."""
    assert " +12 more since the last frame" == texts(view(), height=8, new=20)[-1]
    assert not any("more" in row for row in texts(view(), height=20, new=10))


def test_a_frame_has_at_most_so_many_lines() -> None:
    """However high the pane."""
    many = printed(*(Print(NOW_NS + 2 * i * MS, i, 1, True) for i in range(90)))

    assert LINES_MAX + 1 == len(texts(many, height=200))


def test_nothing_is_said() -> None:
    """No trades, no instrument."""
    assert [" ETHUSDT: no trades yet"] == texts(view(fills=()), symbol=ETH)
    assert [" no instruments in this session"] == texts(view(markets=()))


def test_as_much_of_the_time_as_fits() -> None:
    """All of it, seconds, minutes and seconds, none; the price stays to the last."""
    shown = printed(Print(NOW_NS, 674_123, 20, True))

    assert [
        " 12:02:19.500 67,412.3 B 0.020", " 12:02:19 67,412.3 B 0.020", " 02:19 67,412.3 B 0.020",
        " 67,412.3 B 0.020", "  67,412.3",
    ] == [texts(shown, width)[1] for width in (30, 26, 25, 20, 10)]  # fmt: skip


@pytest.mark.parametrize("shown", [view(), fx.empty(), fx.crowded(), fx.extremes()])
def test_it_fits(shown: View) -> None:
    """Every size down to nothing, with tokens there are."""
    for width in (0, 1, 9, 10, 17, 25, 46, 120):
        for height in (0, 1, 2, 9, 60):
            rows = draw(shown, width, height, palette("mono", is_ascii=True), new=99)
            assert max(height, 1) >= len(rows)
            assert width < 40 or all(width >= cell_len(row) for row in texts(shown, width, height))
            assert all(row.isascii() for row in texts(shown, width, height))
            assert {cell.token.split()[0] for row in rows for cell in row} <= set(TOKENS)


async def test_new_prints_are_counted_from_view_to_view() -> None:
    """Not twice where a view is shown twice, nor where another instrument is chosen."""
    async with staged(size=L) as stage:
        tape = stage.app.desk.pane("tape")
        for number, seen, symbol, new in ((2, 1_300, BTC, 66), (2, 1_300, BTC, 66), (3, 9, ETH, 0)):
            shown = market(symbol, prints_seen=seen)
            stage.source.seen = stage.source.seen._replace(
                view=view(number=number, markets=(shown,))
            )
            await stage.settle()
            assert new == tape.new
