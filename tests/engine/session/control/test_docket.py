"""What becomes of a command, read off a real kernel, its real turns and a venue."""

from typing import Any

import pytest

from engine.model.events import Operator, OperatorCommand
from engine.session.control import docket
from engine.session.control.docket import CASES_MAX, HOLDS, MOOT, OF_AGENTS, TOLD_BY, Docket
from engine.session.control.errand import BY_HAND
from engine.session.control.words import ARGUMENT_MAX, ASKABLE, Ask, Outcome, Ruling
from engine.session.stops import ASKED_MAX, Request, Stops
from engine.session.turn import Turn
from tests.engine.kernel.rig import BUY, SELL, D, Rig, Scripted, limit, market


class Desk(Rig):
    """A rig with a docket that watches its turns; commands are taken when the test says so."""

    def __init__(self, *agents: Any, **fields: Any) -> None:
        self.docket: Docket | None = None
        super().__init__(*agents, **fields)
        self.stops = Stops([])
        self.docket = Docket(self.kernel, self.stops.ask)
        self.told: list[Outcome] = []

    def _turn(self) -> Turn:
        return Turn(
            self.kernel, self.broker, self.inbox, self.journal,
            detail="inputs", observe=lambda events: self.docket and self.docket.follow(events),
        )  # fmt: skip

    def give(self, command: Operator, argument: str = "", by: str = "cli pid=7") -> None:
        assert self.docket is not None
        self.docket.enter(Ask(len(self.told), command, argument), by, self.told.append)

    def take(self) -> None:
        while (request := self.stops.take()) is not None:
            self.now += 1
            self.turn.input(
                OperatorCommand(self.now, request.command, request.by, request.argument)
            )

    def do(self, command: Operator, argument: str = "") -> Outcome | None:
        told = len(self.told)
        self.give(command, argument)
        self.take()
        return self.told[told] if len(self.told) > told else None


def test_every_command_of_a_person_is_followed() -> None:
    """A new one fails here until somebody says by what it is told and when it holds."""
    assert ASKABLE == set(TOLD_BY) | BY_HAND == set(HOLDS) | OF_AGENTS | set(MOOT) | BY_HAND


def test_a_pause_is_done_when_its_cancels_are() -> None:
    """Not before the venue has confirmed them; it counts them."""
    desk = Desk(Scripted("a"), by_hand=True)
    for slot in "xyz":
        desk.ask("a", limit(BUY, "0.1", "999", slot))
    for order_id in ("a-1", "a-2", "a-3"):
        desk.accept(order_id)
    early = desk.do(Operator.PAUSE)
    desk.confirm_cancel("a-1")
    desk.fill("a-2", "0.1")
    before = list(desk.told)
    desk.confirm_cancel("a-3")

    assert (None, []) == (early, before)
    (done,) = desk.told
    assert (Ruling.DONE, "PAUSED", ("OPERATOR_PAUSE",), 2, 1, 0, {"BTC": D("0.1")}) == (
        done.ruling, done.state, done.reasons, done.orders_canceled, done.fills,
        done.open_orders, done.positions,
    )  # fmt: skip
    assert desk.now >= done.ts_ns > 0


def test_a_cancel_at_once_counts_too() -> None:
    """A venue that answers within the turn is done within it."""
    desk = Desk(Scripted("a"))
    desk.ask("a", limit(BUY, "0.1", "999"))
    done = desk.do(Operator.PAUSE)

    assert done is not None
    assert (Ruling.DONE, 1, 0) == (done.ruling, done.orders_canceled, done.open_orders)


def test_other_cancels_are_not_waited_for() -> None:
    """A weight is in force when that agent's orders are gone, whatever others do."""
    desk = Desk(Scripted("a"), Scripted("b"), by_hand=True)
    desk.ask("a", limit(BUY, "0.1", "999"))
    desk.accept("a-1")
    desk.do(Operator.WEIGH_AGENT, "a=0.5")
    desk.ask("b", limit(BUY, "0.1", "998"))
    desk.accept("b-1")
    desk.confirm_cancel("a-1")

    assert [Ruling.DONE] == [done.ruling for done in desk.told]


