"""The workstation as a person meets it: keys, sizes, age, endings, terminals that are odd."""

import queue
from types import SimpleNamespace

import pytest

from engine.session.control.words import Farewell
from tests.tui.fixtures import HOSTILE, empty, log, market, view
from tests.tui.stage import FakeSource, L, M, S, staged, welcome
from tui.app import ENDED_S, SAID_S, TWICE_S
from tui.dialogs.help import HelpScreen
from tui.dialogs.question import QuestionDialog
from tui.keys import BINDINGS
from tui.overlays import KEYLESS
from tui.pane import Pane
from tui.theme import NAMES

FORBIDDEN = {
    # one byte with another key, or taken by tmux, screen or the terminal
    "ctrl+i", "ctrl+m", "ctrl+j", "ctrl+h", "ctrl+left_square_bracket", "ctrl+s", "ctrl+b", "ctrl+a",
    "ctrl+z", "ctrl+w", "ctrl+t", "ctrl+n",
}  # fmt: skip
DIGITS = {
    "1": "quotes", "2": "health", "3": "book", "4": "positions", "5": "orders", "6": "fills",
    "7": "agents", "8": "risk", "9": "log", "0": "fsm", "K": "chart", "D": "tape", "E": "equity",
    "L": "router", "R": "roundtrips",
}  # fmt: skip


def test_no_key_means_two_things_and_none_is_eaten_by_terminals() -> None:
    """Each key once; whatever a terminal may swallow has a second way in the table."""
    bound = [key for binding in BINDINGS for key in binding.key.split(",")]

    assert len(bound) == len(set(bound))
    assert set() == FORBIDDEN & set(bound)
    assert 2 == sum("danger" == binding.action for binding in BINDINGS)


@pytest.mark.parametrize("size", [S, M, (60, 16)])
async def test_digits_go_to_panes_and_the_second_press_zooms(size: tuple[int, int]) -> None:
    """Every pane has a key, at every size that has panes; escape gives the floor back."""
    async with staged(size=size) as stage:
        await stage.press("9")
        for key, name in DIGITS.items():
            await stage.press(key)
            pane = stage.app.desk.pane(name)
            assert pane.has_focus
            assert pane.region.area
            before = pane.region
            await stage.press(key)
            assert (size[0], size[1] - 4) == pane.size
            await stage.press("escape")
            assert before == pane.region


async def test_z_zooms_and_gives_back() -> None:
    """The focused pane, and all panes again."""
    async with staged() as stage:
        await stage.press("9", "z")
        assert "67,412.9" not in stage.text()
        await stage.press("z")

        assert "67,412.9" in stage.text()


async def test_brackets_choose_the_symbol_in_all_panes() -> None:
    """The row of the quotes and the ladder."""
    async with staged() as stage:
        await stage.press("right_square_bracket", "right_square_bracket", "right_square_bracket")
        assert "Book SOLUSDT" in stage.text()
        assert any(row.startswith(">SOLUSDT") for row in stage.rows())
        await stage.press("left_square_bracket")

        assert "Book ETHUSDT" in stage.text()


async def test_slash_filters_the_focused_pane() -> None:
    """What does not match is hidden, the title says so, escape shows all again."""
    async with staged() as stage:
        await stage.press("5", "slash", *"sol", "enter")
        assert "/sol" in stage.text()
        assert "PARTIALLY" in stage.text()
        assert "UNKNOWN" not in stage.text()
        await stage.press("escape")

        assert "UNKNOWN" in stage.text()


async def test_t_goes_through_the_palettes_without_changing_a_word() -> None:
    """Color repeats what is said; it says nothing by itself."""
    async with staged() as stage:
        texts = []
        for _ in NAMES:
            texts.append(stage.text())
            await stage.press("T")

        assert 1 == len(set(texts))
        assert NAMES[0] == stage.app.looks.name


async def test_help_lists_every_key_of_the_table() -> None:
    """From the table that binds them; any key closes it."""
    async with staged(size=L) as stage:
        await stage.press("question_mark")
        assert isinstance(stage.app.screen, HelpScreen)
        text = stage.text()
        for binding in BINDINGS:
            assert binding.description in text
        await stage.press("x")

        assert 1 == len(stage.app.screen_stack)


