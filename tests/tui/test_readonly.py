"""What a limited screen passes on, command by command (tui-expectations section 6)."""

import pytest

from engine.model.events import Operator
from engine.session.control.words import Ruling
from tests.tui.fixtures import view
from tests.tui.stage import FakeSource, staged
from tui.link import Answer
from tui.readonly import LOWERS, LOWERS_RISK, WATCHES, lowering_risk, read_only

RAISES = frozenset({Operator.RESUME, Operator.RESET, Operator.RESUME_AGENT, Operator.WEIGH_AGENT})


@pytest.mark.parametrize("command", list(Operator))
def test_a_watcher_sends_nothing(command: Operator) -> None:
    """Whatever it is, also what comes later."""
    source, answers = FakeSource(view()), list[Answer]()
    assert read_only(source).ask(command, "x", answers.append)

    assert [] == source.asked
    (answer,) = answers
    assert answer.outcome is not None
    assert (Ruling.REFUSED, WATCHES, 0) == (
        answer.outcome.ruling, answer.outcome.detail, answer.outcome.ts_ns,
    )  # fmt: skip


@pytest.mark.parametrize("command", list(Operator))
def test_who_may_lower_risk_sends_what_does(command: Operator) -> None:
    """A resume, a reset, more weight and whatever is not named stay here."""
    source, answers = FakeSource(view()), list[Answer]()
    assert lowering_risk(source).ask(command, "x", answers.append)

    is_sent = command in LOWERS_RISK
    assert ([(command, "x")] if is_sent else []) == source.asked
    assert is_sent is not bool(answers)
    assert not RAISES & LOWERS_RISK


def test_a_source_that_is_full_says_so() -> None:
    """What may be sent is answered by the source alone."""
    source = FakeSource(view())
    source.is_full = True

    assert not lowering_risk(source).ask(Operator.PAUSE, "", lambda _: None)


async def test_a_refusal_is_told_in_the_words_of_one() -> None:
    """It was not sent to the session, and the alert line says so."""
    async with staged(source=lowering_risk(FakeSource(view()))) as stage:
        stage.app.send(Operator.RESUME)
        await stage.settle()

        assert "RESUME: sent" in stage.text()
        assert f"REFUSED after 0 ms, {LOWERS[:20]}" in stage.text()


def test_before_the_first_view_a_refusal_is_one_too() -> None:
    """There is no figure to tell yet."""
    answers = list[Answer]()
    read_only(FakeSource(None)).ask(Operator.KILL, "", answers.append)

    assert answers[0].outcome is not None
    assert Ruling.REFUSED is answers[0].outcome.ruling
