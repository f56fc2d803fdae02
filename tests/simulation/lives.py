"""The lives of one session: it begins, crashes, is recovered by the real code, and ends."""

import json
import os
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from engine.model.errors import LaptopAgentsError
from engine.reports.final_report import NAME as REPORT_NAME
from engine.session.manifest import utc
from engine.session.stops import Stops
from laptop_agents.opening import Run, interrupted_run, new_run
from laptop_agents.running import KILL_NAME, LOG_NAME
from laptop_agents.runs import JOURNAL_NAME
from tests.simulation.checker.evidence import Evidence
from tests.simulation.disk import unlimited
from tests.simulation.life import Life, begin, live_on, whole_lines
from tests.simulation.mortal import Mortality
from tests.simulation.world import World

LIVES_MAX: Final = 20
"""Far more than any seed draws crashes; a session that never ends must not run for ever."""


@dataclass
class Outcome:
    """What became of one seed."""

    evidence: list[Evidence] = field(default_factory=list)
    """Of every life that ended by itself."""
    injected: Counter[str] = field(default_factory=Counter)
    virtual_s: float = 0.0
    """Event time of the session, reruns not counted."""
    lives: int = 0
    refusal: str = ""
    """Why the last resume was refused; empty where none was."""


def live(world: World) -> Outcome:
    """Run a seed's session through all its crashes to its end."""
    home = Path(tempfile.mkdtemp(prefix="simulation-"))
    try:
        outcome = _live(world, home)
    finally:
        shutil.rmtree(home)
    enabled = world.settings.agents.enabled
    outcome.injected.update(f"agent.{name}" for name in world.hostile if name in enabled)
    return outcome


def _live(world: World, home: Path) -> Outcome:
    outcome, mortality = Outcome(), Mortality(world.swarm(), world.start_ns)
    run = new_run(world.settings, home, None)
    run = replace(run, started_at=utc(run.start_ns))
    journal = run.folder.file(JOURNAL_NAME)
    prefixes: list[bytes] = []
    is_healed = False
    for outcome.lives in range(1, LIVES_MAX):
        life = begin(world, run, mortality, is_healed=is_healed)
        with unlimited():
            has_ended = live_on(life, world.start_ns)
        outcome.injected |= life.swarm.injected
        outcome.virtual_s = (life.kernel.now_ns - world.start_ns) / 1e9
        if has_ended:
            outcome.evidence.append(_evidence(life, world, prefixes))
        else:
            outcome.injected["disk.torn_tail"] += _tear(life)
        if has_ended and not life.disk.has_failed:
            break
        is_healed = is_healed or life.disk.has_failed
        prefixes.append(whole_lines(journal))
        outcome.refusal = _refusal(run)
        if outcome.refusal:
            break
        try:
            _, run = interrupted_run(journal)
        except LaptopAgentsError as error:
            seen = _evidence(life, world, prefixes)
            outcome.evidence.append(replace(seen, error=f"resume refused: {error}"))
            break
    outcome.injected += mortality.died
    return outcome


def _tear(life: Life) -> int:
    """Take back some of what a power cut may take: any bytes that were never synced."""
    path = life.run.folder.file(JOURNAL_NAME)
    size = path.stat().st_size
    first_line = path.read_bytes().find(b"\n") + 1
    if "disk.torn_tail" not in life.swarm.kinds:
        return 0
    kept = life.swarm.dice("disk.torn_tail").randrange(max(first_line, life.disk.synced), size + 1)
    os.truncate(path, kept)
    return int(kept < size)


def _refusal(run: Run) -> str:
    """Say why a resume would be refused, as the command would find out."""
    present = Stops([run.folder.path / KILL_NAME]).present()
    if present is not None:
        return "kill file"
    return "" if whole_lines(run.folder.file(JOURNAL_NAME)) else "died before its first line"


def _evidence(life: Life, world: World, prefixes: list[bytes]) -> Evidence:
    folder = life.run.folder
    report: dict[str, Any] | None = None
    if life.report is not None:
        content = folder.file(REPORT_NAME).read_bytes()
        report = json.loads(content, parse_float=str, parse_int=str)
    return Evidence(
        seed=world.seed,
        journal=folder.file(JOURNAL_NAME).read_bytes(),
        prefixes=tuple(prefixes),
        venue=tuple(life.log.entries),
        tags=tuple(life.feed.tags),
        calm_ns=world.calm_ns,
        report=report,
        logged_transitions=folder.file(LOG_NAME).read_bytes().count(b'"fsm_transition"'),
        has_disk_failed=life.disk.has_failed,
        error=life.error,
    )
