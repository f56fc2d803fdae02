"""Guarding a paced session: a sentinel that watches it, and a simulated venue's ledger on disk.

A session in simulated time has neither: it is over before anybody could act, and must not change.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from brokers.paper.ledger import NAME as LEDGER_NAME
from brokers.paper.ledger import Ledger
from brokers.paper.terms import Terms
from engine.model.instrument import Instrument
from engine.session.sentinel.guard import SentinelGuard
from laptop_agents.keys_shape import keyless
from laptop_agents.opening import Run
from laptop_agents.sentinel import command, environment

if TYPE_CHECKING:
    from laptop_agents.settings import Settings


def is_guarded(settings: "Settings") -> bool:
    """Whether the session runs on the wall clock and nobody switched its sentinel off."""
    return settings.sentinel.enabled and settings.session.speed != "max"


def make_ledger(settings: "Settings", run: Run, instruments: Sequence[Instrument]) -> Ledger | None:
    """Lay out the venue's ledger; that of an interrupted run is made anew, by its rerun."""
    if not is_guarded(settings):
        return None
    rates = {i.symbol: Terms.of(i, settings.paper).taker_rate for i in instruments}
    orders = settings.paper.max_open_orders * len(instruments)
    return Ledger.create(run.folder.file(LEDGER_NAME), run.run_id, rates, orders)


def make_guard(
    settings: "Settings",
    run: Run,
    *,
    account: Callable[[], bytes] | None = None,
    kill_files: Sequence[Path],
    is_json: bool,
    each_check: Callable[[], None],
) -> SentinelGuard | None:
    """Start the sentinel of a paced session; it is not waited for yet.

    A key comes to it through a pipe alone: what it was started with anybody may read who may read
    the process table, for as long as it runs.

    Raises:
        Unguarded: It can't be started.
        JournalDamaged: What an earlier sentinel of the run wrote was changed.
    """
    if not is_guarded(settings):
        return None
    return SentinelGuard(
        command("laptop_agents.sentinel"),
        keyless(environment()),
        run=run.folder.path,
        kill_files=kill_files,
        config=settings.sentinel,
        is_json=is_json,
        each_check=each_check,
        account=account,
    )