async def test_the_palette_offers_every_action() -> None:
    """In plain words, and it does what it says."""
    async with staged() as stage:
        offered = {command.title for command in stage.app.get_system_commands(stage.app.screen)}
        assert {binding.description for binding in BINDINGS} < offered
        assert {binding.description for binding in Pane.BINDINGS} < offered
        assert {words for words, _ in KEYLESS} < offered
        await stage.press("ctrl+p", *"go to log")
        await stage.until(lambda: "Go to log" in stage.text())
        await stage.press("enter")
        await stage.until(lambda: stage.app.desk.pane("log").has_focus)


async def test_ctrl_c_hints_and_then_asks() -> None:
    """Once is a slip; twice within two seconds is a wish, asked about, never an exit."""
    async with staged() as stage:
        await stage.press("ctrl+c")
        assert "press ^c again" in stage.rows()[-2]
        await stage.later(TWICE_S)
        await stage.press("ctrl+c")
        assert 1 == len(stage.app.screen_stack)
        await stage.press("ctrl+c")

        assert isinstance(stage.app.screen, QuestionDialog)
        assert stage.app.is_running


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_no_key_quits_at_once(key: str) -> None:
    """Textual's own ctrl+q does; ours asks."""
    async with staged() as stage:
        await stage.press(key)

        assert isinstance(stage.app.screen, QuestionDialog)
        assert stage.app.is_running


async def test_ctrl_z_does_nothing() -> None:
    """A screen is never suspended by a key."""
    async with staged() as stage:
        await stage.press("ctrl+z")

        assert 1 == len(stage.app.screen_stack)
        assert stage.app.is_running


async def test_a_frozen_screen_says_so_over_everything_said() -> None:
    """Two seconds without a view: a banner with the time of the figures, over the full width."""
    async with staged() as stage:
        await stage.press("P")
        stage.source.seen = stage.source.seen._replace(age_s=2.1, trouble="no session listens")
        await stage.settle()
        banner = stage.rows()[-2]

        assert banner.startswith(
            " SCREEN FROZEN, figures as of 12:02:19Z, engine ACTIVE: no session"
        )
        stage.source.seen = stage.source.seen._replace(age_s=0.1, trouble="")
        await stage.settle()
        assert "FROZEN" not in stage.text()


async def test_a_session_that_ends_closes_its_screen_after_a_look() -> None:
    """The last figures stay for a moment; then the reason goes to whoever ran the screen."""
    async with staged() as stage:
        stage.source.seen = stage.source.seen._replace(farewell=Farewell("completed"))
        await stage.settle()
        assert "session ended: completed" in stage.rows()[-2]
        assert stage.app.return_value is None
        await stage.until(lambda: True)
        await stage.pilot.pause(ENDED_S + 0.2)

        assert ("ended", "completed") == stage.app.return_value


async def test_an_engine_that_died_closes_the_screen_of_its_owner() -> None:
    """No farewell came and the process is gone."""
    async with staged(is_owner=True, is_alive=lambda: False) as stage:
        await stage.pilot.pause(ENDED_S + 0.2)

        assert "died" == stage.app.return_value.how


async def test_a_terminal_that_takes_nothing_is_given_nothing() -> None:
    """Frames wait in Textual's writer: none is added, and the danger menu still sends."""
    async with staged() as stage:
        waiting: queue.Queue[str] = queue.Queue()
        stage.app._driver._writer_thread = SimpleNamespace(_queue=waiting)
        for _ in range(2):
            waiting.put("frame")
        stage.source.seen = stage.source.seen._replace(view=empty())
        await stage.settle()
        assert "10,012.34" in stage.text(), "the old figures still stand"
        await stage.press("ctrl+x", "k")
        assert 1 == len(stage.source.asked)

        waiting.get()
        await stage.settle()

        assert "10,012.34" not in stage.text()
        stage.app._driver._writer_thread = None


async def test_a_look_at_a_cleared_desk() -> None:
    """The last tick may come when the panes have left already."""
    async with staged() as stage:
        await stage.app.desk.remove_children()
        stage.app.look()

        assert stage.app.bug is None


