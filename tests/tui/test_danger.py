"""Gestures that change a session: what sends, and above all what does not."""

import pytest

from engine.model.events import Operator
from engine.session.control.words import Outcome, Ruling
from tests.tui.fixtures import D, empty, lifecycle, view
from tests.tui.stage import FakeSource, Stage, staged, welcome
from tui.danger import ARMED_S, CHOICES, GUARD_S, DangerMenu
from tui.dialogs.question import QuestionDialog
from tui.link import Answer

ARMING = ("ctrl+x", "exclamation_mark")


def outcome(command: Operator = Operator.KILL, **changes: object) -> Outcome:
    """Done in 180 ms, four orders canceled, flat."""
    fields: dict = {
        "ask_id": 1, "command": command, "argument": "", "ruling": Ruling.DONE, "seconds": 0.18,
        "ts_ns": 1, "state": "EMERGENCY", "reasons": (), "orders_canceled": 4, "fills": 1,
        "open_orders": 0, "positions": {}, "equity": D(10_000),
    }  # fmt: skip
    return Outcome(**(fields | changes))


@pytest.mark.parametrize("arm", ARMING)
@pytest.mark.parametrize(("key", "command"), [(k, c) for k, (c, _) in CHOICES.items()])
async def test_two_keys_send(arm: str, key: str, command: Operator) -> None:
    """Arm, choose: sent at once, and said with its time."""
    async with staged() as stage:
        await stage.press(arm)
        assert isinstance(stage.app.screen, DangerMenu)

        await stage.press(key)

        assert [(command, "")] == stage.source.asked
        assert "sent 12:02:19.500" in stage.rows()[-2]


OTHER_KEYS = ("x", "K", "enter", "space", "escape", "q", "P", "ctrl+x", "ctrl+p", "ctrl+q", "ctrl+c",
              "exclamation_mark", "question_mark", "1", "tab")  # fmt: skip


@pytest.mark.parametrize("arm", ARMING)
async def test_any_other_second_key_disarms(arm: str) -> None:
    """Nothing is sent, nothing else happens, and the choice that follows is too late."""
    async with staged() as stage:
        for key in OTHER_KEYS:
            await stage.press(arm)
            assert isinstance(stage.app.screen, DangerMenu), key
            await stage.press(key)
            assert 1 == len(stage.app.screen_stack), key

            await stage.press("k", "f", "c", "r", "escape")

            assert [] == stage.source.asked, key
            assert 1 == len(stage.app.screen_stack), key


async def test_enter_mash_sends_nothing() -> None:
    """Before, while and after."""
    async with staged() as stage:
        await stage.press(*["enter"] * 5, "ctrl+x", *["enter"] * 9)

        assert [] == stage.source.asked


async def test_the_menu_disarms_by_itself() -> None:
    """After five seconds a choice is only a letter; a moment before it still counts."""
    async with staged() as stage:
        await stage.press("ctrl+x")
        stage.clock.now_s += ARMED_S
        await stage.press("k")
        assert [] == stage.source.asked

        await stage.press("ctrl+x")
        stage.clock.now_s += ARMED_S - 0.1
        await stage.press("k")

        assert [(Operator.KILL, "")] == stage.source.asked


async def test_an_armed_menu_that_nobody_uses_goes_away() -> None:
    """The bar counts down, then the menu is gone."""
    async with staged() as stage:
        await stage.press("ctrl+x")
        assert "armed 5.0 s" in stage.text()

        stage.clock.now_s += ARMED_S
        await stage.until(lambda: not isinstance(stage.app.screen, DangerMenu))

        assert [] == stage.source.asked


async def test_the_mouse_alone_sends_nothing() -> None:
    """A click on a choice disarms."""
    async with staged() as stage:
        await stage.press("ctrl+x")
        await stage.pilot.click("#box", offset=(4, 3))
        await stage.settle()

        assert [] == stage.source.asked
        assert 1 == len(stage.app.screen_stack)


