"""`laptop-agents audit query [RUN|PATH]`: lines by type, time, symbol, agent and order."""

import argparse
import csv
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from fnmatch import fnmatchcase

from engine.model.errors import UsageError
from engine.model.events import INPUT_TYPES, RECORD_TYPES
from engine.session.audit_index import AuditIndex, Found, Question, open_index
from engine.session.journal_reader import TS_MAX
from engine.session.sanitize import sanitize
from laptop_agents.audit_words import ascii_json, details, fields, iso
from laptop_agents.home import find_home
from laptop_agents.runs import find_journal

ROWS_MAX = 200
"""Rows of a table for people, unless --limit says otherwise; programs get all."""
OWN_TYPES = ("session_started", "session_resumed", "heartbeat", "session_ended")
CSV_HEAD = ("seq", "ts", "time", "type", "symbol", "agent", "order", "data")


def run(arguments: argparse.Namespace) -> int:
    """Print the lines that fit.

    Raises:
        JournalDamaged: The journal is not proven from first to last line.
        UsageError: A filter makes no sense.
    """
    journal = find_journal(arguments.run, find_home(os.environ))
    with open_index(journal) as index:
        question = _question(arguments, index)
        if arguments.json:
            _write_json(index.find(question))
        elif arguments.csv:
            _write_csv(index.find(question))
        else:
            _write_table(index, question, is_limited=arguments.limit is not None)
    return 0


def _question(arguments: argparse.Namespace, index: AuditIndex) -> Question:
    default = None if arguments.json or arguments.csv else ROWS_MAX
    return Question(
        types=None if arguments.type is None else _types(arguments.type, index.types()),
        symbol=arguments.symbol,
        agent=arguments.agent,
        order=arguments.order,
        since_ns=_time("--since", arguments.since, index.began_ns),
        until_ns=_time("--until", arguments.until, index.began_ns),
        limit=default if arguments.limit is None else _limit(arguments.limit),
    )


def _types(text: str, present: Sequence[str]) -> list[str]:
    """Return the journal types that a list such as `fill,order_*` names."""
    known = sorted({*INPUT_TYPES, *RECORD_TYPES, *OWN_TYPES, *present})
    chosen: list[str] = []
    for name in text.split(","):
        fitting = [one for one in known if fnmatchcase(one, name.strip())]
        if not fitting:
            near = get_close_matches(name.strip()[:80], known, n=1)
            hint = f": did you mean {near[0]}?" if near else ""
            raise UsageError(f"--type: no line is a {sanitize(name.strip(), 40)}{hint}")
        chosen += fitting
    return list(dict.fromkeys(chosen))


def _time(option: str, text: str | None, began_ns: int) -> int | None:
    """Read seconds since the journal began, or an ISO time (UTC where it names no zone)."""
    if text is None:
        return None
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        return _iso_time(option, text)
    if not seconds.is_finite() or not 0 <= seconds < 10**9:
        raise UsageError(f"{option}: seconds since the start, 0 or more, or an ISO time")
    return min(began_ns + int(seconds * 1_000_000_000), TS_MAX)


def _iso_time(option: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{option}: seconds since the start (90), or an ISO time (2026-01-31T12:00:00Z)"
        ) from error
    return min(max(0, since // timedelta(microseconds=1) * 1_000), TS_MAX)


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 19 or not int(text):
        raise UsageError("--limit: a whole number above 0")
    return int(text)


def _write_json(found: Iterable[Found]) -> None:
    for one in found:
        sys.stdout.write(ascii_json(one.raw) + "\n")


def _write_csv(found: Iterable[Found]) -> None:
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(CSV_HEAD)
    for line, _ in found:
        data = fields(line)
        order = data.get("order_id") or data.get("intent_id") or ""
        about = [sanitize(str(data.get(name, ""))) for name in ("symbol", "agent")]
        rows.writerow(
            [line.seq, line.ts_ns, iso(line.ts_ns), line.type, *about, sanitize(str(order)),
             ascii_json(line.data)]
        )  # fmt: skip


def _write_table(index: AuditIndex, question: Question, *, is_limited: bool) -> None:
    seq_width = len(str(index.lines))
    type_width = max(map(len, index.types()))
    rows = 0
    for line, _ in index.find(question):
        rows += 1
        sys.stdout.write(
            f"{line.seq:>{seq_width}}  {iso(line.ts_ns)}  {sanitize(line.type):<{type_width}}"
            f"  {details(fields(line))}\n"
        )
    if not rows:
        sys.stderr.write("no line fits\n")
    elif rows == question.limit and not is_limited:
        every = index.count(question)
        if every > rows:
            sys.stderr.write(f"{rows} of {every} lines; --limit, --json and --csv give more\n")