async def test_what_is_said_is_forgotten() -> None:
    """A hint makes room for what is worst."""
    async with staged() as stage:
        await stage.press("ctrl+c")
        assert "press ^c again" in stage.rows()[-2]
        await stage.later(SAID_S)

        assert "!! order maker-4 ETHUSDT: nobody knows" in stage.rows()[-2]


async def test_fifty_resizes_keep_what_was_chosen() -> None:
    """From the largest to the smallest and back: focus, tab, filter and symbol are where they were."""
    sizes = [L, (20, 5), M, (1, 1), S, (39, 9), (60, 16), (300, 90), (80, 3), (19, 60)]
    async with staged() as stage:
        await stage.press("right_square_bracket", "8", "slash", *"loss", "enter")
        before = stage.text()
        for size in sizes * 5:
            await stage.pilot.resize_terminal(*size)
        await stage.pilot.resize_terminal(*S)
        await stage.settle()

        assert before == stage.text()
        assert stage.app.desk.pane("risk").has_focus


async def test_a_size_nobody_told_of_is_found() -> None:
    """Of two quick changes the word of one may be lost; the picture follows the terminal."""
    async with staged(size=L) as stage:
        stage.app._driver._size = S
        stage.app.tick()
        await stage.until(lambda: S == tuple(stage.app.size))
        await stage.settle()

        assert S == (len(stage.rows()[0]), len(stage.rows()))


@pytest.mark.parametrize(
    ("size", "palette_name"),
    [(S, "safe-dark"), (S, "mono"), (L, "mono"), ((60, 16), "mono"), ((20, 5), "mono")],
)
async def test_no_color_and_no_utf8(
    size: tuple[int, int], palette_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every pane is drawn under NO_COLOR, in ASCII alone, by every key."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with staged(size=size, palette_name=palette_name, is_ascii=True) as stage:
        assert stage.app.no_color
        for key in [*DIGITS, "q", "escape", "question_mark", "x", "ctrl+x", "x"]:
            await stage.press(key)
            stage.clock.now_s += 1
            drawn = [row for row in stage.rows() if not row.isascii()]
            assert [] == drawn


@pytest.mark.parametrize("size", [S, L, (60, 16), (30, 8)])
async def test_hostile_words_are_drawn_as_words(size: tuple[int, int]) -> None:
    """Markup, escapes and ten thousand letters from outside, in every place that has words."""
    markets = (market("BTCUSDT"), market(HOSTILE))
    lines = tuple(type(line)(line.ts_ns, HOSTILE, line.severity, HOSTILE) for line in log())
    source = FakeSource(
        view(markets=markets, log=lines),
        welcome=welcome(source=HOSTILE, run_id=HOSTILE, mode=HOSTILE),
        trouble=HOSTILE,
    )
    async with staged(source=source, size=size) as stage:
        for key in (*DIGITS, "q"):
            await stage.press(key)
            assert all(row.isprintable() for row in stage.rows())
            assert all(size[0] >= len(row) for row in stage.rows())
        assert stage.app.is_running


async def test_an_unknown_mode_is_marked_and_live_is_loud() -> None:
    """The first cell is never wrong about money."""
    for mode, badge in (
        ("live", " LIVE "),
        ("paper", " PAPER "),
        ("replay", " REPLAY "),
        ("weird", " WEIRD "),
    ):
        source = FakeSource(view(), welcome=welcome(mode=mode, is_simulated=False))
        async with staged(source=source) as stage:
            assert stage.rows()[0].startswith(badge)
            assert "SIMULATED" not in stage.text()


async def test_simulated_prices_are_marked_by_either_sign() -> None:
    """The welcome, or a view after a fallback."""
    fallen = view()
    session = type(fallen.session)(
        **{n: getattr(fallen.session, n) for n in fallen.session.__struct_fields__}
        | {"is_simulated": True}
    )
    source = FakeSource(view(session=session), welcome=welcome(is_simulated=False))
    async with staged(source=source) as stage:
        assert stage.rows()[0].startswith(" PAPER  SIMULATED ")