async def test_danger_opens_over_a_dialog_and_over_text() -> None:
    """Wherever one is, two keys kill."""
    async with staged() as stage:
        await stage.press("q", "ctrl+x", "k")
        await stage.press("escape")
        await stage.press("slash", "a", "ctrl+x", "k")

        assert [(Operator.KILL, "")] * 2 == stage.source.asked


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(Operator.KILL, "", outcome()), "done in 180 ms, 4 canceled, 1 fills, 0 open, flat, EMERGENCY"),
        (Answer(Operator.KILL, "", outcome(positions={"BTCUSDT": D("-0.02")}, ruling=Ruling.UNCONFIRMED, seconds=10.0)),
         "UNCONFIRMED after 10.0 s, 4 canceled, 1 fills, 0 open, BTCUSDT -0.02"),
        (Answer(Operator.KILL, "", outcome(ruling=Ruling.REFUSED, detail="it has ended")), "REFUSED after 180 ms, it has ended"),
        (Answer(Operator.KILL, "", None, "no answer within 12 s"), "UNCONFIRMED: no answer within 12 s"),
    ],
)  # fmt: skip
async def test_the_outcome_is_said_in_words_with_times(answer: Answer, said: str) -> None:
    """What was sent when, what came of it, and how long it took."""
    async with staged(size=(120, 40)) as stage:
        await stage.press("ctrl+x", "k")
        stage.source.waiting[0](answer)
        await stage.settle()

        assert f" KILL: sent 12:02:19.500, {said}" in stage.rows()[-2]


async def test_what_is_unconfirmed_stays() -> None:
    """A done thing is forgotten after a while, an open doubt is not."""
    async with staged() as stage:
        for known, stays in ((outcome(), False), (None, True)):
            await stage.press("ctrl+x", "k")
            stage.source.waiting[-1](Answer(Operator.KILL, "", known))
            await stage.settle()
            await stage.later(3_600)

            assert stays is ("KILL" in stage.rows()[-2])


async def test_too_many_commands_are_not_hidden() -> None:
    """A command that could not be sent is said to be unsent."""
    async with staged() as stage:
        stage.source.is_full = True
        await stage.press("P")

        assert "PAUSE: NOT SENT" in stage.rows()[-2]


async def test_pause_is_one_key_and_resume_asks() -> None:
    """Less risk is quick, more risk is slow."""
    async with staged() as stage:
        await stage.press("P")
        assert [(Operator.PAUSE, "")] == stage.source.asked

        held = lifecycle("PAUSED", reasons=("OPERATOR_PAUSE",))
        stage.source.seen = stage.source.seen._replace(view=view(lifecycle=held))
        await stage.press("P", "y")
        assert 1 == len(stage.source.asked), "a key within the guard was meant for something else"

        await stage.later(GUARD_S)
        await stage.press("enter", "P", "space")
        assert isinstance(stage.app.screen, QuestionDialog)
        await stage.press("y")

        assert (Operator.RESUME, "") == stage.source.asked[-1]


async def quit_asked(stage: Stage) -> None:
    await stage.press("q")
    await stage.later(GUARD_S)


async def test_quitting_lists_what_is_open() -> None:
    """Positions and orders, and no quick yes."""
    async with staged(is_owner=True) as stage:
        await quit_asked(stage)
        text = stage.text()

        for said in (
            "BTCUSDT +0.020",
            "B ETHUSDT 0.30 @ 3,505.20  UNKNOWN",
            "c  close cleanly",
            "k  kill",
            "d  detach",
        ):
            assert said in text
        await stage.press("y", "enter", "n")
        assert [] == stage.source.asked


@pytest.mark.parametrize(("key", "command"), [("c", Operator.STOP), ("k", Operator.KILL)])
async def test_quitting_closes_or_kills(key: str, command: Operator) -> None:
    """By a typed command like any other; the screen stays until the session says farewell."""
    async with staged(is_owner=True) as stage:
        await quit_asked(stage)
        await stage.press(key)

        assert [(command, "")] == stage.source.asked
        assert stage.app.is_running


async def test_quitting_flat_is_a_yes() -> None:
    """Nothing at risk: `y` ends the session."""
    async with staged(empty(), is_owner=True) as stage:
        await quit_asked(stage)
        assert "Flat, no orders" in stage.text()
        await stage.press("y")

        assert [(Operator.STOP, "")] == stage.source.asked


async def test_a_live_session_is_never_left_alone() -> None:
    """With orders at a real venue there is no detaching for its owner."""
    source = FakeSource(view(), welcome=welcome(mode="live", is_simulated=False))
    async with staged(source=source, is_owner=True) as stage:
        await quit_asked(stage)
        assert "detach" not in stage.text()
        assert "LIVE" in stage.text()
        await stage.press("d")

        assert stage.app.is_running


async def test_staying_changes_nothing() -> None:
    """Escape closes the question."""
    async with staged() as stage:
        await quit_asked(stage)
        await stage.press("escape")

        assert 1 == len(stage.app.screen_stack)
        assert [] == stage.source.asked


async def test_detaching_leaves_the_session_alone() -> None:
    """The screen ends, nothing is sent."""
    async with staged() as stage:
        await quit_asked(stage)
        await stage.pilot.press("d")
        await stage.until(lambda: stage.app.return_value is not None)

        assert "detached" == stage.app.return_value.how
        assert [] == stage.source.asked