def test_flat_is_told_when_it_is() -> None:
    """FLATTEN waits for the last fill."""
    desk = Desk(Scripted("a"), by_hand=True)
    desk.ask("a", market(BUY, "0.2"))
    desk.accept("a-1")
    desk.fill("a-1", "0.2")
    desk.do(Operator.FLATTEN)
    desk.accept("house-1")
    desk.fill("house-1", "0.1", SELL)
    before = list(desk.told)
    desk.fill("house-1", "0.1", SELL)

    assert [] == before
    assert [(Ruling.DONE, 2, {})] == [(d.ruling, d.fills, d.positions) for d in desk.told]


def test_stop_and_kill_are_told_at_the_end() -> None:
    """By the session, with its reason; what was never taken is told so."""
    desk = Desk(Scripted("a"))
    desk.give(Operator.STOP)
    desk.take()
    desk.give(Operator.KILL)
    before = list(desk.told)
    assert desk.docket is not None
    desk.docket.end("operator_stop")

    assert [] == before
    assert [(Ruling.DONE, "operator_stop"), (Ruling.REFUSED, "the session has ended: operator_stop")] == [
        (done.ruling, done.detail) for done in desk.told
    ]  # fmt: skip


RULINGS = [
    # before,                                   command,                argument,   ruling,            part of the detail
    ([],                                        (Operator.RESUME, ""),              Ruling.UNCHANGED, ""),
    ([(Operator.PAUSE, "")],                    (Operator.PAUSE, ""),               Ruling.UNCHANGED, ""),
    ([(Operator.PAUSE, "")],                    (Operator.RESUME, ""),              Ruling.DONE,      ""),
    ([(Operator.PAUSE, "")],                    (Operator.REDUCE_ONLY, ""),         Ruling.DONE,      ""),
    ([(Operator.REDUCE_ONLY, "")],              (Operator.REDUCE_ONLY, ""),         Ruling.UNCHANGED, ""),
    ([],                                        (Operator.FLATTEN, ""),             Ruling.DONE,      ""),
    ([],                                        (Operator.RESET, "RESET"),          Ruling.REFUSED,   "reset is not possible in state ACTIVE: it takes"),
    ([(Operator.KILL, "")],                     (Operator.KILL, ""),                Ruling.UNCHANGED, ""),
    ([(Operator.KILL, "")],                     (Operator.RESUME, ""),              Ruling.REFUSED,   "in state EMERGENCY: OPERATOR_KILL"),
    ([(Operator.KILL, "")],                     (Operator.RESET, "yes"),            Ruling.REFUSED,   "the word RESET"),
    ([(Operator.KILL, "")],                     (Operator.RESET, "RESET"),          Ruling.DONE,      ""),
    ([(Operator.KILL, ""), (Operator.RESET, "RESET")], (Operator.RESUME, ""),       Ruling.DONE,      ""),
    ([],                                        (Operator.PAUSE_AGENT, "a"),        Ruling.DONE,      ""),
    ([(Operator.PAUSE_AGENT, "a")],             (Operator.PAUSE_AGENT, "a"),        Ruling.UNCHANGED, ""),
    ([(Operator.PAUSE_AGENT, "a")],             (Operator.RESUME_AGENT, "a"),       Ruling.DONE,      ""),
    ([],                                        (Operator.PAUSE_AGENT, "z"),        Ruling.REFUSED,   "no agent 'z' in this session: it has a"),
    ([],                                        (Operator.WEIGH_AGENT, "a=0.5"),    Ruling.DONE,      ""),
    ([],                                        (Operator.WEIGH_AGENT, "a=1"),      Ruling.UNCHANGED, ""),
    ([],                                        (Operator.WEIGH_AGENT, "a=7"),      Ruling.REFUSED,   "from 0 to 1"),
    ([],                                        (Operator.WEIGH_AGENT, "z=1"),      Ruling.REFUSED,   "no agent 'z'"),
    ([],                                        (Operator.PAUSE_AGENT, "a\n"),      Ruling.REFUSED,   "plain characters"),
    ([],                                        (Operator.PAUSE_AGENT, "a" * (ARGUMENT_MAX + 1)), Ruling.REFUSED, f"at most {ARGUMENT_MAX}"),
    ([],                                        (Operator.JOURNAL_FAILURE, ""),     Ruling.REFUSED,   "the session's own"),
    ([],                                        (Operator.DURATION_ELAPSED, ""),    Ruling.REFUSED,   "the session's own"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "given", "ruling", "detail"), RULINGS)
