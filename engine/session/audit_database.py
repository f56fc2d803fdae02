"""Builds the index of a journal and keeps it in a file beside it; `audit_index.py` asks it.

Rule 1: an index is built only from a journal that was proven from its first line to its last.
Rule 2: it serves only the journal it was built from: same head, and same inodes, sizes and times
        of change of all its files. Any other journal is proven and indexed anew. (Who edits a line
        and sets the clock of the file back is found when that line is read, and by `audit verify`
        always.)
Rule 3: it is a cache: 0600, written beside itself and renamed, and safe to delete. Where none can
        be kept, an index that lives as long as the question does the same.

Source: issue 3 item 5; reliability.md C10, F3.
"""

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from engine.model.errors import StateDamaged
from engine.model.operators import OPERATOR
from engine.portfolio.portfolio import HOUSE
from engine.session.journal_line import GENESIS
from engine.session.journal_parts import segments
from engine.session.journal_reader import JournalReading, Line

NAME: Final = "audit.sqlite"
LAYOUT: Final = 2
"""Version of the tables below."""
BATCH_LINES: Final = 10_000
"""Lines between two inserts: memory stays flat, SQLite stays busy."""

LIQUIDATION: Final = "liquidation"
"""Who a venue's own closing orders seem to come from."""

SYMBOL, AGENT, ORDER = "symbol", "agent", "order"

_TABLES: Final = f"""
PRAGMA user_version = {LAYOUT};
CREATE TABLE journal (files TEXT, tail TEXT, head TEXT, lines INT, began_ns INT);
CREATE TABLE files (at INT, seq INT);
CREATE TABLE types (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE lines (seq INTEGER PRIMARY KEY, ts INT, type INT, at INT, size INT);
CREATE TABLE names (kind TEXT, name TEXT, seq INT, PRIMARY KEY (kind, name, seq)) WITHOUT ROWID;
"""
_INDEXES: Final = """
CREATE INDEX lines_by_type ON lines (type, seq);
CREATE INDEX lines_by_time ON lines (ts, seq);
"""
TAIL: Final = len(f',"prev":"{GENESIS}","hash":"{GENESIS}"}}\n')
"""Bytes behind a line's data."""


class _Names(msgspec.Struct):
    """What of a line's data says who and what it is about."""

    symbol: str = ""
    agent: str = ""
    order_id: str = ""
    intent_id: str = ""
    working_order_id: str = ""
    scope: str = ""
    order_ids: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


class _Started(msgspec.Struct):
    """What of `session_started` names others."""

    symbols: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()


_decode: Final = msgspec.json.Decoder(_Names).decode


def open_database(journal: Path) -> sqlite3.Connection:
    """Return the database beside a journal, built anew where it is absent or of another journal.

    Raises:
        JournalDamaged: The journal is not proven; nothing is answered from it.
        StateDamaged: It can't be read, or there is no room for an index anywhere.

    """
    path = journal.with_name(NAME)
    try:
        return _kept(path, journal) or _built(path, journal)
    except (OSError, sqlite3.Error) as error:
        raise StateDamaged(f"can't read or index {journal}: {error}") from error


