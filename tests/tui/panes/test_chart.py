"""Pane chart: bars where they belong, what is ours on them, and any size."""

import time

import pytest
from rich.cells import cell_len

from engine.session.control.views import BarFace, BarTail, View
from tests.tui import fixtures as fx
from tests.tui.fixtures import BTC, ETH, HOSTILE, NOW_NS, SECOND, SELL, SOL, D, market, view
from tests.tui.stage import L, staged
from tui.chart_sheet import INDICATORS, Wish
from tui.panes.chart import caption, draw
from tui.theme import TOKENS, palette

T0 = NOW_NS // SECOND // 60 * 60
MINUTES = Wish(frame_s=60)
SIX = (
    # open, high, low, close, lots, buy lots, prints
    BarFace(100, 104, 100, 103, 8, 8, 2), BarFace(103, 108, 103, 107, 4, 3, 2), BarFace(107, 107, 101, 102, 2, 0, 1),
    BarFace(102, 102, 102, 102, 0, 0, 0), BarFace(102, 106, 98, 104, 1, 1, 1), BarFace(104, 106, 104, 105, 6, 2, 3),
)  # fmt: skip


def tiny(**changes: object) -> View:
    """Six minutes of a market with a tick of one."""
    shown = market(tick_size=D(1), lot_size=D(1), bars=(BarTail(60, T0 - 300, SIX),), features={})
    return view(markets=(shown,), **({"orders": (), "positions": (), "fills": ()} | changes))


def texts(
    shown: View, width: int, height: int, wish: Wish = MINUTES, *, is_ascii: bool = True
) -> list[str]:
    rows = draw(shown, width, height, palette("mono", is_ascii=is_ascii), wish)
    return ["".join(cell.text for cell in row).rstrip() for row in rows]


def test_candles() -> None:
    """Heavy for a rise, double for a fall, wicks between; the axis names whole ticks."""
    assert [
        "    │ ╽║",
        "105>│ ┃║ │╽",
        "    │╽┃║╻┃╹",
        "100 ┤┃ ╵ │",
        "    │    │",
        "    └   12:00",
    ] == texts(tiny(), 20, 6, is_ascii=False)


def test_ascii_candles_volume_and_times() -> None:
    """The same in letters; the largest volume is named, the rest is to its scale."""
    assert [
        "    | #:",
        "105>| #: |#",
        "    |##:###",
        "100 +# ' |",
        "    |    |",
        "  8 ||    :",
        "    |||: .|",
        "    +   12:00",
        " O 104 H 106 L 104",
    ] == texts(tiny(), 20, 9)


def test_what_is_ours() -> None:
    """Fills at their bar and price, orders at the edge, the average entry as a line with its price."""
    ours = tiny(
        fills=(
            fx.fill(1, ts_ns=(T0 - 240) * SECOND, symbol=BTC, side=fx.BUY, price=D(104)),
            fx.fill(2, ts_ns=T0 * SECOND, symbol=BTC, price=D(106)),
            fx.fill(3, ts_ns=T0 * SECOND, symbol=ETH, price=D(100)),
            fx.fill(4, ts_ns=(T0 - 9_000) * SECOND, symbol=BTC, price=D(100)),
        ),
        orders=(
            fx.order(1, price=D(101)),
            fx.order(2, side=SELL, price=D(500)),
            fx.order(3, price=None),
        ),
        positions=(fx.position(entry_price=D("99.4")),),
    )
    rows = texts(ours, 20, 14)
    marks = [
        (char, row[5:].index(char), y)
        for y, row in enumerate(rows[:10])
        for char in "^vo"
        if char in row[5:]
    ]

    assert [("v", 5, 2), ("^", 1, 4), ("o", 14, 6)] == marks
    assert [" 99e+....|........"] == [row for row in rows if "e+" in row]


def test_an_entry_beyond_the_scale_is_said() -> None:
    """Not drawn where it is not."""
    for price, words in (("90", "entry 90 below"), ("200", "entry 200 above")):
        rows = texts(tiny(positions=(fx.position(entry_price=D(price)),)), 60, 10)
        assert words in rows[-1]
        assert "e+" not in "".join(rows)


def test_a_line_on_the_same_scale() -> None:
    """The closes: highest below the highest high."""
    rows = texts(tiny(), 20, 6, Wish(frame_s=60, is_line=True))

    assert any("-" in row[5:] or "'" in row[5:] for row in rows)
    assert "#" not in "".join(rows)


