"""Keys: what a person may choose, and that each action can be found and reached (T3)."""

import pytest

from tests.tui.stage import L, M, S, staged
from tui import keys
from tui.config import TuiConfig
from tui.desk import PANES
from tui.dialogs.help import help_text, spelled
from tui.keymap import FRAGILE, contexts, own_bindings, parts, problems, rebound, renamed
from tui.pane import Pane

FORBIDDEN = {
    # one byte with another key, or taken by tmux, screen, the shell or a browser
    "ctrl+i", "ctrl+m", "ctrl+j", "ctrl+h", "ctrl+left_square_bracket", "ctrl+s", "ctrl+b",
    "ctrl+a", "ctrl+z", "ctrl+w", "ctrl+t", "ctrl+n", "ctrl+enter",
}  # fmt: skip

REFUSED = [
    # keys, what is said
    ({"pauze": "x"}, "tui.keys.pauze: there is no such action: did you mean pause?"),
    ({"pause": "ctrl+z"}, "tui.keys.pause: ctrl+z would suspend the screen"),
    ({"pause": "ctrl+b"}, "tui.keys.pause: ctrl+b is kept by tmux"),
    ({"pause": "escape"}, "tui.keys.pause: escape always leads back"),
    ({"pause": "z"}, "would be both pause (Pause the engine; again: resume (asks)) and zoom"),
    ({"pause": "?"}, "tui.keys: question_mark would be both help"),
    ({"log-tail": "P"}, "and log-tail (Follow the newest lines) in Log"),
    ({"zoom": "v"}, "and positions-flat (Show flat ones too) in Positions"),
    ({"pause": "f5"}, "tui.keys.pause: f5 may never arrive: name a plain key beside it"),
    ({"pause": "shift+up"}, "shift+up may never arrive"),
    ({"pause": "blah"}, "tui.keys.pause: names no key of a keyboard"),
    ({"pause": "ctrl+blah"}, "names no key of a keyboard"),
    ({"pause": " , "}, "tui.keys.pause: needs a key"),
    ({"danger": "k"}, "tui.keys.danger: must keep a ctrl chord"),
    ({"danger": "f9,ctrl+k,u"}, "tui.keys.danger: can't be a character"),
    ({"danger": "f9"}, "tui.keys.danger: must keep a ctrl chord"),
]


@pytest.mark.parametrize(("keymap", "said"), REFUSED)
def test_refused(keymap: dict[str, str], said: str) -> None:
    """Each with the one sentence that says what to change."""
    assert any(said in problem for problem in problems(keymap)), problems(keymap)


@pytest.mark.parametrize(
    "keymap",
    [
        {},
        {"pause": "f5,p"},
        {"danger": "ctrl+k"},
        {"danger": "ctrl+k,f9"},
        {"pause": "z", "zoom": "P"},
        {"log-tail": "v", "log-level": "t"},
        {"zoom": "comma,Z", "sort-previous": "<"},
    ],
)
def test_accepted(keymap: dict[str, str]) -> None:
    """A second way, another chord, two actions that change places."""
    assert [] == problems(keymap)


def test_a_value_is_never_repeated() -> None:
    """It may be a secret that was pasted in the wrong place."""
    assert not any("hunter2secret" in problem for problem in problems({"pause": "hunter2secret"}))


@pytest.mark.parametrize("typed", "/-+_@;:'\"`~|&*(){}<>=#$%\\")
def test_every_character_of_a_keyboard_is_a_key(typed: str) -> None:
    """Some have two names; the help spells them as they are typed."""
    free = [p for p in problems({"zoom": typed}) if "would be both" not in p]

    assert [] == free
    (key,) = parts(typed)
    assert typed == spelled(key)


def test_parts_are_spelled_as_textual_spells_them() -> None:
    """One character stands for itself."""
    assert ["question_mark", "P", "slash", "f5"] == parts("?, P,/ ,f5")


def test_every_action_has_an_id_and_words() -> None:
    """Without an id nobody could move it; without words nobody could find it."""
    bound = [binding for _, bindings in contexts() for binding in bindings]

    assert [] == [b for b in bound if not b.id or not b.description]
    named = {(b.id, b.action) for b in bound}
    assert len(named) == len({name for name, _ in named}), "one id, one action"


