"""Two keys typed together: the first answers a dialog, the second finds nothing to close."""

from collections.abc import Callable

import pytest
from textual.events import Key
from textual.screen import ModalScreen

from engine.model.events import Operator
from tests.tui.stage import staged
from tui.danger import DangerMenu
from tui.dialogs.filter import FilterLine
from tui.dialogs.help import HelpScreen
from tui.dialogs.question import Question, QuestionDialog

OPENED: dict[str, tuple[Callable[[], ModalScreen], str]] = {
    "help": (lambda: HelpScreen([]), "a"),
    "danger": (lambda: DangerMenu("PAPER"), "k"),
    "question": (lambda: QuestionDialog(Question("?", (), {"y": "yes"}), _clock()), "y"),
    "filter": (lambda: FilterLine(""), "escape"),
}


def _clock() -> Callable[[], float]:
    """A clock past a dialog's guard from its second look on."""
    seconds = iter((0.0, *(1_000.0,) * 99))
    return lambda: next(seconds)


@pytest.mark.parametrize("name", OPENED)
async def test_the_second_key_closes_nothing_more(name: str) -> None:
    """One answer, and the screen beneath is still there."""
    answers: list[object] = []
    async with staged() as stage:
        opened, key = OPENED[name]
        stage.app.push_screen(HelpScreen([]))
        dialog = opened()
        stage.app.push_screen(dialog, answers.append)
        await stage.settle()
        for _ in range(3):
            dialog.post_message(Key(key, key if len(key) == 1 else None))
        if name == "filter":  # its key is a binding, which goes by another way
            for _ in range(3):
                dialog.dismiss(None)
        await stage.settle()

        assert 1 == len(answers)
        assert isinstance(stage.app.screen, HelpScreen)
        assert 2 == len(stage.app.screen_stack)
        assert stage.app.bug is None


async def test_two_keys_in_a_row_kill_once() -> None:
    """`k k` in the danger menu is one kill."""
    async with staged() as stage:
        await stage.press("ctrl+x")
        for _ in range(2):
            stage.app.screen.post_message(Key("k", "k"))
        await stage.settle()

        assert [(Operator.KILL, "")] == stage.source.asked
