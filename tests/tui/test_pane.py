"""What every pane inherits: rows in, safe lines out, and a bug that stays in its pane."""

from engine.session.control.views import View
from tests.tui.fixtures import HOSTILE, view
from tests.tui.stage import FakeSource, staged
from tui.lines import AlertlinePane
from tui.pane import Cell, Row, strip, window
from tui.panes.quotes import QuotesPane
from tui.theme import palette


def test_a_line_is_as_wide_as_its_pane() -> None:
    """Shorter rows are padded, longer cut, wide characters counted as two."""
    for text in ("", "short", "x" * 99, "\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 30):
        assert 20 == strip([Cell(text)], 20, palette("safe-dark")).cell_length


def test_no_outside_byte_reaches_the_terminal() -> None:
    """Whatever a pane forgot to clean is cleaned here; markup is text."""
    painted = strip([Cell(HOSTILE, "up")], 120, palette("mono")).text

    assert painted.isprintable()
    assert painted.startswith("[@click=app.quit]x[/]")


def test_window_keeps_the_choice_in_sight() -> None:
    """Of a hundred rows ten are shown, the selected one among them."""
    assert [range(10), range(45, 55), range(90, 100)] == [window(100, 10, n) for n in (0, 50, 99)]
    assert range(3) == window(3, 10, 2)


async def test_only_lines_that_differ_are_painted() -> None:
    """A figure that moves repaints its row, not its pane."""
    async with staged() as stage:
        pane = stage.app.desk.pane("quotes")
        painted: list[int] = []
        render = pane.render_line
        pane.render_line = lambda y: painted.append(y) or render(y)  # type: ignore[method-assign]
        shown = view()
        btc, eth, sol = shown.markets
        stage.source.seen = stage.source.seen._replace(
            view=view(markets=(btc, type(eth)(**(_fields(eth) | {"bid": eth.ask})), sol))
        )
        await stage.settle()

        assert [3] == sorted(set(painted))


def _fields(market: object) -> dict:
    return {name: getattr(market, name) for name in market.__struct_fields__}


async def test_a_bug_in_one_pane_is_shown_in_it_and_nowhere_else() -> None:
    """The pane says so and tries again; the others go on; it is said once."""

    def broken(_self: QuotesPane, _view: View, _width: int, _height: int) -> list[Row]:
        raise ZeroDivisionError("[@click=app.quit]oops[/]")

    async with staged() as stage:
        quotes = stage.app.desk.pane("quotes")
        quotes.draw = broken.__get__(quotes)  # type: ignore[method-assign]
        await stage.settle()
        text = stage.text()

        assert "ZeroDivisionError: [@click=app.quit]oops[/]" in text
        assert "67,412.9" in text, "the book goes on"
        assert "pane Quotes can't be drawn" in stage.text()

        del quotes.draw
        await stage.settle()

        assert "ZeroDivisionError" not in "\n".join(stage.rows()[:8])


async def test_a_bug_leaves_one_record() -> None:
    """The first time its trace is kept and the place said; the next frames raise in silence."""
    kept: list[Exception] = []

    def keep(error: Exception) -> str:
        kept.append(error)
        return "its trace is in crash.log"

    def broken(*_: object) -> list[Row]:
        raise ZeroDivisionError("oops")

    async with staged(keep_bug=keep) as stage:
        quotes, book = stage.app.desk.pane("quotes"), stage.app.desk.pane("book")
        quotes.draw = broken  # type: ignore[method-assign]
        for _ in range(5):
            await stage.settle()
        assert "pane Quotes can't be drawn: its trace is in crash.log" in stage.rows()[-2]
        del quotes.draw
        await stage.settle()
        quotes.draw = book.draw = broken  # type: ignore[method-assign]
        await stage.settle()

        assert ["oops"] == [str(error) for error in kept], "the same bug again, elsewhere too"
        assert "10,012.34" in stage.text(), "the rest goes on"
        assert stage.app.bug is None


async def test_nothing_is_drawn_while_hidden_and_all_when_shown() -> None:
    """A tab that comes to the front shows the newest view at once."""
    async with staged() as stage:
        assert "errors_per_minute" not in stage.text()

        await stage.press("8")

        assert "errors_per_minute" in stage.text()


async def test_trouble_is_told_before_the_first_view() -> None:
    """A screen that can't connect says why, and its keys are there."""
    async with staged(source=FakeSource(None, trouble="no session listens at /x")) as stage:
        line = stage.app.desk.query_one(AlertlinePane)

        assert "no session listens" in line.render_line(0).text
        assert "DANGER" in stage.rows()[-1]
