"""A what-if: the recorded market runs again with changed settings, beside what was recorded.

It is an ordinary session: the same runner, kernel and paper venue, with the journal as its source.
The recorded answers of the venue are no inputs here; the paper venue answers anew.

Rule 1: before anything is compared, the recording must replay to its own decisions; otherwise what
        differs might be the program, not the settings.
Rule 2: it leaves nothing behind but, on request, a run folder of its own; `latest` stays.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import time_ns

import msgspec

from engine.model.errors import StateDamaged, UsageError
from engine.session.audit_diff import Difference
from engine.session.journal_keeper import begin
from engine.session.journal_reader import read_journal
from engine.session.log import open_log
from engine.session.manifest import utc
from engine.session.progress import Progress
from engine.session.recorded_feed import RecordedFeed
from engine.session.run_folder import RunFolder, new_run_id
from engine.session.stops import Stops
from laptop_agents import compose
from laptop_agents.audit_words import ascii_json
from laptop_agents.diff_words import as_document, as_text
from laptop_agents.home import FOLDER_MODE
from laptop_agents.opening import Run
from laptop_agents.recorded_kernel import Started, started_with
from laptop_agents.recorded_settings import changed_settings
from laptop_agents.replay_command import replayed
from laptop_agents.running import LOG_NAME, run_loop
from laptop_agents.runs import JOURNAL_NAME
from laptop_agents.runs_diff import compared
from laptop_agents.settings import Settings
from laptop_agents.sources import Flag

RAN, INTERRUPTED = 0, 4
NAMES = ("recorded", "what if")


def tell_what_if(
    journal: Path, changes: Sequence[Flag], kept_in: str | None, *, as_json: bool
) -> int:
    """Run the what-if and print both sides; what came of it is no error.

    Raises:
        SettingsRefused: A change is unknown, invalid, or belongs to the recording.
        UsageError: The journal holds no inputs, or the folder to keep it in exists.
        StateDamaged: The recording is not proven, or does not replay to its own decisions.
    """
    started = started_with(journal, next(read_journal(journal)))
    settings = changed_settings(started.settings, changes)
    feed = _feed(journal, started, settings)
    with _folder(kept_in) as folder:
        _refuse_other_program(journal)
        if not _ran(settings, feed, folder, started):
            return INTERRUPTED
        found = compared(journal, folder / JOURNAL_NAME)
    sys.stdout.write(_told(journal, changes, found, as_json=as_json))
    return RAN


def _told(journal: Path, changes: Sequence[Flag], found: Difference, *, as_json: bool) -> str:
    if as_json:
        changed = {flag.name: flag.text for flag in changes}
        told = {"journal": str(journal), "changes": changed, **as_document(found)}
        return ascii_json(msgspec.json.encode(told)) + "\n"
    return "\n".join(as_text(found, NAMES)) + "\n"


def _feed(journal: Path, started: Started, settings: Settings) -> RecordedFeed:
    """Offer the recorded instruments, or those of them that the settings name."""
    by_symbol = {instrument.symbol: instrument for instrument in started.instruments}
    wanted = settings.symbols or tuple(by_symbol)
    unknown = [symbol for symbol in wanted if symbol not in by_symbol]
    if unknown:
        raise UsageError(f"{unknown[0]} was not recorded: there are {', '.join(by_symbol)}")
    return RecordedFeed(
        journal,
        [by_symbol[symbol] for symbol in wanted],
        source=started.source,
        is_simulated=started.simulated,
    )


@contextmanager
def _folder(kept_in: str | None) -> Iterator[Path]:
    """Make the folder of the what-if; without a name it lasts as long as the comparison."""
    if kept_in is None:
        with tempfile.TemporaryDirectory(prefix="laptop-agents-what-if-") as folder:
            yield Path(folder)
        return
    kept = Path(kept_in).expanduser().absolute()
    try:
        kept.mkdir(FOLDER_MODE)
    except FileExistsError as error:
        raise UsageError(f"--run-dir {kept} exists already") from error
    except OSError as error:
        raise StateDamaged(f"can't write {kept}: {error.strerror}") from error
    yield kept


def _refuse_other_program(journal: Path) -> None:
    mismatch = replayed(journal).mismatch
    if mismatch is not None:
        raise StateDamaged(
            f"{journal}:{mismatch.line}: this program decides differently here without any change,"
            " so a what-if would prove nothing; see `laptop-agents replay`"
        )


def _ran(settings: Settings, feed: RecordedFeed, path: Path, started: Started) -> bool:
    """Run the session to its end; False where a signal cut it short."""
    wall_ns = time_ns()
    folder = RunFolder(path)
    run = Run(
        run_id=new_run_id(wall_ns),
        folder=folder,
        keeper=begin(folder.file(JOURNAL_NAME)),
        recorded=None,
        started_at=utc(wall_ns),
        start_ns=settings.session.start_ns or 0,
        envelope=None,
    )
    stops = Stops([])
    with ExitStack() as stack:
        log = open_log(path / LOG_NAME)
        stack.callback(log.close)
        progress = Progress(None, "quiet")
        stack.callback(progress.close)
        session, record, _ = compose.make_session(
            settings,
            run,
            feed,
            log=log,
            progress=progress,
            stops=stops,
            references=started.references,
        )
        stack.callback(record.close)
        record.finish(run_loop(session.run()))
    return not stops.is_signaled
