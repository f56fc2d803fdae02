"""Keys about the row a person stands on: what sends, and above all what does not."""

import pytest

from engine.model.events import Operator
from engine.session.control.words import Ruling
from tests.tui.fixtures import BTC, D, agent, lifecycle, order, position, session, view
from tests.tui.stage import FakeSource, S, Stage, staged, welcome
from tests.tui.test_danger import outcome
from tui.danger import ARMED_S, GUARD_S, DangerMenu
from tui.link import Answer
from tui.outstanding import is_settled

ONE_KEY = [
    # keys,          command,                 argument
    ("5 x",          Operator.CANCEL_ORDER,   "maker-4"),
    ("5 down x",     Operator.CANCEL_ORDER,   "maker-1"),
    ("3 down x",     Operator.CANCEL_ORDER,   "maker-1"),
    ("7 down u",     Operator.PAUSE_AGENT,    "maker"),
    ("7 down minus", Operator.WEIGH_AGENT,    "maker=0.9"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "command", "argument"), ONE_KEY)
async def test_less_risk_is_one_key(keys: str, command: Operator, argument: str) -> None:
    """Sent at once, and said."""
    async with staged(size=S) as stage:
        await stage.press(*keys.split())

        assert [(command, argument)] == stage.source.asked
        assert "sent 12:02:19.500" in stage.rows()[-2]


TWO_KEYS = [
    # arming,   command,                  argument, said
    ("4 f",     Operator.FLATTEN_SYMBOL,  BTC,      "FLATTEN BTCUSDT +0.020, uPnL +3.19"),
    ("5 X",     Operator.CANCEL_SYMBOL,   "ETHUSDT", "CANCEL ALL 1 orders of ETHUSDT, protective ones too"),
    ("3 X",     Operator.CANCEL_SYMBOL,   BTC,      "CANCEL ALL 2 orders of BTCUSDT"),
]  # fmt: skip


@pytest.mark.parametrize(("arming", "command", "argument", "said"), TWO_KEYS)
async def test_what_is_wide_takes_a_second_and_different_key(
    arming: str, command: Operator, argument: str, said: str
) -> None:
    """In time and not in the same breath; a held key, enter, the mouse and time-out send nothing."""
    keys = arming.split()
    async with staged(size=S) as stage:
        await stage.press(*keys, "y")
        assert said in stage.text()
        assert [] == stage.source.asked, "the guard passes over what was typed in one breath"
        for second in (keys[-1], "enter", "space", "escape"):
            await armed(stage, keys[-1])
            await stage.press(second)
            assert not isinstance(stage.app.screen, DangerMenu)
        await armed(stage, keys[-1])
        await stage.pilot.click("#box", offset=(4, 3))
        await stage.settle()
        await armed(stage, keys[-1])
        await stage.later(ARMED_S)
        await stage.press("y")
        assert [] == stage.source.asked

        await armed(stage, keys[-1])
        await stage.press("y", "y", "y")
        assert [(command, argument)] == stage.source.asked


async def armed(stage: Stage, key: str) -> None:
    """The menu, past its guard."""
    if not isinstance(stage.app.screen, DangerMenu):
        await stage.press(key)
    await stage.later(GUARD_S)


MORE_RISK = [
    # keys,              command,                argument,       said
    ("7 down down u",    Operator.RESUME_AGENT,  "grid",         "Let agent grid go on?"),
    ("7 down down plus", Operator.WEIGH_AGENT,   "grid=0.6",     "weight 0.5 -> 0.6"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "command", "argument", "said"), MORE_RISK)
async def test_more_risk_asks(keys: str, command: Operator, argument: str, said: str) -> None:
    """A dialog with the effect; enter, the key again and keys in the guard answer nothing."""
    async with staged(size=S) as stage:
        await stage.press(*keys.split(), "y")
        await stage.later(GUARD_S)
        assert said in stage.text()
        await stage.press("enter", "space", keys.rsplit(maxsplit=1)[-1])
        await stage.pilot.click("#box", offset=(4, 3))
        await stage.settle()
        assert [] == stage.source.asked
        await stage.press("y")

        assert [(command, argument)] == stage.source.asked


@pytest.mark.parametrize("keys", ["1 f", "3 x", "9 x", "8 u"])
async def test_without_a_row_nothing_is_sent(keys: str) -> None:
    """A key of one pane means nothing in another."""
    async with staged(size=S) as stage:
        await stage.press(*keys.split(), "y")

        assert [] == stage.source.asked


async def test_full_weight_and_none() -> None:
    """At the ends there is nothing to change, and it is said."""
    shown = view(agents=(agent(), agent("idle", weight=agent().weight * 0)))
    async with staged(shown, size=S) as stage:
        await stage.press("7", "plus")
        assert "has its full weight already" in stage.rows()[-2]
        await stage.press("down", "minus")
        assert "opens nothing already" in stage.rows()[-2]

        assert [] == stage.source.asked


