"""Slow panes: one repaint a second, another instrument and a choice at once."""

from engine.session.control.views import BarTail
from tests.tui import fixtures as fx
from tests.tui.stage import L, staged


async def test_one_repaint_a_second() -> None:
    """Views within a second change nothing on the chart; the next second's does."""
    async with staged(size=L) as stage:
        chart = stage.app.desk.pane("chart")
        before = chart._lines
        for ms, is_same in ((100, True), (600, False)):
            tail = fx.walked(60, 81)
            later = BarTail(60, tail.first_s + 60, tail.bars)
            session = fx.session(ts_ns=fx.NOW_NS + ms * fx.MS)
            shown = fx.view(session=session, markets=(fx.market(bars=(later,)),))
            stage.source.seen = stage.source.seen._replace(view=shown)
            await stage.settle()
            assert is_same is (before == chart._lines)


async def test_a_choice_is_seen_at_once() -> None:
    """Keys and the instrument, within the same second."""
    async with staged(size=L) as stage:
        await stage.press("E")
        assert "Equity last 4m" in stage.text()
        await stage.press("minus", "minus", "minus")
        assert "Equity last 1m" in stage.text()
        await stage.press("right_square_bracket")

        assert "Chart ETHUSDT" in stage.text()
        assert "ETHUSDT warm 0/2 bars" in stage.text()
