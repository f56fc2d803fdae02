"""Evidence of incidents: what was seen, known and decided around each, beside the journal.

Entering DEGRADED or EMERGENCY, a breaker that trips and a position mismatch are incidents. Where
the evidence of a transition lies is decided by the lifecycle (`engine.risk.evidence_mark`); the
others join an open incident or open one of their own.

Rule 1: a quote costs nothing here. Inputs are read back out of the journal, by a thread, once the
        heartbeat after the incident has flushed them, and again when its window is over.
Rule 2: whatever fails here is logged and costs that folder, never the session.
Rule 3: a rerun after a crash finds the same incidents: a folder that was closed stays as it is, one
        that was not is written anew.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from engine.kernel.checkpoint import snapshot
from engine.kernel.kernel import Kernel
from engine.model.events import Input, journal_type
from engine.model.records import Alert, BreakerTripped, FsmTransition, Record
from engine.risk.evidence_mark import WINDOW_NS
from engine.session.evidence_files import Evidence, Incident, is_complete
from engine.session.run_folder import RunFolder

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

OWN_MAX: Final = 16
"""Incidents of a session that are no transition; with those of the lifecycle 48 folders at most,
each bounded by `evidence_files`."""
TRIGGERS_MAX: Final = 100
"""Records named in one incident's `about.json`."""
MISMATCH: Final = "position_mismatch"


class EvidenceKeeper:
    """Opens incidents while records pass, and has their folders written."""

    def __init__(
        self,
        run: RunFolder,
        kernel: Kernel,
        journal: Path,
        log: "FilteringBoundLogger",
        *,
        detail: str,
    ) -> None:
        self._run = run
        self._kernel = kernel
        self._journal = journal
        self._log = log
        self._detail = detail
        self._open: dict[str, tuple[Incident, Evidence]] = {}
        self._unwritten: list[tuple[Incident, Evidence]] = []
        self._own = 0
        self._writer: ThreadPoolExecutor | None = None

    @property
    def is_open(self) -> bool:
        """Whether an incident's folder is not whole yet."""
        return bool(self._open or self._unwritten)

    def follow(self, events: Sequence[Record | Input]) -> dict[int, str]:
        """Take one turn's records; return the evidence that each belongs to, by its place.

        Transitions come first: a breaker's own record precedes what it brings about.
        """
        refs: dict[int, str] = {}
        for place, event in enumerate(events):
            if type(event) is FsmTransition and event.evidence_ref:
                refs[place] = self._note(event.evidence_ref, event)
        for place, event in enumerate(events):
            if kind := _kind(event):
                refs[place] = self._note(self._ref(kind, event.ts_ns), event)
        return refs

    def on_time(self, now_ns: int, flush: Callable[[], None]) -> None:
        """Have written what is ready; call it on the heartbeat.

        Args:
            now_ns: Event time.
            flush: Hands the journal's lines to the operating system.

        """
        over = [ref for ref, (incident, _) in self._open.items() if incident.until_ns <= now_ns]
        if not (self._unwritten or over):
            return
        flush()
        for incident, evidence in self._unwritten:
            self._submit(incident, evidence.write_before)
        self._unwritten.clear()
        for ref in over:
            incident, evidence = self._open.pop(ref)
            self._submit(incident, evidence.write_after)

    def close(self) -> None:
        """Write what is left, the journal being closed, and wait for it."""
        self.on_time(2**63 - 1, lambda: None)
        if self._writer is not None:
            self._writer.shutdown()
            self._writer = None

    def _ref(self, kind: str, at_ns: int) -> str:
        """Return the open incident of this time, or a new one while there may be more."""
        for ref, (incident, _) in self._open.items():
            if at_ns - incident.opened_ns <= WINDOW_NS:
                return ref
        if self._own >= OWN_MAX:
            return ""
        self._own += 1
        return f"evidence/{kind}-{at_ns}"

    def _note(self, ref: str, event: Record | Input) -> str:
        if not ref:
            return ""
        if ref not in self._open:
            self._begin(ref, event.ts_ns)
        incident, _ = self._open[ref]
        incident.until_ns = min(event.ts_ns, incident.opened_ns + WINDOW_NS) + WINDOW_NS
        if len(incident.triggers) < TRIGGERS_MAX:
            incident.triggers.append({"type": journal_type(event), **msgspec.to_builtins(event)})
        return ref

    def _begin(self, ref: str, at_ns: int) -> None:
        incident = Incident(
            ref=ref,
            opened_ns=at_ns,
            since_ns=at_ns - WINDOW_NS,
            until_ns=at_ns + WINDOW_NS,
            detail=self._detail,
            state=snapshot(self._kernel),
        )
        opened = incident, Evidence(self._run, incident, self._journal)
        self._open[ref] = opened
        self._unwritten.append(opened)

    def _submit(self, incident: Incident, write: Callable[[], None]) -> None:
        if self._writer is None:
            self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="evidence")
        self._writer.submit(self._write, incident.ref, write)

    def _write(self, ref: str, write: Callable[[], None]) -> None:
        try:
            if is_complete(self._run.path / ref):
                return
            write()
        except Exception as error:  # noqa: BLE001 - rule 2: a supervisor's seam
            self._log.error("evidence_failed", exc_info=error, evidence_ref=ref)
        else:
            self._log.info("evidence_written", stage=write.__name__, evidence_ref=ref)


def _kind(event: Record | Input) -> str:
    """Name the incident a record is; empty for all others."""
    if type(event) is BreakerTripped and event.is_tripped:
        return "breaker"
    if type(event) is Alert and event.kind == MISMATCH:
        return MISMATCH
    return ""
