"""Who a session is: told to its journal, its report and whoever attaches to it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.session.control.frames import PROTOCOL
from engine.session.control.words import Welcome
from engine.session.manifest import Manifest, current_versions, git_revision, shown_settings
from engine.session.record import Identity
from laptop_agents.opening import Run
from laptop_agents.version import __version__

if TYPE_CHECKING:
    from laptop_agents.compose.session import Parts
    from laptop_agents.settings import Settings


def make_identity(settings: "Settings", run: Run, parts: "Parts") -> Identity:
    """Describe the session for its journal, manifest and report."""
    feed = parts.feed
    minutes = settings.session.duration_min
    flat = {name: (s.value, s.origin) for name, s in settings.flat().items()}
    shown = shown_settings(flat)
    manifest = Manifest(
        run_id=run.run_id,
        versions=current_versions(__version__),
        git_revision=git_revision(Path(__file__).resolve().parent),
        mode=settings.mode,
        simulated=feed.is_simulated,
        source=settings.source,
        symbols=tuple(i.symbol for i in feed.instruments),
        agents=settings.agents.enabled,
        settings=shown,
        seed=settings.session.seed,
        started_at=run.started_at,
    )
    return Identity(
        manifest=manifest,
        starting_balance=settings.session.starting_balance,
        requested_duration_s=None if minutes is None else minutes * 60,
        instruments=tuple(feed.instruments),
        settings={name: setting.value for name, setting in shown.items()},
        start_ns=run.start_ns,
        venue=parts.venue,
        margin=parts.permit.margin if parts.permit else (),
        references=parts.references,
    )


def make_welcome(manifest: Manifest) -> Welcome:
    """Say at the control socket who the session is."""
    return Welcome(
        version=PROTOCOL,
        run_id=manifest.run_id,
        pid=os.getpid(),
        mode=manifest.mode,
        is_simulated=manifest.simulated,
        source=manifest.source,
        symbols=manifest.symbols,
        agents=manifest.agents,
        started_at=manifest.started_at,
        profile=str(manifest.settings["profile"].value) if "profile" in manifest.settings else "",
    )
