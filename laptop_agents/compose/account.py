"""Whom a session's orders go to: a simulated account, a rehearsed one, or a real one.

And which account is only looked at.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.json import decode
from msgspec.structs import replace

from brokers.paper.venue import CAPABILITIES, PaperVenue
from engine.kernel import Kernel
from engine.model.venue_events import VenueEvent
from engine.session.clock import Clock
from engine.venue import (
    AccountWatch,
    Capabilities,
    Feed,
    LiveFeed,
    MarginTerms,
    SessionBroker,
)
from laptop_agents.guarding import make_ledger
from laptop_agents.opening import Run

if TYPE_CHECKING:
    from brokers.link.rehearsal import Rehearsal
    from laptop_agents.reaching import Permit, Watched
    from laptop_agents.settings import Settings


def make_simulated(
    settings: "Settings",
    run: Run,
    feed: Feed,
    inbox: deque[VenueEvent],
    rehearsal: "Rehearsal | None",
) -> tuple[SessionBroker, PaperVenue]:
    """Open the simulated account, and stand the rehearsal of a real one before it."""
    if rehearsal is None:
        alone = make_broker(settings, run, feed, inbox.append)
        return alone, alone
    from laptop_agents.rehearsing import rehearsed  # noqa: PLC0415 - for a dry run only

    return rehearsed(settings, run, feed, inbox, rehearsal)


def make_broker(
    settings: "Settings", run: Run, feed: Feed, sink: Callable[[VenueEvent], None]
) -> PaperVenue:
    """Open the simulated account; a guarded one keeps a ledger."""
    return PaperVenue(
        feed.instruments,
        settings.paper,
        settings.session.seed,
        settings.session.starting_balance,
        sink,
        run.run_id,
        make_ledger(settings, run, feed.instruments),
    )


def make_live_broker(  # noqa: PLR0917 - every part it stands between
    settings: "Settings",
    run: Run,
    feed: Feed,
    inbox: deque[VenueEvent],
    permit: "Permit",
    kernel: Kernel,
    clock: Clock,
) -> SessionBroker:
    """Put a real account behind the session."""
    from brokers.link.broker import LiveBroker  # noqa: PLC0415 - for live only
    from brokers.link.terms import Held  # noqa: PLC0415 - the same

    assert isinstance(feed, LiveFeed), "real orders follow a real market"
    return LiveBroker(
        permit.account,
        feed.instruments,
        inbox.append,
        ids=permit.account.capabilities.ids_of(run.run_id),
        now_ns=lambda: max(kernel.now_ns, clock.reached()),
        wake=feed.nudge,
        dead_man_s=settings.live.dead_man_s or None,
        margin=Held(margin_at_start(run) or permit.margin, settings.live.margin_every_s),
    )


class Began(Struct):
    """What the first line of a run says of it, as far as its resume is told whether it changed."""

    margin: tuple[MarginTerms, ...] = ()


def margin_at_start(run: Run) -> tuple[MarginTerms, ...]:
    """Return what positions of an interrupted run were made with; nothing of a new one."""
    return () if run.recorded is None else decode(run.recorded.first.data, type=Began).margin


def make_watch(settings: "Settings", feed: Feed, watched: "Watched") -> AccountWatch:
    """Look at a real account beside the session."""
    from brokers.link.watch import Watch  # noqa: PLC0415 - for shadow only

    assert isinstance(feed, LiveFeed), "a real account belongs to a real market"
    return Watch(watched.reader, settings.shadow.look_every_s, feed.nudge)


def abilities(permit: "Permit | None", rehearsal: "Rehearsal | None") -> Capabilities | None:
    """Return what a session may ask for; None leaves it to the simulated venue."""
    if permit is not None:
        return permit.account.capabilities
    return None if rehearsal is None else meant_for(rehearsal.capabilities)


def meant_for(real: Capabilities) -> Capabilities:
    """Return what a dry run asks for: what live would, of an account that ends with its session."""
    return replace(
        CAPABILITIES,
        can_amend_price=real.can_amend_price,
        can_amend_qty=real.can_amend_qty,
        amend_down_keeps_queue=real.amend_down_keeps_queue,
        client_id_max=real.client_id_max,
        client_id_alphabet=real.client_id_alphabet,
    )
