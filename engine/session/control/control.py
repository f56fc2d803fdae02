"""Everything of one session's control socket, put together; the runner opens and closes it."""

from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple

from engine.kernel import Kernel
from engine.kernel.foresight import Foresight
from engine.model.events import Input, Operator
from engine.model.records import Record
from engine.model.venue_events import VenueMargin
from engine.risk.states import SHUTDOWN_DEADLINE
from engine.session.control.address import Listener
from engine.session.control.chronicle import Chronicle
from engine.session.control.docket import Docket
from engine.session.control.errand import BY_HAND, flaw
from engine.session.control.gauges import UNMEASURED, Gauges
from engine.session.control.lease import Lease
from engine.session.control.portrait import Portrait
from engine.session.control.server import ControlServer
from engine.session.control.words import Consider, Foretold, Welcome
from engine.session.journal import Journal
from engine.session.record import SessionRecord
from engine.session.stops import Request, Stops
from engine.venue import Charges


class ScreenConfig(NamedTuple):
    """What a session lets screens do, and does when it loses the one with the controls."""

    on_lost: str = "continue"
    """`continue` or `stop`."""
    is_watch_only: bool = False


class Control:
    """The ears and the shop window of a session, as an asynchronous context."""

    def __init__(
        self,
        listener: Listener,
        welcome: Welcome,
        *,
        kernel: Kernel,
        record: SessionRecord,
        journal: Journal,
        stops: Stops,
        charges: Charges,
        screens: ScreenConfig,
        gauges: Gauges = UNMEASURED,
    ) -> None:
        self._kernel = kernel
        self._record = record
        self._journal = journal
        self._foresight = Foresight(kernel, charges)
        self._chronicle = Chronicle(kernel, {VenueMargin: self._foresight.heard})
        self._docket = Docket(kernel, stops.ask)
        self._stops = stops
        self._screens = screens
        record.recall = self._chronicle.recall
        self._has_failed = False
        portrait = Portrait(kernel, record, journal, self._chronicle, gauges)
        self._server = ControlServer(
            listener,
            welcome,
            self._docket,
            draw=portrait.draw,
            durable=self._durable,
            failed=record.failed,
            foresee=self._foresee,
            lease=Lease(is_watch_only=screens.is_watch_only),
            lost=self._lost,
        )

    def follow(self, events: Sequence[Record | Input]) -> None:
        """Pass on to the record what a turn took and decided, then see to one's own.

        What goes wrong there is the session's fault, what goes wrong here stays here.
        """
        self._record.follow(events)
        if self._has_failed:
            return
        try:
            self._chronicle.follow(events)
            self._docket.follow(events)
        except Exception as error:  # noqa: BLE001 - the supervisor seam of control
            self._has_failed = True
            self._record.failed(error)

    def _foresee(self, question: Consider) -> Foretold:
        """Look ahead; words that mean no order have a flaw and no future."""
        argument = question.argument
        problem = (
            flaw(self._kernel, question.command, argument)
            if question.command in BY_HAND
            else f"{question.command} is no order"
        )
        seen = problem or self._foresight.of(question.command, argument)
        if isinstance(seen, str):
            return Foretold(ask_id=question.ask_id, argument=argument, flaw=seen)
        return Foretold(ask_id=question.ask_id, argument=argument, prospect=seen)

    def _lost(self, by: str) -> None:
        """Do what was set for a screen that had the controls and is gone."""
        if self._screens.on_lost == "stop":
            self._stops.ask(Request(Operator.STOP, f"lost {by}", ""))

    async def _durable(self) -> None:
        self._journal.flush()
        await self._journal.sync()

    async def __aenter__(self) -> "Control":
        """Begin to listen."""
        await self._server.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        """Answer what is open and take leave."""
        unplanned = SHUTDOWN_DEADLINE if kind is None else "error"
        await self._server.close(self._kernel.finish or unplanned)
