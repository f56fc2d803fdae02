"""The ticket on the screen: what is typed, what it takes to send it, and all that does not."""

import pytest

from engine.model.events import Operator
from engine.model.orders import OrderState
from tests.tui.fixtures import D, empty, order, prospect, view
from tests.tui.stage import FakeSource, M, S, Stage, staged, welcome
from tests.tui.states import refusing
from tui.config import TuiConfig
from tui.danger import GUARD_S
from tui.dialogs.confirm import EXPIRES_S, ConfirmScreen
from tui.dialogs.ticket import TicketScreen
from tui.readonly import WATCHER

WORDS = "BUY 0.02 BTCUSDT LIMIT 67412.3 GTC"
SENT = [(Operator.PLACE_ORDER, WORDS)]


async def typed(stage: Stage, side: str = "b") -> None:
    """A small order on the ticket."""
    await stage.press(side, "0", "full_stop", "0", "2")


async def reviewed(stage: Stage) -> None:
    """Its confirmation, past the guard."""
    await typed(stage)
    await stage.press("enter")
    assert isinstance(stage.app.screen, ConfirmScreen), stage.text()
    await stage.later(GUARD_S)


async def test_an_order_is_typed_reviewed_and_sent() -> None:
    """The preview, the frozen order, `y`: then it is sent once, in its words, and said."""
    async with staged(size=S) as stage:
        await typed(stage)
        ticket = stage.text()
        await stage.press("enter")
        await stage.later(GUARD_S)
        confirmation = stage.text()
        await stage.press("y")
        outcome = stage.rows()[-2]
        await stage.press("y", "y")

        for said in ("PAPER  BUY TICKET  BTCUSDT", "> qty          0.02_", "GATE OK", "PLACE NO_EXISTING_ORDER",
                     "1,348.25   fee -0.2696, worst -0.6741", "nothing trades at once",
                     "+0.020 -> +0.040   own +0.020", "539.30 of 10,012.34   liquidation -",
                     "order_notional 54%  position_notional 54%  quote_age_ms 5%"):  # fmt: skip
            assert said in ticket, said
        for said in (
            "PAPER  SEND THIS?  to mock",
            WORDS,
            "[ Cancel ]",
            "y send it",
            "expires in 10 s",
        ):
            assert said in confirmation, said
        assert SENT == stage.source.asked
        assert 1 == len(stage.app.screen_stack)
        assert f"ORDER {WORDS}: sent 12:02:19.500" in outcome


async def test_what_sends_nothing() -> None:
    """A key within the guard, enter held, space, other letters, clicks: the order stays unsent."""
    async with staged(size=S) as stage:
        await typed(stage)
        await stage.press("enter", "y")
        assert isinstance(stage.app.screen, ConfirmScreen)
        await stage.later(GUARD_S)
        await stage.press("space", "Y", "b", "s", "tab", "k", "x", "P")
        await stage.pilot.click("#box", offset=(20, 3))
        await stage.pilot.click("#box", offset=(2, 8))
        await stage.settle()
        assert isinstance(stage.app.screen, ConfirmScreen)
        await stage.press(*["enter"] * 9)
        assert [] == stage.source.asked
        await stage.press("escape", "escape", "y")

        assert [] == stage.source.asked


async def test_a_confirmation_expires() -> None:
    """After ten seconds `y` is dead, and says so."""
    async with staged(size=S) as stage:
        await reviewed(stage)
        await stage.later(EXPIRES_S)
        await stage.press("y")
        await stage.until(lambda: "EXPIRED after 10 s: nothing was sent" in stage.text())

        assert [] == stage.source.asked


CHANGES = [
    # what happens while the confirmation is open,                          said
    ({"age_ms": 2_400},                                                     "STALE: the quote is 2.4 s old"),
    ({"bid": D("68412.3"), "ask": D("68412.9")},                            "the price moved from 67412.6 to 68412.6"),
    ({"state": "DEGRADED"},                                                 "the state changed from ACTIVE to DEGRADED"),
    ({"is_approved": False, "rule": "position", "setting": "max_position_size", "limit": "1", "reading": "2"},
                                                                            "refuses by position: max_position_size limit 1,"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), CHANGES)
async def test_a_frozen_order_is_judged_to_the_last_moment(change: dict, said: str) -> None:
    """Then `y` sends nothing, and the reason stands there; back to good, it does."""
    async with staged(size=S) as stage:
        await reviewed(stage)
        stage.source.foresee = lambda _: prospect(**change)
        await stage.until(lambda: said in stage.text())
        await stage.press("y")
        assert [] == stage.source.asked
        assert "y (disabled)" in stage.text()

        stage.source.foresee = lambda _: prospect()
        await stage.until(lambda: "y send it" in stage.text())
        await stage.press("y")
        assert SENT == stage.source.asked


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (prospect(is_approved=False, rule="state", limit="reducing only", reading="PAUSED"), "refuses by state"),
        (prospect(age_ms=9_000), "STALE"),
        ("it is being closed", "it is being closed"),
        (None, "waiting for the engine's verdict"),
    ],
)  # fmt: skip
async def test_no_confirmation_opens_for_what_could_not_be_sent(answer, said: str) -> None:
    """The reason stands on the ticket, and enter does nothing."""
    source = FakeSource(view())
    source.foresee = lambda _: answer
    async with staged(source=source) as stage:
        await typed(stage)
        await stage.press("enter")
        await stage.later(GUARD_S)
        await stage.press("y")

        assert isinstance(stage.app.screen, TicketScreen)
        assert "NOT NOW" in stage.text()
        assert said in stage.text()
        assert [] == source.asked