def test_rulings(before: list, given: tuple[Operator, str], ruling: Ruling, detail: str) -> None:
    """Done, already so, or not possible and why, in a session that holds its emergencies."""
    desk = Desk(Scripted("a"), holds_emergency=True)
    for command, argument in before:
        desk.do(command, argument)
    told = desk.do(*given)

    assert told is not None
    assert (ruling, given[0]) == (told.ruling, told.command)
    assert detail in told.detail


def test_a_refused_command_never_reaches_the_kernel() -> None:
    """Nor the journal: what could never be carried out is not asked of it."""
    desk = Desk(Scripted("a"))
    lines = len(desk.journal.lines)
    desk.do(Operator.SIGNAL, "SIGTERM")
    desk.do(Operator.WEIGH_AGENT, "a=2")

    assert lines == len(desk.journal.lines)
    assert [0, 0] == [told.ts_ns for told in desk.told]


def test_the_same_command_of_two_people_is_two_cases() -> None:
    """The first changes something, the second finds it so."""
    desk = Desk(Scripted("a"))
    desk.give(Operator.PAUSE, by="cli pid=1")
    desk.give(Operator.PAUSE, by="cli pid=2")
    desk.take()

    assert [Ruling.DONE, Ruling.UNCHANGED] == [told.ruling for told in desk.told]


def test_impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes too long is told as it stands, once."""
    desk = Desk(Scripted("a"), by_hand=True)
    desk.ask("a", limit(BUY, "0.1", "999"))
    desk.accept("a-1")
    desk.do(Operator.PAUSE)
    desk.give(Operator.RESUME)
    assert desk.docket is not None
    desk.docket.expire()
    before = list(desk.told)
    monkeypatch.setattr(docket, "PATIENCE_S", 0.0)
    desk.docket.expire()
    desk.confirm_cancel("a-1")

    assert [] == before
    assert [
        (Ruling.UNCONFIRMED, 1, ""),
        (Ruling.UNCONFIRMED, 1, "the session has not taken it yet"),
    ] == [(told.ruling, told.open_orders, told.detail) for told in desk.told]


def test_the_docket_is_bounded() -> None:
    """The next one is refused, and there is room again afterwards."""
    desk = Desk(Scripted("a"))
    for _ in range(CASES_MAX + 1):
        desk.give(Operator.PAUSE)
    (refused,) = desk.told
    desk.take()

    assert f"{CASES_MAX} commands are under way" in refused.detail
    assert CASES_MAX + 1 == len(desk.told)
    assert desk.do(Operator.RESUME) is not None


def test_the_ear_is_bounded_and_hears_signals_first() -> None:
    """Commands beyond the limit are refused; a kill file does not queue behind them."""
    stops = Stops([])
    taken = [stops.ask(Request(Operator.PAUSE, "cli", "")) for _ in range(ASKED_MAX + 1)]
    stops._requests.append(Request(Operator.KILL, "kill_file", "x"))

    assert [*[True] * ASKED_MAX, False] == taken
    first = stops.take()
    assert first is not None
    assert Operator.KILL is first.command