def _kept(path: Path, journal: Path) -> sqlite3.Connection | None:
    """Open an index that fits the journal as it is now."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            return None
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except (OSError, sqlite3.Error):
        return None
    try:
        (layout,) = database.execute("PRAGMA user_version").fetchone()
        row = database.execute("SELECT files, tail FROM journal").fetchone()
        if layout == LAYOUT and row is not None and row == _fingerprint(journal):
            return database
    except (OSError, sqlite3.Error, UnicodeDecodeError):
        pass  # somebody else's file, or a broken one: it is only a cache
    database.close()
    return None


def _fingerprint(journal: Path) -> tuple[str, str]:
    """Return what tells a journal from any other, and the hash it ends in as it stands there."""
    with journal.open("rb") as file:
        status = os.fstat(file.fileno())
        file.seek(max(0, status.st_size - TAIL))
        tail = file.read(TAIL)
    known = [status, *(path.stat() for path in segments(journal))]
    files = ",".join(f"{one.st_ino}:{one.st_size}:{one.st_mtime_ns}" for one in known)
    return files, tail[-len(GENESIS) - 3 : -3].decode("ascii", "replace")


def _built(path: Path, journal: Path) -> sqlite3.Connection:
    """Prove and index the journal; keep the index where the folder lets us."""
    beside = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR
        os.close(os.open(beside, flags, 0o600))
    except OSError:
        return _fill(sqlite3.connect(""), journal)  # a private temporary file of SQLite's own
    try:
        database = _fill(sqlite3.connect(beside), journal)
        with contextlib.suppress(OSError):  # a folder of that name: then this question only
            beside.replace(path)
        return database
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def _fill(database: sqlite3.Connection, journal: Path) -> sqlite3.Connection:
    try:
        before = _fingerprint(journal)
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _TABLES)
        reading = JournalReading(journal)
        head, lines, began_ns = _insert(database, reading.lines())
        database.executescript(_INDEXES)
        database.executemany("INSERT INTO files VALUES (?, ?)", reading.starts)
        # A session may have written on while we read: what was read is then indexed, and the next
        # question, which sees other files, builds anew.
        row = (*before, head, lines, began_ns)
        database.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", row)
        database.commit()
    except BaseException:
        database.close()
        raise
    return database


def _insert(database: sqlite3.Connection, lines: Iterable[Line]) -> tuple[str, int, int]:
    types: dict[str, int] = {}
    known = _Known()
    rows: list[tuple[int, int, int, int, int]] = []
    names: list[tuple[str, str, int]] = []
    at, began_ns = 0, 0
    head = GENESIS
    seq = 0
    for line in lines:
        seq = line.seq
        if seq == 1:
            began_ns = line.ts_ns
            known = _Known.of(line)
        kind = types.setdefault(line.type, len(types))
        rows.append((seq, line.ts_ns, kind, at, line.size))
        names += [(what, name, seq) for what, name in known.names(line)]
        at += line.size
        head = line.hash
        if len(rows) >= BATCH_LINES:
            _flush(database, rows, names)
    _flush(database, rows, names)
    database.executemany("INSERT INTO types VALUES (?, ?)", [(i, n) for n, i in types.items()])
    return head, seq, began_ns


def _flush(
    database: sqlite3.Connection,
    rows: list[tuple[int, int, int, int, int]],
    names: list[tuple[str, str, int]],
) -> None:
    database.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", rows)
    database.executemany("INSERT OR IGNORE INTO names VALUES (?, ?, ?)", names)
    rows.clear()
    names.clear()


class _Known:
    """The session's own words, by which a `scope` is told to be a symbol, an agent or an order."""

    def __init__(self, symbols: Iterable[str] = (), agents: Iterable[str] = ()) -> None:
        self._symbols = frozenset(symbols)
        self._agents = frozenset((*agents, HOUSE, OPERATOR, LIQUIDATION))

    @classmethod
    def of(cls, first: Line) -> "_Known":
        try:
            started = msgspec.json.decode(first.data, type=_Started)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return cls()
        return cls(started.symbols, started.agents)

    def names(self, line: Line) -> Iterator[tuple[str, str]]:
        """Yield whom and what a line is about, as (kind, name)."""
        try:
            data = _decode(line.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return  # not our shape: found by type and time
        if data.symbol:
            yield SYMBOL, data.symbol
        if data.agent:
            yield AGENT, data.agent
        if data.scope in self._symbols:
            yield SYMBOL, data.scope
        elif data.scope in self._agents:
            yield AGENT, data.scope
        orders = (data.order_id, data.intent_id, data.working_order_id)
        for order_id in (*filter(None, orders), *data.order_ids, *data.inputs):
            yield from self._of_order(order_id)
        if self._is_order(data.scope):
            yield from self._of_order(data.scope)

    def _of_order(self, order_id: str) -> Iterator[tuple[str, str]]:
        yield ORDER, order_id
        agent = order_id.rpartition("-")[0]
        if agent in self._agents:
            yield AGENT, agent

    def _is_order(self, scope: str) -> bool:
        agent, _, number = scope.rpartition("-")
        return number.isdigit() and agent in self._agents
