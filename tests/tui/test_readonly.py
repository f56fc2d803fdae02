"""What a limited screen sends, command by command (tui-expectations section 6)."""

import pytest

from engine.model.events import Operator
from engine.session.control.lease import RAISING
from tests.tui.fixtures import view
from tests.tui.stage import FakeSource, staged
from tui.readonly import LOWERER, LOWERS, LOWERS_RISK, SCREEN, WATCHER, WATCHES, barred


@pytest.mark.parametrize("command", list(Operator))
def test_what_each_kind_of_screen_sends(command: Operator) -> None:
    """A resume, a reset, more weight and whatever is not named leave no limited screen."""
    assert WATCHES == barred(WATCHER, command)
    assert ("" if command in LOWERS_RISK else LOWERS) == barred(LOWERER, command)
    assert "" == barred(SCREEN, command)
    assert not RAISING & LOWERS_RISK


async def test_what_is_not_sent_is_told() -> None:
    """The alert line says so; what lowers risk goes out."""
    source = FakeSource(view(), client=LOWERER)
    async with staged(source=source) as stage:
        stage.app.send(Operator.RESUME)
        await stage.settle()
        assert f"RESUME: NOT SENT, {LOWERS}" in stage.text()
        stage.app.send(Operator.PAUSE)
        await stage.settle()

    assert [(Operator.PAUSE, "")] == source.asked
