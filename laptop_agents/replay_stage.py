"""The screen of a recorded session: what it stands on, until somebody leaves."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.session.control.words import Welcome
from laptop_agents.attach_command import heed_signals
from laptop_agents.bookmarks import Bookmarks
from laptop_agents.looks import Looks, is_dull, surface
from laptop_agents.why_process import why
from tui.replay.app import ReplayWorkstation
from tui.replay.link import PlaybackLink
from tui.story import Reply

if TYPE_CHECKING:
    from engine.session.playback.words import Scrub
    from laptop_agents.replay_screen import Pipes


def show(
    pipes: "Pipes",
    journal: Path,
    who: Welcome,
    bookmarks: Bookmarks,
    *,
    wanted: Looks,
    arguments: argparse.Namespace,
) -> ReplayWorkstation:
    """Open the screen, and return it closed.

    Raises:
        Exception: A bug of the screen.
    """
    if is_dull(arguments):
        os.environ["NO_COLOR"] = "1"  # Textual's own widgets obey nothing else
    link = PlaybackLink(who, pipes.asks, pipes.frames)
    stands_on = surface(
        wanted,
        journal.parent,
        is_dull=is_dull(arguments),
        is_owner=False,
        is_alive=lambda: True,
        at_start=heed_signals,
        why=lambda target: why_then(journal, target, link.scrub),
    )
    app = ReplayWorkstation(link, bookmarks, stands_on)
    link.start()
    if app.run(mouse=wanted.config.mouse) is None:
        raise app.bug or AssertionError("the screen closed without an ending")
    return app


def why_then(journal: Path, target: str, at: "Scrub | None") -> Reply:
    """Ask why as of the shown instant: nobody knew then what was written later."""
    return why(journal, target, None if at is None else at.seq)