async def test_leaving_emergency_takes_the_letters_of_the_run() -> None:
    """`P` asks for them; wrong ones, enter alone and escape send nothing."""
    held = lifecycle("EMERGENCY", reasons=("OPERATOR_KILL",), needs_reset=True)
    source = FakeSource(view(lifecycle=held), welcome=welcome(run_id="20261120T115238Z-kqzt"))
    async with staged(source=source, size=S) as stage:
        await stage.press("P")
        assert "Type the last 4 letters of run 20261120T115238Z-kqzt" in stage.text()
        await stage.press("enter", "y", "enter", *"zzz", "enter")
        assert "not these letters: nothing was sent" in stage.text()
        await stage.press("escape", "k", "enter", "escape")
        assert [] == source.asked
        await stage.press("P", *"kqzt", "enter")

        assert [(Operator.RESET, "RESET")] == source.asked


async def test_what_is_unconfirmed_comes_back_until_it_is_seen_to_be_done() -> None:
    """Other news pass over it; the session's own figures settle it."""
    async with staged(size=S) as stage:
        await stage.press("5", "x")
        stage.source.waiting[0](
            Answer(Operator.CANCEL_ORDER, "maker-4", None, "no answer within 12 s")
        )
        await stage.settle()
        await stage.press("P")
        stage.source.waiting[1](Answer(Operator.PAUSE, "", outcome(Operator.PAUSE)))
        await stage.settle()
        assert "PAUSE: sent" in stage.rows()[-2]
        await stage.later(3_600)
        assert "CANCEL maker-4: sent 12:02:19.500, UNCONFIRMED" in stage.rows()[-2]

        stage.source.show(view(orders=(order(1),), session=session(open_orders=1)))
        await stage.settle()
        assert "UNCONFIRMED" not in stage.rows()[-2]


UNKNOWN = outcome(ruling=Ruling.UNCONFIRMED, detail="operator-1 has no answer of the venue yet")
FLAT = view(positions=(), orders=(), session=session(open_orders=0))
SETTLED = [
    # command,               argument,   view,                                                        settled
    (Operator.PAUSE,          "",         view(lifecycle=lifecycle(reasons=("OPERATOR_PAUSE",))),      True),
    (Operator.PAUSE,          "",         view(),                                                      False),
    (Operator.RESUME,         "",         view(lifecycle=lifecycle("ACTIVE")),                         True),
    (Operator.KILL,           "",         view(lifecycle=lifecycle("EMERGENCY")),                      False),
    (Operator.KILL,           "",         view(lifecycle=lifecycle("EMERGENCY"), positions=(), orders=(), session=session(open_orders=0)), True),
    (Operator.FLATTEN,        "",         FLAT,                                                        True),
    (Operator.CANCEL_ALL,     "",         FLAT,                                                        True),
    (Operator.CANCEL_ALL,     "",         view(),                                                      False),
    (Operator.CANCEL_ORDER,   "maker-1",  view(),                                                      False),
    (Operator.CANCEL_ORDER,   "x",        view(session=session(open_orders=350)),                      False),
    (Operator.CANCEL_SYMBOL,  BTC,        view(),                                                      False),
    (Operator.CANCEL_SYMBOL,  "XRP",      view(),                                                      True),
    (Operator.FLATTEN_SYMBOL, BTC,        view(),                                                      False),
    (Operator.FLATTEN_SYMBOL, BTC,        view(positions=(position(qty=position().qty * 0),)),         True),
    (Operator.PLACE_ORDER,    "",         view(),                                                      False),
    (Operator.PLACE_ORDER,    "",         view(orders=(order(1, order_id="operator-1"),)),             True),
    (Operator.PAUSE_AGENT,    "grid",     view(),                                                      True),
    (Operator.PAUSE_AGENT,    "maker",    view(),                                                      False),
    (Operator.WEIGH_AGENT,    "grid=0.5", view(),                                                      True),
    (Operator.STOP,           "",         FLAT,                                                        False),
]  # fmt: skip


@pytest.mark.parametrize(("command", "argument", "shown", "settled"), SETTLED)
def test_signs(command: Operator, argument: str, shown, settled: bool) -> None:
    """By what a view shows that a command took effect; without a sign a doubt stays."""
    assert settled is is_settled(shown, Answer(command, argument, UNKNOWN))


async def test_in_a_sorted_pane_a_key_acts_on_the_row_that_is_seen() -> None:
    """The first row as sorted, and as painted: a newer view that nobody has seen does not count."""
    source = FakeSource(view(orders=(order(1, price=D(2)), order(2, price=D(1)))))
    async with staged(source=source, size=S) as stage:
        await stage.press("5", *["full_stop"] * 4)
        source.show(view(orders=(order(3, price=D("0.5")), *source.seen.view.orders)))
        stage.app.action_open("cancel")

        assert [(Operator.CANCEL_ORDER, "maker-2")] == source.asked
