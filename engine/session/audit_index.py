"""An index of a journal, so that a question need not read a million lines.

The journal stays the truth. The index holds where each line stands and what it names; what a line
says is read from the journal and proven again, line by line.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.model.errors import JournalDamaged, StateDamaged
from engine.session.audit_database import AGENT, ORDER, SYMBOL, TAIL, open_database
from engine.session.audit_pages import AuditPages
from engine.session.journal_line import GENESIS
from engine.session.journal_reader import Line, proven_line

_PREV: Final = slice(-TAIL + len(',"prev":"'), -TAIL + len(f',"prev":"{GENESIS}'))


class Question(NamedTuple):
    """Which lines to return; None asks for any."""

    types: Sequence[str] | None = None
    symbol: str | None = None
    agent: str | None = None
    order: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    """Exclusive."""
    until_seq: int | None = None
    """The last line that counts; None counts all."""
    limit: int | None = None
    newest_first: bool = False


class Found(NamedTuple):
    """One line: what it says, and as it stands in the journal."""

    line: Line
    raw: bytes
    """Without its newline."""


class AuditIndex:
    """Answers questions about one proven journal. Close it."""

    def __init__(self, journal: Path, database: sqlite3.Connection) -> None:
        self._database = database
        self._pages = AuditPages(journal, database.execute("SELECT at, seq FROM files").fetchall())
        row = database.execute("SELECT head, lines, began_ns FROM journal").fetchone()
        self.head: str = row[0]
        self.lines: int = row[1]
        self.began_ns: int = row[2]
        """`ts` of the first line."""

    def __enter__(self) -> "AuditIndex":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of both files."""
        self._database.close()
        self._pages.close()

    def types(self) -> list[str]:
        """Return the types that occur, by name."""
        return [row[0] for row in self._database.execute("SELECT name FROM types ORDER BY name")]

    def named(self, kind: str) -> list[str]:
        """Return every symbol, agent or order that occurs, by name."""
        rows = self._database.execute(
            "SELECT DISTINCT name FROM names WHERE kind = ? ORDER BY name", (kind,)
        )
        return [row[0] for row in rows]

    def count(self, question: Question) -> int:
        """Return how many lines fit, whatever the limit."""
        where, values = _where(question)
        row = self._database.execute(f"SELECT count(*) FROM lines {where}", values).fetchone()  # noqa: S608 - fixed text
        return int(row[0])

    def find(self, question: Question) -> Iterator[Found]:
        """Yield the lines that fit, oldest first, each proven as it is read.

        Raises:
            JournalDamaged: A line is not what it was when the index was built.

        """
        where, values = _where(question)
        order = "DESC" if question.newest_first else "ASC"
        text = f"SELECT seq, at, size FROM lines {where} ORDER BY seq {order}"  # noqa: S608 - fixed text
        if question.limit is not None:
            text, values = f"{text} LIMIT ?", [*values, question.limit]
        for seq, at, size in self._database.execute(text, values):
            yield self._read(seq, at, size)

    def _read(self, seq: int, at: int, size: int) -> Found:
        raw = self._pages.read(at, size)
        line = proven_line(raw, raw[_PREV].decode("ascii", "replace"), seq)
        if isinstance(line, str):
            path, number = self._pages.place(at, seq)
            raise JournalDamaged(path, number, "the line changed since it was indexed")
        return Found(line, raw[:-1])


def _where(question: Question) -> tuple[str, list[Any]]:
    """Return the condition and its values; no outside text becomes part of a statement."""
    terms: list[str] = []
    values: list[Any] = []
    if question.types is not None:
        marks = ",".join("?" * len(question.types))
        terms.append(f"type IN (SELECT id FROM types WHERE name IN ({marks}))")  # noqa: S608
        values += question.types
    for kind, name in (
        (SYMBOL, question.symbol),
        (AGENT, question.agent),
        (ORDER, question.order),
    ):
        if name is not None:
            terms.append("seq IN (SELECT seq FROM names WHERE kind = ? AND name = ?)")
            values += [kind, name]
    for sign, ts_ns in ((">=", question.since_ns), ("<", question.until_ns)):
        if ts_ns is not None:
            terms.append(f"ts {sign} ?")
            values.append(ts_ns)
    if question.until_seq is not None:
        terms.append("seq <= ?")
        values.append(question.until_seq)
    return f"WHERE {' AND '.join(terms)}" if terms else "", values


def open_index(journal: Path) -> AuditIndex:
    """Return the index of a journal, built where none fits.

    Raises:
        JournalDamaged: The journal is not proven; nothing is answered from it.
        StateDamaged: It can't be read, or there is no room for an index anywhere.

    """
    database = open_database(journal)
    try:
        return AuditIndex(journal, database)
    except OSError as error:
        database.close()
        raise StateDamaged(f"can't read {journal}: {error.strerror or error}") from error
