"""Every key of a recorded session, on a real playback; the oracle is a forward run."""

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from engine.model.money import use_exact_arithmetic
from engine.session.playback.landmarks import Landmark
from engine.session.playback.words import Broken, Play, Seek, Step
from tests.engine.session.playback.forward import Instant, forward
from tests.tui.replay.stage import StillLink, played, scrub, still
from tests.tui.stage import S
from tui.dialogs.filter import FilterLine
from tui.dialogs.help import HelpScreen
from tui.keymap import contexts
from tui.overlays import ACTS, own_keys
from tui.replay import keys
from tui.replay.app import RECORDED

known = cache(forward)

TO = {
    # key, the kind it goes to
    "right": ("left", None),
    "greater_than_sign": ("less_than_sign", Landmark.DECISION),
    "right_curly_bracket": ("left_curly_bracket", Landmark.FILL),
    "right_parenthesis": ("left_parenthesis", Landmark.STATE),
}
WISHES = {
    "space": Play(is_on=True),
    "right": Step(by=1),
    "left": Step(by=-1),
    "greater_than_sign": Step(by=1, to=Landmark.DECISION),
    "less_than_sign": Step(by=-1, to=Landmark.DECISION),
    "right_curly_bracket": Step(by=1, to=Landmark.FILL),
    "left_curly_bracket": Step(by=-1, to=Landmark.FILL),
    "right_parenthesis": Step(by=1, to=Landmark.STATE),
    "left_parenthesis": Step(by=-1, to=Landmark.STATE),
    "e": Step(by=1, to=Landmark.EVIDENCE),
    "plus": Play(is_on=False, speed=4),
    "minus": Play(is_on=False, speed=2),
    "home": Seek(seq=0),
    "end": Seek(is_end=True),
    "apostrophe": Seek(seq=90_000),
    "quotation_mark": Seek(seq=7),
}
NO_WISH = {"slash", "asterisk", "F", "q", "ctrl+q"}


@pytest.fixture
def truth(short: Path) -> list[Instant]:
    use_exact_arithmetic()
    return known(short)


@pytest.mark.parametrize("pane", ["quotes", "log", "book"])
async def test_each_key_wishes_one_thing_whatever_pane_has_the_focus(pane: str) -> None:
    """No pane keeps a key of the replay for itself; a mark before and one behind are there."""
    link = StillLink()
    async with still(link=link, marks=(7, 90_000)) as stage:
        stage.app.desk.pane(pane).focus()
        for key, wish in WISHES.items():
            link.wishes.clear()
            await stage.pilot.press(key)
            if key == "plus":  # a speed is chosen from the one before
                await stage.pilot.press("minus")
                link.wishes.pop()
            assert [wish] == link.wishes, key


def test_every_key_is_in_the_table() -> None:
    """A new key fails here until somebody says what it wishes."""
    hand = {key for binding in keys.HAND for key in binding.key.split(",")}
    bound = [key for binding in keys.BINDINGS for key in binding.key.split(",")]

    assert hand == set(WISHES) | NO_WISH
    assert len(bound) == len(set(bound)), "no key means two things"


async def test_steps_go_from_one_instant_of_a_kind_to_the_next(
    short: Path, truth: list[Instant]
) -> None:
    """There and back again, from the first to the last, figure for figure."""
    async with played(short) as stage:
        for onward, (back, kind) in TO.items():
            await stage.press("home")
            await stage.until(lambda at: at.cursor == 0)
            way = [n for n, i in enumerate(truth) if n and (kind is None or kind in i.landmarks)]
            assert way, f"the recording has no {kind}"
            for cursor in way[:4]:
                await stage.press(onward)
                at = await stage.until(lambda at, c=cursor: at.cursor == c)
                assert truth[cursor].hash == at.hash
            for _, before in pairwise(reversed(way[:4])):
                await stage.press(back)
                await stage.until(lambda at, c=before: at.cursor == c)


