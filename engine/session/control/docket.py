"""Commands on their way: from the person who gave them to what became of them.

A command enters the kernel like every other input, in the session's own time; here it is only
followed. The turn that took it, and the turns after it, tell by their records whether it changed
anything, and when what it waits for has come.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.kernel import Kernel
from engine.model.account import Fill
from engine.model.events import Input, Operator, OperatorCommand
from engine.model.operators import parsed_weight
from engine.model.orders import OrderState
from engine.model.records import Alert, FsmTransition, OrderChanged, Record
from engine.risk.lifecycle import SESSION, FsmEvent, FsmState, Lifecycle, open_reasons
from engine.session.control.errand import BY_HAND, Errand, flaw
from engine.session.control.words import ARGUMENT_MAX, ASKABLE, Ask, Outcome, Ruling
from engine.session.stops import Request

NOTHING: Final[frozenset[str]] = frozenset()
CASES_MAX: Final = 32
"""Commands followed at once, of all clients."""

PATIENCE_S: Final = 10.0
"""How long a command may take before it is answered as it stands; twice a usual close."""

TOLD_BY: Final[Mapping[Operator, frozenset[str]]] = {
    Operator.PAUSE: frozenset({"OPERATOR_PAUSE"}),
    Operator.RESUME: frozenset({"OPERATOR_RESUME", "START", "BASIS_ACCEPTED"}),
    Operator.REDUCE_ONLY: frozenset({"OPERATOR_REDUCE_ONLY"}),
    Operator.FLATTEN: frozenset({"OPERATOR_FLATTEN"}),
    Operator.STOP: frozenset({"OPERATOR_STOP"}),
    Operator.KILL: frozenset({"OPERATOR_KILL"}),
    Operator.RESET: frozenset({"OPERATOR_RESET"}),
    Operator.PAUSE_AGENT: frozenset({"AGENT_PAUSED"}),
    Operator.RESUME_AGENT: frozenset({"AGENT_RESUMED"}),
    Operator.WEIGH_AGENT: frozenset({"AGENT_WEIGHT"}),
    Operator.CANCEL_ORDER: frozenset({OrderState.PENDING_CANCEL}),
    Operator.CANCEL_SYMBOL: frozenset({"ORDERS_CANCELED"}),
    Operator.CANCEL_ALL: frozenset({"ORDERS_CANCELED", "OPERATOR_PAUSE"}),
    Operator.FLATTEN_SYMBOL: frozenset({"CLOSING"}),
    Operator.TAKE_CONTROLS: frozenset({"CONTROLS_TAKEN"}),
}
"""The transition, alert or state of an order by which the kernel says that a command changed
something; orders by hand have an `Errand`."""

HOLDS: Final[Mapping[Operator, Callable[[Lifecycle], bool]]] = {
    Operator.PAUSE: lambda now: (FsmEvent.OPERATOR_PAUSE, SESSION) in now.causes,
    Operator.RESUME: lambda now: now.state in (FsmState.ACTIVE, FsmState.THROTTLED),
    Operator.REDUCE_ONLY: lambda now: (FsmEvent.OPERATOR_REDUCE_ONLY, SESSION) in now.causes,
    Operator.FLATTEN: lambda now: now.is_flattening,
    Operator.KILL: lambda now: now.state in (FsmState.EMERGENCY, FsmState.STOPPED),
    Operator.STOP: lambda now: now.state is FsmState.STOPPED,
    Operator.RESET: lambda _: False,
}
"""Whether the session is as asked, where the kernel changed nothing; agents always are."""

HINTS: Final = {
    Operator.RESET: "it takes an EMERGENCY that is held and flat, no open doubt, and the word RESET"
}

MOOT: Final = {
    Operator.CANCEL_ORDER: "it is being canceled already, or has ended",
    Operator.CANCEL_SYMBOL: "no order of it works",
    Operator.CANCEL_ALL: "no order works, and the session is paused",
    Operator.FLATTEN_SYMBOL: "it is flat, or being closed already",
    Operator.TAKE_CONTROLS: "",
}
"""What it means that a command about orders changed nothing."""

OF_AGENTS: Final = frozenset({Operator.PAUSE_AGENT, Operator.RESUME_AGENT, Operator.WEIGH_AGENT})


@dataclass(slots=True)
class Case:
    """One command."""

    ask: Ask
    by: str
    answer: Callable[[Outcome], None]
    began_s: float
    heard_ns: int = 0
    """Event time at which the kernel took it; 0 before."""
    is_told: bool = False
    canceling: set[str] = field(default_factory=set)
    """Orders whose cancel it waits for."""
    canceled: int = 0
    fills: int = 0
    errand: Errand | None = None


class Docket:
    """The open commands of a session."""

    def __init__(self, kernel: Kernel, request: Callable[[Request], bool]) -> None:
        """Take over a session's ear.

        Args:
            request: Puts a command before the kernel at the next instant; False when too many wait.

        """
        self._kernel = kernel
        self._request = request
        self._cases: list[Case] = []

    def enter(self, ask: Ask, by: str, answer: Callable[[Outcome], None]) -> None:
        """Take a command; `answer` is called once, now or later."""
        errand = Errand() if ask.command in BY_HAND else None
        case = Case(ask, by, answer, time.monotonic(), errand=errand)
        problem = self._problem(ask)
        if problem is None and len(self._cases) >= CASES_MAX:
            problem = f"{CASES_MAX} commands are under way already"
        if problem is None and not self._request(Request(ask.command, by, ask.argument)):
            problem = "too many commands wait already"
        if problem is not None:
            answer(self._outcome(case, Ruling.REFUSED, problem))
            return
        self._cases.append(case)

    def turn_away(self, ask: Ask, problem: str, answer: Callable[[Outcome], None]) -> None:
        """Refuse a command that this client may not give now."""
        answer(self._outcome(Case(ask, "", answer, time.monotonic()), Ruling.REFUSED, problem))

    def _problem(self, ask: Ask) -> str | None:
        """Say what of a command could never be carried out."""
        names = self._kernel.roster.names
        if ask.command not in ASKABLE:
            return f"{ask.command} is the session's own command"
        if len(ask.argument) > ARGUMENT_MAX or not ask.argument.isprintable():
            return f"an argument is at most {ARGUMENT_MAX} plain characters"
        agent = ask.argument
        if ask.command is Operator.WEIGH_AGENT:
            asked = parsed_weight(ask.argument)
            if asked is None:
                return "a weight is a number from 0 to 1 with at most four decimals"
            agent = asked.agent
        if ask.command in OF_AGENTS and agent not in names:
            return f"no agent {agent!r} in this session: it has {', '.join(names)}"
        return flaw(self._kernel, ask.command, ask.argument)

    def follow(self, events: Sequence[Record | Input]) -> None:
        """See what one turn took and decided, and answer what is done."""
        if not self._cases:
            return
        for place, event in enumerate(events):
            self._run_errands(event)
            match event:
                case OperatorCommand():
                    self._hear(event, events[place + 1 :])
                case OrderChanged() if event.state is OrderState.CANCELED:
                    self._count(canceled=1)
                case Fill():
                    self._count(fills=1)
        for case in [case for case in self._cases if case.heard_ns and self._is_done(case)]:
            self._close(case, *self._ruling(case))

    def _ruling(self, case: Case) -> tuple[Ruling, str]:
        command, lifecycle = case.ask.command, self._kernel.conduct.lifecycle
        if case.errand is not None and case.errand.ruling is not None:
            return case.errand.ruling, case.errand.detail
        if case.is_told:
            return Ruling.DONE, ""
        if command in MOOT:
            return Ruling.UNCHANGED, MOOT[command]
        if command in OF_AGENTS or HOLDS[command](lifecycle):
            return Ruling.UNCHANGED, ""
        why = HINTS.get(command) or ", ".join(open_reasons(lifecycle)) or "nothing to do"
        return Ruling.REFUSED, f"{command} is not possible in state {lifecycle.state}: {why}"

    def _hear(self, event: OperatorCommand, decided: Sequence[Record | Input]) -> None:
        for case in self._cases:
            is_it = (event.command, event.by) == (case.ask.command, case.by)
            if not case.heard_ns and is_it and event.argument == case.ask.argument:
                case.heard_ns = event.ts_ns
                case.is_told = not TOLD_BY.get(event.command, NOTHING).isdisjoint(
                    map(_name, decided)
                )
                case.canceling = self._pending()
                if case.errand is not None:
                    case.errand.begin(decided)
                return

    def _run_errands(self, event: Record | Input) -> None:
        for case in self._cases:
            if case.errand is not None and case.heard_ns:
                case.errand.see(event)

    def _count(self, *, canceled: int = 0, fills: int = 0) -> None:
        for case in self._cases:
            if case.heard_ns:
                case.canceled += canceled
                case.fills += fills

    def _pending(self) -> set[str]:
        live = self._kernel.blotter.live.items()
        return {name for name, order in live if order.state is OrderState.PENDING_CANCEL}

    def _is_done(self, case: Case) -> bool:
        lifecycle = self._kernel.conduct.lifecycle
        match case.ask.command:
            case _ if case.errand is not None:
                return case.errand.ruling is not None
            case _ if not case.is_told:
                return True
            case Operator.STOP:
                return False  # by the session's end
            case Operator.KILL:
                return lifecycle.is_flat and not self._kernel.is_ending
            case Operator.FLATTEN:
                return not lifecycle.is_flattening
            case Operator.FLATTEN_SYMBOL:
                return case.ask.argument not in self._kernel.house.closing
            case _:
                return case.canceling.isdisjoint(self._kernel.blotter.live)

    def expire(self) -> None:
        """Answer what has taken too long, as it stands; ask now and then."""
        latest_s = time.monotonic() - PATIENCE_S
        for case in [case for case in self._cases if case.began_s <= latest_s]:
            standing = case.errand.standing if case.errand else ""
            unheard = "the session has not taken it yet"
            self._close(case, Ruling.UNCONFIRMED, standing if case.heard_ns else unheard)

    def end(self, stop_reason: str) -> None:
        """Answer everything that is open: the session is over."""
        for case in list(self._cases):
            if case.heard_ns:
                self._close(case, Ruling.DONE, stop_reason)
            else:
                self._close(case, Ruling.REFUSED, f"the session has ended: {stop_reason}")

    def _close(self, case: Case, ruling: Ruling, detail: str = "") -> None:
        self._cases.remove(case)
        case.answer(self._outcome(case, ruling, detail))

    def _outcome(self, case: Case, ruling: Ruling, detail: str) -> Outcome:
        kernel = self._kernel
        lifecycle, holdings = kernel.conduct.lifecycle, kernel.portfolio.holdings
        return Outcome(
            ask_id=case.ask.ask_id,
            command=case.ask.command,
            argument=case.ask.argument,
            ruling=ruling,
            seconds=round(time.monotonic() - case.began_s, 6),
            ts_ns=case.heard_ns,
            state=lifecycle.state,
            reasons=open_reasons(lifecycle),
            orders_canceled=case.canceled,
            fills=case.fills,
            open_orders=len(kernel.blotter.live),
            positions={symbol: h.qty for symbol, h in holdings.items() if h.qty},
            equity=kernel.portfolio.equity,
            detail=detail,
        )


def _name(event: Record | Input) -> str:
    match event:
        case FsmTransition():
            return event.event
        case Alert():
            return event.kind.upper()
        case OrderChanged():
            return event.state
        case _:
            return ""
