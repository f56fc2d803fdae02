"""`laptop-agents replay RUN --tui`: the workstation on a recorded session.

The session is played by a process of its own, so that no key waits for it. That process ends with
the screen, whatever ends that: its input is a pipe from here.
"""

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from engine.model.errors import StateHeld, UsageError
from engine.session.control.frames import PROTOCOL
from engine.session.control.words import Welcome
from engine.session.journal_reader import Line, read_journal
from laptop_agents.bookmarks import Bookmarks
from laptop_agents.home import find_home
from laptop_agents.keys_shape import keyless
from laptop_agents.recorded_kernel import Started, started_with
from laptop_agents.run_shelf import is_held
from tui.terminal import no_screen_here

if TYPE_CHECKING:
    from engine.session.playback.words import Scrub
    from laptop_agents.sources import Flag
    from tui.replay.app import ReplayWorkstation

SAME, DIFFERENT = 0, 6
MODE: Final = "replay"
GONE_S: Final = 5.0
"""How long the playing process may take to notice that the screen is gone."""


def run(journal: Path, arguments: argparse.Namespace, typed: Sequence["Flag"]) -> int:
    """Show a recorded session until somebody leaves; exit 6 where a decision came out differently.

    Raises:
        UsageError: There is no terminal to show it on, or the journal holds no inputs.
        SettingsRefused: A setting of the screen is wrong.
        StateHeld: The session is still running.
        JournalDamaged: A line is not proven.
    """
    if reason := no_screen_here():
        raise UsageError(f"replay --tui needs a screen, and {reason}: replay does without")
    if is_held(journal.parent):
        raise StateHeld(f"run {journal.parent.name} is running: attach shows it, or stop it first")
    first = next(read_journal(journal))
    started = started_with(journal, first)
    bookmarks = Bookmarks(find_home(os.environ), first.hash)
    from laptop_agents.looks import looks_at  # noqa: PLC0415 - Textual, for a screen only
    from laptop_agents.replay_stage import show  # noqa: PLC0415 - for a screen only

    wanted, who = looks_at(journal.parent, typed, os.environ), welcome(started, first)
    with _playing(journal) as pipes:
        app = show(pipes, journal, who, bookmarks, wanted=wanted, arguments=arguments)
        return _told(app)  # while the playing process lives: its end is not a failure any more


def welcome(started: Started, first: Line) -> Welcome:
    """Say who the session was."""
    return Welcome(
        version=PROTOCOL,
        run_id=started.run_id,
        pid=0,
        mode=MODE,
        is_simulated=started.simulated,
        source=started.source,
        symbols=tuple(instrument.symbol for instrument in started.instruments),
        agents=tuple(started.agents),
        started_at=str(msgspec.json.decode(first.data).get("started_at", "")),
    )


class Pipes(NamedTuple):
    """Our ends."""

    asks: int
    frames: int


@contextlib.contextmanager
def _playing(journal: Path) -> Iterator[Pipes]:
    """Start the playing process; its own words would break the screen, and it keeps its traces."""
    asks_out, asks = os.pipe()
    frames, frames_in = os.pipe()
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-P", "-m", "laptop_agents.replay_engine", str(journal.absolute())],
        stdin=asks_out,
        stdout=frames_in,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=keyless(os.environ),
    )
    os.close(asks_out)
    os.close(frames_in)
    try:
        yield Pipes(asks, frames)
    finally:
        os.close(asks)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GONE_S)
        process.kill()
        process.wait()
        os.close(frames)


def _told(app: "ReplayWorkstation") -> int:
    """Say on the normal screen what was proven, and return the exit code."""
    broken, scrub = app.link.broken, app.link.scrub
    if broken is not None:
        sys.stderr.write(f"error: {broken.reason}\n")
        return broken.exit_code
    if scrub is None:
        return SAME
    sys.stdout.write(f"{verdict(scrub)}\n")
    return DIFFERENT if scrub.diverged else SAME


def verdict(scrub: "Scrub") -> str:
    """Return how the decisions that were made again compare with the journal's."""
    so_far = "" if scrub.is_whole else f" so far ({int(scrub.known * 100)}% of the journal)"
    made = f"{scrub.cursors} inputs, {scrub.decisions_known} decisions"
    if scrub.diverged:
        return f"different{so_far}: {scrub.diverged} of {made}; see `laptop-agents replay`"
    return f"identical{so_far}: {made}"
