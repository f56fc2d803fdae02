"""An empty pane says why; every state of the session has its own words."""

import pytest

from engine.risk.states import FsmState
from tests.tui import fixtures
from tui.nothing import WHY, nothing


@pytest.mark.parametrize("state", FsmState)
def test_every_state_has_its_words(state: FsmState) -> None:
    """A state that is added to the lifecycle fails here until somebody finds them."""
    rows = nothing("orders", fixtures.view(session=fixtures.session(state)))
    text = ["".join(cell.text for cell in row) for row in rows]

    assert [" No orders.", f" {WHY[state]}"] == text
    assert max(map(len, text)) <= 46  # the narrowest pane at 80 columns


def test_no_words_without_a_state() -> None:
    """And none for states there are not."""
    assert {str(state) for state in FsmState} == set(WHY)
