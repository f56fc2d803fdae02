"""Everything of one session's control socket, put together; the runner opens and closes it."""

from collections.abc import Sequence
from types import TracebackType

from engine.kernel import Kernel
from engine.model.events import Input
from engine.model.records import Record
from engine.session.control.address import Listener
from engine.session.control.chronicle import Chronicle
from engine.session.control.docket import Docket
from engine.session.control.gauges import UNMEASURED, Gauges
from engine.session.control.portrait import Portrait
from engine.session.control.server import ControlServer
from engine.session.control.words import Welcome
from engine.session.journal import Journal
from engine.session.record import SessionRecord
from engine.session.stops import Stops


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
        gauges: Gauges = UNMEASURED,
    ) -> None:
        self._kernel = kernel
        self._record = record
        self._journal = journal
        self._chronicle = Chronicle(kernel)
        self._docket = Docket(kernel, stops.ask)
        self._has_failed = False
        portrait = Portrait(kernel, record, journal, self._chronicle, gauges)
        self._server = ControlServer(
            listener,
            welcome,
            self._docket,
            draw=portrait.draw,
            durable=self._durable,
            failed=record.failed,
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
        unplanned = "close_deadline" if kind is None else "error"
        await self._server.close(self._kernel.finish or unplanned)