@pytest.mark.parametrize("indicator", INDICATORS[1:])
def test_an_indicator_is_a_dotted_line(indicator: str) -> None:
    """Beneath the bars, and named in the title."""
    wish = Wish(frame_s=60, indicator=indicator)

    assert "~" in "".join(texts(view(), 80, 20, wish))
    assert f"BTCUSDT 1m {indicator}" == caption(market(), wish)


def test_fewer_than_two_bars_are_text() -> None:
    """With how many there are."""
    assert [" SOLUSDT warm 1/2 bars of 1s"] == texts(view(), 60, 9, Wish(SOL))
    assert [" ETHUSDT warm 0/2 bars of 1m"] == texts(view(), 60, 9, Wish(ETH, 60))
    assert [" no instruments in this session"] == texts(view(markets=()), 60, 9)
    assert [" BTCUSDT: no room for a chart"] == texts(view(), 40, 1)


def test_bars_of_mids_say_so() -> None:
    """A market without prints is drawn from what it quoted."""
    mids = tuple(
        BarFace(b.open_ticks, b.high_ticks, b.low_ticks, b.close_ticks, 0, 0, 0) for b in SIX
    )

    assert "BTCUSDT 1m mids" == caption(market(bars=(BarTail(60, T0, mids),)), Wish(frame_s=60))


@pytest.mark.parametrize("is_ascii", [True, False])
@pytest.mark.parametrize("shown", [view(), fx.empty(), fx.crowded(), fx.extremes(), tiny()])
def test_it_fits(shown: View, is_ascii: bool) -> None:
    """Every size down to nothing, every form, with tokens there are; letters alone where asked."""
    for width in (0, 1, 7, 12, 14, 15, 33, 80, 200):
        for height in (0, 1, 2, 3, 7, 8, 9, 16, 40):
            for wish in (Wish(), Wish(frame_s=1, is_line=True, indicator="VWAP")):
                rows = draw(shown, width, height, palette("mono", is_ascii=is_ascii), wish)
                lines = ["".join(cell.text for cell in row) for row in rows]
                assert height >= len(rows)
                assert all(width >= cell_len(line) for line in lines)
                assert not is_ascii or all(line.isascii() for line in lines)
                assert {cell.token.split()[0] for row in rows for cell in row} <= set(TOKENS)


def test_hostile_names_are_harmless() -> None:
    """Cut and printable."""
    shown = view(markets=(market(HOSTILE, bars=()),))

    assert all(row.isprintable() for row in texts(shown, 80, 3))
    assert caption(shown.markets[0], Wish()).isprintable()


def test_a_repaint_is_cheap() -> None:
    """A chart of 120 columns in a fraction of a frame; the least of ten, on a busy machine."""
    looks, least_s = palette("safe-dark"), 1.0
    shown = view(markets=(market(bars=(fx.walked(1, 240),)),))
    for _ in range(10):
        began_s = time.process_time()
        draw(shown, 120, 30, looks, Wish(frame_s=1, indicator="VWAP"))
        least_s = min(least_s, time.process_time() - began_s)

    assert 0.010 > least_s


async def test_keys() -> None:
    """Longer, shorter, back, forth, now, indicator, form: the title tells, `end` follows again."""
    async with staged(size=L) as stage:
        await stage.press("K")
        for keys, words in (
            (("plus",), "BTCUSDT 5m"), (("minus",) * 3, "BTCUSDT 5s"), (("i",), "BTCUSDT 5s EMA 20"),
            (("left", "left"), "BTCUSDT 5s EMA 20 until 12:01:00Z"),
            (("right",), "BTCUSDT 5s EMA 20 until 12:01:40Z"),
        ):  # fmt: skip
            await stage.press(*keys)
            assert f"K Chart {words}" in stage.text()
        await stage.press("end", "i", "i")
        assert "K Chart BTCUSDT 5s─" in stage.text()
        assert "║" in stage.text()
        await stage.press("v")

        assert "║" not in stage.text()


async def test_it_shows_the_chosen_instrument() -> None:
    """The row of the quotes."""
    async with staged(size=L) as stage:
        await stage.press("right_square_bracket")

        assert "Chart ETHUSDT" in stage.text()