def test_no_key_does_two_things_in_one_place() -> None:
    """The app's keys and each pane's, as they come."""
    for where, bindings in contexts():
        taken: dict[str, str] = {}
        for binding in bindings:
            for key in binding.key.split(","):
                assert taken.setdefault(key, binding.action) == binding.action, (where, key)


def test_no_action_hangs_on_a_key_that_may_be_eaten() -> None:
    """Forbidden chords not at all, fragile ones beside another; the danger menu by two."""
    for _, bindings in contexts():
        for binding in bindings:
            chords = binding.key.split(",")
            assert not FORBIDDEN & set(chords)
            assert any(FRAGILE.fullmatch(chord) is None for chord in chords)
    assert {"ctrl+x", "exclamation_mark"} <= {b.key for b in keys.BINDINGS if b.action == "danger"}


@pytest.mark.parametrize(
    "pane", [pane for pane in PANES if pane.can_focus], ids=lambda p: p.__name__
)
async def test_every_key_is_in_the_help_and_in_the_palette(pane: type[Pane]) -> None:
    """Of the app, of all panes, of this pane."""
    own = [*keys.BINDINGS, *own_bindings(pane)]
    listed = help_text([("Everywhere", keys.BINDINGS), (pane.TITLE, own_bindings(pane))])
    async with staged(size=M) as stage:
        stage.app.desk.go_to(pane.__name__.removesuffix("Pane").lower())
        await stage.settle()
        offered = {c.title for c in stage.app.get_system_commands(stage.app.screen)}

    assert [] == [b.description for b in own if b.description not in listed]
    assert [] == [b.description for b in own if b.description not in offered]


async def test_a_persons_keys_work_and_are_shown() -> None:
    """Pressed, in the help, in the last line; the usual ones do nothing any more."""
    config = TuiConfig(keys={"danger": "ctrl+k", "zoom": "Z,f5", "log-tail": "u"})
    async with staged(size=L, config=config) as stage:
        assert "^k DANGER" in stage.rows()[-1]
        assert "^x" not in stage.rows()[-1]
        before = stage.text()
        await stage.press("z")
        assert before == stage.text()
        await stage.press("Z")
        assert before != stage.text()
        await stage.press("Z", "question_mark")
        assert "Z f5         Zoom the pane, and back" in stage.text()
        await stage.press("escape")
        await stage.press("ctrl+k")
        assert "DANGER  PAPER" in stage.text()
        await stage.press("k")

        assert [("kill", "")] == [(str(o), a) for o, a in stage.source.asked]


async def test_the_card_names_the_moved_danger_key() -> None:
    """On a terminal too small for anything else it matters most."""
    async with staged(size=(30, 8), config=TuiConfig(keys={"danger": "ctrl+k"})) as stage:
        assert "^k DANGER" in stage.text()


def test_renamed() -> None:
    """The first key before and after; what did not move is not there."""
    assert {"z": "Z", "^x": "^k"} == renamed({"zoom": "Z,f5", "danger": "ctrl+k"})
    zoom = next(b for b in keys.BINDINGS if b.id == "zoom")
    assert "z" == rebound(zoom, {"pause": "x"}).key


async def test_the_greeting_ends_with_the_first_key() -> None:
    """Three lines for whoever started it; not for whoever attaches; S is enough room."""
    async with staged(size=S, is_owner=True) as stage:
        assert "^x then k stops everything" in stage.rows()[-3]
        assert stage.rows()[-5].startswith(" PAPER: orders fill at a simulated venue")
        assert "trade BTCUSDT" in stage.rows()[-4]
        await stage.press("down")
        assert "stops everything" not in stage.text()
    async with staged(size=S) as stage:
        assert "stops everything" not in stage.text()


@pytest.mark.parametrize("size", [(20, 5), (60, 16), S, M, L])
async def test_the_greeting_leaves_the_screen_its_figures(size: tuple[int, int]) -> None:
    """From the first size on, also where there is no room to greet."""
    async with staged(size=size, is_owner=True) as stage:
        assert "10,012.34" in stage.text()
        assert ("stops everything" in stage.text()) is (size != (20, 5))
