"""Everything a session leaves behind besides its journal: heartbeats, metrics, log, report."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from time import monotonic, time_ns
from typing import Any, Final

import msgspec

from engine.kernel import Kernel
from engine.model.events import HealthChanged, Input, journal_type
from engine.model.instrument import Instrument
from engine.model.records import Alert, BreakerTripped, ErrorRecord, FsmTransition, Record
from engine.reports.final_report import NAME as REPORT_NAME
from engine.reports.final_report import build_report, encode_report
from engine.reports.latency import LatencyMeter
from engine.reports.schema import FinalReport, JournalSummary, RunFacts
from engine.reports.statistics import Curve
from engine.reports.tally import Tally
from engine.reports.view import SessionView
from engine.risk.lifecycle import EXIT_CODES
from engine.risk.lifecycle import stop_reason as asked_reason
from engine.risk.states import SHUTDOWN_DEADLINE
from engine.session.evidence import EvidenceKeeper
from engine.session.fold import fold
from engine.session.health import HealthMonitor, HealthReading
from engine.session.heartbeat import heartbeat_data
from engine.session.journal import Journal
from engine.session.journal_emergency import EMERGENCY_NAME
from engine.session.journal_parts import JOURNAL_NAME
from engine.session.journal_reader import Line
from engine.session.kept_metrics import KeptRows
from engine.session.log import SessionLog
from engine.session.manifest import NAME as MANIFEST_NAME
from engine.session.manifest import Manifest, utc
from engine.session.metrics import MetricsWriter
from engine.session.progress import Progress
from engine.session.recorded import RESUMED
from engine.session.run_folder import RunFolder
from engine.session.stops import Request
from engine.session.view import session_view
from engine.venue import Capabilities, MarginTerms

SHOW_EVERY_S: Final = 1.0
"""Wall seconds between two heartbeats on the terminal when event time runs faster."""

CUT_OFF_NS: Final = 1_000_000_000
"""Event time before a crash that the end of the log surely covers."""
LOGGED: Final = frozenset({Alert, BreakerTripped, FsmTransition, ErrorRecord})
"""Records that also become a line of session.log; the journal has all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the session is, as its first journal line, manifest and report say it."""

    manifest: Manifest
    starting_balance: Decimal
    requested_duration_s: float | None
    instruments: Sequence[Instrument]
    settings: Mapping[str, object]
    start_ns: int = 0
    """Where the source was told to start its time; files have times of their own."""
    venue: Capabilities | None = None
    """What the real venue behind it can do; None where orders are simulated."""
    margin: Sequence[MarginTerms] = ()
    """What positions are made with there, where the venue tells."""
    references: Mapping[str, Instrument] = field(default_factory=dict)
    """What each instrument is held against, by its symbol; empty without a reference market."""


class SessionRecord:
    """Keeps the books about the session; decides nothing."""

    def __init__(
        self,
        identity: Identity,
        *,
        kernel: Kernel,
        folder: RunFolder,
        journal: Journal,
        log: SessionLog,
        progress: Progress,
        health: HealthMonitor,
        is_paced: bool,
        kept: KeptRows | None = None,
    ) -> None:
        self._identity = identity
        self._kernel = kernel
        self._folder = folder
        self._journal = journal
        self._log = log.logger
        self._logged_before = log.found
        self._reran: tuple[Sequence[Record | Input], dict[int, str]] = (), {}
        """What the last turn of the rerun would have logged."""
        self._close_log = log.close
        self._progress = progress
        self._health = health
        self._is_paced = is_paced
        symbols = identity.manifest.symbols
        self._metrics = MetricsWriter(folder, symbols, kept)
        self._evidence = EvidenceKeeper(
            folder,
            kernel,
            folder.file(JOURNAL_NAME),
            self._log,
            detail=str(identity.settings.get("journal.detail", "inputs")),
        )
        self.tally = Tally(symbols, identity.manifest.agents, identity.instruments)
        self.latency = LatencyMeter()
        self._curve = Curve()
        self.recall: Callable[[Iterator[Line]], Iterator[Line]] = iter
        """Who else wants to see the lines that a resume passes over."""
        self.reading = HealthReading()
        """The newest sample of the process."""
        self._shown_s = 0.0
        self._began_ns = 0
        self._deadline_ns: int | None = None
        self._has_failed = False
        self._rerun_from = 0
        """The line of the checkpoint an interrupted run goes on from."""
        self._is_live = not journal.is_catching_up
        """False while the rerun of an interrupted run is behind its last line."""
        folder.write_json(MANIFEST_NAME, identity.manifest)

    # --- what the turn reports -------------------------------------------------------------------

    def follow(self, events: Sequence[Record | Input]) -> None:
        """Count decisions and rare inputs, and log what a person would look for."""
        self.tally.follow(events)
        logged = [event for event in events if type(event) in LOGGED]
        if not logged:
            return
        refs = self._evidence.follow(logged)
        if not self._is_live:
            self._reran = logged, refs
            return
        for place, event in enumerate(logged):
            self._say(event, refs.get(place, ""))
            if type(event) is Alert and event.severity != "info":
                self._progress.note(event.message)

    def _say(self, event: Record | Input, evidence_ref: str) -> None:
        data = msgspec.to_builtins(event)
        self._log.info(journal_type(event), data=data, evidence_ref=evidence_ref)

    def _say_what_was_cut_off(self, ts_ns: int) -> None:
        """Log what the turn in which a run died, just before `ts_ns`, had not said yet."""
        events, refs = self._reran
        for place, event in enumerate(events):
            said = msgspec.json.encode(msgspec.to_builtins(event))
            if ts_ns - event.ts_ns < CUT_OFF_NS and said not in self._logged_before:
                self._say(event, refs.get(place, ""))

    @property
    def is_gathering_evidence(self) -> bool:
        """Whether the window of an incident is open."""
        return self._evidence.is_open

    @property
    def drawdown_worst_pct(self) -> Decimal | None:
        """Deepest fall so far, percent of the peak before it; None before the first reading."""
        return self._curve.max_drawdown.pct

    @property
    def program(self) -> str:
        """Version of what writes the run."""
        return self._identity.manifest.versions.package

    @property
    def span(self) -> tuple[int, int | None]:
        """Event time of the start and of the planned end."""
        return self._began_ns, self._deadline_ns

    def on_order_ns(self, elapsed_ns: int) -> None:
        """Take the time from an input to the commands it caused."""
        if self._is_live:
            self.latency.record(elapsed_ns / 1_000)

    def told(self, request: Request) -> None:
        """Log who asked for what."""
        asked, argument = request.command.value, request.argument
        self._log.warning("operator_request", command=asked, by=request.by, argument=argument)

    def journal_failed(self, failure: OSError) -> bool:
        """Log a failed journal; True the first time."""
        if self._has_failed:
            return False
        self._has_failed = True
        self._log.error("journal_failed", reason=failure.strerror)
        self._progress.note(f"the journal can't be written: {failure.strerror}")
        return True

    # --- start, heartbeat, end -------------------------------------------------------------------

    def begin(self, first_ns: int, deadline_ns: int | None) -> None:
        """Write the journal's first line and start the curves."""
        identity, manifest = self._identity, self._identity.manifest
        self._began_ns, self._deadline_ns = first_ns, deadline_ns
        first_line: dict[str, Any] = {
            "run_id": manifest.run_id,
            "versions": manifest.versions,
            "mode": manifest.mode,
            "simulated": manifest.simulated,
            "source": manifest.source,
            "symbols": manifest.symbols,
            "agents": manifest.agents,
            "seed": manifest.seed,
            "starting_balance": identity.starting_balance,
            "requested_duration_s": identity.requested_duration_s,
            "started_at": manifest.started_at,
            "start_ns": identity.start_ns,
            "epoch": self._journal.epoch,
            "instruments": identity.instruments,
            "settings": identity.settings,
        }
        if identity.venue is not None:
            first_line["venue"] = identity.venue
        if identity.margin:
            first_line["margin"] = identity.margin
        if identity.references:
            first_line["references"] = identity.references
        self._journal.note("session_started", first_ns, first_line)
        self._curve.add(first_ns, identity.starting_balance, False)
        self._log.info("session_started", run_id=manifest.run_id, source=manifest.source)

    def beat(self, ts_ns: int, late_ns: int | None) -> list[HealthChanged]:
        """Do what is done once a second of event time; return what health has to say.

        A simulated clock has no wall second to measure in: its runs stay reproducible.
        """
        changes: list[HealthChanged] = []
        view = self._view(ts_ns)
        self._journal.note("heartbeat", ts_ns, heartbeat_data(view))
        self._curve.add(ts_ns, view.equity, any(p.qty for p in view.positions))
        now_s = monotonic()
        if not self._is_live:
            pass
        elif self._is_paced or now_s - self._shown_s >= SHOW_EVERY_S:
            self._shown_s = now_s
            changes = self._sample_health(ts_ns, late_ns)
            self._progress.show(view, self.reading)
            self._log.info("heartbeat", **_logged(view, self.reading))
        self._metrics.write(view, self.reading, self.latency.roll())
        self._evidence.on_time(ts_ns, self._journal.flush)
        return changes if self._is_paced else []

    def resume(self, began_ns: int, deadline_ns: int | None, seq: int) -> None:
        """Count again what the journal's lines up to `seq` say, instead of making them again."""
        self._began_ns, self._deadline_ns = began_ns, deadline_ns
        self._rerun_from = seq
        fold(self.recall(self._journal.pass_over(seq)), self.tally, self._curve)

    def checkpoint_failed(self, reason: str) -> None:
        """Log that a resume would have more to rerun."""
        self._log.warning("checkpoint_failed", reason=reason)

    def paused(self, paused_ns: int) -> None:
        """Learn that time went on without the session."""
        if self._deadline_ns is not None:
            self._deadline_ns += paused_ns

    def go_live(self, ts_ns: int, paused_ns: int = 0) -> None:
        """Note that an interrupted run goes on from here.

        Args:
            ts_ns: Event time, before the pause.
            paused_ns: How much of it, from here, nobody lived through.
        """
        self._is_live = True
        self._say_what_was_cut_off(ts_ns)
        lines = self._journal.events
        facts = self._resumed(lines) | ({"paused_ns": paused_ns} if paused_ns else {})
        self._journal.note(RESUMED, ts_ns, facts)
        self._log.info("session_resumed", **facts)
        self._progress.note(f"resumed after line {lines} of the journal")

    def _resumed(self, lines: int) -> dict[str, object]:
        return {
            "resumed_at": utc(time_ns()),
            "after_line": lines,
            "rerun_after_line": self._rerun_from,
            "epoch": self._journal.epoch,
        }

    def _sample_health(self, ts_ns: int, late_ns: int | None) -> list[HealthChanged]:
        lag_ms = None if late_ns is None else max(0.0, late_ns / 1e6)
        self.reading, changes = self._health.sample(lag_ms)
        return [HealthChanged(ts_ns, c.kind, c.limit, c.reading, c.is_over) for c in changes]

    def view(self) -> SessionView:
        """Take a picture of the session as it is now."""
        return self._view(self._kernel.now_ns)

    def _view(self, ts_ns: int) -> SessionView:
        remaining = progress = None
        if self._deadline_ns is not None:
            left_ns = max(0, self._deadline_ns - ts_ns)
            remaining = left_ns / 1e9
            progress = 1 - left_ns / max(1, self._deadline_ns - self._began_ns)
        return session_view(
            self._kernel,
            events=self._journal.events,
            remaining_s=remaining,
            progress=progress,
            is_simulated=self._identity.manifest.simulated,
        )

    def finish(self, stop_reason: str, exit_code: int | None = None) -> FinalReport:
        """Write the last line, close the journal, and report."""
        kernel, manifest = self._kernel, self._identity.manifest
        code = EXIT_CODES.get(stop_reason, 1) if exit_code is None else exit_code
        ended_ns = max(kernel.now_ns, self._began_ns)  # a bug may come before the first event
        view = self._view(ended_ns)
        self._curve.add(ended_ns, view.equity, bool(kernel.portfolio.books.unrealised))
        ended = heartbeat_data(view) | {"stop_reason": stop_reason, "exit_code": code}
        if stop_reason == SHUTDOWN_DEADLINE:
            ended |= {"asked": self.asked, "left_working": self.left_working}
            self.tally.errors["left_working"] += len(self.left_working)
        self._journal.note("session_ended", ended_ns, ended)
        self._journal.close()
        self._evidence.close()
        self._tell_of_journal()
        report = build_report(
            RunFacts(
                run_id=manifest.run_id,
                mode=manifest.mode,
                simulated=manifest.simulated,
                symbols=manifest.symbols,
                agents=manifest.agents,
                started_ns=self._began_ns,
                ended_ns=ended_ns,
                requested_duration_s=self._identity.requested_duration_s,
                stop_reason=stop_reason,
                exit_code=code,
                starting_balance=self._identity.starting_balance,
            ),
            view,
            tally=self.tally,
            curve=self._curve,
            latency=self.latency.total(),
            journal=JournalSummary(
                events=self._journal.events,
                bytes=self._journal.bytes,
                head_hash=self._journal.head,
            ),
            refused=kernel.market.refusals(),
        )
        self._folder.write(REPORT_NAME, encode_report(report))
        ended_at = utc(time_ns())
        self._folder.write_json(MANIFEST_NAME, msgspec.structs.replace(manifest, ended_at=ended_at))
        self._log.info("session_ended", stop_reason=stop_reason, exit_code=code)
        return report

    @property
    def asked(self) -> str:
        """Why an end was asked for; empty where nobody did."""
        return asked_reason(self._kernel.conduct.lifecycle) or ""

    @property
    def left_working(self) -> tuple[str, ...]:
        """Orders that work on, or may, by id."""
        return tuple(self._kernel.blotter.live)

    def _tell_of_journal(self) -> None:
        """Say what of the journal is not where it belongs."""
        kept, lost = self._journal.last_words
        if kept or lost:
            self._log.error("emergency_segment", lines=kept, lost=lost)
            where = f"its last {kept} lines are in {EMERGENCY_NAME}"
            self._progress.note(f"{where}, {lost} are lost" if lost else where)
        failure = self._journal.seal_failure
        if failure is not None:
            self._log.warning("segment_not_packed", reason=failure.strerror or str(failure))

    def close(self) -> None:
        """Close files and give the terminal back; twice is fine."""
        self._metrics.close()
        self._progress.close()
        self._close_log()

    def failed(self, error: BaseException) -> None:
        """Write a bug's trace to session.log."""
        self._log.error("bug", exc_info=error)


def _logged(view: SessionView, health: HealthReading) -> dict[str, object]:
    return {
        "state": view.state,
        "equity": str(view.equity),
        "open_orders": view.open_orders,
        "fills": view.fills,
        **msgspec.to_builtins(health),
    }
