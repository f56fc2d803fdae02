"""What a portrait is drawn from, besides the kernel: a session that runs, or one played back."""

from decimal import Decimal
from typing import Protocol

from engine.reports.latency import LatencyMeter
from engine.reports.tally import Tally
from engine.reports.view import SessionView
from engine.session.health import HealthReading


class Books(Protocol):
    """The figures of a session."""

    @property
    def tally(self) -> Tally:
        """What was counted."""
        ...

    @property
    def latency(self) -> LatencyMeter:
        """What was measured."""
        ...

    @property
    def reading(self) -> HealthReading:
        """The newest sample of its process."""
        ...

    @property
    def drawdown_worst_pct(self) -> Decimal | None:
        """The deepest fall below a peak so far, percent."""
        ...

    @property
    def span(self) -> tuple[int, int | None]:
        """When it began, and when it is planned to end."""
        ...

    def view(self) -> SessionView:
        """Take a picture of the session as it is now."""
        ...


class Pages(Protocol):
    """How far its journal has come."""

    @property
    def events(self) -> int:
        """Lines."""
        ...

    @property
    def bytes(self) -> int:
        """Length of the lines."""
        ...

    @property
    def durable(self) -> int:
        """Lines known to be on the disk."""
        ...

    @property
    def head(self) -> str:
        """Hash of the last line."""
        ...

    @property
    def failure(self) -> OSError | None:
        """Why nothing can be written any more."""
        ...
