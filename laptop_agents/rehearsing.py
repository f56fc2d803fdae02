"""A dry run's account: simulated, and beside it every request of the real one, signed and kept.

Source: reliability.md D5.
"""

from collections import deque
from typing import TYPE_CHECKING

from brokers.link.rehearsal import Rehearsal
from brokers.link.rehearsed import RehearsedBroker
from brokers.link.rehearser import Rehearser
from brokers.link.requests_file import NAME, RequestsFile
from brokers.paper.venue import PaperVenue
from engine.model.venue_events import VenueEvent
from engine.venue import Feed
from laptop_agents import compose
from laptop_agents.opening import Run

if TYPE_CHECKING:
    from laptop_agents.settings import Settings


def rehearsed(
    settings: "Settings",
    run: Run,
    feed: Feed,
    inbox: deque[VenueEvent],
    rehearsal: Rehearsal,
) -> tuple[RehearsedBroker, PaperVenue]:
    """Return what the session trades with, and the simulated venue inside it.

    Raises:
        StateDamaged: The requests can't be written down.
    """
    real = rehearsal.capabilities
    sheet = RequestsFile(run.folder.file(NAME))
    rehearser = Rehearser(rehearsal, feed.instruments, real.ids_of(run.run_id), sheet)
    rehearser.begin(run.start_ns, settings.live.leverage, settings.live.margin_mode)

    def sink(event: VenueEvent) -> None:
        rehearser.hear(event)
        inbox.append(event)

    simulated = compose.make_broker(settings, run, feed, sink)
    return RehearsedBroker(simulated, rehearser, compose.meant_for(real)), simulated