async def test_slash_goes_to_a_time_an_event_or_a_hash(short: Path, truth: list[Instant]) -> None:
    """Typed in one line; nonsense is told, and escape changes nothing."""
    middle = truth[len(truth) // 2]
    last = len(truth) - 1
    async with played(short) as stage:
        for typed, cursor in ((f"{middle.seq:,}", len(truth) // 2), (truth[3].hash[:16], 3)):
            await stage.press("slash")
            assert isinstance(stage.app.screen, FilterLine)
            await stage.press(*(("comma" if c == "," else c) for c in typed), "enter")
            await stage.until(lambda at, c=cursor: at.cursor == c)
        await stage.press("slash", "plus", "0", "colon", "1", "0", "enter")
        at = await stage.until(lambda at: at.cursor > 3 and not at.is_seeking)
        assert at.ts_ns <= at.began_ns + 10 * 10**9 < truth[at.cursor + 1].ts_ns
        await stage.press("slash", *"nowhere", "enter")
        assert "nowhere: type hh:mm:ss" in stage.text()
        await stage.press("slash", *"99999999", "enter")
        await stage.until(lambda at: bool(at.refusal))
        assert "there is no event 99,999,999" in stage.text()
        await stage.press("slash", "1", "escape", "end")
        assert last == (await stage.until(lambda at: at.cursor == last)).cursor


async def test_space_plays_to_the_end_and_pauses(short: Path, truth: list[Instant]) -> None:
    """At full speed; the bar says so, and the end stops it."""
    async with played(short) as stage:
        await stage.press(*["plus"] * 9)
        await stage.until(lambda at: at.speed == 10)
        assert "|| max" in stage.text()
        await stage.press("space")
        at = await stage.until(lambda at: at.cursor == len(truth) - 1 and not at.is_playing)
        assert truth[-1].hash == at.hash
        await stage.press("home", *["minus"] * 20, "space")
        await stage.until(lambda at: at.is_playing and at.speed == 0)
        assert "> x0.1" in stage.text()
        await stage.press("space")
        await stage.until(lambda at: not at.is_playing)


async def test_the_panes_show_the_instant(short: Path, truth: list[Instant]) -> None:
    """Recorded time, recorded state, nothing of now; the badge says what this is."""
    async with played(short) as stage:
        assert stage.rows()[0].startswith(" REPLAY  SIMULATED ")
        await stage.press("end")
        await stage.until(lambda at: at.cursor == len(truth) - 1)
        view = stage.app.link.glance().view
        assert view is not None
        assert truth[-1].seq == view.session.events
        text = stage.text()
        assert f"{view.session.equity:,.2f}" in text
        assert "diverged 0" in text
        assert "FROZEN" not in text


async def test_a_key_is_answered_at_once(short: Path) -> None:
    """By the frame that comes, not by the next look: with looks turned off it still shows."""
    async with played(short) as stage:
        for timer in list(stage.app._timers):
            timer.stop()
        before = stage.text()
        await stage.pilot.press("end")
        for _ in range(1_000):
            await stage.pilot.pause(0.01)
            if stage.text() != before:
                break
        assert stage.text() != before


@pytest.mark.parametrize("key", ["P", "ctrl+x", "exclamation_mark"])
async def test_keys_of_a_running_session_are_dead(key: str) -> None:
    """They say so, open nothing and send nothing."""
    async with still() as stage:
        await stage.press(key)

        assert RECORDED[:40] in stage.text()
        assert 1 == len(stage.app.screen_stack)
        assert [] == stage.app.link.wishes


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_q_leaves_at_once(key: str) -> None:
    """Nothing is at risk, so nothing is asked."""
    async with still() as stage:
        await stage.press(key)

        assert ("left", "") == stage.app.return_value


async def test_star_marks_and_unmarks_and_quotes_go_round() -> None:
    """A mark is a star on the track."""
    link = StillLink(at=scrub(seq=73_600))
    async with still(link=link) as stage:
        assert "*" not in stage.rows()[-1]
        await stage.press("asterisk")
        assert [73_600] == stage.app.bookmarks.events
        assert 1 == stage.rows()[-1].count("*")
        await stage.press("apostrophe")
        assert [Seek(seq=73_600)] == link.wishes, "the only mark is also the next"
        await stage.press("asterisk", "apostrophe")
        assert "no bookmarks: * sets one" in stage.text()


async def test_a_key_in_the_seek_line_is_text() -> None:
    """Space, plus, slash and quotes are typed, not obeyed."""
    async with still() as stage:
        await stage.press("slash", "space", "plus", "e", "left", "home", "q")

        assert isinstance(stage.app.screen, FilterLine)
        assert [] == stage.app.link.wishes


async def test_a_playback_that_breaks_closes_the_screen() -> None:
    """With its reason, for whoever ran it to tell."""
    link = StillLink()
    async with still(link=link) as stage:
        link.broken = Broken(6, "events.jsonl:7: the line is torn")
        await stage.settle()

        assert ("broken", "events.jsonl:7: the line is torn") == stage.app.return_value


async def test_help_and_palette_list_the_keys_of_a_replay() -> None:
    """Those that act on a session are not among them."""
    async with still((200, 70)) as stage:
        offered = {command.title for command in stage.app.get_system_commands(stage.app.screen)}
        assert {b.description for b in (*keys.BINDINGS, *own_keys(stage.app))} <= offered
        await stage.press("question_mark")
        assert isinstance(stage.app.screen, HelpScreen)
        text = stage.text()
        for binding in keys.BINDINGS:
            assert binding.description in text
        dead = {b.description for _, there in contexts() for b in there if b.id in keys.DEAD}
        assert not {words for words in dead if words in text} | dead & offered


@pytest.mark.parametrize("pane", ["3", "4", "5", "7"])
async def test_a_pane_lists_only_keys_that_live_here(pane: str) -> None:
    """None that acts, none that moves through time instead."""
    async with still((200, 70)) as stage:
        await stage.press(pane)
        listed = {key for binding in own_keys(stage.app) for key in binding.key.split(",")}

        assert not listed & {key for b in keys.HAND if b.priority for key in b.key.split(",")}
        assert not keys.DEAD & {binding.id for binding in own_keys(stage.app)}


def test_every_key_that_acts_is_dead_here() -> None:
    """Also those of panes, and one that comes tomorrow."""
    for _, there in contexts():
        for binding in there:
            name = binding.action.removeprefix("app.").removeprefix("open('").removesuffix("')")
            if name in ACTS:
                assert binding.id in keys.DEAD, binding.description


ACTING = [
    # pane, key
    ("1", "b"), ("1", "s"), ("1", "C"), ("5", "x"), ("5", "a"), ("4", "f"), ("7", "equals_sign"),
    ("3", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("pane", "key"), ACTING)
async def test_what_acts_on_a_session_says_that_this_one_is_recorded(pane: str, key: str) -> None:
    """No ticket, no question, no command: words."""
    async with still() as stage:
        await stage.press(pane, key)

        assert RECORDED in stage.text()
        assert 1 == len(stage.app.screen_stack)


async def test_a_zoomed_pane_leaves_the_bar() -> None:
    """Where one is in time stays in sight."""
    async with still(S) as stage:
        await stage.press("9", "z")

        assert "diverged 0" in stage.text()
        assert (80, 18) == stage.app.desk.pane("log").size