async def test_half_a_ticket_survives_resizes() -> None:
    """And the danger menu works over it."""
    async with staged(size=S) as stage:
        await stage.press("b", "0", "full_stop")
        for size in (M, (20, 5), (200, 60), S):
            await stage.pilot.resize_terminal(*size)
            await stage.settle()
        assert "0._" in stage.text()
        await stage.press("ctrl+x", "k")
        await stage.press("5")

        assert "0.5_" in stage.text()
        assert [(Operator.KILL, "")] == stage.source.asked


async def test_a_ticket_at_a_level_of_the_book() -> None:
    """Down to the second bid, `s`: the level's price; `c` chooses none."""
    async with staged(size=S) as stage:
        await stage.press("3", "down", "down", "s")
        assert "SELL TICKET" in stage.text()
        assert "67411.8" in stage.text()
        await stage.press("escape", "c", "s")

        assert "67412.9" in stage.text()


async def test_amending_ones_own_order() -> None:
    """Price and what is left, by the order's id; others' orders are not for changing."""
    mine = order(9, order_id="operator-9", agent="operator", qty=D("0.03"), filled_qty=D("0.01"))
    async with staged(view(orders=(order(), mine)), size=S) as stage:
        await stage.press("5", "a")
        assert "maker-1 is maker's" in stage.rows()[-2]
        await stage.press("down", "a")
        assert "AMEND operator-9" in stage.text()
        await stage.press("up", "enter")
        await stage.later(GUARD_S)
        await stage.press("y")

        assert [(Operator.AMEND_ORDER, "operator-9 0.02 67412.4")] == stage.source.asked


async def test_the_controls_are_somebody_elses() -> None:
    """The ticket says with whom, the last line too; `C`, `y` takes them over."""
    source = FakeSource(
        view(controls="screen pid=2 uid=0 user=x"), welcome=welcome(you="screen pid=1")
    )
    async with staged(source=source, size=S) as stage:
        assert "WATCHING, controls of pid=2: C" in stage.rows()[-1]
        await typed(stage)
        assert "the controls are with screen pid=2" in stage.text()
        await stage.press("escape", "C", "y")
        assert [] == source.asked, "within the guard"
        await stage.later(GUARD_S)
        await stage.press("enter", "y")

        assert [(Operator.TAKE_CONTROLS, "")] == source.asked


async def test_a_screen_that_only_watches_sends_nothing() -> None:
    """Not even what lowers risk; it says so instead."""
    source = FakeSource(view(), client=WATCHER)
    async with staged(source=source, size=S) as stage:
        await stage.press("P", "ctrl+x", "k")
        assert "KILL: NOT SENT, this screen only watches" in stage.rows()[-2]
        assert "READ-ONLY" in stage.rows()[-1]
        await stage.press("q")
        assert "This screen only watches" in stage.text()
        assert "kill:" not in stage.text()

        assert [] == source.asked


async def test_without_a_session_there_is_no_ticket() -> None:
    """It is said, nothing opens."""
    async with staged(source=FakeSource(None)) as stage:
        await stage.press("b", "s", "C")

        assert 1 == len(stage.app.screen_stack)
    async with staged(empty()) as stage:
        await stage.press("b", "1")

        assert "a price is missing" in stage.text()


async def test_the_unknown_order_can_be_canceled_from_its_row() -> None:
    """It is pinned on top, and `x` is about the row that is marked."""
    async with staged(size=S) as stage:
        await stage.press("5", "x")
        (sent,) = stage.source.asked

        assert OrderState.UNKNOWN is next(o.state for o in view().orders if o.order_id == sent[1])
        assert (Operator.CANCEL_ORDER, "maker-4") == sent


@pytest.mark.parametrize("mode", ["paper", "dry-run", "live", ""])
async def test_only_on_paper_may_a_person_do_without_the_confirmation(mode: str) -> None:
    """`tui.confirm_orders = false`: enter sends what the gate lets pass, nothing else."""
    config = TuiConfig(confirm_orders=False)
    source = FakeSource(view(), welcome=welcome(mode=mode))
    async with staged(source=source, config=config) as stage:
        await stage.press("b", "enter", "enter")
        assert [] == source.asked, "a quantity is missing"
        assert ("enter SEND" if mode == "paper" else "enter review") in stage.text()
        await stage.press("escape")
        await typed(stage)
        await stage.press("enter")

        assert (SENT if mode == "paper" else []) == source.asked
        assert isinstance(stage.app.screen, ConfirmScreen) is (mode != "paper")
    async with staged(source=refusing(), config=config) as stage:
        await typed(stage)
        await stage.press("enter")

        assert [] == stage.source.asked
        assert isinstance(stage.app.screen, TicketScreen)
