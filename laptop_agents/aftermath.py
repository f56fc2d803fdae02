"""`python -m laptop_agents.aftermath RUN`: the final report of a run that its sentinel ended.

The engine is dead, but nothing it knew is lost: its journal is rerun, the venue's answers to the
sentinel follow from `sentinel.jsonl`, and the report is made of what the kernel then holds. The
journal itself stays as its writer left it.
"""

import sys
from pathlib import Path
from time import time_ns
from typing import Final

import msgspec

from engine.kernel import Kernel
from engine.model.errors import LaptopAgentsError, UsageError
from engine.model.events import Input, Operator, OperatorCommand
from engine.model.money import use_exact_arithmetic
from engine.model.venue_events import VenueFill
from engine.reports.final_report import NAME as REPORT_NAME
from engine.reports.final_report import build_report, encode_report
from engine.reports.latency import LatencyMeter
from engine.reports.schema import FinalReport, JournalSummary, RunFacts
from engine.reports.statistics import Curve
from engine.reports.tally import Tally
from engine.session.journal_reader import Line, input_of
from engine.session.manifest import NAME as MANIFEST_NAME
from engine.session.manifest import Manifest, utc
from engine.session.recorded import Recorded
from engine.session.run_folder import RunFolder
from engine.session.sentinel.segment import read_verdict
from engine.session.view import session_view
from laptop_agents.recorded_kernel import recorded_kernel
from laptop_agents.runs import JOURNAL_NAME

STOP_REASON: Final = "sentinel_kill"
EXIT_CODE: Final = 4
"""Stopped by kill file, signal or operator (interface.md)."""


def conclude(run: Path) -> FinalReport:
    """Write the report of a run that was killed, and return it.

    Raises:
        LaptopAgentsError: Its journal can't be trusted, or holds no inputs to rerun.
    """
    recorded = Recorded(run / JOURNAL_NAME)
    started = msgspec.json.decode(recorded.first.data)
    if started["settings"]["journal.detail"] != "inputs":
        raise UsageError("its journal holds no inputs, see journal.detail: there is no report")
    rerun = Rerun(recorded_kernel(started), recorded.first)
    rerun.follow(recorded)
    rerun.follow_sentinel(read_verdict(run).lines)
    return _written(RunFolder(run), rerun, recorded)


class Rerun:
    """A dead engine's kernel, brought to where it was and on to where the sentinel left it."""

    def __init__(self, kernel: Kernel, first: Line) -> None:
        started = msgspec.json.decode(first.data, type=_Started, strict=False)
        self.kernel, self.started, self.began_ns = kernel, started, first.ts_ns
        self.tally = Tally(
            started.symbols,
            started.agents,
            [view.instrument for view in kernel.market.views.values()],
        )
        self.curve = Curve()
        self.curve.add(first.ts_ns, kernel.portfolio.equity, False)
        self.head = first.hash
        self.trade_ids: set[str] = set()

    def follow(self, recorded: Recorded) -> None:
        """Take every line the engine wrote."""
        while not recorded.is_exhausted:
            line = recorded.take()
            self.head = line.hash
            event = input_of(line)
            if event is not None:
                self._step(event)
            elif line.type == "heartbeat":
                self._plot()

    def follow_sentinel(self, lines: tuple[Line, ...]) -> None:
        """Take what the venue answered to the sentinel, then the kill itself."""
        answers = [event for line in lines if (event := input_of(line)) is not None]
        for event in sorted(answers, key=_happened_after):
            if not (isinstance(event, VenueFill) and event.trade_id in self.trade_ids):
                self._step(event)
        self._step(OperatorCommand(self.kernel.now_ns, Operator.KILL, "sentinel"))
        self._plot()

    def _step(self, event: Input) -> None:
        if isinstance(event, VenueFill):
            self.trade_ids.add(event.trade_id)
        self.tally.follow([event, *self.kernel.step(event).records])

    def _plot(self) -> None:
        books = self.kernel.portfolio.books
        self.curve.add(self.kernel.now_ns, self.kernel.portfolio.equity, bool(books.unrealised))


def _happened_after(event: Input) -> bool:
    """Whether the sentinel caused it; what the engine never heard of came before."""
    return not isinstance(event, VenueFill) or event.order_id == event.trade_id


class _Started(msgspec.Struct):
    run_id: str
    mode: str
    simulated: bool
    symbols: tuple[str, ...]
    agents: tuple[str, ...]
    requested_duration_s: float | None


def _written(folder: RunFolder, rerun: Rerun, recorded: Recorded) -> FinalReport:
    kernel, started = rerun.kernel, rerun.started
    view = session_view(
        kernel,
        events=recorded.count,
        remaining_s=None,
        progress=None,
        is_simulated=started.simulated,
    )
    report = build_report(
        RunFacts(
            run_id=started.run_id,
            mode=started.mode,
            simulated=started.simulated,
            symbols=started.symbols,
            agents=started.agents,
            started_ns=rerun.began_ns,
            ended_ns=kernel.now_ns,
            requested_duration_s=started.requested_duration_s,
            stop_reason=STOP_REASON,
            exit_code=EXIT_CODE,
            starting_balance=kernel.config.starting_balance,
        ),
        view,
        tally=rerun.tally,
        curve=rerun.curve,
        latency=LatencyMeter().total(),
        journal=JournalSummary(
            events=recorded.count, bytes=recorded.good_bytes, head_hash=rerun.head
        ),
        refused=kernel.market.refusals(),
    )
    folder.write(REPORT_NAME, encode_report(report))
    manifest = msgspec.json.decode(folder.file(MANIFEST_NAME).read_bytes(), type=Manifest)
    ended_at = utc(time_ns())
    folder.write_json(MANIFEST_NAME, msgspec.structs.replace(manifest, ended_at=ended_at))
    return report


def main(words: list[str]) -> int:
    """Write the report and say where it is; exit with the run's code, or that of what failed."""
    use_exact_arithmetic()
    run = Path(words[0])
    try:
        report = conclude(run)
    except (LaptopAgentsError, OSError) as error:
        sys.stderr.write(f"sentinel: no final report could be made: {error}\n")
        return getattr(error, "exit_code", 6)
    sys.stderr.write(
        f"{STOP_REASON}: equity {report.equity:,.2f} ({report.pnl.net:+,.2f}),"
        f" {report.trades} fills, {report.round_trips} round trips, exit {EXIT_CODE}\n"
        f"{run / REPORT_NAME}\n"
    )
    return EXIT_CODE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
