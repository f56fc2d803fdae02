"""Finding a recorded run by what a user types: an id, `latest`, a run folder or a journal."""

from pathlib import Path

from engine.model.errors import UsageError
from engine.session.journal_parts import JOURNAL_NAME

__all__ = ["JOURNAL_NAME", "find_journal"]


def find_journal(name: str, home: Path) -> Path:
    """Return the journal of a run.

    Raises:
        UsageError: There is none where `name` points.
    """
    for place in (home / "runs" / name, Path(name).expanduser()):
        journal = place / JOURNAL_NAME if place.is_dir() else place
        if journal.is_file():
            return journal
    raise UsageError(
        f"no run {name!r}: expected a run id, 'latest', a run folder or a journal file"
    )
